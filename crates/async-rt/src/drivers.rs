//! What a backend has to bring, and the few places where the facade chooses between backends.
//!
//! A backend is a [`Driver`]: it runs a body, sleeps, connects, listens and lends threads. Everything else (handles,
//! cancelling, panics, groups, closing) is written once, above it. [`Each`] holds the value of one backend; the backends
//! whose feature is off are [`absent`], types without values, so that their arms cost nothing and nothing is said twice.

// Somewhere something is missing, except on Linux with all features.
#[cfg(not(all(target_os = "linux", feature = "async-std", feature = "smol", feature = "tokio")))]
pub(crate) mod absent;

#[cfg(feature = "async-std")]
mod async_std;
#[cfg(any(feature = "async-std", feature = "smol"))]
mod shared_tcp;
#[cfg(feature = "smol")]
mod smol;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(not(feature = "async-std"))]
use absent::Absent as AsyncStd;
#[cfg(not(feature = "smol"))]
use absent::Absent as Smol;
#[cfg(not(feature = "tokio"))]
use absent::Absent as Tokio;
#[cfg(feature = "async-std")]
use async_std::AsyncStd;
#[cfg(feature = "smol")]
use smol::Smol;
#[cfg(feature = "tokio")]
use tokio::Tokio;

use crate::backend::Backend;
use crate::builder::{Options, StartError};
use crate::native::Native;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

/// What a backend brings.
pub(crate) trait Driver: Sized + fmt::Debug + Send + Sync + 'static {
    type Sleep: Future<Output = ()> + Send;
    type Stream: Stream;
    type Listener: Listener<Stream = Self::Stream>;

    fn start(options: &Options) -> Result<Self, StartError>;

    /// Runs `body` to its end, unless the driver is stopped before. `body` does not panic.
    fn spawn(&self, body: impl Future<Output = ()> + Send + 'static);

    /// Runs `runner` on a thread that may block, and returns the thread if it was made for it.
    fn start_runner(&self, runner: Runner) -> io::Result<Option<JoinHandle<()>>>;

    /// How long a runner that has nothing to do waits for more: not at all where the backend keeps threads itself.
    fn runners_linger() -> Duration {
        Duration::ZERO
    }

    /// Waits for `future` on this thread, which is not one of the backend's.
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        sync::park::block_on(future)
    }

    fn sleep(limit: Duration) -> Self::Sleep;

    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    fn bind(&self, address: SocketAddr) -> impl Future<Output = io::Result<Self::Listener>> + Send;

    /// Ends the backend's threads. All tasks and functions have ended, but perhaps for the return of the one that calls. The
    /// second time, nothing happens.
    fn stop(&self, wait: Wait);
}

pub(crate) type Runner = Box<dyn FnOnce() + Send>;

/// Whether to wait for threads to end. A thread cannot wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Yes,
    No,
}

pub(crate) trait Read: fmt::Debug + Send + Unpin {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;
}

pub(crate) trait Write: fmt::Debug + Send + Unpin {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

pub(crate) trait Stream: Read + Write + Sync {
    type Read: Read + Sync;
    /// Closes the direction when dropped.
    type Write: Write + Sync;

    fn split(self) -> Halves<Self>;
    fn local_addr(&self) -> io::Result<SocketAddr>;
    fn peer_addr(&self) -> io::Result<SocketAddr>;
    fn nodelay(&self) -> io::Result<bool>;
    fn set_nodelay(&self, on: bool) -> io::Result<()>;
}

pub(crate) type Halves<S> = (<S as Stream>::Read, <S as Stream>::Write);

pub(crate) trait Listener: fmt::Debug + Send + Sync {
    type Stream: Stream;

    fn accept(&self) -> impl Future<Output = io::Result<(Self::Stream, SocketAddr)>> + Send;
    fn local_addr(&self) -> io::Result<SocketAddr>;
}

/// A value of the backend that was chosen.
#[derive(Debug)]
pub(crate) enum Each<N, T, A, S> {
    Native(N),
    Tokio(T),
    AsyncStd(A),
    Smol(S),
}

/// What each backend has under one name.
macro_rules! each_of {
    ($name:ident, $trait:ident) => {
        pub(crate) type $name = Each<
            <Native as Driver>::$trait,
            <Tokio as Driver>::$trait,
            <AsyncStd as Driver>::$trait,
            <Smol as Driver>::$trait,
        >;
    };
    ($name:ident, $trait:ident of Stream) => {
        pub(crate) type $name = Each<
            <<Native as Driver>::Stream as Stream>::$trait,
            <<Tokio as Driver>::Stream as Stream>::$trait,
            <<AsyncStd as Driver>::Stream as Stream>::$trait,
            <<Smol as Driver>::Stream as Stream>::$trait,
        >;
    };
}

pub(crate) type AnyDriver = Each<Native, Tokio, AsyncStd, Smol>;
each_of!(AnyStream, Stream);
each_of!(AnyListener, Listener);
each_of!(AnyReadHalf, Read of Stream);
each_of!(AnyWriteHalf, Write of Stream);

/// Does the same with whichever value is there.
macro_rules! with_each {
    ($each:expr, $value:ident => $body:expr) => {
        match $each {
            $crate::drivers::Each::Native($value) => $body,
            $crate::drivers::Each::Tokio($value) => $body,
            $crate::drivers::Each::AsyncStd($value) => $body,
            $crate::drivers::Each::Smol($value) => $body,
        }
    };
}

/// As `with_each`, and what comes of it is again a value of that backend.
macro_rules! map_each {
    ($each:expr, $value:ident => $body:expr) => {
        match $each {
            $crate::drivers::Each::Native($value) => $crate::drivers::Each::Native($body),
            $crate::drivers::Each::Tokio($value) => $crate::drivers::Each::Tokio($body),
            $crate::drivers::Each::AsyncStd($value) => $crate::drivers::Each::AsyncStd($body),
            $crate::drivers::Each::Smol($value) => $crate::drivers::Each::Smol($body),
        }
    };
}

pub(crate) use with_each;

impl AnyDriver {
    pub(crate) fn start(backend: Backend, options: &Options) -> Result<Self, StartError> {
        Ok(match backend {
            Backend::Native => Each::Native(Native::start(options)?),
            Backend::Tokio => Each::Tokio(Tokio::start(options)?),
            Backend::AsyncStd => Each::AsyncStd(AsyncStd::start(options)?),
            Backend::Smol => Each::Smol(Smol::start(options)?),
        })
    }

    pub(crate) fn backend(&self) -> Backend {
        match self {
            Each::Native(_) => Backend::Native,
            Each::Tokio(_) => Backend::Tokio,
            Each::AsyncStd(_) => Backend::AsyncStd,
            Each::Smol(_) => Backend::Smol,
        }
    }

    pub(crate) fn runners_linger(&self) -> Duration {
        fn of<D: Driver>(_: &D) -> Duration {
            D::runners_linger()
        }
        with_each!(self, driver => of(driver))
    }

    pub(crate) fn sleep(&self, limit: Duration) -> AnySleep {
        match self {
            Each::Native(_) => AnySleep::Native { sleep: Native::sleep(limit) },
            Each::Tokio(_) => AnySleep::Tokio { sleep: Tokio::sleep(limit) },
            Each::AsyncStd(_) => AnySleep::AsyncStd { sleep: AsyncStd::sleep(limit) },
            Each::Smol(_) => AnySleep::Smol { sleep: Smol::sleep(limit) },
        }
    }

    pub(crate) async fn connect(&self, address: SocketAddr) -> io::Result<AnyStream> {
        Ok(map_each!(self, driver => driver.connect(address).await?))
    }

    pub(crate) async fn bind(&self, address: SocketAddr) -> io::Result<AnyListener> {
        Ok(map_each!(self, driver => driver.bind(address).await?))
    }
}

pin_project! {
    /// A sleep of the backend that was chosen; they are not all `Unpin`.
    #[project = AnySleepProjection]
    pub(crate) enum AnySleep {
        Native { #[pin] sleep: <Native as Driver>::Sleep },
        Tokio { #[pin] sleep: <Tokio as Driver>::Sleep },
        AsyncStd { #[pin] sleep: <AsyncStd as Driver>::Sleep },
        Smol { #[pin] sleep: <Smol as Driver>::Sleep },
    }
}

impl AnySleep {
    /// A sleep that needs no runtime.
    pub(crate) fn without_runtime(limit: Duration) -> Self {
        AnySleep::Native { sleep: sync::timer::sleep(limit) }
    }
}

impl Future for AnySleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project() {
            AnySleepProjection::Native { sleep } => sleep.poll(cx),
            AnySleepProjection::Tokio { sleep } => sleep.poll(cx),
            AnySleepProjection::AsyncStd { sleep } => sleep.poll(cx),
            AnySleepProjection::Smol { sleep } => sleep.poll(cx),
        }
    }
}
