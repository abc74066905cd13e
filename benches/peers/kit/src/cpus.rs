//! Which CPUs a row uses. The process sees to it itself, so that a sample can be run by hand just as the engine runs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

/// Where the threads of a row run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cpus {
    /// On all CPUs, where the scheduler likes.
    Free,
    /// On two CPUs, each thread bound to one of them in turn.
    Two,
    /// All on one CPU.
    One,
    /// On all CPUs, beside as many threads that compute without end.
    Hogs,
}

/// Where the threads of this process go.
#[derive(Clone, Debug)]
pub struct Place {
    /// To these in turn; empty for wherever the scheduler likes.
    bound_to: Vec<usize>,
}

/// Threads that compute for as long as this lives.
#[derive(Debug)]
pub(crate) struct Hogs {
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Cpus {
    /// The word for it in the names of rows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Two => "two",
            Self::One => "one",
            Self::Hogs => "hogs",
        }
    }

    /// Binds this process accordingly: called before it has a second thread, because threads inherit the binding, and before
    /// a contestant is asked for anything, because libraries remember how many CPUs they found. Whoever counts them on the
    /// thread that calls this finds all those of the row, also where [`Place::settle`] binds other threads to one each.
    ///
    /// # Errors
    /// If there are too few CPUs, or the system does not let us.
    pub(crate) fn settle(self) -> Result<Place, String> {
        let allowed = allowed()?;
        let bound_to = match (self, allowed.as_slice()) {
            (Self::Free | Self::Hogs, _) => Vec::new(),
            (Self::One, &[first, ..]) => vec![first],
            (Self::Two, &[first, second, ..]) => vec![first, second],
            (Self::One | Self::Two, few) => {
                return Err(format!(
                    "this row needs two CPUs, and this process may use {}: run it elsewhere",
                    few.len()
                ));
            }
        };
        let place = Place { bound_to };
        if !place.bound_to.is_empty() {
            bind(&place.bound_to)?;
        }
        Ok(place)
    }

    /// Starts the hogs of this row, if it has any.
    pub(crate) fn hogs(self) -> Result<Option<Hogs>, String> {
        if self != Self::Hogs {
            return Ok(None);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let hog = |_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || while !stop.load(Ordering::Relaxed) {})
        };
        let threads = allowed()?.into_iter().map(hog).collect();
        Ok(Some(Hogs { stop, threads }))
    }
}

impl Place {
    /// Wherever the scheduler likes.
    #[must_use]
    pub const fn free() -> Self {
        Self { bound_to: Vec::new() }
    }

    /// Binds the calling thread, the `index`-th of a sample, to where it belongs.
    ///
    /// # Panics
    /// If the system takes a CPU away that it gave us.
    pub fn settle(&self, index: usize) {
        if self.bound_to.len() > 1 {
            bind(&[self.bound_to[index % self.bound_to.len()]])
                .expect("a CPU that this process was bound to");
        }
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // It cannot panic, and if it did nothing would depend on it.
            thread.join().ok();
        }
    }
}

/// The CPUs that this process may use.
fn allowed() -> Result<Vec<usize>, String> {
    let set =
        sched_getaffinity(Pid::from_raw(0)).map_err(|error| format!("cannot ask for the CPUs: {error}"))?;
    Ok((0..CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect())
}

fn bind(cpus: &[usize]) -> Result<(), String> {
    let mut set = CpuSet::new();
    let bound = cpus
        .iter()
        .try_for_each(|&cpu| set.set(cpu))
        .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set));
    bound.map_err(|error| format!("cannot bind to the CPUs {cpus:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted() -> usize {
        thread::available_parallelism().expect("the system counts them").get()
    }

    /// On a thread of its own: the one that runs tests runs others after this.
    fn bound(cpus: Cpus) -> Result<(usize, Vec<Vec<usize>>), String> {
        let sample = move || {
            let place = cpus.settle()?;
            let own = |index| {
                let place = &place;
                move || {
                    place.settle(index);
                    allowed()
                }
            };
            let threads: Result<Vec<_>, String> = thread::scope(|scope| {
                let threads = [0, 1, 2].map(|index| scope.spawn(own(index)));
                threads.into_iter().map(|thread| thread.join().expect("it is bound")).collect()
            });
            threads.map(|threads| (counted(), threads))
        };
        thread::spawn(sample).join().expect("it does not panic")
    }

    #[test]
    fn a_process_on_two_cpus_counts_two_although_its_threads_have_one_each() {
        if counted() < 2 {
            let refused = bound(Cpus::Two).expect_err("there are too few");
            return assert!(refused.contains("two CPUs"), "{refused}");
        }
        let (counted, threads) = bound(Cpus::Two).expect("there are two");
        assert_eq!((counted, threads[0].len(), threads[1].len()), (2, 1, 1));
        assert!(threads[0] != threads[1] && threads[0] == threads[2], "{threads:?}");
    }

    #[test]
    fn a_process_on_one_cpu_counts_one_as_do_its_threads() {
        let (counted, threads) = bound(Cpus::One).expect("there is one");
        assert_eq!(counted, 1);
        assert!(threads.iter().all(|cpus| cpus.len() == 1 && *cpus == threads[0]), "{threads:?}");
    }
}
