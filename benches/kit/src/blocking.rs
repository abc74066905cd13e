//! Help for models whose units block their thread.
//!
//! Such a model waits first and then returns a future that is ready: `std::future::ready(receiver.recv())`. A unit is
//! therefore ready at its first poll, and [`finish`] is all the executor it needs.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Runs a future whose waits all block; one poll does it.
///
/// # Panics
/// If the future returns `Pending`: something in it waits in the way of an async runtime, which a model of this kind
/// does not have.
pub fn finish<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a unit of a blocking model returned `Pending`: let the model block instead"),
    }
}

/// [`crate::Model::exchange`] by a blocking socket.
///
/// # Errors
/// Those of the socket.
pub fn exchange(address: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(request)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// A gate of std's: a flag, and a condition variable for those who wait for it.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// Blocks until the gate is open.
    pub fn wait(&self) {
        let (open, changed) = &*self.0;
        let guard = open.lock().unwrap_or_else(PoisonError::into_inner);
        drop(changed.wait_while(guard, |open| !*open));
    }

    /// Opens it for good.
    pub fn open(&self) {
        let (open, changed) = &*self.0;
        *open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}
