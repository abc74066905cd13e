//! The stand-in for a backend that is not there: because its feature is off, or because it has no sockets on
//! this system.
//!
//! [`Absent`] has no values, so nothing here is ever called except what makes one, which is an error that names the remedy.

use super::{Driver, Halves, Runner, Wait};
use crate::builder::{Options, StartError};
use std::future::{Future, Pending};
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

#[derive(Debug)]
pub(crate) enum Absent {}

impl Driver for Absent {
    type Sleep = Pending<()>;
    type Stream = Absent;
    type Listener = Absent;

    fn start(options: &Options) -> Result<Self, StartError> {
        Err(StartError::FeatureOff { backend: options.backend, feature: options.backend.name() })
    }

    fn spawn(&self, _: impl Future<Output = ()> + Send + 'static) {
        match *self {}
    }

    fn start_runner(&self, _: Runner) -> io::Result<Option<JoinHandle<()>>> {
        match *self {}
    }

    fn sleep(_: Duration) -> Self::Sleep {
        std::future::pending()
    }

    async fn connect(&self, _: SocketAddr) -> io::Result<Absent> {
        match *self {}
    }

    async fn bind(&self, _: SocketAddr) -> io::Result<Absent> {
        match *self {}
    }

    fn stop(&self, _: Wait) {
        match *self {}
    }
}

impl super::Stream for Absent {
    type Read = Absent;
    type Write = Absent;

    fn split(self) -> Halves<Self> {
        match self {}
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }

    fn nodelay(&self) -> io::Result<bool> {
        match *self {}
    }

    fn set_nodelay(&self, _: bool) -> io::Result<()> {
        match *self {}
    }
}

impl super::Read for Absent {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }
}

impl super::Write for Absent {
    fn poll_write(&mut self, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
        match *self {}
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match *self {}
    }
}

impl super::Listener for Absent {
    type Stream = Absent;

    async fn accept(&self) -> io::Result<(Absent, SocketAddr)> {
        match *self {}
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        match *self {}
    }
}
