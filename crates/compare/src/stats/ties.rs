//! Ranks: who stands above whom, and who is not told apart.
//!
//! **A model's rank is 1 plus the number of models shown to be faster than it**, directly or through others. A tie
//! group is what shares a rank. So:
//!
//! 1. rank 1 holds exactly those models that nothing is shown to be faster than;
//! 2. a model shown to be faster than another has the smaller rank;
//! 3. two of one rank are not shown to differ.
//!
//! "Not shown to differ" is not transitive: A may be shown faster than C while B, with the wider interval, is told apart
//! from neither. No ranks can mirror that; B then stands with A, because nothing beats it, and [`Ranking::verdict`]
//! tells that B and C are a tie all the same. "Through others" is what makes 2 hold: if A beats B and B beats C, C
//! counts A too, even where the rounds that A and C share do not show it. Should models beat each other in a circle,
//! which intervals beyond a margin can hardly do, the circle is one tie group.

use super::{
    Round,
    compare::{bearing, correction, judge_all, log_ratios},
};
use crate::summary::Verdict;

/// From this many rounds on, ranks are corrected for the number of all pairs; see [`corrected_from`].
///
/// Thirteen rounds bear 204 pairs, which is 20 models; twelve bear 102, which is 14 models and so fewer than a workload
/// has. See [`super::compare::CORRECTED_ROUNDS`].
pub const CORRECTED_ROUNDS: u32 = 13;

/// From how many rounds on the ranks of so many models are corrected: [`CORRECTED_ROUNDS`], or more where those do not
/// bear all pairs.
///
/// # Examples
/// ```
/// use compare::stats::ties::corrected_from;
///
/// assert_eq!([3, 20, 21, 29].map(corrected_from), [13, 13, 14, 14]);
/// ```
#[must_use]
pub fn corrected_from(models: usize) -> u32 {
    bearing(models * models.saturating_sub(1) / 2, CORRECTED_ROUNDS)
}

/// The ranks of all models of one workload.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Ranking {
    /// By model, in the order given; absent for a model without a value.
    pub ranks: Vec<Option<u32>>,
    /// `false`: too few rounds to correct for the number of pairs, so that some of the order may be luck.
    pub corrected: bool,
    /// Row `i`, column `j`: model `i` against model `j`.
    verdicts: Vec<Vec<Verdict>>,
}

impl Ranking {
    /// Model `i` against model `j`, as it counted for the ranks. A model against itself is [`Verdict::Same`].
    ///
    /// # Panics
    /// If there is no such model.
    #[must_use]
    #[track_caller]
    pub fn verdict(&self, i: usize, j: usize) -> Verdict {
        self.verdicts[i][j]
    }
}

/// Ranks all models of one workload by their rounds; smaller values rank higher.
///
/// All pairs are one family. If any pair has as many rounds as [`corrected_from`] says, "faster" must pass Holm's
/// correction over all of them. O(m² n³) time for m models and n rounds.
///
/// # Panics
/// If `margin` is negative or not finite.
///
/// # Examples
/// ```
/// let steady = |ns: f64| vec![Some(ns), Some(ns * 1.01), Some(ns), Some(ns * 0.99), Some(ns), Some(ns * 1.02)];
/// let models = [steady(20.0), steady(10.0), steady(10.1), vec![None; 6]];
/// let ranking = compare::stats::ties::rank(&models, 0.03);
/// assert_eq!(ranking.ranks, [Some(3), Some(1), Some(1), None]);
/// ```
#[must_use]
#[track_caller]
pub fn rank<S: AsRef<[Round]>>(models: &[S], margin: f64) -> Ranking {
    let count = models.len();
    let pairs: Vec<(usize, usize)> = (0..count).flat_map(|i| (i + 1..count).map(move |j| (i, j))).collect();
    let logs: Vec<Vec<f64>> =
        pairs.iter().map(|&(i, j)| log_ratios(models[i].as_ref(), models[j].as_ref())).collect();
    let (_, corrected) = correction(&logs, CORRECTED_ROUNDS);

    let mut verdicts = vec![vec![Verdict::Same; count]; count];
    for ((i, j), found) in pairs.into_iter().zip(judge_all(&logs, margin, CORRECTED_ROUNDS)) {
        verdicts[i][j] = found.verdict;
        verdicts[j][i] = opposite(found.verdict);
    }
    let faster: Vec<Vec<bool>> =
        verdicts.iter().map(|row| row.iter().map(|verdict| *verdict == Verdict::Faster).collect()).collect();
    let has_value =
        |model: &S| model.as_ref().iter().flatten().any(|value| value.is_finite() && *value > 0.0);
    let ranks =
        order(faster).into_iter().zip(models).map(|(rank, model)| has_value(model).then_some(rank)).collect();
    Ranking { ranks, corrected, verdicts }
}

/// The ranks that follow from `beats[i][j]`: 1 plus the number of those that reach a model and are not reached by it.
fn order(mut beats: Vec<Vec<bool>>) -> Vec<u32> {
    let count = beats.len();
    // Warshall's transitive closure.
    for through in 0..count {
        let onward = beats[through].clone();
        for row in beats.iter_mut().filter(|row| row[through]) {
            for (reached, further) in row.iter_mut().zip(&onward) {
                *reached |= further;
            }
        }
    }
    let above =
        |model: usize| (0..count).filter(|&other| beats[other][model] && !beats[model][other]).count();
    (0..count).map(|model| 1 + u32::try_from(above(model)).unwrap_or(u32::MAX - 1)).collect()
}

fn opposite(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Faster => Verdict::Slower,
        Verdict::Slower => Verdict::Faster,
        same => same,
    }
}

#[cfg(test)]
mod tests {
    use super::order;
    use proptest::prelude::*;

    fn matrix(count: usize, edges: &[(usize, usize)]) -> Vec<Vec<bool>> {
        let mut beats = vec![vec![false; count]; count];
        for &(i, j) in edges {
            beats[i][j] = true;
        }
        beats
    }

    #[test]
    fn nothing_shown_is_one_group() {
        assert_eq!(order(matrix(3, &[])), [1, 1, 1]);
    }

    #[test]
    fn an_intransitive_tie_stands_with_what_nothing_beats() {
        // 0 beats 2; 1 is told apart from neither.
        assert_eq!(order(matrix(3, &[(0, 2)])), [1, 1, 2]);
    }

    #[test]
    fn a_chain_counts_what_it_does_not_show_directly() {
        // 0 beats 1 and 1 beats 2, but 0 against 2 is unclear: direct counting would tie 1 and 2.
        assert_eq!(order(matrix(3, &[(0, 1), (1, 2)])), [1, 2, 3]);
    }

    #[test]
    fn a_circle_is_a_tie() {
        assert_eq!(order(matrix(4, &[(0, 1), (1, 2), (2, 0), (2, 3)])), [1, 1, 1, 4]);
    }

    proptest! {
        #[test]
        fn the_order_keeps_what_was_shown(edges in proptest::collection::vec((0_usize..7, 0_usize..7), 0..20)) {
            // Edges that go up cannot make a circle.
            let edges: Vec<_> = edges.into_iter().filter(|(i, j)| i < j).collect();
            let ranks = order(matrix(7, &edges));
            for &(i, j) in &edges {
                prop_assert!(ranks[i] < ranks[j]);
            }
            for (model, rank) in ranks.iter().enumerate() {
                let beaten = edges.iter().any(|&(_, j)| j == model);
                prop_assert_eq!(*rank == 1, !beaten);
            }
        }
    }
}
