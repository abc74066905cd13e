//! The native loop has no reactor on this system yet; see the crate's platform table.

use super::Poller;
use crate::drivers::absent::Absent;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

pub(super) type Stream = Absent;
pub(super) type Listener = Absent;

pub(super) async fn connect(_: &Arc<Poller>, address: SocketAddr) -> io::Result<Stream> {
    Err(unsupported(&format!("connect to {address}")))
}

pub(super) fn bind(_: &Arc<Poller>, address: SocketAddr) -> io::Result<Listener> {
    Err(unsupported(&format!("listen on {address}")))
}

fn unsupported(what: &str) -> io::Error {
    let why = format!(
        "cannot {what}: the native loop has sockets on Linux alone; \
         use `Backend::Tokio` or `Backend::Smol`, whose features have the same names"
    );
    io::Error::new(io::ErrorKind::Unsupported, why)
}
