//! The function that runs before `main` in every program that this crate is linked into.
//!
//! In an ordinary start it looks for one environment variable, does not find it, and that was all. In a process that
//! [`engine`](crate::engine) has started the variable is there: the process becomes the zygote, and `main` is never
//! reached.
//!
//! 1. The pointer to [`hook`] stands in the section `.init_array`, whose functions the C runtime calls before `main`.
//!    `#[used]` keeps it there, from an rlib too.
//! 2. The order of that section is the linker's business. Constructors of other libraries that stand behind ours would
//!    be missing in the zygote and in all workers, so the hook calls them before it goes on.
//! 3. A start with the variable never reaches `main`, whatever is wrong: `main` would start the same thing again, without
//!    end.
//! 4. The same function in a shared library does nothing but take note, and [`check`] refuses to start processes from
//!    there: it runs under the loader's lock, in a program that is not ours.

#![allow(unsafe_code, reason = "the entry in the section, and the calls of its neighbours")]

use super::zygote;
use crate::image;
use std::ffi::{OsString, c_char, c_int};
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

/// Tells a process that it is to be the zygote of the process whose id it holds. Removed before anything else runs.
pub(crate) const VARIABLE: &str = "TREFOIL_PROCS_ZYGOTE_OF";

/// What a process says that could not become the zygote.
pub(crate) const EXIT_NO_ZYGOTE: i32 = 127;

type Constructor = extern "C" fn(c_int, *const *const c_char, *const *const c_char);

#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: Constructor = hook;

unsafe extern "C" {
    /// Where the section begins and ends in this image. Every linker defines the two.
    static __init_array_start: [Constructor; 0];
    static __init_array_end: [Constructor; 0];
}

/// The hook was not called (yet).
const NOT_CALLED: u8 = 0;
/// Ordinary program or worker: may start processes.
const PROGRAM: u8 = 1;
/// On the way to be the zygote, or the zygote.
const ZYGOTE: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(NOT_CALLED);

extern "C" fn hook(count: c_int, arguments: *const *const c_char, environment: *const *const c_char) {
    let Some(parent) = std::env::var_os(VARIABLE) else {
        // Relaxed, here and below: whoever asks is later on this thread or on one that this thread has started.
        STATE.store(PROGRAM, Ordering::Relaxed);
        return;
    };
    if !image::in_program(hook as Constructor as usize) {
        return;
    }
    STATE.store(ZYGOTE, Ordering::Relaxed);
    become_zygote(&parent, || run_later_constructors(count, arguments, environment));
}

/// Whether this program can start processes.
///
/// # Errors
/// [`io::ErrorKind::Unsupported`] if the processes would not become workers.
pub(crate) fn check() -> io::Result<()> {
    let why = match STATE.load(Ordering::Relaxed) {
        PROGRAM if image::in_program(hook as Constructor as usize) => return Ok(()),
        PROGRAM => {
            "`procs` is part of a shared library here, and the program that loaded it would not become a worker"
        }
        ZYGOTE => {
            "a constructor that runs before `main` cannot start processes: it runs in each of them, too"
        }
        _ => {
            "the start hook of `procs` has not run: it was asked before `main`, or the linker has dropped it"
        }
    };
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

/// Called in a worker: it may start processes of its own.
pub(super) fn now_worker() {
    STATE.store(PROGRAM, Ordering::Relaxed);
}

fn become_zygote(parent: &OsString, constructors: impl FnOnce()) -> ! {
    let why = match zygote::prepare(parent) {
        Ok(zygote) => {
            constructors();
            zygote.serve()
        }
        Err(why) => why,
    };
    eprintln!("procs: the variable {VARIABLE} is set, but this process cannot serve as a zygote: {why}");
    std::process::exit(EXIT_NO_ZYGOTE)
}

/// Calls what stands behind our entry in `.init_array`, as the C runtime would after our return.
fn run_later_constructors(count: c_int, arguments: *const *const c_char, environment: *const *const c_char) {
    let start = (&raw const __init_array_start).cast::<Constructor>();
    let end = (&raw const __init_array_end).cast::<Constructor>();
    // A pointer into the section, of which only the place is that of our entry: from a pointer to the entry, the compiler
    // may conclude that nothing behind it is read.
    let mut next = start.with_addr((&raw const ENTRY).wrapping_add(1).addr());
    debug_assert!(start < next && next <= end, "our entry is in the section of our image");
    while next < end {
        // SAFETY: `next` is between our entry and the section's end, where the linker has put pointers side by side; a
        // raw pointer is read because it need not be one to a function.
        let constructor = unsafe { next.cast::<*const ()>().read() };
        // 0 and -1 mark empty places, by old custom.
        if !constructor.is_null() && constructor.addr() != usize::MAX {
            // SAFETY: what the section holds besides are pointers to functions of this type.
            let constructor = unsafe { std::mem::transmute::<*const (), Constructor>(constructor) };
            constructor(count, arguments, environment);
        }
        next = next.wrapping_add(1);
    }
}
