//! A wake that a sleeping thread waits for.

use crate::primitive::{Sleep as Condvar, SleepLock as Mutex};
use std::sync::{Arc, PoisonError};
use std::task::{Wake, Waker};
use std::time::Instant;

/// A wake that stays until it is used: what a [`Parker`](super::Parker) needs that puts its thread to sleep.
///
/// # Waiting
/// - **Blocks**: [`wait`](Signal::wait), and the thread itself, whichever parker is installed there.
/// - **Allocates** nothing of its own; it lies in an `Arc`, which its wakers share.
/// - **Order**: it is for one who waits. Of several, each wake lets any one go on.
/// - **Dropped** it is with the last of its wakers and owners; a wake that nobody has used is gone then.
/// - **A waker that panics** there is none: its own only set it.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use sync::park::Signal;
///
/// let signal = Arc::new(Signal::default());
/// signal.waker().wake();
/// signal.wait(None);
/// assert!(!signal.take());
/// ```
#[derive(Debug, Default)]
pub struct Signal {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Signal {
    /// A waker that gives the signal. It allocates nothing.
    #[must_use]
    pub fn waker(self: &Arc<Self>) -> Waker {
        Waker::from(Arc::clone(self))
    }

    /// Uses the wake, if there is one. Does not wait.
    #[must_use]
    pub fn take(&self) -> bool {
        std::mem::take(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Blocks this thread until there is a wake, and uses it, or until `deadline`.
    pub fn wait(&self, deadline: Option<Instant>) {
        let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
        while !*woken {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            woken = match left {
                None => self.changed.wait(woken).unwrap_or_else(PoisonError::into_inner),
                Some(left) if left.is_zero() => return,
                Some(left) => {
                    self.changed.wait_timeout(woken, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *woken = false;
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
