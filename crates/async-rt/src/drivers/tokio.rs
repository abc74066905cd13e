//! Tokio, with a multi-threaded runtime of its own.

use super::{Driver, Halves, Listener, Read, Runner, Stream, Wait, Write};
use crate::builder::{Options, StartError};
use ::tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ::tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use ::tokio::net::{TcpListener, TcpStream};
use ::tokio::runtime::{self, Handle, Runtime};
use ::tokio::time::Sleep;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

#[derive(Debug)]
pub(crate) struct Tokio {
    handle: Handle,
    /// Taken out when it stops.
    runtime: Mutex<Option<Runtime>>,
}

impl Driver for Tokio {
    type Sleep = Sleep;
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn start(options: &Options) -> Result<Self, StartError> {
        let runtime = runtime::Builder::new_multi_thread()
            .worker_threads(options.worker_count())
            .max_blocking_threads(options.blocking_threads)
            .thread_name("async-rt-tokio")
            .enable_all()
            .build()
            .map_err(|why| StartError::system("a tokio runtime", why))?;
        Ok(Tokio { handle: runtime.handle().clone(), runtime: Mutex::new(Some(runtime)) })
    }

    fn spawn(&self, body: impl Future<Output = ()> + Send + 'static) {
        // Dropping tokio's handle detaches; ours is elsewhere.
        drop(self.handle.spawn(body));
    }

    fn start_runner(&self, runner: Runner) -> io::Result<Option<JoinHandle<()>>> {
        drop(self.handle.spawn_blocking(runner));
        Ok(None)
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        // Sockets and timers are tokio's, which looks for its runtime on the thread; waiting is ours, like everywhere.
        let _entered = self.handle.enter();
        sync::park::block_on(future)
    }

    fn sleep(limit: Duration) -> Sleep {
        ::tokio::time::sleep(limit)
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    async fn bind(&self, address: SocketAddr) -> io::Result<TcpListener> {
        TcpListener::bind(address).await
    }

    fn stop(&self, wait: Wait) {
        let runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(runtime) = runtime else { return };
        // Tokio refuses to wait for its threads where its own code is being run.
        if wait == Wait::No || Handle::try_current().is_ok() {
            runtime.shutdown_background();
        }
    }
}

impl Stream for TcpStream {
    type Read = OwnedReadHalf;
    type Write = OwnedWriteHalf;

    fn split(self) -> Halves<Self> {
        self.into_split()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        TcpStream::local_addr(self)
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        TcpStream::peer_addr(self)
    }

    fn nodelay(&self) -> io::Result<bool> {
        TcpStream::nodelay(self)
    }

    fn set_nodelay(&self, on: bool) -> io::Result<()> {
        TcpStream::set_nodelay(self, on)
    }
}

impl Read for TcpStream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        read(self, cx, buffer)
    }
}

impl Write for TcpStream {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(self), cx, bytes)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(self), cx)
    }
}

impl Read for OwnedReadHalf {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        read(self, cx, buffer)
    }
}

impl Write for OwnedWriteHalf {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(Pin::new(self), cx, bytes)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_shutdown(Pin::new(self), cx)
    }
}

impl Listener for TcpListener {
    type Stream = TcpStream;

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self).await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        TcpListener::local_addr(self)
    }
}

fn read<R: AsyncRead + Unpin>(
    reader: &mut R,
    cx: &mut Context<'_>,
    buffer: &mut [u8],
) -> Poll<io::Result<usize>> {
    let mut buffer = ReadBuf::new(buffer);
    Pin::new(reader).poll_read(cx, &mut buffer).map_ok(|()| buffer.filled().len())
}
