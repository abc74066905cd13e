//! Two threads that meet at a barrier, again and again. parking_lot has none.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use futures_lite::future::block_on;
use peers_kit::{Contestant, Cpus, Job, Measure, Place, Row, together};

use super::is;

/// Where two threads meet.
pub trait Meeting: Send + Sync {
    /// For two.
    fn new() -> Self;
    /// Waits for the other. Blocks. Whether this one leads.
    fn meet(&self) -> bool;
}

pub(crate) fn rows() -> Vec<Row> {
    let rows = [Cpus::Two, Cpus::One].map(|cpus| Row {
        name: format!("barrier/2/{}", cpus.word()),
        about: "two threads meet at a barrier".into(),
        cpus,
        measures: vec![Measure::NS],
        contestants: vec![
            Contestant::timed("sync", 1, two_threads::<sync::Barrier>),
            Contestant::timed("std", 1, two_threads::<std::sync::Barrier>),
            Contestant::timed("tokio", 1, two_threads::<tokio::sync::Barrier>),
            Contestant::timed("async-lock", 1, two_threads::<async_lock::Barrier>),
        ],
    });
    rows.into()
}

/// Two threads meet `count` times.
///
/// # Errors
/// If one came through before the other was there, or a meeting had no leader or two.
pub fn two_threads<M: Meeting>(place: &Place, count: u64) -> Result<Duration, String> {
    let meeting = CachePadded::new(M::new());
    let came = [CachePadded::new(AtomicU64::new(0)), CachePadded::new(AtomicU64::new(0))];
    let mut found = [CachePadded::new((0_u64, 0_u64)), CachePadded::new((0_u64, 0_u64))];
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (index, found) in found.iter_mut().enumerate() {
        let (meeting, own, other) = (&meeting, &came[index], &came[1 - index]);
        let (led, early) = &mut **found;
        jobs.push(Box::new(move || {
            for round in 1..=count {
                // Relaxed: it is the barrier that must order this before what the other does behind it.
                own.store(round, Ordering::Relaxed);
                *led += u64::from(meeting.meet());
                *early += u64::from(other.load(Ordering::Relaxed) < round);
            }
        }));
    }
    let took = together(place, jobs);
    is("times that one came through alone", found.iter().map(|found| found.1).sum(), 0)?;
    is("leaders", found.iter().map(|found| found.0).sum(), count).map(|()| took)
}

impl Meeting for sync::Barrier {
    fn new() -> Self {
        Self::new(2)
    }

    fn meet(&self) -> bool {
        self.wait().expect("nobody breaks it").is_leader()
    }
}

impl Meeting for std::sync::Barrier {
    fn new() -> Self {
        Self::new(2)
    }

    fn meet(&self) -> bool {
        self.wait().is_leader()
    }
}

impl Meeting for tokio::sync::Barrier {
    fn new() -> Self {
        Self::new(2)
    }

    fn meet(&self) -> bool {
        block_on(self.wait()).is_leader()
    }
}

impl Meeting for async_lock::Barrier {
    fn new() -> Self {
        Self::new(2)
    }

    fn meet(&self) -> bool {
        self.wait_blocking().is_leader()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::OnceLock;
    use std::thread::{self, ThreadId};

    /// Lets whoever comes first go on alone, and keeps the other until that one has been here three times.
    struct Early {
        first: OnceLock<ThreadId>,
        came: AtomicU64,
    }

    impl Meeting for Early {
        fn new() -> Self {
            Self { first: OnceLock::new(), came: AtomicU64::new(0) }
        }

        fn meet(&self) -> bool {
            let me = thread::current().id();
            if *self.first.get_or_init(|| me) == me {
                self.came.fetch_add(1, Ordering::Relaxed);
                return true;
            }
            while self.came.load(Ordering::Relaxed) < 3 {
                thread::yield_now();
            }
            false
        }
    }

    #[test]
    fn a_barrier_that_lets_one_through_alone_is_found_out() {
        let wrong = two_threads::<Early>(&Place::free(), 3).expect_err("one was alone");
        assert!(wrong.starts_with("times that one came through alone"), "{wrong}");
    }

    /// Brings both together, of whom so many lead.
    struct Led<const LEADERS: u8>(std::sync::Barrier);

    impl<const LEADERS: u8> Meeting for Led<LEADERS> {
        fn new() -> Self {
            Self(Meeting::new())
        }

        fn meet(&self) -> bool {
            let leads = Meeting::meet(&self.0);
            if LEADERS == 1 { leads } else { LEADERS == 2 }
        }
    }

    #[test]
    fn a_meeting_without_a_leader_or_with_two_is_found_out() {
        let wrong = |found| Err(format!("leaders: {found}, and it must be 5"));
        assert_eq!(two_threads::<Led<0>>(&Place::free(), 5), wrong(0));
        assert!(two_threads::<Led<1>>(&Place::free(), 5).is_ok());
        assert_eq!(two_threads::<Led<2>>(&Place::free(), 5), wrong(10));
    }
}
