//! tokio with its multi-thread scheduler.
//!
//! The idioms are those of tokio's own pages: "Spawning" and "Channels" of its tutorial, `tokio::task` ("CPU-bound tasks
//! and blocking code": `spawn_blocking`, its pool held to the number of workers), and `tokio::sync::watch` for a state
//! that many wait for.

#![forbid(unsafe_code)]

use kit::{Facts, Lost, Model};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

struct TokioMt {
    runtime: Runtime,
}

impl Model for TokioMt {
    type Task = JoinHandle<u64>;
    type Sender = mpsc::Sender<u64>;
    type Receiver = mpsc::Receiver<u64>;
    type Gate = watch::Sender<bool>;

    fn facts() -> Facts {
        Facts {
            name: "tokio-mt",
            version: kit::version!("tokio"),
            about: "tokio tasks on the multi-thread scheduler; computing work by spawn_blocking",
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers).max_blocking_threads(workers).enable_io();
        Ok(TokioMt { runtime: builder.build()? })
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime.block_on(self.runtime.spawn(root)).unwrap_or_else(|lost| pass_on(lost))
    }

    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> JoinHandle<u64> {
        tokio::spawn(unit)
    }

    async fn join(task: JoinHandle<u64>) -> Result<u64, Lost> {
        task.await.map_err(Lost::new)
    }

    async fn yield_now() {
        tokio::task::yield_now().await;
    }

    fn channel(capacity: usize) -> (mpsc::Sender<u64>, mpsc::Receiver<u64>) {
        mpsc::channel(capacity)
    }

    async fn send(sender: &mut mpsc::Sender<u64>, word: u64) -> bool {
        sender.send(word).await.is_ok()
    }

    async fn receive(receiver: &mut mpsc::Receiver<u64>) -> Option<u64> {
        receiver.recv().await
    }

    fn gate() -> watch::Sender<bool> {
        watch::Sender::new(false)
    }

    async fn wait(gate: &watch::Sender<bool>) {
        gate.subscribe().wait_for(|open| *open).await.expect("the sender is here");
    }

    fn open(gate: &watch::Sender<bool>) {
        gate.send_replace(true);
    }

    async fn map<I, T>(&self, items: Vec<I>, job: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let start = |item| {
            let job = job.clone();
            spawn_blocking(move || job(item))
        };
        let jobs: Vec<JoinHandle<T>> = items.into_iter().map(start).collect();
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            results.push(job.await.unwrap_or_else(|lost| pass_on(lost)));
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

fn pass_on(lost: JoinError) -> ! {
    resume_unwind(lost.into_panic())
}

kit::main!(TokioMt);
