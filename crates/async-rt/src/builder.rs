//! How a runtime is made.

use crate::backend::Backend;
use crate::runtime::Runtime;
use std::fmt;
use std::io;
use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// Settings of a [`Runtime`]; see [`Runtime::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing runs before `build`"]
pub struct Builder {
    options: Options,
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) backend: Backend,
    pub(crate) workers: Option<usize>,
    pub(crate) blocking_threads: usize,
}

/// How many functions block at the same time, unless the builder says otherwise. With few, functions that wait for one
/// another come to a standstill early; with many, functions that compute share the processors with too many others.
const BLOCKING_THREADS: usize = 64;

impl Builder {
    pub(crate) fn new(backend: Backend) -> Self {
        Builder { options: Options { backend, workers: None, blocking_threads: BLOCKING_THREADS } }
    }

    /// How many threads poll tasks. One for each processor, if not set.
    ///
    /// Not for [`Backend::AsyncStd`], whose threads serve the whole program: [`build`](Builder::build) refuses it.
    ///
    /// # Panics
    /// If `count` is 0: nothing would ever run.
    #[track_caller]
    pub fn workers(mut self, count: usize) -> Self {
        assert!(count > 0, "a runtime needs at least 1 worker, or nothing would ever run");
        self.options.workers = Some(count);
        self
    }

    /// How many functions run at the same time that block: those of [`spawn_blocking`](crate::spawn_blocking) and of
    /// [`Runtime::submit`]. 64, if not set. Their threads start when there is something to do.
    ///
    /// # Panics
    /// If `count` is 0: none would ever run.
    #[track_caller]
    pub fn blocking_threads(mut self, count: usize) -> Self {
        assert!(count > 0, "a runtime needs at least 1 blocking thread, or no function would ever run");
        self.options.blocking_threads = count;
        self
    }

    /// Starts the runtime.
    ///
    /// # Errors
    /// [`StartError`]: the backend's feature is off, it cannot do what was set, or the system refused a thread or a
    /// descriptor.
    pub fn build(&self) -> Result<Runtime, StartError> {
        Runtime::start(&self.options)
    }
}

impl Options {
    pub(crate) fn worker_count(&self) -> usize {
        self.workers.unwrap_or_else(|| available_parallelism().map_or(1, NonZeroUsize::get))
    }
}

/// Why there is no runtime.
#[non_exhaustive]
#[derive(Debug)]
pub enum StartError {
    /// The backend's feature is off.
    FeatureOff {
        /// What was asked for.
        backend: Backend,
        /// The feature of this crate that brings it.
        feature: &'static str,
    },
    /// The backend cannot do what was set.
    Refused {
        /// The backend.
        backend: Backend,
        /// The method of [`Builder`].
        option: &'static str,
        /// Why, and what to do instead.
        why: &'static str,
    },
    /// The system refused something.
    System {
        /// What: a thread, a poller.
        what: Box<str>,
        /// The system's answer.
        source: io::Error,
    },
}

impl StartError {
    #[cfg(feature = "async-std")]
    pub(crate) fn refused(backend: Backend, option: &'static str, why: &'static str) -> Self {
        StartError::Refused { backend, option, why }
    }

    pub(crate) fn system(what: impl Into<Box<str>>, source: io::Error) -> Self {
        StartError::System { what: what.into(), source }
    }

    /// Whether switching a feature on would help.
    #[must_use]
    pub fn is_feature_off(&self) -> bool {
        matches!(self, StartError::FeatureOff { .. })
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            StartError::FeatureOff { backend, feature } => write!(
                f,
                "the backend {backend} is not compiled in; switch on the feature \"{feature}\" of async-rt, \
                 or use `Backend::Native`"
            ),
            StartError::Refused { backend, option, why } => {
                write!(f, "the backend {backend} refuses `{option}`: {why}")
            }
            StartError::System { what, source } => write!(f, "cannot start {what}: {source}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::System { source, .. } => Some(source),
            _ => None,
        }
    }
}
