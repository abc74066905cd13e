//! smol and its global executor.
//!
//! The idioms are those of smol's own pages: `smol::spawn` (whose page says that `SMOL_THREADS` sets the number of
//! threads), `smol::unblock` for work that blocks (its pool is held to the number of workers by `BLOCKING_MAX_THREADS`),
//! `smol::channel`, and `smol::lock::OnceCell` for a value that many wait for.

#![forbid(unsafe_code)]

use kit::{Facts, Lost, Model, unwind};
use smol::Task;
use smol::channel::{Receiver, Sender, bounded};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use smol::lock::OnceCell;
use smol::net::TcpStream;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

struct Smol;

impl Model for Smol {
    type Task = Task<u64>;
    type Sender = Sender<u64>;
    type Receiver = Receiver<u64>;
    type Gate = Arc<OnceCell<()>>;

    fn facts() -> Facts {
        Facts {
            name: "smol",
            version: kit::version!("smol"),
            about: "smol tasks on its global executor; computing work by smol::unblock",
            worker_variables: &["SMOL_THREADS", "BLOCKING_MAX_THREADS"],
            ..Facts::default()
        }
    }

    fn start(_workers: usize) -> io::Result<Self> {
        // The executor is a global that starts with its first task.
        smol::block_on(smol::spawn(async {}));
        Ok(Smol)
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        smol::block_on(smol::spawn(root))
    }

    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> Task<u64> {
        smol::spawn(unit)
    }

    async fn join(task: Task<u64>) -> Result<u64, Lost> {
        unwind::wait(task).await
    }

    async fn yield_now() {
        smol::future::yield_now().await;
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

    fn gate() -> Arc<OnceCell<()>> {
        Arc::default()
    }

    async fn wait(gate: &Arc<OnceCell<()>>) {
        gate.wait().await;
    }

    fn open(gate: &Arc<OnceCell<()>>) {
        gate.set_blocking(()).expect("a gate is opened once");
    }

    async fn map<I, T>(&self, items: Vec<I>, job: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let start = |item| {
            let job = job.clone();
            smol::unblock(move || job(item))
        };
        let jobs: Vec<Task<T>> = items.into_iter().map(start).collect();
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

kit::main!(Smol);
