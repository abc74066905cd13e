//! The words of the terminal table.

/// See the module.
#[derive(Debug)]
pub(crate) struct TableTexts {
    /// Column: rank.
    pub(crate) rank: &'static str,
    /// Column: model.
    pub(crate) model: &'static str,
    /// Column: value.
    pub(crate) value: &'static str,
    /// Column: smallest and largest round.
    pub(crate) range: &'static str,
    /// Column: ratio with its interval.
    pub(crate) ratio: &'static str,
    /// Column: verdict.
    pub(crate) verdict: &'static str,
    /// Column: CPU time per iteration.
    pub(crate) cpu: &'static str,
    /// Column: context switches per iteration.
    pub(crate) switches: &'static str,
    /// Column: peak memory.
    pub(crate) peak: &'static str,
    /// Column: the cause of an outcome.
    pub(crate) cause: &'static str,
    /// The heading of the list of holes.
    pub(crate) holes: &'static str,
    /// The heading of the list of flags.
    pub(crate) flags: &'static str,
    /// In front of a flag's cause.
    pub(crate) flag_cause: &'static str,
    /// In front of a flag's remedy.
    pub(crate) flag_remedy: &'static str,
    /// In front of a remark on a cell.
    pub(crate) note: &'static str,
    /// What ratios are taken against.
    pub(crate) against: fn(&str) -> String,
    /// The mark of a group whose control differs from itself.
    pub(crate) unstable: &'static str,
    /// The heading of the best worker counts.
    pub(crate) best_workers: &'static str,
    /// The heading of the bytes per further unit.
    pub(crate) slopes: &'static str,
    /// The heading of the speed-ups.
    pub(crate) speedup: &'static str,
}
