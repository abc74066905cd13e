//! In which order: rounds that interleave all models of a workload, each in a fresh random order.
//!
//! The unit is the group, one workload at one scale. A round of a group runs each of its cells once, and the control
//! once more. One group comes first, whole, so that a first verdict stands early; then the crash outcomes;
//! the other groups are interleaved round by round, so that a drift of the machine is charged to none of them.

/// One round of one group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Index of the group.
    pub(crate) group: usize,
    /// From 1; 0 is the check, whose times do not count.
    pub(crate) round: u32,
}

/// What the schedule must know of a group.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GroupShape {
    /// Rounds after the check.
    pub(crate) rounds: u32,
    /// Crash outcomes go behind the opening, before all others.
    pub(crate) outcome: bool,
    /// Whether there is a round 0. Outcomes and memory have no times that watching would disturb, so each of their
    /// rounds is a check.
    pub(crate) check: bool,
}

/// The whole run's steps.
pub(crate) fn steps(groups: &[GroupShape], seed: u64) -> Vec<Step> {
    let (outcomes, others): (Vec<usize>, Vec<usize>) =
        (0..groups.len()).partition(|&group| groups[group].outcome);
    let (opening, others) = others.split_at(others.len().min(1));
    let whole = |&group: &usize| {
        (first(groups[group])..=groups[group].rounds).map(move |round| Step { group, round })
    };
    let mut steps: Vec<Step> = opening.iter().chain(&outcomes).flat_map(whole).collect();
    let most = others.iter().map(|&group| groups[group].rounds).max().unwrap_or(0);
    let mut random = Random::new(seed, &["steps"]);
    for round in 0..=most {
        let mut these: Vec<usize> =
            others.iter().copied().filter(|&group| has(groups[group], round)).collect();
        random.shuffle(&mut these);
        steps.extend(these.into_iter().map(|group| Step { group, round }));
    }
    steps
}

fn has(group: GroupShape, round: u32) -> bool {
    (first(group)..=group.rounds).contains(&round)
}

/// A group's first round.
pub(crate) fn first(group: GroupShape) -> u32 {
    u32::from(!group.check)
}

/// The seed from which a round's input follows: 53 bits, so that every language can hold it.
pub(crate) fn round_seed(seed: u64, workload: &str, scale: &str, round: u32) -> u64 {
    Random::new(seed, &["input", workload, scale, &round.to_string()]).next() >> 11
}

/// The order of a round's cells.
pub(crate) fn round_order(seed: u64, workload: &str, scale: &str, round: u32, cells: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..cells).collect();
    Random::new(seed, &["order", workload, scale, &round.to_string()]).shuffle(&mut order);
    order
}

/// SplitMix64 (Guy Steele, Doug Lea, Christine Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014): a
/// state that any word may start, which is all that a schedule asks of randomness.
#[derive(Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A stream of its own for each purpose.
    pub(crate) fn new(seed: u64, purpose: &[&str]) -> Self {
        let mut state = Self(seed);
        for byte in purpose.iter().flat_map(|part| part.bytes().chain([0xff])) {
            state.0 ^= u64::from(byte);
            state.0 = state.next();
        }
        state
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// Fisher and Yates. The remainder's bias is below one in 2^50 for lists of this length.
    fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = usize::try_from(self.next() % (last as u64 + 1)).unwrap_or(0);
            list.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_group_gets_each_round_once_behind_the_opening_and_the_outcomes() {
        let shape = |rounds, outcome, check| GroupShape { rounds, outcome, check };
        let shapes =
            [shape(12, false, true), shape(3, true, false), shape(12, false, true), shape(6, false, false)];
        let steps = steps(&shapes, 7);
        assert_eq!(steps.len(), 13 + 3 + 13 + 6);
        assert!(
            steps[..13].iter().all(|step| step.group == 0)
                && steps[13..16].iter().all(|step| step.group == 1)
        );
        for (group, shape) in shapes.iter().enumerate() {
            let rounds: Vec<u32> =
                steps.iter().filter(|step| step.group == group).map(|step| step.round).collect();
            let from = first(*shape);
            assert_eq!(
                rounds,
                (from..=shape.rounds).collect::<Vec<_>>(),
                "in order, so that the check is first"
            );
        }
    }

    #[test]
    fn orders_are_permutations_that_differ_by_round_and_repeat_by_seed() {
        let orders: BTreeSet<Vec<usize>> =
            (1..=50).map(|round| round_order(1, "spawn", "100", round, 12)).collect();
        assert!(orders.len() == 50, "12! orders, 50 draws");
        for order in &orders {
            assert_eq!(order.iter().copied().collect::<BTreeSet<_>>().len(), 12);
        }
        assert_eq!(round_order(1, "spawn", "100", 3, 12), round_order(1, "spawn", "100", 3, 12));
        assert_ne!(round_seed(1, "spawn", "100", 3), round_seed(2, "spawn", "100", 3));
        assert!(round_seed(9, "spawn", "100", 3) < 1 << 53);
    }

    #[test]
    fn every_cell_is_first_about_as_often_as_any_other() {
        let mut first = [0_u32; 8];
        for round in 0..8000 {
            first[round_order(3, "w", "s", round, 8)[0]] += 1;
        }
        // 1000 expected, standard deviation 30.
        assert!(first.iter().all(|count| (850..1150).contains(count)), "{first:?}");
    }
}
