//! Who else used the machine while a round ran. Only what the system says counts here, never a value that was measured.

use std::collections::BTreeMap;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::cell::{Process, TICKS_PER_SECOND, all_processes, stolen_seconds};

/// What disturbed one round of one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Disturbance {
    pub(crate) workload: String,
    pub(crate) scale: String,
    pub(crate) round: u32,
    /// `outside-cpu` or `steal`.
    pub(crate) code: String,
    /// CPUs taken, as a fraction of one.
    pub(crate) cpus: f64,
    /// The program that took most, where it is known.
    pub(crate) by: Option<String>,
}

/// A look at everyone else's CPU time, to be compared with a later one.
#[derive(Debug)]
pub(crate) struct Outside {
    at: Instant,
    by_process: CpuSeconds,
    stolen: f64,
}

/// Names and CPU seconds of processes, by number and start: the number alone may belong to somebody else by now, and a
/// process may change its name.
type CpuSeconds = BTreeMap<(i32, u64), (String, f64)>;

impl Outside {
    /// Whether long enough has passed since then for the counters to tell anything.
    pub(crate) fn is_ripe(&self) -> bool {
        self.at.elapsed().as_secs_f64() >= SHORTEST_S
    }

    /// Takes the first look.
    pub(crate) fn look() -> Self {
        Self { at: Instant::now(), by_process: cpu_seconds_by_process(), stolen: stolen_seconds() }
    }

    /// What others took since then: the code, CPUs as a fraction of one, and by whom. `ours` are processes of the
    /// comparison that live on: the engine and its server.
    pub(crate) fn since(&self, ours: &[i32]) -> Vec<(String, f64, Option<String>)> {
        let seconds = self.at.elapsed().as_secs_f64();
        let mut found = Vec::new();
        let now = cpu_seconds_by_process();
        let (total, most) = taken(&self.by_process, &now, ours);
        if is_beyond(total, seconds, OUTSIDE_CPUS) {
            found.push(("outside-cpu".to_owned(), total / seconds, most.map(str::to_owned)));
        }
        let stolen = stolen_seconds() - self.stolen;
        if is_beyond(stolen, seconds, STOLEN_CPUS) {
            found.push(("steal".to_owned(), stolen / seconds, None));
        }
        found
    }
}

/// How much CPU time all but `ours` took between two looks, and who took most.
fn taken<'a>(before: &CpuSeconds, now: &'a CpuSeconds, ours: &[i32]) -> (f64, Option<&'a str>) {
    let mut total = 0.0;
    let mut most: Option<(&str, f64)> = None;
    for (process, (name, used)) in now.iter().filter(|((pid, _), _)| !ours.contains(pid)) {
        // A process that was not there before has used all of its time since.
        let took = (used - before.get(process).map_or(0.0, |(_, used)| *used)).max(0.0);
        total += took;
        if took > most.map_or(0.0, |(_, most)| most) {
            most = Some((name, took));
        }
    }
    (total, most.map(|(name, _)| name))
}

/// Whether so much CPU time within so many seconds is worth a word: more than the share `limit` of a CPU, and more than two
/// steps of the counters, for one process that was caught at a step may have used next to nothing.
fn is_beyond(used: f64, seconds: f64, limit: f64) -> bool {
    used / seconds > limit && used > TWO_STEPS_S + ROUNDING_S
}

/// CPU time of every process that is alive and is not a kernel thread: a kernel thread may be at work for us.
fn cpu_seconds_by_process() -> CpuSeconds {
    const KERNEL_THREADS: i32 = 2;
    let own = |it: &Process| it.pid != KERNEL_THREADS && it.parent != KERNEL_THREADS;
    let cpu_seconds = |it: Process| ((it.pid, it.started), (it.name, it.ticks as f64 / TICKS_PER_SECOND));
    all_processes().filter(own).map(cpu_seconds).collect()
}

/// More than 5 % of one CPU by others is worth a word: it is beyond what an idle desktop takes.
const OUTSIDE_CPUS: f64 = 0.05;

/// More than 1 % of one CPU taken away by the hypervisor.
const STOLEN_CPUS: f64 = 0.01;

/// The kernel counts in steps of 10 ms: within less than this, a few steps would look like a disturbance.
const SHORTEST_S: f64 = 0.5;

/// Two steps of the kernel's counters.
const TWO_STEPS_S: f64 = 2.0 / TICKS_PER_SECOND;

/// Sums and differences of counted steps are not exact.
const ROUNDING_S: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_or_two_of_the_counters_is_no_disturbance() {
        let step = 1.0 / TICKS_PER_SECOND;
        for seconds in [0.1, SHORTEST_S, 1.0] {
            for limit in [OUTSIDE_CPUS, STOLEN_CPUS] {
                assert!(!is_beyond(step, seconds, limit) && !is_beyond(step + step, seconds, limit));
                // As a difference of counters has it.
                assert!(!is_beyond((1e6 + 2.0 * step) - 1e6, seconds, limit));
            }
        }
        assert!(is_beyond(3.0 * step, SHORTEST_S, OUTSIDE_CPUS) && is_beyond(3.0 * step, 1.0, STOLEN_CPUS));
        assert!(!is_beyond(3.0 * step, 1.0, OUTSIDE_CPUS) && !is_beyond(0.9, 100.0, STOLEN_CPUS));
    }

    #[test]
    fn a_process_keeps_its_past_under_another_name_and_not_under_another_start() {
        let look = |list: &[(i32, u64, &str, f64)]| -> CpuSeconds {
            list.iter().map(|&(pid, start, name, used)| ((pid, start), (name.to_owned(), used))).collect()
        };
        let before = look(&[(7, 100, "sh", 50.0), (8, 100, "make", 40.0), (9, 100, "engine", 1.0)]);
        let renamed = look(&[(7, 100, "server", 50.5), (8, 100, "make", 40.0), (9, 100, "engine", 9.0)]);
        assert_eq!(taken(&before, &renamed, &[9]), (0.5, Some("server")));
        let another = look(&[(7, 900, "sh", 2.0), (8, 100, "make", 41.0)]);
        assert_eq!(taken(&before, &another, &[9]), (3.0, Some("sh")));
        assert_eq!(taken(&before, &before, &[9]), (0.0, None));
    }

    #[test]
    fn a_busy_stranger_is_named() {
        let _alone = crate::cell::ONE_TREE.lock();
        let before = Outside::look();
        let mut hog =
            std::process::Command::new("sh").args(["-c", "while :; do :; done"]).spawn().expect("sh starts");
        std::thread::sleep(std::time::Duration::from_millis(900));
        let found = before.since(&[]);
        let silenced = before.since(&[crate::cell::pid(hog.id())]);
        hog.kill().expect("it is ours");
        hog.wait().expect("it is ours");
        let outside = found.iter().find(|(code, ..)| code == "outside-cpu").expect("it is seen");
        assert!(outside.1 > 0.1, "{found:?}");
        let of = |list: &[(String, f64, Option<String>)]| {
            list.iter().filter(|(code, ..)| code == "outside-cpu").map(|it| it.1).sum::<f64>()
        };
        assert!(of(&silenced) < of(&found), "our own processes do not count");
    }
}
