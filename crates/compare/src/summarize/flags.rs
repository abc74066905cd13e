//! What disturbed a run, as far as its records show it.

use std::collections::BTreeSet;

use super::usable;
use crate::noise::Disturbance;
use crate::stats::{drift, robust};
use crate::summary::{Flag, Summary, Verdict};
use crate::texts::EN;

pub(super) fn disturbance_flags(disturbed: &[&Disturbance]) -> Vec<Flag> {
    let t = &EN.flags;
    let mut flags = Vec::new();
    for code in ["outside-cpu", "steal"] {
        let these: Vec<&&Disturbance> = disturbed.iter().filter(|it| it.code == code).collect();
        let Some(worst) = these.iter().max_by(|a, b| a.cpus.total_cmp(&b.cpus)) else { continue };
        let rounds: BTreeSet<u32> = these.iter().map(|it| it.round).collect();
        let group = format!("{} {}", worst.workload, worst.scale);
        let at_most = (t.at_most)(worst.cpus * 100.0, &group, worst.round);
        let flag = if code == "steal" {
            t.steal.flag(code, (t.steal.what)(these.len(), &at_most))
        } else {
            Flag {
                code: code.to_owned(),
                what: (t.outside.what)(these.len(), &at_most),
                cause: (t.outside.cause)(worst.by.as_deref()),
                remedy: t.outside.remedy.to_owned(),
                ..Flag::default()
            }
        };
        flags.push(Flag { rounds: rounds.into_iter().collect(), ..flag });
    }
    flags
}

pub(super) fn value_flags(summary: &Summary, floor: f64) -> Vec<Flag> {
    let mut drifting = Vec::new();
    for noise in &summary.noise_floor {
        let baseline = usable(summary).find(|cell| {
            cell.verdict == Some(Verdict::Baseline)
                && (&cell.workload, &cell.scale, cell.cpus, cell.workers)
                    == (&noise.workload, &noise.scale, noise.cpus, noise.workers)
        });
        if let Some(found) = baseline
            .and_then(|cell| drift::drift(&cell.values, floor.max(noise.margin)))
            .filter(|it| it.drifting)
        {
            drifting.push((format!("{} {}", noise.workload, noise.scale), found.change * 100.0));
        }
    }
    let t = &EN.flags;
    let mut flags = Vec::new();
    if !drifting.is_empty() {
        flags.push(t.drift.flag("drift", (t.drift.what)(&drifting)));
    }
    let series = usable(summary).map(|cell| cell.values.iter().copied().flatten().collect::<Vec<_>>());
    let (outliers, values) = series.fold((0, 0), |(outliers, values), cell| {
        (outliers + robust::outliers(&cell).len(), values + cell.len())
    });
    if outliers > 0 {
        flags.push(t.outliers.flag("outliers", (t.outliers.what)(outliers, values)));
    }
    flags
}
