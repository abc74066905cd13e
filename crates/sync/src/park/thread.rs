//! The parker of a plain thread.
//!
//! It does not use `std::thread::park`, whose one token belongs to the user's own code: a wait of ours between a
//! user's `unpark` and `park` would swallow it.

use super::Parker;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::{Wake, Waker};
use std::time::Instant;

pub(super) struct ThreadParker {
    signal: Arc<Signal>,
    waker: Waker,
}

#[derive(Default)]
struct Signal {
    woken: Mutex<bool>,
    changed: Condvar,
}

thread_local! {
    static OF_THIS_THREAD: Rc<ThreadParker> = Rc::new(ThreadParker::new());
}

impl ThreadParker {
    /// One for each thread, made at its first wait and kept, so that a wait does not allocate.
    pub(super) fn of_this_thread() -> Rc<dyn Parker> {
        OF_THIS_THREAD.try_with(Rc::clone).unwrap_or_else(|_| Rc::new(ThreadParker::new()))
    }

    fn new() -> Self {
        let signal = Arc::<Signal>::default();
        ThreadParker { waker: Waker::from(Arc::clone(&signal)), signal }
    }
}

impl Parker for ThreadParker {
    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn park(&self, deadline: Option<Instant>) {
        let mut woken = self.signal.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*woken {
            woken = match deadline {
                None => self.signal.changed.wait(woken).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    self.signal.changed.wait_timeout(woken, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *woken = false;
    }

    fn cooperative(&self) -> bool {
        false
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let before = std::mem::replace(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner), true);
        if !before {
            self.changed.notify_one();
        }
    }
}
