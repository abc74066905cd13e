//! async-std, which is one for the whole program: its threads, sockets and timers start with the first use and never end.

use super::shared_tcp::futures_sockets;
use super::{Driver, Runner, Wait};
use crate::builder::{Options, StartError};
use ::async_std::net::{TcpListener, TcpStream};
use ::async_std::task;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::thread::JoinHandle;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct AsyncStd;

impl Driver for AsyncStd {
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn start(options: &Options) -> Result<Self, StartError> {
        if options.workers.is_some() {
            return Err(StartError::refused(
                options.backend,
                "workers",
                "its threads serve the whole program; set `ASYNC_STD_THREAD_COUNT` in the environment",
            ));
        }
        Ok(AsyncStd)
    }

    fn spawn(&self, body: impl Future<Output = ()> + Send + 'static) {
        // Dropping async-std's handle detaches; ours is elsewhere.
        drop(task::spawn(body));
    }

    fn start_runner(&self, runner: Runner) -> io::Result<Option<JoinHandle<()>>> {
        drop(task::spawn_blocking(runner));
        Ok(None)
    }

    fn sleep(limit: Duration) -> Self::Sleep {
        Box::pin(task::sleep(limit))
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    async fn bind(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    fn stop(&self, _: Wait) {
        // It cannot be stopped; our tasks have ended.
    }
}

futures_sockets!(TcpStream, TcpListener);
