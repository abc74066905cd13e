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
