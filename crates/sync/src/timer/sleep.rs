//! Points in time that can be awaited.

use super::entry::Entry;
use super::thread::DEADLINES;
use super::{CURRENT, Scheduled};
use crate::catch::contain;
use crate::hook;
use crate::primitive::{AtomicBool, Ordering};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

/// A point in time that can be awaited. See [`sleep`](super::sleep).
///
/// # Waiting
/// - **Blocks** nobody: a poll waits for nobody, but for a lock that is held for some instructions.
/// - **Allocates** nothing where no runtime has [installed](super::install) a timer: what the program's own one knows of it lies in it,
///   for which it must be pinned. A runtime's allocates what it does, and is given a waker that is allocated.
/// - **Order**: that of the times. Of those for the same time, anyone may be woken first.
/// - **Dropped** while it waits, it takes its wake-up back.
/// - **A waker that panics** does so on the timer's thread. The program's own timer goes on; the panic hook tells of it.
///
/// # Cancel safety
/// Nothing is lost by dropping it.
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    at: Option<Instant>,
    /// By the timer of the thread that polled last.
    scheduled: Option<(Arc<Alarm>, Scheduled)>,
    /// By the program's own, where there was none. Pinned with this.
    entry: Entry<'static>,
}

/// The waker that a runtime's timer is given: wakes the real one, and shows that it did.
#[derive(Debug)]
struct Alarm {
    rung: AtomicBool,
    /// There until this is dropped.
    waker: Option<Waker>,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Relaxed: nothing else is read by it. Waking comes second, and carries it to the poll that it leads to, as every store before.
        self.rung.store(true, Ordering::Relaxed);
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }
}

impl Alarm {
    fn is_to_wake(&self, waker: &Waker) -> bool {
        // Relaxed, as in `wake_by_ref`. A timer that came early is asked again.
        !self.rung.load(Ordering::Relaxed) && self.waker.as_ref().is_some_and(|mine| mine.will_wake(waker))
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let waker = self.waker.take();
        // Its destructor is foreign. A wait that has ended with a lock or an item would lose it, and a panic may drop this.
        contain(|| drop(waker));
    }
}

impl Sleep {
    /// `None`: a time that never comes.
    pub(super) fn new(at: Option<Instant>) -> Self {
        Sleep { at, scheduled: None, entry: Entry::new(&DEADLINES) }
    }

    fn project(self: Pin<&mut Self>) -> (&mut Option<(Arc<Alarm>, Scheduled)>, Pin<&Entry<'static>>) {
        // SAFETY: the entry is not moved, here or elsewhere.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: it is pinned with the whole, which has no destructor of its own.
        (&mut this.scheduled, unsafe { Pin::new_unchecked(&this.entry) })
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Some(at) = self.at else { return Poll::Pending };
        let (scheduled, entry) = self.project();
        if Instant::now() >= at {
            *scheduled = None;
            entry.take_back();
            return Poll::Ready(());
        }
        let waker = cx.waker();
        if entry.is_to_wake(waker) || scheduled.as_ref().is_some_and(|(alarm, _)| alarm.is_to_wake(waker)) {
            return Poll::Pending;
        }
        // The old wake-up is taken back before the new one is asked for.
        *scheduled = None;
        match hook::current(&CURRENT) {
            Some(timer) => {
                entry.take_back();
                let alarm = Arc::new(Alarm { rung: AtomicBool::new(false), waker: Some(waker.clone()) });
                let wake_up = timer.schedule(at, Waker::from(Arc::clone(&alarm)));
                *scheduled = Some((alarm, wake_up));
            }
            None if entry.ask(at, waker) => {}
            // Where the machine refuses even one thread, nobody is to wait for ever.
            None => waker.wake_by_ref(),
        }
        Poll::Pending
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("at", &self.at).finish_non_exhaustive()
    }
}
