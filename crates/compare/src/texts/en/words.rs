//! The shared words in English.

use super::counted;
use crate::protocol::{Metric, Profile};
use crate::summary::{Status, Verdict};
use crate::texts::{Against, Words};

pub(super) const WORDS: Words = Words {
    status,
    status_short,
    verdict,
    outcome: |outcome| outcome,
    profile: |profile| match profile {
        Profile::Quick => "quick",
        Profile::Default => "default",
        Profile::Full => "full",
    },
    one_worker: "1 worker",
    not_timed: "verified, not timed",
    no_reason: "no reason was given",
    not_run_yet: "not run yet",
    quantity: |metric, unit| match metric {
        Metric::Time => format!("time per {unit}"),
        Metric::Memory => format!("memory per {unit}"),
        Metric::Outcome => "what is lost".to_owned(),
    },
    resources: |cpus, workers| format!("{}, {}", counted(cpus, "CPU"), counted(workers, "worker")),
    rounds: |rounds| counted(rounds, "round"),
    rounds_needed: |needed| {
        let each: Vec<String> = needed.iter().map(|(model, rounds)| format!("{model} {rounds}")).collect();
        format!("unclear; about this many rounds would tell: {}", each.join(", "))
    },
    left_out: |groups, why| match why {
        "" => format!("Not in this run: {}", groups.join(", ")),
        why => format!("Not in this run ({why}): {}", groups.join(", ")),
    },
    sole_leader: |metric, leader, against| {
        format!("{leader} is {}{}", superlative(metric), rest(metric, against))
    },
    tied_leaders: |metric, leaders, more, against| {
        let names = if more == 0 { list(leaders) } else { format!("{} and {more} more", leaders.join(", ")) };
        format!("{names} tie for {}{}", superlative(metric), rest(metric, against))
    },
    all_tied: |models| format!("no difference shown between {models} models"),
    alone: |model| format!("{model} alone has a result"),
    unstable: "no verdicts: the control differs from itself",
    no_ranks: "no ranking: there is no control of six rounds",
    nothing: "no verified result",
    outcomes: |task, worker, program| {
        let parts = [(task, "the task alone"), (worker, "the worker"), (program, "the program")];
        let parts = parts.iter().filter(|(models, _)| *models > 0).map(|(models, lost)| match models {
            1 => format!("1 model loses {lost}"),
            _ => format!("{models} models lose {lost}"),
        });
        parts.collect::<Vec<_>>().join(", ")
    },
    exploratory: |rounds| {
        let rounds = counted(rounds, "round");
        format!("Exploratory: {rounds}, unadjusted 95 % intervals. A hint, not a proof.")
    },
    interrupted: "Interrupted: this is what there was when the run was stopped.",
    noise_floor: |ratio, margin| {
        format!("Noise floor: control {ratio}; within {margin} two models are called the same.")
    },
    noise_floor_wide: |ratio, margin| {
        format!(
            "Noise floor: control {ratio}; differences below {margin} cannot be told, nothing is called the same."
        )
    },
    stand_in: |model, ratio| format!("{model} against itself {ratio}"),
    unadjusted: |verdicts, ranks| {
        format!(
            "Unadjusted: verdicts are corrected for their number from {verdicts} rounds on, ranks from {ranks}; some \
             may be luck."
        )
    },
    unadjusted_ranks: |ranks| {
        format!(
            "Ranks unadjusted: they are corrected for the number of pairs from {ranks} rounds on; some may be luck."
        )
    },
    slope: |bytes, scales| format!("{bytes} (over {scales} scales)"),
    best_workers: |best, ties| match ties {
        [] => format!("{best}"),
        ties => {
            let ties: Vec<_> = ties.iter().map(u32::to_string).collect();
            format!("{best}, tied with {}", list(&ties.iter().map(String::as_str).collect::<Vec<_>>()))
        }
    },
    speedup_point: |cpus, factor| format!("{factor} on {}", counted(cpus, "CPU")),
    parallel_part: |part| format!("parallel part {part}"),
};

fn status(status: Status) -> &'static str {
    match status {
        Status::Untested => "untested",
        Status::Ok => "ok",
        Status::Unsupported => "unsupported",
        Status::Unavailable => "unavailable",
        Status::BuildFailed => "does not build",
        Status::Wrong => "WRONG",
        Status::Crashed => "crashed",
        Status::Timeout => "timed out",
        Status::Leaked => "leaked",
        Status::Limit => "limit",
    }
}

fn status_short(status: Status) -> &'static str {
    match status {
        Status::Untested => "·",
        Status::Ok => "ok",
        Status::Unsupported => "n/s",
        Status::Unavailable => "n/a",
        Status::BuildFailed => "build",
        Status::Wrong => "WRONG",
        Status::Crashed => "crash",
        Status::Timeout => "hung",
        Status::Leaked => "leak",
        Status::Limit => "limit",
    }
}

fn verdict(verdict: Verdict, metric: Metric) -> &'static str {
    match (verdict, metric) {
        (Verdict::Faster, Metric::Memory) => "smaller",
        (Verdict::Slower, Metric::Memory) => "larger",
        (Verdict::Faster, _) => "faster",
        (Verdict::Slower, _) => "slower",
        (Verdict::Same, _) => "same",
        (Verdict::Unclear, _) => "unclear",
        (Verdict::Baseline, _) => "baseline",
    }
}

fn superlative(metric: Metric) -> &'static str {
    match metric {
        Metric::Memory => "smallest",
        Metric::Time | Metric::Outcome => "fastest",
    }
}

fn rest(metric: Metric, against: Option<&Against<'_>>) -> String {
    let Some(Against { name, factor }) = against else { return String::new() };
    match metric {
        Metric::Memory => format!("; {name} needs {factor} as much"),
        Metric::Time | Metric::Outcome => format!("; {name} takes {factor} as long"),
    }
}

fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
