//! A task for each connection.

use super::address::Address;
use super::listener::{TcpListener, is_exhausted};
use super::stream::TcpStream;
use crate::spawn::spawn;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use sync::{JoinError, Task};

/// Listens on `address` and serves each connection by a task of its own, which runs what `handler` returns for it.
///
/// When descriptors have run out it waits for some to be closed and goes on. A handler that panics ends its own
/// connection.
///
/// # Errors
/// As [`TcpListener::bind`].
///
/// # Examples
/// See [`TcpStream`].
pub async fn start_server<H, F>(address: impl Into<Address>, handler: H) -> io::Result<Server>
where
    H: Fn(TcpStream, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(address).await?;
    let local = listener.local_addr()?;
    Ok(Server { local, accepting: spawn(accept(listener, Arc::new(handler))) })
}

/// A server that accepts connections; see [`start_server`].
///
/// Dropping it detaches, as dropping any handle does: it serves until its runtime is closed. To end it, call
/// [`close`](Server::close).
#[derive(Debug)]
#[must_use = "dropping it detaches the server, which then serves as long as its runtime"]
pub struct Server {
    local: SocketAddr,
    accepting: Task<io::Result<()>>,
}

impl Server {
    /// The address that it listens on.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Accepts no more and closes the listening socket. Connections that came in go on.
    ///
    /// # Errors
    /// What ended the server before, if something did.
    pub async fn close(self) -> io::Result<()> {
        self.accepting.cancel();
        self.serve_forever().await
    }

    /// Waits until the server ends: when its socket fails, or its runtime is closed, which is no error.
    ///
    /// # Errors
    /// What made the socket fail.
    pub async fn serve_forever(self) -> io::Result<()> {
        match self.accepting.await {
            Ok(ended) => ended,
            Err(JoinError::Cancelled | JoinError::ShutDown) => Ok(()),
            Err(why) => Err(io::Error::other(why)),
        }
    }
}

async fn accept<H, F>(listener: TcpListener, handler: Arc<H>) -> io::Result<()>
where
    H: Fn(TcpStream, SocketAddr) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let handler = Arc::clone(&handler);
                // Calling the handler is the task's business too, and so is its panic.
                drop(spawn(async move { handler(stream, peer).await }));
            }
            // It has paused.
            Err(why) if is_exhausted(&why) => {}
            Err(why) => return Err(why),
        }
    }
}
