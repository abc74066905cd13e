//! Where idle workers wait, on Linux: one epoll for the whole loop.
//!
//! All workers wait in the same epoll; the system wakes one of them for each event. Everything is registered
//! edge-triggered, so that an event is delivered once, to one worker, and nothing has to be read to quieten it:
//!
//! - the **call**, an eventfd: each write is a new edge, and one that comes while nobody waits is delivered to the next
//!   who does. Its counter is never read and would overflow after 2^64 calls;
//! - the **alarm**, a timerfd: expiring is an edge;
//! - every socket, for both directions, from its registration until it is closed.

use super::readiness::{End, Readiness, Which};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use std::io;
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Poller {
    epoll: Epoll,
    call: EventFd,
    alarm: TimerFd,
    sources: Mutex<Sources>,
}

/// The sockets that are watched. Epoll knows each by its index here.
#[derive(Debug, Default)]
struct Sources {
    slots: Vec<Option<Arc<Readiness>>>,
    free: Vec<usize>,
    closed: bool,
}

/// How long to wait for events.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    None,
    Endless,
}

/// What a worker has brought back from a wait.
#[derive(Debug)]
pub(super) struct Events {
    room: Vec<EpollEvent>,
    count: usize,
}

/// What events there were besides those of sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dispatched {
    pub(super) alarm: bool,
}

/// What epoll knows the call and the alarm by; no vector of sources gets that long.
const CALL: u64 = u64::MAX;
const ALARM: u64 = u64::MAX - 1;

/// How many events a worker takes at a time. Many save system calls when thousands of sockets are busy; what does not
/// fit stays for the next worker that looks.
const EVENTS: usize = 256;

impl Poller {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let call = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        let alarm =
            TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        let edge = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        epoll.add(&call, EpollEvent::new(edge, CALL))?;
        epoll.add(&alarm, EpollEvent::new(edge, ALARM))?;
        Ok(Poller { epoll, call, alarm, sources: Mutex::default() })
    }

    /// Brings one worker back from its wait, now or as soon as it waits.
    pub(super) fn call(&self) {
        // It can fail only because the counter is full, which is an edge that is still to be delivered.
        let _ = self.call.write(1);
    }

    /// Brings one worker back at `at`, with [`Dispatched::alarm`]. There is one alarm: setting it again moves it.
    pub(super) fn set_alarm(&self, at: Instant) {
        // Zero would switch it off.
        let left = at.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        // The kernel refuses times beyond what fits into 64 bits of nanoseconds, which nobody lives to see; and
        // whoever strikes too early sets the alarm again.
        let expiration = Expiration::OneShot(TimeSpec::from_duration(left.min(LONGEST_ALARM)));
        if let Err(why) = self.alarm.set(expiration, TimerSetTimeFlags::empty()) {
            unreachable!("a timer takes any time below its limit: {why}");
        }
    }

    /// Waits for events, as long as `patience` says.
    pub(super) fn collect(&self, events: &mut Events, patience: Patience) {
        let timeout = match patience {
            Patience::None => EpollTimeout::ZERO,
            Patience::Endless => EpollTimeout::NONE,
        };
        events.count = match self.epoll.wait(&mut events.room, timeout) {
            Ok(count) => count,
            // A signal is a wait that brought nothing.
            Err(Errno::EINTR) => 0,
            Err(why) => unreachable!("waiting in an epoll of our own cannot fail: {why}"),
        };
    }

    /// Tells sockets what has come for them.
    pub(super) fn dispatch(&self, events: &mut Events) -> Dispatched {
        let mut dispatched = Dispatched { alarm: false };
        for event in &events.room[..std::mem::take(&mut events.count)] {
            match event.data() {
                CALL => {}
                ALARM => dispatched.alarm = true,
                index => {
                    let source = usize::try_from(index)
                        .ok()
                        .and_then(|index| self.lock().slots.get(index).and_then(Clone::clone));
                    // The socket may be gone, and its index another's: that one looks once in vain.
                    if let Some(source) = source {
                        announce(&source, event.events());
                    }
                }
            }
        }
        dispatched
    }

    /// Watches `io` until [`forget`](Poller::forget). Returns what it is known by.
    ///
    /// # Errors
    /// The system's, or that the loop has ended.
    pub(super) fn watch(&self, io: impl AsFd, readiness: &Arc<Readiness>) -> io::Result<usize> {
        let mut sources = self.lock();
        if sources.closed {
            return Err(super::readiness::closed());
        }
        let index = sources.free.pop().unwrap_or_else(|| {
            sources.slots.push(None);
            sources.slots.len() - 1
        });
        sources.slots[index] = Some(Arc::clone(readiness));
        drop(sources);
        let flags = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        if let Err(why) = self.epoll.add(io, EpollEvent::new(flags, index as u64)) {
            self.free(index);
            return Err(why.into());
        }
        Ok(index)
    }

    /// Stops watching, before `io` is closed.
    pub(super) fn forget(&self, io: impl AsFd, index: usize) {
        // It fails only for a descriptor that is not watched.
        let _ = self.epoll.delete(io);
        self.free(index);
    }

    /// The loop has ended: who waits for a socket, or will, gets an error.
    pub(super) fn close(&self) {
        let mut sources = self.lock();
        sources.closed = true;
        let watched: Vec<_> = sources.slots.iter().flatten().map(Arc::clone).collect();
        drop(sources);
        for readiness in watched {
            readiness.close();
        }
    }

    fn free(&self, index: usize) {
        let mut sources = self.lock();
        let readiness = sources.slots[index].take();
        sources.free.push(index);
        drop(sources);
        // Outside the lock: it may hold wakers.
        drop(readiness);
    }

    fn lock(&self) -> MutexGuard<'_, Sources> {
        self.sources.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    pub(super) fn new() -> Self {
        Events { room: vec![EpollEvent::empty(); EVENTS], count: 0 }
    }
}

fn announce(source: &Readiness, flags: EpollFlags) {
    // An error or a hang-up is found by trying, in both directions.
    let broken = EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP;
    let end = |which: EpollFlags| if flags.intersects(which) { End::Reached } else { End::NotYet };
    if flags.intersects(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | broken) {
        source.announce(Which::Read, end(EpollFlags::EPOLLRDHUP | broken));
    }
    if flags.intersects(EpollFlags::EPOLLOUT | broken) {
        source.announce(Which::Write, end(broken));
    }
}

/// A hundred years.
const LONGEST_ALARM: Duration = Duration::from_secs(100 * 366 * 86_400);
