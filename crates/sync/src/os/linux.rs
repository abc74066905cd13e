//! Linux: futex, membarrier, and the CPUs that the scheduler lets us use.

use crate::os::clock;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering, fence};
use std::time::{Duration, Instant};

/// A thread that sleeps on a word in its own frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sleeper;

/// The word to wake a sleeper by. It may be gone by then: the address alone is used, and a wake that hits somebody else
/// is a spurious one, which every user of a futex expects.
pub(crate) struct Rouse(*const AtomicU32);

impl Sleeper {
    /// Whether threads can sleep on a word here.
    pub(crate) const AVAILABLE: bool = true;

    pub(crate) fn here() -> Self {
        Sleeper
    }

    /// Sleeps while `word` has the value `expected`, at most until `deadline`. May return early.
    pub(crate) fn sleep(word: &AtomicU32, expected: u32, deadline: Option<Instant>) {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        Self::sleep_for(word, expected, left);
    }

    /// As [`sleep`](Sleeper::sleep), for a time.
    pub(crate) fn sleep_for(word: &AtomicU32, expected: u32, limit: Option<Duration>) {
        let limit = limit.map(|limit| libc::timespec {
            // A time beyond what the kernel can say is as good as the longest it can.
            tv_sec: limit.as_secs().try_into().unwrap_or(libc::time_t::MAX),
            tv_nsec: limit.subsec_nanos() as _,
        });
        let limit = limit.as_ref().map_or(ptr::null(), ptr::from_ref);
        let operation = libc::FUTEX_WAIT | libc::FUTEX_PRIVATE_FLAG;
        // SAFETY: `word` and `limit` outlive the call, and the kernel writes neither.
        unsafe { libc::syscall(libc::SYS_futex, ptr::from_ref(word), operation, expected, limit) };
    }

    pub(crate) fn rouse(&self, word: &AtomicU32) -> Rouse {
        Rouse(word)
    }
}

impl Rouse {
    pub(crate) fn now(self) {
        // SAFETY: the kernel does not look at what the address points to, which is only a key for it.
        unsafe { libc::syscall(libc::SYS_futex, self.0, libc::FUTEX_WAKE | libc::FUTEX_PRIVATE_FLAG, 1) };
    }
}

/// Whether `heavy_barrier` works, asked once.
static BARRIER: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = 0;
const WORKS: u8 = 1;
const REFUSED: u8 = 2;

/// Whether a plain store can do where a store with a full barrier would be needed, because the other side calls
/// [`heavy_barrier`]. It becomes true at most once, and never false again.
#[inline(always)]
pub(crate) fn is_asymmetric() -> bool {
    // Relaxed: whoever does not know yet takes the safe way.
    BARRIER.load(Ordering::Relaxed) == WORKS
}

/// After it, every store that another thread of this program has made before is visible here, and what we stored before is
/// visible to every load that another thread makes afterwards.
///
/// About 15 µs while other threads of ours run on other CPUs, a fraction of a microsecond otherwise.
pub(crate) fn heavy_barrier() {
    // Together with the same fence in whoever does not trust in us.
    fence(Ordering::SeqCst);
    ask_for_the_barrier();
    if is_asymmetric() && !membarrier(libc::MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        // Only a filter for system calls that was installed meanwhile can do that. Nothing is promised then, but CPUs keep a
        // store back for a small part of this time.
        std::thread::sleep(Duration::from_micros(100));
    }
}

/// Finds out whether [`is_asymmetric`] can be true. Once, and it may take milliseconds while other threads run.
#[inline]
pub(crate) fn ask_for_the_barrier() {
    if BARRIER.load(Ordering::Relaxed) == UNKNOWN {
        ask();
    }
}

#[cold]
#[inline(never)]
fn ask() {
    let registered = !cfg!(miri) && membarrier(libc::MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    let answer = if registered { WORKS } else { REFUSED };
    // Only the first answer counts: a filter for system calls may let one thread and not another.
    let _ = BARRIER.compare_exchange(UNKNOWN, answer, Ordering::Relaxed, Ordering::Relaxed);
}

fn membarrier(command: libc::c_int) -> bool {
    // SAFETY: the call takes two numbers and writes no memory.
    unsafe { libc::syscall(libc::SYS_membarrier, command, 0, 0) == 0 }
}

/// How many CPUs the program may run on, as far as its first thread knows: threads that are bound to a CPU each do run
/// beside each other.
pub(crate) fn cpus() -> u32 {
    /// The number in the lower byte, the time of the look in the others, in units of 2^8 ticks.
    static LAST_LOOK: AtomicU32 = AtomicU32::new(0);
    // A program may be given other CPUs while it runs; a look costs less than a microsecond.
    let still_good = clock::micros(20_000);
    let now = clock::now() & !0xff;
    let last = LAST_LOOK.load(Ordering::Relaxed);
    if last & 0xff != 0 && now.wrapping_sub(last & !0xff) < still_good {
        return last & 0xff;
    }
    let count = allowed_cpus().clamp(1, 0xff);
    LAST_LOOK.store(now | count, Ordering::Relaxed);
    count
}

fn first_thread() -> libc::pid_t {
    // SAFETY: the call cannot fail, and touches no memory.
    unsafe { libc::getpid() }
}

fn allowed_cpus() -> u32 {
    // More CPUs than a set has room for, or the first thread has ended.
    let Some(set) = cpus_of(first_thread()) else { return 0xff };
    // SAFETY: only the bits of the set are read.
    let count = unsafe { libc::CPU_COUNT(&set) };
    count.unsigned_abs()
}

/// Whether this thread is let run where the first one is, of whom [`cpus`] tells.
pub(crate) fn runs_where_the_first_does() -> bool {
    const THIS: libc::pid_t = 0;
    let (Some(here), Some(first)) = (cpus_of(THIS), cpus_of(first_thread())) else { return false };
    // SAFETY: only the bits of the sets are read.
    unsafe { libc::CPU_EQUAL(&here, &first) }
}

/// Where that thread is let run.
fn cpus_of(thread: libc::pid_t) -> Option<libc::cpu_set_t> {
    // SAFETY: a set of CPUs is plain numbers, for which zero is a value.
    let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: the kernel writes at most the given size into the set.
    let answer = unsafe { libc::sched_getaffinity(thread, size_of_val(&set), &mut set) };
    (answer == 0).then_some(set)
}

#[cfg(all(test, not(miri)))]
pub(crate) mod tests {
    use super::{allowed_cpus, cpus_of, first_thread, runs_where_the_first_does};
    use std::process::Command;
    use std::{env, mem, thread};

    /// Whether this process has one CPU. If not, one that has runs `test` of this program.
    pub(crate) fn is_on_one_cpu(test: &'static str) -> bool {
        if allowed_cpus() == 1 {
            return true;
        }
        let bound = thread::spawn(move || {
            // SAFETY: a set of CPUs is plain numbers, for which zero is a value.
            let mut one: libc::cpu_set_t = unsafe { mem::zeroed() };
            // SAFETY: a number beyond the set's size is left out.
            unsafe { libc::CPU_SET(this_cpu(), &mut one) };
            bind_to(&one);
            // It runs where the thread does that starts it.
            Command::new(env::current_exe().unwrap()).arg("--exact").arg(test).output().unwrap()
        });
        let output = bound.join().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains(" 1 passed"), "{test} on one CPU: {said}");
        false
    }

    fn this_cpu() -> usize {
        // SAFETY: the call touches no memory.
        usize::try_from(unsafe { libc::sched_getcpu() }).unwrap()
    }

    /// Binds the calling thread.
    fn bind_to(set: &libc::cpu_set_t) {
        // SAFETY: the set is as large as said, and only read.
        let answer = unsafe { libc::sched_setaffinity(0, mem::size_of_val(set), set) };
        assert_eq!(answer, 0, "{}", std::io::Error::last_os_error());
    }

    #[test]
    fn a_thread_that_is_bound_elsewhere_runs_not_where_the_first_does() {
        thread::spawn(|| {
            let first = cpus_of(first_thread()).unwrap();
            bind_to(&first);
            assert!(runs_where_the_first_does());
            if allowed_cpus() > 1 {
                let mut others = first;
                // SAFETY: a number beyond the set's size is left out.
                unsafe { libc::CPU_CLR(this_cpu(), &mut others) };
                bind_to(&others);
                assert!(!runs_where_the_first_does());
            }
        })
        .join()
        .unwrap();
    }
}
