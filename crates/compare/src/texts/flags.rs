//! What may disturb a measurement: the flags of a run, and what `doctor` says of this machine.

use std::time::Duration;

use crate::summary::{Flag, Machine};

/// One flag: what was seen, its likely cause, and what to do about it.
#[derive(Debug)]
pub(crate) struct FlagText<What, Cause = &'static str> {
    pub(crate) what: What,
    pub(crate) cause: Cause,
    pub(crate) remedy: &'static str,
}

impl<What> FlagText<What> {
    /// The flag, about the run as a whole; `what` is what was seen, in words.
    pub(crate) fn flag(&self, code: &str, what: String) -> Flag {
        Flag {
            code: code.to_owned(),
            what,
            cause: self.cause.to_owned(),
            remedy: self.remedy.to_owned(),
            rounds: Vec::new(),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct FlagTexts {
    /// The clock source is not the processor's own: its name.
    pub(crate) clock_source: FlagText<fn(&str) -> String>,
    /// The processor does not run at full speed: the governor's name.
    pub(crate) governor: FlagText<fn(&str) -> String>,
    /// No mains.
    pub(crate) battery: FlagText<&'static str>,
    /// Others were at work before we began: their threads, and the CPUs.
    pub(crate) load_at_start: FlagText<fn(u32, u32) -> String>,
    /// The server shares CPUs with those who ask it.
    pub(crate) shared_cpu: FlagText<&'static str>,
    /// Other programs used CPU time in this many rounds; the worst.
    pub(crate) outside: FlagText<RoundsAndWorst, Culprit>,
    /// The hypervisor took CPU time in this many rounds; the worst.
    pub(crate) steal: FlagText<RoundsAndWorst>,
    /// The worst disturbance: percent of a CPU, workload and scale, round.
    pub(crate) at_most: fn(f64, &str, u32) -> String,
    /// The baseline drifted: where, and by how many percent.
    pub(crate) drift: FlagText<Places>,
    /// Cells whose rounds hold outliers: how many rounds of how many.
    pub(crate) outliers: FlagText<fn(usize, usize) -> String>,

    /// `doctor`: the machine, in two lines.
    pub(crate) doctor_machine: fn(&Machine) -> String,
    /// `doctor`: a limit and its value.
    pub(crate) doctor_limit: fn(&str, &str) -> String,
    /// `doctor`: a flag's code, the percent of a CPU that was taken, and how long we listened.
    pub(crate) doctor_heard: fn(&str, f64, Duration) -> String,
    /// `doctor`: no disturbance was found.
    pub(crate) doctor_quiet: &'static str,
}

/// In how many rounds, and [`FlagTexts::at_most`].
type RoundsAndWorst = fn(usize, &str) -> String;

/// The program that took most, if it is known.
type Culprit = fn(Option<&str>) -> String;

/// Workload and scale, and percent.
type Places = fn(&[(String, f64)]) -> String;
