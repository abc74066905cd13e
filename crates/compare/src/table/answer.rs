//! A group's answer, in one sentence.

use super::group::{Group, OUTCOMES, Row};
use crate::protocol::Metric;
use crate::summary::Status;
use crate::texts::number::{self, Glyphs};
use crate::texts::{Against, Words};

/// How many tied names are told before the rest is only counted.
const NAMES: usize = 3;

/// What the group comes to. It names a winner only where there is one, and nobody where the control is unstable.
pub(crate) fn answer(group: &Group<'_>, baseline: &str, words: &Words, glyphs: Glyphs) -> String {
    if group.rows.is_empty() {
        let is_verified = group.holes.iter().any(|hole| hole.cell.status == Status::Ok);
        return if is_verified { words.not_timed } else { words.nothing }.to_owned();
    }
    if group.metric == Metric::Outcome {
        let [task, worker, program] = OUTCOMES.map(|outcome| {
            group.rows.iter().filter(|row| row.cell.outcome.as_deref() == Some(outcome)).count()
        });
        return (words.outcomes)(task, worker, program);
    }
    if !group.is_stable() {
        return words.unstable.to_owned();
    }
    let leaders = group.leaders();
    match &leaders[..] {
        _ if group.rows.len() == 1 => (words.alone)(&group.rows[0].name),
        [] => words.no_ranks.to_owned(),
        [leader] => {
            (words.sole_leader)(group.metric, &leader.name, against(group, leader, baseline, glyphs).as_ref())
        }
        all if all.len() == group.rows.len() => (words.all_tied)(all.len()),
        all => {
            let names: Vec<&str> = all.iter().map(|row| row.name.as_str()).collect();
            let shown = if names.len() > NAMES + 1 { &names[..NAMES] } else { &names[..] };
            let against = against(group, all[0], baseline, glyphs);
            (words.tied_leaders)(group.metric, shown, names.len() - shown.len(), against.as_ref())
        }
    }
}

/// Whom the leader is held against: the baseline, or the best of the others if the baseline leads or has no result.
fn against<'a>(
    group: &'a Group<'_>,
    leader: &Row<'_>,
    baseline: &str,
    glyphs: Glyphs,
) -> Option<Against<'a>> {
    let behind = || group.rows.iter().filter(|row| row.cell.rank != Some(1));
    let other = behind().find(|row| row.cell.model == baseline).or_else(|| behind().next())?;
    // The paired estimate is better than the quotient of two medians, where both have one.
    let paired = other.ratio(baseline).zip(leader.ratio(baseline)).map(|(other, leader)| other / leader);
    let factor = paired.or_else(|| Some(other.cell.value? / leader.cell.value?))?;
    Some(Against { name: &other.name, factor: number::ratio(factor, glyphs) })
}
