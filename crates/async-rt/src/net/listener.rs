//! Waiting for connections.

use super::address::Address;
use super::stream::{TcpStream, no_runtime};
use crate::context;
use crate::drivers::{AnyListener, AnyStream, Each, Listener, with_each};
use crate::time::sleep;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// A TCP socket that connections come in at. Dropping it closes it; connections that came in go on.
///
/// [`start_server`](crate::start_server) is the short way to serve each connection in a task.
#[derive(Debug)]
pub struct TcpListener {
    inner: AnyListener,
}

impl TcpListener {
    /// Listens on `address`. Port 0 lets the system choose, and [`local_addr`](TcpListener::local_addr) tells.
    ///
    /// # Errors
    /// The system's for the last address that was tried; that a name is not known; that there is no runtime on this
    /// thread.
    pub async fn bind(address: impl Into<Address>) -> io::Result<Self> {
        let address = address.into();
        let core = context::current().ok_or_else(|| no_runtime("TcpListener::bind"))?;
        let mut last = None;
        for address in address.resolve(&core).await? {
            match core.driver.bind(address).await {
                Ok(inner) => return Ok(TcpListener { inner }),
                Err(why) => last = Some(why),
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
    }

    /// Waits for the next connection and returns it with its peer's address. Several tasks may wait at the same time.
    ///
    /// A connection that its peer has given up before it was accepted is passed over.
    ///
    /// # Errors
    /// The system's. When descriptors or memory have run out, the connection stays in the queue of the system, and the
    /// error comes after a pause of 50 ms, so that a loop that simply tries again does not spin.
    ///
    /// # Cancel safety
    /// No connection is lost by dropping the future.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        loop {
            match self.accept_any().await {
                Ok((stream, peer)) => return Ok((TcpStream::new(stream), peer)),
                Err(why) if is_given_up(&why) => {}
                Err(why) => {
                    if is_exhausted(&why) {
                        sleep(PAUSE).await;
                    }
                    return Err(why);
                }
            }
        }
    }

    /// The address that it listens on.
    ///
    /// # Errors
    /// The system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        with_each!(&self.inner, listener => Listener::local_addr(listener))
    }

    async fn accept_any(&self) -> io::Result<(AnyStream, SocketAddr)> {
        Ok(match &self.inner {
            Each::Native(listener) => {
                let (stream, peer) = Listener::accept(listener).await?;
                (Each::Native(stream), peer)
            }
            Each::Tokio(listener) => {
                let (stream, peer) = Listener::accept(listener).await?;
                (Each::Tokio(stream), peer)
            }
            Each::AsyncStd(listener) => {
                let (stream, peer) = Listener::accept(listener).await?;
                (Each::AsyncStd(stream), peer)
            }
            Each::Smol(listener) => {
                let (stream, peer) = Listener::accept(listener).await?;
                (Each::Smol(stream), peer)
            }
        })
    }
}

/// The peer has given the connection up before it was accepted.
fn is_given_up(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

/// Descriptors or memory have run out; trying again helps only when others have closed something.
pub(super) fn is_exhausted(why: &io::Error) -> bool {
    why.kind() == io::ErrorKind::OutOfMemory
        || why.raw_os_error().is_some_and(|code| EXHAUSTED.contains(&code))
}

/// `ENFILE`, `EMFILE`, `ENOBUFS`.
#[cfg(target_os = "linux")]
const EXHAUSTED: [i32; 3] = [23, 24, 105];
#[cfg(all(unix, not(target_os = "linux")))]
const EXHAUSTED: [i32; 3] = [23, 24, 55];
/// `WSAEMFILE`, `WSAENOBUFS`.
#[cfg(not(unix))]
const EXHAUSTED: [i32; 2] = [10024, 10055];

/// How long an error of that kind is held back. Shorter would spend the processor on trying in vain; longer would let
/// connections wait when there is room again.
const PAUSE: Duration = Duration::from_millis(50);
