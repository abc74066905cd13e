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

/// What a thread of a trial takes part with.
#[derive(Clone)]
pub(crate) enum Role<O> {
    /// Operations of these kinds, as they come.
    Any(Vec<Kind<O>>),
    /// Rounds of these steps, each of which is an operation of one of some kinds. All threads go as many rounds.
    Rounds(Vec<Vec<Kind<O>>>),
}

/// Scenarios of as many threads as `roles` has entries, each of which does between 0 and `operations_max` operations of
/// its role, or a round if that is longer. `ending`, if there is one, is done at the end, once for each operation before it and once more,
/// so that what was put can be taken out again.
///
/// Thread 0 gets the fresh numbers 1, 2 and so on, thread 1 gets 101, 102, ...: they tell who was given them, and so
/// they do when proptest has made the scenario smaller.
pub(crate) fn scenarios<O: Clone + fmt::Debug>(
    roles: &[Role<O>],
    operations_max: usize,
    ending: Option<Kind<O>>,
) -> impl Strategy<Value = Scenario<O>> + use<O> {
    let roles = roles.to_vec();
    let rounds_max = roles.iter().map(|role| role.rounds(operations_max)).min().unwrap_or(0);
    let choices: Vec<_> = roles.iter().map(|role| role.choices(operations_max, rounds_max)).collect();
    // Whatever proptest takes away, all threads still go as many rounds.
    (choices, 0..=rounds_max).prop_map(move |(choices, rounds)| {
        let operations = |(thread, (role, choices)): (usize, (&Role<O>, &Vec<usize>))| {
            let fresh = |place: usize| u32::try_from(thread * PER_THREAD + place + 1).unwrap_or(u32::MAX);
            let steps = role.steps(rounds, choices.len());
            let operations = (0..steps).map(|place| role.kind(place, choices[place])(fresh(place)));
            operations.collect()
        };
        let threads: Vec<Vec<O>> = roles.iter().zip(&choices).enumerate().map(operations).collect();
        let total: usize = threads.iter().map(Vec::len).sum();
        Scenario {
            threads,
            ending: ending.map_or_else(Vec::new, |kind| (0..=total).map(|_| kind(0)).collect()),
        }
    })
}

impl<O> Role<O> {
    /// How many rounds are at most so many operations; one at least.
    fn rounds(&self, operations_max: usize) -> usize {
        match self {
            Role::Any(_) => operations_max,
            Role::Rounds(steps) => (operations_max / steps.len()).max(1),
        }
    }

    /// Numbers that say for each operation of which kind it is.
    fn choices(&self, operations_max: usize, rounds_max: usize) -> BoxedStrategy<Vec<usize>> {
        match self {
            Role::Any(kinds) => proptest::collection::vec(0..kinds.len(), 0..=operations_max).boxed(),
            Role::Rounds(steps) => {
                let most = steps.iter().map(Vec::len).max().unwrap_or(1);
                proptest::collection::vec(0..most, rounds_max * steps.len()).boxed()
            }
        }
    }

    /// How many operations so many rounds are, where there are so many choices.
    fn steps(&self, rounds: usize, choices: usize) -> usize {
        match self {
            Role::Any(_) => choices,
            Role::Rounds(steps) => rounds * steps.len(),
        }
    }

    fn kind(&self, place: usize, choice: usize) -> Kind<O> {
        let kinds = match self {
            Role::Any(kinds) => kinds,
            Role::Rounds(steps) => &steps[place % steps.len()],
        };
        kinds[choice % kinds.len()]
    }
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
        let roles = [Role::Any(producer.clone()), Role::Any(producer), Role::Any(vec![|_| Step::Get])];
        scenarios(&roles, 8, Some(|_| Step::Get))
    }

    fn rounds_of_two_who_put_and_get_and_one_who_gets_twice() -> impl Strategy<Value = Scenario<Step>> {
        let both = || Role::Rounds(vec![vec![Step::Put as Kind<Step>], vec![|_| Step::Get, |_| Step::Get]]);
        scenarios(&[both(), both(), Role::Rounds(vec![vec![|_| Step::Get]; 2])], 7, None)
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

        #[test]
        fn all_threads_go_as_many_rounds(scenario in rounds_of_two_who_put_and_get_and_one_who_gets_twice()) {
            let rounds = scenario.of_thread(0).len() / 2;
            prop_assert!(rounds <= 3);
            for thread in 0..3 {
                prop_assert_eq!(scenario.of_thread(thread).len(), 2 * rounds);
                for (place, step) in scenario.of_thread(thread).iter().enumerate() {
                    prop_assert_eq!(matches!(step, Step::Put(_)), thread < 2 && place % 2 == 0);
                }
            }
        }
    }
}
