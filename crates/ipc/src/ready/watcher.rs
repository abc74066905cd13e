//! The thread that watches descriptors for those who cannot sleep in the system themselves.
//!
//! No wake-up is lost:
//!
//! 1. A wait puts its waker into the table and adds its descriptor to the system's list under one lock. Adding reports a
//!    descriptor that is ready already, so nothing can happen unseen between the caller's last look and the wait.
//! 2. The thread takes the lock before it acts on a report, so it finds the waker. It marks the wait as over and wakes;
//!    the mark stays until the waiter has seen it, so a waker that was replaced in the meantime costs nothing.
//! 3. The thread ends only under the lock and with an empty table, and the same step takes its list away: whoever comes
//!    next starts a new thread with a new list.
//!
//! Each wait watches a duplicate of its descriptor. The system's list is keyed by number, so two waits for the same number
//! would collide otherwise; and the duplicate belongs to the wait alone, which removes it before it closes it.

use super::Interest;
use crate::sys::{AsFd, BorrowedFd, Epoll, OwnedFd};
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

/// How long the thread stays when nobody waits, and how often it looks whether somebody does. Starting it again costs
/// tens of microseconds; keeping it costs a stack that nobody uses.
const LINGER: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_secs(5) };

/// One wait in the table. Dropping it takes it out.
pub(super) struct Registration {
    key: u64,
    /// The duplicate that is being watched.
    fd: OwnedFd,
    epoll: Arc<Epoll>,
    process: u32,
}

struct Watcher {
    epoll: Arc<Epoll>,
    waits: HashMap<u64, Wait>,
    next_key: u64,
    /// The process whose thread this is: a fork copies the table and not the thread.
    process: u32,
}

enum Wait {
    Waiting(Waker),
    /// The descriptor was ready; the waiter has not seen it yet.
    Over,
}

static WATCHER: Mutex<Option<Watcher>> = Mutex::new(None);

impl Registration {
    /// Has the waker of `cx` woken when `fd` is ready, be it at once.
    pub(super) fn new(fd: BorrowedFd<'_>, interest: Interest, cx: &Context<'_>) -> io::Result<Self> {
        let fd = fd.try_clone_to_owned()?;
        let waker = cx.waker().clone();
        let mut watcher = lock();
        let process = std::process::id();
        let running = match &mut *watcher {
            Some(running) if running.process == process => running,
            stopped => stopped.insert(Watcher::start(process)?),
        };
        let key = running.next_key;
        running.epoll.add(fd.as_fd(), key, interest)?;
        running.next_key += 1;
        running.waits.insert(key, Wait::Waiting(waker));
        Ok(Registration { key, fd, epoll: Arc::clone(&running.epoll), process })
    }

    /// Whether the descriptor was ready; otherwise the waker of `cx` takes the place of the one before.
    pub(super) fn poll(&self, cx: &Context<'_>) -> bool {
        let waker = cx.waker().clone();
        let mut watcher = lock();
        let wait = watcher.as_mut().and_then(|watcher| watcher.waits.get_mut(&self.key));
        let Some(Wait::Waiting(old)) = wait else { return true };
        let old = std::mem::replace(old, waker);
        drop(watcher);
        // Outside the lock: a waker's destructor may be anything.
        drop(old);
        false
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // In a forked process the list is still the parent's, and so is the wait.
        if self.process != std::process::id() {
            return;
        }
        let removed = lock().as_mut().and_then(|watcher| watcher.waits.remove(&self.key));
        self.epoll.remove(self.fd.as_fd());
        drop(removed);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("fd", &self.fd).finish_non_exhaustive()
    }
}

impl Watcher {
    /// Called under the lock, which the new thread takes before it looks at anything.
    fn start(process: u32) -> io::Result<Self> {
        let epoll = Arc::new(Epoll::new()?);
        let watched = Arc::clone(&epoll);
        thread::Builder::new().name("trefoil-ipc".into()).spawn(move || watch(&watched))?;
        Ok(Watcher { epoll, waits: HashMap::new(), next_key: 0, process })
    }
}

fn watch(epoll: &Epoll) {
    let mut ready = Vec::new();
    loop {
        let any = epoll.wait(LINGER, |key| ready.push(key));
        let mut watcher = lock();
        let Some(running) = watcher.as_mut() else { return };
        let wakers: Vec<Waker> = ready.drain(..).filter_map(|key| running.report(key)).collect();
        if !matches!(any, Ok(true)) && running.waits.is_empty() {
            *watcher = None;
            return;
        }
        drop(watcher);
        for waker in wakers {
            // A waker that panics must not end the waits of everyone else.
            sync::contain(|| waker.wake());
        }
    }
}

impl Watcher {
    /// Marks a wait as over. The one to wake, unless it has gone away meanwhile.
    fn report(&mut self, key: u64) -> Option<Waker> {
        match std::mem::replace(self.waits.get_mut(&key)?, Wait::Over) {
            Wait::Waiting(waker) => Some(waker),
            Wait::Over => None,
        }
    }
}

fn lock() -> MutexGuard<'static, Option<Watcher>> {
    // No code of a user runs under the lock.
    WATCHER.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::common::{self, Alarm};
    use crate::ready::wait_async;
    use std::future::Future;
    use std::os::unix::net::UnixStream;

    /// How many threads have the watcher's name now.
    fn watchers() -> usize {
        let threads = std::fs::read_dir("/proc/self/task").expect("this process has threads");
        let names =
            threads.filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("comm")).ok());
        names.filter(|name| name.trim() == "trefoil-ipc").count()
    }

    #[test]
    fn the_thread_ends_when_nobody_waits_and_comes_back_when_somebody_does() {
        let _alarm = Alarm::new();
        let (here, there) = UnixStream::pair().expect("two sockets");
        for _ in 0..3 {
            let mut wait = Box::pin(wait_async(here.as_fd(), Interest::Read));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(wait.as_mut().poll(&mut cx).is_pending());
            // A thread gets its name a moment after it has begun.
            common::until(|| watchers() == 1);
            // It stays as long as somebody waits, and more than one look.
            thread::sleep(2 * LINGER);
            assert_eq!(watchers(), 1);
            drop(wait);
            common::until(|| watchers() == 0);
            assert!(lock().is_none());
        }
        drop(there);
    }
}
