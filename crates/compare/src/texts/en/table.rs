//! The terminal table in English.

use crate::texts::TableTexts;

pub(super) const TABLE: TableTexts = TableTexts {
    rank: "rank",
    model: "model",
    value: "value",
    range: "range",
    ratio: "ratio [95 %]",
    verdict: "verdict",
    cpu: "cpu/iter",
    switches: "switches",
    peak: "peak",
    cause: "cause",
    holes: "Not measured:",
    flags: "What disturbed the run:",
    flag_cause: "cause: ",
    flag_remedy: "remedy: ",
    note: "note: ",
    against: |baseline| format!("ratios against {baseline}"),
    unstable: "UNSTABLE",
    best_workers: "Best worker count:",
    slopes: "What one more takes, without what is taken once:",
    speedup: "Speed-up, at the best worker count:",
};
