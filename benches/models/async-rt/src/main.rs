//! The native event loop of this project's own `async-rt`.
//!
//! The idioms are those of its README: `spawn` and awaiting the task, `spawn_blocking` for work that computes or blocks,
//! its `TcpStream`, and `Queue` and `Event` of `sync`, which need no runtime.

#![forbid(unsafe_code)]

use async_rt::sync::queue::CloseOnDrop;
use async_rt::sync::{Event, Queue};
use async_rt::{Backend, Runtime, Task, TcpStream};
use kit::{Facts, Lost, Model};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

struct AsyncRt {
    runtime: Runtime,
}

impl Model for AsyncRt {
    type Task = Task<u64>;
    type Sender = CloseOnDrop<u64>;
    type Receiver = CloseOnDrop<u64>;
    type Gate = Arc<Event>;

    fn facts() -> Facts {
        Facts {
            name: "async-rt",
            version: kit::version!("async-rt"),
            about: "tasks on the native event loop of this project's `async-rt`; computing work by spawn_blocking",
            ..Facts::default()
        }
    }

    fn start(workers: usize) -> io::Result<Self> {
        let builder = Runtime::builder(Backend::Native).workers(workers).blocking_threads(workers);
        Ok(AsyncRt { runtime: builder.build().map_err(io::Error::other)? })
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        self.runtime.run(root)
    }

    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> Task<u64> {
        self.runtime.spawn(unit)
    }

    async fn join(task: Task<u64>) -> Result<u64, Lost> {
        task.await.map_err(Lost::new)
    }

    async fn yield_now() {
        async_rt::yield_now().await;
    }

    fn channel(capacity: usize) -> (CloseOnDrop<u64>, CloseOnDrop<u64>) {
        let queue = Arc::new(Queue::bounded(capacity));
        (queue.close_on_drop(), queue.close_on_drop())
    }

    async fn send(sender: &mut CloseOnDrop<u64>, word: u64) -> bool {
        sender.put_async(word).await.is_ok()
    }

    async fn receive(receiver: &mut CloseOnDrop<u64>) -> Option<u64> {
        receiver.get_async().await.ok()
    }

    fn gate() -> Arc<Event> {
        Arc::default()
    }

    async fn wait(gate: &Arc<Event>) {
        gate.wait_async().await;
    }

    fn open(gate: &Arc<Event>) {
        gate.set();
    }

    async fn map<I, T>(&self, items: Vec<I>, job: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        let start = |item| self.runtime.submit(job.clone(), item);
        let jobs: Vec<Task<T>> = items.into_iter().map(start).collect();
        let mut results = Vec::with_capacity(jobs.len());
        for job in jobs {
            results.push(job.await.unwrap_or_else(|why| panic!("a job was lost: {}", why.resume_panic())));
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

kit::main!(AsyncRt);
