//! What is due when: a heap of deadlines and one timer of the kernel's, set to the earliest.
//!
//! A time-out given to epoll would be rounded up to whole milliseconds, which is 5 % of the shortest delay.

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

pub(crate) struct Timers<T> {
    kernel: TimerFd,
    due: BinaryHeap<Reverse<(Instant, T)>>,
    /// What the kernel's timer is set to.
    set_to: Option<Instant>,
}

impl<T: Ord> Timers<T> {
    pub(crate) fn new() -> io::Result<Self> {
        let kernel =
            TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC)?;
        Ok(Timers { kernel, due: BinaryHeap::new(), set_to: None })
    }

    pub(crate) fn add(&mut self, at: Instant, what: T) {
        self.due.push(Reverse((at, what)));
    }

    /// Takes out one thing that is due.
    pub(crate) fn pop_due(&mut self, now: Instant) -> Option<T> {
        let Reverse((at, _)) = self.due.peek()?;
        if *at > now {
            return None;
        }
        self.due.pop().map(|Reverse((_, what))| what)
    }

    /// Sets the kernel's timer to the earliest deadline. Called once before each wait.
    pub(crate) fn arm(&mut self, now: Instant) -> io::Result<()> {
        let earliest = self.due.peek().map(|Reverse((at, _))| *at);
        if earliest == self.set_to {
            return Ok(());
        }
        self.set_to = earliest;
        match earliest {
            // Zero would switch the timer off.
            Some(at) => {
                let left = at.saturating_duration_since(now).max(Duration::from_nanos(1));
                let once = Expiration::OneShot(TimeSpec::from_duration(left));
                Ok(self.kernel.set(once, TimerSetTimeFlags::empty())?)
            }
            None => Ok(self.kernel.unset()?),
        }
    }

    /// Takes note that the kernel's timer has fired, so that it is set anew even for the same deadline.
    pub(crate) fn fired(&mut self) -> io::Result<()> {
        self.set_to = None;
        // Setting a timer clears what has fired; with nothing left to set, it must be switched off.
        Ok(self.kernel.unset()?)
    }
}

impl<T> AsFd for Timers<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kernel.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_come_out_when_due_and_in_order() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut timers = Timers::new().unwrap();
        for (ms, what) in [(30, 'c'), (10, 'a'), (20, 'b')] {
            timers.add(after(ms), what);
        }
        assert_eq!(timers.pop_due(after(9)), None);
        assert_eq!(timers.pop_due(after(25)), Some('a'));
        assert_eq!(timers.pop_due(after(25)), Some('b'));
        assert_eq!(timers.pop_due(after(25)), None);
        assert_eq!(timers.pop_due(after(30)), Some('c'));
    }
}
