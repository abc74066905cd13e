//! The calls of the zygote that need care: forking and reaping, signals, the environment, and what was left open.
#![allow(unsafe_code, reason = "each is a call to the system that the type system knows nothing of")]

use crate::engine::Exit;
use rustix::process::{Pid, Signal, WaitOptions};
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The way on after a fork.
pub(super) enum Side {
    /// The zygote, and whom it has forked.
    Zygote(Pid),
    /// The new process.
    Worker,
}

/// Forks this process. It must have a single thread, else locks that others hold would stay locked in the new one for
/// ever; that is checked, which costs some microseconds.
///
/// # Errors
/// What the system says, such as that there are too many processes; `EDEADLK` if there are other threads.
pub(super) fn fork() -> io::Result<Side> {
    if !is_single_threaded() {
        return Err(rustix::io::Errno::DEADLK.into());
    }
    // The C library's function, not the bare system call: it keeps the library's idea of its thread true.
    // SAFETY: no other thread can hold a lock, for there is none.
    match unsafe { libc::fork() } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Side::Worker),
        child => Pid::from_raw(child).map(Side::Zygote).ok_or_else(|| io::ErrorKind::Other.into()),
    }
}

/// Whether this process has one thread. `false` where `/proc` does not tell.
pub(super) fn is_single_threaded() -> bool {
    fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() == 1)
}

/// Waits for a process to end and takes it off the system's list.
pub(super) fn reap(child: Pid) -> Exit {
    loop {
        match rustix::process::waitpid(Some(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                return match (status.exit_status(), status.terminating_signal()) {
                    (Some(code), _) => Exit::Code(code),
                    (None, signal) => Exit::Signal(signal.unwrap_or(0)),
                };
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            // A constructor has told the system to reap children by itself: nobody will ever know.
            Err(_) => return Exit::Code(0),
        }
    }
}

/// Removes a variable from the environment, so that nobody inherits it. It must be the only thread, which is checked:
/// another one could read the environment at the same time.
pub(super) fn remove_variable(name: &str) -> Result<(), &'static str> {
    if !is_single_threaded() {
        return Err("a constructor that ran before this one has started a thread, or `/proc` is missing");
    }
    #[expect(clippy::disallowed_methods, reason = "there is no other thread")]
    // SAFETY: nobody reads the environment at the same time, for there is nobody.
    unsafe {
        std::env::remove_var(name);
    }
    Ok(())
}

/// Whether the program runs with more rights than whoever started it (setuid, file capabilities).
pub(super) fn is_privileged() -> bool {
    // SAFETY: it only reads what the kernel has told this process at its start.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// What a signal did before it was changed.
pub(super) struct Changed {
    signal: Signal,
    /// With its flags: they say what a handler is called with.
    before: libc::sigaction,
}

/// Ignores a signal from now on.
pub(super) fn ignore(signal: Signal) -> io::Result<()> {
    set(signal, &plain(libc::SIG_IGN)).map(drop)
}

/// Has a signal do what it does where nobody has said anything.
pub(super) fn reset(signal: Signal) -> io::Result<Changed> {
    Ok(Changed { signal, before: set(signal, &plain(libc::SIG_DFL))? })
}

impl Changed {
    /// Lets the signal do again what it did.
    pub(super) fn restore(&self) -> io::Result<()> {
        set(self.signal, &self.before).map(drop)
    }
}

/// Something that is no function.
fn plain(what: libc::sighandler_t) -> libc::sigaction {
    // SAFETY: it is numbers and a function that may be missing; all zeros are no flags and no further signals blocked.
    let mut action = unsafe { std::mem::zeroed::<libc::sigaction>() };
    action.sa_sigaction = what;
    action
}

/// `what` is [`plain`], or was there before.
fn set(signal: Signal, what: &libc::sigaction) -> io::Result<libc::sigaction> {
    let mut before = plain(libc::SIG_DFL);
    // SAFETY: what is no function runs nothing of ours, and what was there before is put back whole, as this same program
    // had it.
    match unsafe { libc::sigaction(signal.as_raw(), what, &raw mut before) } {
        0 => Ok(before),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Which signals were blocked before.
pub(super) struct Mask(libc::sigset_t);

/// Has signals wait from now on.
pub(super) fn block(signals: &[Signal]) -> io::Result<Mask> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: it makes a set of the memory that it is given.
    let made = unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    debug_assert_eq!(made, 0, "an empty set can always be made");
    // SAFETY: it was just made.
    let mut set = unsafe { set.assume_init() };
    for signal in signals {
        // SAFETY: the set is one.
        if unsafe { libc::sigaddset(&raw mut set, signal.as_raw()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    mask(libc::SIG_BLOCK, set).map(Mask)
}

impl Mask {
    /// Lets those signals come that came before. What has waited comes now.
    pub(super) fn restore(self) -> io::Result<()> {
        mask(libc::SIG_SETMASK, self.0).map(drop)
    }
}

fn mask(how: libc::c_int, set: libc::sigset_t) -> io::Result<libc::sigset_t> {
    let mut before = set;
    // SAFETY: both are sets, and this thread's mask is nobody else's business.
    match unsafe { libc::pthread_sigmask(how, &raw const set, &raw mut before) } {
        0 => Ok(before),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}

/// Closes what the program happened to leave open for its children. Everything that survived `exec` lacks the flag that
/// closes it there; what constructors have opened since mostly has it, and stays.
pub(super) fn close_inherited() -> io::Result<()> {
    let open: Vec<RawFd> = fs::read_dir("/proc/self/fd")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|descriptor| *descriptor > 2)
        .collect();
    for number in open {
        // SAFETY: it is only asked about, which is an error if it is no longer open.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        let flags = rustix::io::fcntl_getfd(descriptor);
        if flags.is_ok_and(|flags| !flags.contains(rustix::io::FdFlags::CLOEXEC)) {
            // SAFETY: it was opened by the program that was here before `exec`; nobody here knows its number.
            drop(unsafe { OwnedFd::from_raw_fd(number) });
        }
    }
    Ok(())
}
