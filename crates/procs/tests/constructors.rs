//! Functions that run before `main`, as libraries in C++ have them: they have run in every worker, wherever the linker
//! has put them.

use procs::Process;
use std::sync::atomic::{AtomicU64, Ordering};

static EARLY: AtomicU64 = AtomicU64::new(0);
static USUAL: AtomicU64 = AtomicU64::new(0);
static LATE: AtomicU64 = AtomicU64::new(0);
static STARTED_BEFORE_MAIN: AtomicU64 = AtomicU64::new(0);

extern "C" fn early() {
    EARLY.fetch_add(1, Ordering::Relaxed);
    handle_children();
}

/// Has a handler with three arguments, which must not be called as one with a single one.
fn handle_children() {
    extern "C" fn child_changed(_: libc::c_int, _: *mut libc::siginfo_t, _: *mut libc::c_void) {}
    let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = child_changed;
    // SAFETY: all zeros are a valid value: no flags, nothing blocked.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as usize;
    action.sa_flags = libc::SA_SIGINFO;
    // SAFETY: the handler does nothing and has the arguments that the flag announces.
    unsafe { libc::sigaction(libc::SIGCHLD, &raw const action, std::ptr::null_mut()) };
}

/// Whether `SIGCHLD` has a handler, and whether that takes three arguments.
fn children_handler() -> (bool, bool) {
    // SAFETY: all zeros are a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: nothing is changed.
    unsafe { libc::sigaction(libc::SIGCHLD, std::ptr::null(), &raw mut action) };
    (action.sa_sigaction > libc::SIG_IGN, action.sa_flags & libc::SA_SIGINFO != 0)
}

extern "C" fn usual() {
    USUAL.fetch_add(1, Ordering::Relaxed);
}

extern "C" fn late() {
    LATE.fetch_add(1, Ordering::Relaxed);
}

/// A constructor that starts a process would start one in each process that it starts. It is refused.
extern "C" fn start_a_process() {
    let refused =
        Process::spawn(|()| (), ()).is_err_and(|error| error.kind() == std::io::ErrorKind::Unsupported);
    // In the program it may come after the hook and succeed; in the zygote it must not.
    STARTED_BEFORE_MAIN.store(if refused { 1 } else { 2 }, Ordering::Relaxed);
}

#[used]
#[unsafe(link_section = ".init_array.00101")]
static EARLY_ENTRY: extern "C" fn() = early;
#[used]
#[unsafe(link_section = ".init_array")]
static USUAL_ENTRY: extern "C" fn() = usual;
#[used]
#[unsafe(link_section = ".init_array")]
static START_ENTRY: extern "C" fn() = start_a_process;
#[used]
#[unsafe(link_section = ".init_array.65600")]
static LATE_ENTRY: extern "C" fn() = late;

#[test]
fn all_constructors_have_run_once_in_a_worker() -> Result<(), Box<dyn std::error::Error>> {
    let counts = |()| [&EARLY, &USUAL, &LATE].map(|count| count.load(Ordering::Relaxed));
    assert_eq!(counts(()), [1, 1, 1], "here");
    assert_eq!(Process::spawn(counts, ())?.join()?, [1, 1, 1]);
    let refused = Process::spawn(|()| STARTED_BEFORE_MAIN.load(Ordering::Relaxed), ())?.join()?;
    assert_eq!(refused, 1);
    Ok(())
}

#[test]
fn a_signals_handler_is_put_back_with_its_flags() -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(children_handler(), (true, true), "here");
    assert_eq!(Process::spawn(|()| children_handler(), ())?.join()?, (true, true));
    Ok(())
}
