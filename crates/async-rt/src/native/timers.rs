//! Wake-ups in order of time.

use std::collections::BTreeMap;
use std::task::Waker;
use std::time::Instant;

/// The wake-ups that were asked for. Putting in and taking back cost O(log n); the first is found at once.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    waiting: BTreeMap<TimerKey, Waker>,
    next_number: u64,
}

/// Which wake-up. The number tells apart those of the same time, and keeps them in the order in which they were put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerKey {
    at: Instant,
    number: u64,
}

impl Timers {
    pub(crate) fn insert(&mut self, at: Instant, waker: Waker) -> TimerKey {
        let key = TimerKey { at, number: self.next_number };
        self.next_number += 1;
        self.waiting.insert(key, waker);
        key
    }

    /// Takes a wake-up back; `None` if it has happened. The waker is returned because its destructor may be anything and
    /// should not run under a lock.
    pub(crate) fn remove(&mut self, key: TimerKey) -> Option<Waker> {
        self.waiting.remove(&key)
    }

    /// When the first is due.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.waiting.first_key_value().map(|(key, _)| key.at)
    }

    /// Takes out all that are due at `now`, in order of time.
    pub(crate) fn take_due(&mut self, now: Instant) -> impl Iterator<Item = Waker> + use<> {
        let later = self.waiting.split_off(&TimerKey { at: now, number: u64::MAX });
        std::mem::replace(&mut self.waiting, later).into_values()
    }
}

#[cfg(all(test, not(trefoil_loom)))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::{Arc, Mutex};
    use std::task::Wake;
    use std::time::Duration;

    struct Log {
        name: usize,
        log: Arc<Mutex<Vec<usize>>>,
    }

    impl Wake for Log {
        fn wake(self: Arc<Self>) {
            self.log.lock().unwrap().push(self.name);
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert { at: u64 },
        Remove { which: usize },
        Advance { by: u64 },
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (0..40_u64).prop_map(|at| Step::Insert { at }),
            1 => any::<usize>().prop_map(|which| Step::Remove { which }),
            2 => (0..15_u64).prop_map(|by| Step::Advance { by }),
        ];
        prop::collection::vec(step, 0..80)
    }

    proptest! {
        /// The model: a list that is sorted, stably, whenever time advances.
        #[test]
        fn wakes_what_a_sorted_list_would(steps in steps()) {
            let start = Instant::now();
            let time = |ms: u64| start + Duration::from_millis(ms);
            let log = Arc::new(Mutex::new(Vec::new()));
            let mut timers = Timers::default();
            let mut keys = Vec::new();
            let mut model: Vec<(u64, usize)> = Vec::new();
            let mut expected = Vec::new();
            let mut now = 0;
            for step in steps {
                match step {
                    Step::Insert { at } => {
                        let name = keys.len();
                        let waker = Waker::from(Arc::new(Log { name, log: Arc::clone(&log) }));
                        keys.push(timers.insert(time(at), waker));
                        model.push((at, name));
                    }
                    Step::Remove { which } => {
                        if keys.is_empty() {
                            continue;
                        }
                        let name = which % keys.len();
                        let there = model.iter().any(|(_, other)| *other == name);
                        model.retain(|(_, other)| *other != name);
                        prop_assert_eq!(timers.remove(keys[name]).is_some(), there);
                    }
                    Step::Advance { by } => {
                        now += by;
                        model.sort_by_key(|(at, _)| *at);
                        expected.extend(model.iter().filter(|(at, _)| *at <= now).map(|(_, name)| *name));
                        model.retain(|(at, _)| *at > now);
                        timers.take_due(time(now)).for_each(Waker::wake);
                    }
                }
                prop_assert_eq!(timers.first(), model.iter().map(|(at, _)| time(*at)).min());
                prop_assert_eq!(&*log.lock().unwrap(), &expected);
            }
        }
    }
}
