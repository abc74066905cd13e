//! async-std, which is no longer developed and points to smol; it is measured because so much was written for it.
//!
//! The idioms are those of the pages `async_std::task` ("Spawning a task"), `async_std::task::spawn_blocking` for work
//! that would block the executor, and `async_std::channel`; a channel that is closed is the gate, since its condition variable is behind
//! the feature `unstable`. The number of threads is read from `ASYNC_STD_THREAD_COUNT`, and that of the pool behind
//! `spawn_blocking` from `BLOCKING_MAX_THREADS`.

#![forbid(unsafe_code)]

use async_std::channel::{Receiver, Sender, bounded};
use async_std::net::TcpStream;
use async_std::prelude::*;
use async_std::task::{self, JoinHandle};
use kit::{Facts, Lost, Model, unwind};
use std::future::Future;
use std::io;
use std::net::SocketAddr;

struct AsyncStd;

impl Model for AsyncStd {
    type Task = JoinHandle<u64>;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Gate = (Sender<()>, Receiver<()>);

    fn facts() -> Facts {
        Facts {
            name: "async-std",
            version: kit::version!("async-std"),
            about: "async-std tasks (discontinued upstream); computing work by task::spawn_blocking",
            worker_variables: &["ASYNC_STD_THREAD_COUNT", "BLOCKING_MAX_THREADS"],
            ..Facts::default()
        }
    }

    fn start(_workers: usize) -> io::Result<Self> {
        // The runtime is a global that starts with its first task.
        task::block_on(task::spawn(async {}));
        Ok(AsyncStd)
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        task::block_on(task::spawn(root))
    }

    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> JoinHandle<u64> {
        task::spawn(unit)
    }

    async fn join(task: JoinHandle<u64>) -> Result<u64, Lost> {
        unwind::wait(task).await
    }

    async fn yield_now() {
        task::yield_now().await;
    }

    fn channel(capacity: usize) -> (Sender<u64>, Receiver<u64>) {
        bounded(capacity)
    }

    async fn send(sender: &mut Sender<u64>, word: u64) -> bool {
        sender.send(word).await.is_ok()
    }

    async fn receive(receiver: &mut Receiver<u64>) -> Option<u64> {
        receiver.recv().await.ok()
    }

    fn gate() -> Self::Gate {
        bounded(1)
    }

    async fn wait((_, closed): &Self::Gate) {
        closed.recv().await.expect_err("nothing is ever sent through a gate");
    }

    fn open((gate, _): &Self::Gate) {
        gate.close();
    }

    async fn map<I, T>(&self, items: Vec<I>, job: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let start = |item| {
            let job = job.clone();
            task::spawn_blocking(move || job(item))
        };
        let jobs: Vec<JoinHandle<T>> = items.into_iter().map(start).collect();
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            results.push(job.await);
        }
        results
    }

    async fn exchange(address: SocketAddr, request: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&request).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

kit::main!(AsyncStd);
