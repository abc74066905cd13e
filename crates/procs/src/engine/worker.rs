//! A worker, as the program sees it.

use super::{End, Exit, NotStarted, Owner, Signal};
use crate::job;
use ipc::ready::Interest;
use ipc::{Link, LinkError, Parcel};
use rustix::io::Errno;
use rustix::process::pidfd_send_signal;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use sync::JoinError;

pub(crate) struct Worker {
    link: Link,
    owner: Arc<dyn Owner>,
    /// There once the process is.
    process: OnceLock<Arc<Identity>>,
    /// There until the process is.
    first: Mutex<Option<Parcel>>,
    unread: AtomicBool,
    /// Why we have given it up.
    failure: Mutex<Option<JoinError>>,
}

/// A process, whose number belongs to nobody else as long as it is not reaped, and its descriptor never.
#[derive(Debug)]
pub(crate) struct Identity {
    pid: u32,
    pidfd: OwnedFd,
    killed: AtomicBool,
}

impl Identity {
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Can be read once the process has ended.
    pub(crate) fn pidfd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// Sends a signal. A process that has ended gets none, even if its number belongs to another by now.
    pub(crate) fn signal(&self, signal: Signal) -> io::Result<()> {
        let signal = match signal {
            Signal::Terminate => rustix::process::Signal::TERM,
            Signal::Kill => {
                // Relaxed: the kernel is in between, from this to the thread that hears of the end.
                self.killed.store(true, Ordering::Relaxed);
                rustix::process::Signal::KILL
            }
        };
        match pidfd_send_signal(&self.pidfd, signal) {
            Err(Errno::SRCH) => Ok(()),
            other => Ok(other?),
        }
    }

    /// Whether we have killed it.
    pub(super) fn was_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }
}

impl Worker {
    pub(super) fn new(link: Link, owner: Arc<dyn Owner>, first: Parcel) -> Self {
        link.set_bytes_max(u64::MAX);
        Worker {
            link,
            owner,
            process: OnceLock::new(),
            first: Mutex::new(Some(first)),
            unread: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Its process; `None` before `started`.
    pub(crate) fn process(&self) -> Option<&Arc<Identity>> {
        self.process.get()
    }

    /// Sends a job to a worker that has none. Never waits.
    ///
    /// # Errors
    /// Nobody reads any more, or the system refused; the job was not sent.
    pub(crate) fn send(&self, job: &Parcel) -> Result<(), LinkError> {
        self.link.try_send(job)
    }

    /// Lets it end once it has done what it was sent.
    pub(crate) fn dismiss(&self) {
        // An error means that the link is gone: so is the worker.
        let _ = self.link.shut_down(Interest::Write);
    }

    /// Ends the process where it stands, if there is one. One that has changed its user may refuse: it ends when it next
    /// asks for work.
    pub(crate) fn kill(&self) {
        if self.process().is_some_and(|process| process.signal(Signal::Kill).is_err()) {
            self.dismiss();
        }
    }

    pub(super) fn link(&self) -> &Link {
        &self.link
    }

    /// The process is there: tells the owner, and gives it its first job.
    pub(super) fn started(self: &Arc<Self>, pid: u32, pidfd: OwnedFd) {
        let identity = Identity { pid, pidfd, killed: AtomicBool::new(false) };
        if self.process.set(Arc::new(identity)).is_err() {
            return;
        }
        self.owner.started(self);
        if let Some(first) = self.take_first() {
            match self.send(&first) {
                // If it died at once, the owner will hear how.
                Ok(()) | Err(LinkError::Disconnected) => {}
                Err(why) => self.give_up(job::unsent(&why)),
            }
        }
    }

    pub(super) fn not_started(&self, why: NotStarted) {
        if let Some(first) = self.take_first() {
            self.owner.not_started(why, first);
        }
    }

    /// Hands over one answer, if there is one; `false` at the end.
    pub(super) fn receive(&self) -> bool {
        match self.link.try_receive() {
            Ok(answer) => self.owner.answered(answer),
            Err(LinkError::WouldBlock) => {}
            Err(LinkError::Disconnected) => return false,
            Err(why) => {
                // The answer is gone. Whether the next one would fare better, nobody knows.
                self.give_up(job::lost(&why));
                return false;
            }
        }
        true
    }

    /// Asks whether the other side was closed before it had read everything. The system tells it once, and only before
    /// the end was received.
    pub(super) fn look_for_unread(&self) {
        let error = rustix::net::sockopt::socket_error(self.link.as_fd());
        if matches!(error, Ok(Err(Errno::CONNRESET))) {
            // Relaxed: only the manager's thread reads and writes it.
            self.unread.store(true, Ordering::Relaxed);
        }
    }

    /// Its job, or the answer, cannot be carried. The owner is told with the end: until then the job counts as running, so
    /// that nobody sends another one to a worker that is about to die.
    fn give_up(&self, why: JoinError) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
        self.kill();
    }

    /// The process is gone: tells the owner, and hands over what it has left behind, which is one answer at most.
    pub(super) fn ended(&self, how: Exit) {
        self.look_for_unread();
        let last = match self.link.try_receive() {
            Ok(answer) => Some(Ok(answer)),
            Err(LinkError::WouldBlock | LinkError::Disconnected) => {
                self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().map(Err)
            }
            Err(why) => Some(Err(job::lost(&why))),
        };
        let unread = self.unread.load(Ordering::Relaxed);
        let pid = self.process().map_or(0, |process| process.pid());
        self.owner.ended(End { pid, how, unread, last });
    }

    /// The job that it was not given yet, for the one who tells its owner.
    pub(super) fn take_first(&self) -> Option<Parcel> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("process", &self.process()).finish_non_exhaustive()
    }
}
