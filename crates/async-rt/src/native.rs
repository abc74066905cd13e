//! The native loop: a [scheduler] with one queue for all workers, timers, and on Linux an epoll reactor.
//!
//! | file | what |
//! |---|---|
//! | `lifecycle` | where a task stands; the only atomics |
//! | `scheduler` | the queue and the workers, and why no task is left lying |
//! | `timers`, `clock` | wake-ups in order of time; the runtime's timer |
//! | `epoll`, `portable` | the poller: where idle workers wait, with sockets or without |
//! | `readiness`, `tcp` | sockets that are tried first and waited for when the system says "not now" (`no_tcp` elsewhere) |
//!
//! Fair: first in, first out, among tasks. Allocates: two pieces for a task besides the handle's, one for a timer. A task
//! that computes for long holds up one worker and nobody else, as long as there is another.

mod clock;
mod lifecycle;
mod scheduler;
mod timers;

#[cfg(target_os = "linux")]
mod epoll;
#[cfg(target_os = "linux")]
mod readiness;
#[cfg(target_os = "linux")]
mod tcp;
#[cfg(target_os = "linux")]
use epoll::{Events, Patience, Poller};

#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(not(target_os = "linux"))]
#[path = "native/no_tcp.rs"]
mod tcp;
#[cfg(not(target_os = "linux"))]
use portable::{Events, Patience, Poller};

use crate::builder::{Options, StartError};
use crate::drivers::{Driver, Runner, Wait};
use scheduler::Scheduler;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tcp::{Listener, Stream};

/// A running loop: the scheduler and its workers.
#[derive(Debug)]
pub(crate) struct Native {
    scheduler: Arc<Scheduler>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Driver for Native {
    type Sleep = sync::timer::Sleep;
    type Stream = Stream;
    type Listener = Listener;

    fn start(options: &Options) -> Result<Self, StartError> {
        let poller =
            Arc::new(Poller::new().map_err(|why| StartError::system("the poller of the native loop", why))?);
        let native = Native { scheduler: Arc::new(Scheduler::new(poller)), workers: Mutex::default() };
        for number in 0..options.worker_count() {
            let scheduler = Arc::clone(&native.scheduler);
            let started =
                thread::Builder::new().name(format!("async-rt-{number}")).spawn(move || scheduler.work());
            match started {
                Ok(worker) => native.workers().push(worker),
                Err(why) => {
                    native.stop(Wait::Yes);
                    return Err(StartError::system(format!("worker thread {number}"), why));
                }
            }
        }
        Ok(native)
    }

    fn spawn(&self, body: impl Future<Output = ()> + Send + 'static) {
        self.scheduler.spawn(body);
    }

    fn start_runner(&self, runner: Runner) -> io::Result<Option<JoinHandle<()>>> {
        thread::Builder::new().name("async-rt-blocking".into()).spawn(runner).map(Some)
    }

    fn runners_linger() -> Duration {
        LINGER
    }

    fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _timer = sync::timer::install(Arc::new(self.scheduler.clock.clone()));
        sync::park::block_on(future)
    }

    fn sleep(limit: Duration) -> Self::Sleep {
        sync::timer::sleep(limit)
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<Stream> {
        tcp::connect(&self.scheduler.poller, address).await
    }

    async fn bind(&self, address: SocketAddr) -> io::Result<Listener> {
        tcp::bind(&self.scheduler.poller, address)
    }

    fn stop(&self, wait: Wait) {
        self.scheduler.stop();
        let workers = std::mem::take(&mut *self.workers());
        if wait == Wait::Yes {
            for worker in workers {
                // A worker catches what tasks throw, so there is nothing to learn from how it ended.
                let _ = worker.join();
            }
        }
        // Sockets may outlive the loop in other hands; they learn that nobody watches them any more.
        self.scheduler.poller.close();
    }
}

impl Native {
    fn workers(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes a waker of anyone. One that panics, which it must not, ends neither the worker nor the wake-ups that follow.
fn wake(waker: Waker) {
    sync::contain(|| waker.wake());
}

/// How long a blocking thread stays when there is nothing to do. Starting one costs tens of microseconds, keeping one
/// costs its stack.
const LINGER: Duration = Duration::from_secs(5);

#[cfg(all(test, not(trefoil_loom)))]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use std::future::poll_fn;
    use std::panic::panic_any;
    use std::task::{Poll, Wake};
    use std::time::Instant;
    use sync::Event;
    use sync::timer::Timer;

    /// A payload that panics when it is dropped, with another of its kind.
    struct Fuse {
        left: u32,
    }

    impl Drop for Fuse {
        fn drop(&mut self) {
            if let Some(left) = self.left.checked_sub(1) {
                panic_any(Fuse { left });
            }
        }
    }

    #[derive(Default)]
    struct Panics {
        woken: Event,
    }

    impl Wake for Panics {
        fn wake(self: Arc<Self>) {
            self.woken.set();
            panic_any(Fuse { left: 4 });
        }
    }

    /// A loop whose only worker must live on.
    fn with_one_worker(disturb: impl FnOnce(&Native)) {
        let options = Options { backend: Backend::Native, workers: Some(1), blocking_threads: 1 };
        let native = Native::start(&options).unwrap();
        disturb(&native);
        let polled = Arc::new(Event::new());
        native.spawn({
            let polled = Arc::clone(&polled);
            async move { polled.set() }
        });
        polled.wait();
        native.stop(Wait::Yes);
    }

    #[test]
    fn a_waker_that_panics_ends_no_worker() {
        with_one_worker(|native| {
            let panics = Arc::new(Panics::default());
            let waker = Waker::from(Arc::clone(&panics));
            let _scheduled = native.scheduler.clock.schedule(Instant::now(), waker);
            panics.woken.wait();
        });
    }

    #[test]
    fn a_body_that_panics_ends_alone() {
        with_one_worker(|native| native.spawn(poll_fn(|_| -> Poll<()> { panic_any(Fuse { left: 4 }) })));
        // When it is dropped, after it was ready.
        with_one_worker(|native| {
            let fuse = Fuse { left: 4 };
            native.spawn(poll_fn(move |_| {
                let _kept = &fuse;
                Poll::Ready(())
            }));
        });
    }
}
