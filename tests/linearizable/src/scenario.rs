//! What the threads of a trial are to do, made by proptest.

use proptest::prelude::*;
use std::fmt;

/// What each thread is to do, one after the other, and what is done when all have ended.
#[derive(Clone, PartialEq, Eq)]
pub struct Scenario<O> {
    threads: Vec<Vec<O>>,
    /// Done by one more thread.
    ending: Vec<O>,
}

/// A kind of operation. It is given a number that no other operation of its scenario is given, for the value that it
/// puts somewhere: values that are all distinct tell where each went.
pub type Kind<O> = fn(fresh: u32) -> O;

/// Scenarios of as many threads as `roles` has entries, each of which does between 0 and `operations_max` operations of
/// the kinds of its role. `ending`, if there is one, is done at the end, once for each operation before it and once more,
/// so that what was put can be taken out again.
///
/// Thread 0 gets the fresh numbers 1, 2 and so on, thread 1 gets 101, 102, ...: they tell who was given them, and so
/// they do when proptest has made the scenario smaller.
pub(crate) fn scenarios<O: Clone + fmt::Debug>(
    roles: &[Vec<Kind<O>>],
    operations_max: usize,
    ending: Option<Kind<O>>,
) -> impl Strategy<Value = Scenario<O>> + use<O> {
    let roles = roles.to_vec();
    let choices: Vec<_> =
        roles.iter().map(|kinds| proptest::collection::vec(0..kinds.len(), 0..=operations_max)).collect();
    choices.prop_map(move |choices| {
        let operations = |(thread, (kinds, choices)): (usize, (&Vec<Kind<O>>, &Vec<usize>))| {
            let fresh = |place: usize| u32::try_from(thread * PER_THREAD + place + 1).unwrap_or(u32::MAX);
            choices.iter().enumerate().map(|(place, &choice)| kinds[choice](fresh(place))).collect()
        };
        let threads: Vec<Vec<O>> = roles.iter().zip(&choices).enumerate().map(operations).collect();
        let total: usize = choices.iter().map(Vec::len).sum();
        Scenario {
            threads,
            ending: ending.map_or_else(Vec::new, |kind| (0..=total).map(|_| kind(0)).collect()),
        }
    })
}

impl<O> Scenario<O> {
    #[cfg(test)]
    pub(crate) fn new(threads: Vec<Vec<O>>, ending: Vec<O>) -> Self {
        Scenario { threads, ending }
    }

    /// How many threads run at once.
    pub(crate) fn threads(&self) -> usize {
        self.threads.len()
    }

    /// What that thread does, one after the other; the thread after the last one does the ending.
    pub(crate) fn of_thread(&self, thread: usize) -> &[O] {
        self.threads.get(thread).unwrap_or(&self.ending)
    }

    pub(crate) fn operation(&self, thread: usize, place: usize) -> &O {
        &self.of_thread(thread)[place]
    }
}

impl<O: fmt::Debug> fmt::Debug for Scenario<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (thread, operations) in self.threads.iter().enumerate() {
            writeln!(f, "  thread {thread}: {operations:?}")?;
        }
        match self.ending.first() {
            Some(operation) => writeln!(f, "  and then {} times: {operation:?}", self.ending.len()),
            None => Ok(()),
        }
    }
}

/// The fresh numbers of a thread begin at a multiple of this. A trial refuses longer scenarios.
pub(crate) const PER_THREAD: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[derive(Clone, Debug, PartialEq)]
    enum Step {
        Put(u32),
        Get,
    }

    fn scenarios_of_two_producers_and_a_consumer() -> impl Strategy<Value = Scenario<Step>> {
        let producer: Vec<Kind<Step>> = vec![Step::Put];
        scenarios(&[producer.clone(), producer, vec![|_| Step::Get]], 8, Some(|_| Step::Get))
    }

    proptest! {
        #[test]
        fn threads_keep_to_their_roles_and_values_are_distinct(
            scenario in scenarios_of_two_producers_and_a_consumer()
        ) {
            let mut values = BTreeSet::new();
            let mut total = 0;
            for thread in 0..scenario.threads() {
                prop_assert!(scenario.of_thread(thread).len() <= 8);
                total += scenario.of_thread(thread).len();
                for step in scenario.of_thread(thread) {
                    match *step {
                        Step::Put(value) => prop_assert!(thread < 2 && values.insert(value)),
                        Step::Get => prop_assert_eq!(thread, 2),
                    }
                }
            }
            prop_assert_eq!(scenario.of_thread(3), vec![Step::Get; total + 1]);
        }
    }
}
