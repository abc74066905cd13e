//! Smol, with an executor and threads of its own. Sockets, timers and blocking threads are those that smol shares in the
//! whole program.

use super::shared_tcp::futures_sockets;
use super::{Driver, Runner, Wait};
use crate::builder::{Options, StartError};
use ::smol::net::{TcpListener, TcpStream};
use ::smol::{Executor, Timer};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use sync::Event;

#[derive(Debug)]
pub(crate) struct Smol {
    executor: Arc<Executor<'static>>,
    stop: Arc<Event>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Driver for Smol {
    type Sleep = Sleep;
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn start(options: &Options) -> Result<Self, StartError> {
        let smol = Smol { executor: Arc::default(), stop: Arc::default(), workers: Mutex::default() };
        for number in 0..options.worker_count() {
            let (executor, stop) = (Arc::clone(&smol.executor), Arc::clone(&smol.stop));
            let started = thread::Builder::new()
                .name(format!("async-rt-smol-{number}"))
                .spawn(move || ::smol::block_on(executor.run(stop.wait_async())));
            match started {
                Ok(worker) => smol.workers().push(worker),
                Err(why) => {
                    smol.stop(Wait::Yes);
                    return Err(StartError::system(format!("worker thread {number} of smol"), why));
                }
            }
        }
        Ok(smol)
    }

    fn spawn(&self, body: impl Future<Output = ()> + Send + 'static) {
        // Dropping smol's handle would cancel; ours is elsewhere.
        self.executor.spawn(body).detach();
    }

    fn start_runner(&self, runner: Runner) -> io::Result<Option<JoinHandle<()>>> {
        ::smol::unblock(runner).detach();
        Ok(None)
    }

    fn sleep(limit: Duration) -> Sleep {
        Sleep(Timer::after(limit))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    async fn bind(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    fn stop(&self, wait: Wait) {
        self.stop.set();
        let workers = std::mem::take(&mut *self.workers());
        if wait == Wait::Yes {
            for worker in workers {
                // Bodies catch what tasks throw, so there is nothing to learn from how it ended.
                let _ = worker.join();
            }
        }
    }
}

impl Smol {
    fn workers(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

futures_sockets!(TcpStream, TcpListener);

/// Smol's timer, without the time that it gives.
#[derive(Debug)]
pub(crate) struct Sleep(Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}
