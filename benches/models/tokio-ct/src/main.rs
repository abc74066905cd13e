//! tokio with its current-thread scheduler: one thread for everything.
//!
//! The idioms are those of tokio's own pages: "Spawning" and "Channels" of its tutorial, and `tokio::sync::watch` for a
//! state that many wait for. Computing work is done inline, because a pool beside the scheduler would make this
//! `tokio-mt` by another name; `tokio::runtime::Builder::new_current_thread` promises that all happens on one thread.

#![forbid(unsafe_code)]

use kit::protocol::Uses;
use kit::{Facts, Lost, Model};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

struct TokioCt {
    runtime: Runtime,
}

impl Model for TokioCt {
    type Task = JoinHandle<u64>;
    type Sender = mpsc::Sender<u64>;
    type Receiver = mpsc::Receiver<u64>;
    type Gate = watch::Sender<bool>;

    fn facts() -> Facts {
        Facts {
            name: "tokio-ct",
            version: kit::version!("tokio"),
            about: "tokio tasks on the current-thread scheduler; computing work inline",
            uses: Uses::OneThread { helpers: 0 },
            ..Facts::default()
        }
    }

    fn start(_workers: usize) -> io::Result<Self> {
        Ok(TokioCt { runtime: Builder::new_current_thread().enable_io().build()? })
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime
            .block_on(self.runtime.spawn(root))
            .unwrap_or_else(|lost| resume_unwind(lost.into_panic()))
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
        items.into_iter().map(job).collect()
    }

    async fn exchange(address: SocketAddr, request: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&request).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok(answer)
    }
}

kit::main!(TokioCt);
