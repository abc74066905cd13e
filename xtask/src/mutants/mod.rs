//! `cargo xtask test --mutants [FILTER]`: is each ordering and each recheck needed, and would the loom models notice?
//!
//! The tables in `crates/sync/mutants/` say how to weaken the code, one change each. A copy of the project gets all of
//! them at once, each behind a question that the environment answers, so that one build holds every mutant. The models that
//! a mutant names are run with that mutant switched on, until one fails: then it is *caught*. Before that the same models
//! have to pass with none.
//!
//! What it costs: one build of `sync` under loom, and for each mutant a few model runs, as many at a time as there are CPUs.

mod copy;
mod model;
mod table;

use std::ffi::OsString;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lexopt::prelude::*;

use crate::project::Project;
use crate::{Stop, unexpected};
use model::{Models, Run};
use table::{Mutant, Table};

/// A model that has not ended by then says nothing. The slowest takes a quarter of this, unmutated.
const LIMIT: Duration = Duration::from_secs(90);

/// Whether these arguments of `test` ask for mutants.
pub(crate) fn are_asked_for(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--mutants")
}

/// `cargo xtask test --mutants [--quick] [FILTER]...`.
pub(crate) fn test(project: &Project, args: Vec<OsString>) -> Result<(), Stop> {
    let (mut quick, mut filters) = (false, Vec::new());
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("mutants") => {}
            Long("quick") => quick = true,
            Value(filter) => filters.push(filter.string()?),
            other => return Err(unexpected("test --mutants", other)),
        }
    }
    let verdict = check(project, |mutant| {
        let named = filters.is_empty()
            || filters.iter().any(|filter| mutant.name.contains(filter) || mutant.file.contains(filter));
        named && (mutant.quick || !quick)
    });
    verdict.map_err(Stop::Failed)
}

/// Runs the mutants that are `wanted`; what went wrong, if anything did.
pub(crate) fn check(project: &Project, wanted: impl Fn(&Mutant) -> bool) -> Result<(), String> {
    let table = Table::read(project.root())?;
    let chosen: Vec<&Mutant> = table.mutants().iter().filter(|mutant| wanted(mutant)).collect();
    if chosen.is_empty() {
        return Err("no mutant has that in its name or file; they stand in crates/sync/mutants/".into());
    }
    println!("building {} mutants in one program", table.mutants().len());
    let models = Models::build(project, &table)?;
    let plans = models.plan(&chosen)?;
    let begin = Instant::now();
    let passing = unmutated(&models, &plans)?;
    println!("{passing} models pass without a mutant, in {:.0} s", begin.elapsed().as_secs_f64());
    let findings = Mutex::new(Vec::new());
    side_by_side(&plans, |(mutant, names)| {
        let verdict = Verdict::of(&models, mutant, names);
        println!("{:<44} {}", mutant.name, verdict.said());
        if let Some(finding) = verdict.finding(mutant) {
            findings.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(finding);
        }
    });
    let findings = findings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    println!("{} mutants in {:.0} s", plans.len(), begin.elapsed().as_secs_f64());
    match findings.is_empty() {
        true => Ok(()),
        false => Err(format!("{} findings:\n{}\n{REMEDY}", findings.len(), findings.join("\n"))),
    }
}

/// A mutant and the models that are to fail with it.
type Plan<'t> = (&'t Mutant, Vec<String>);

/// Runs every model that is needed once as the code is; how many there are.
fn unmutated(models: &Models, plans: &[Plan<'_>]) -> Result<usize, String> {
    let mut names: Vec<&String> = plans.iter().flat_map(|(_, names)| names).collect();
    names.sort();
    names.dedup();
    let failed = Mutex::new(Vec::new());
    side_by_side(&names, |name| {
        let why = match models.run(name, None) {
            Run::Passed => return,
            Run::Failed(why) => why,
            Run::TimedOut => format!("did not end within {} s", LIMIT.as_secs()),
        };
        failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(format!("{name}: {why}"));
    });
    let failed = failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    match failed.is_empty() {
        true => Ok(names.len()),
        false => Err(format!(
            "these models do not pass as the code is, so they cannot judge a mutant:\n{}",
            failed.join("\n")
        )),
    }
}

/// Does `work` with each item, as many at a time as there are CPUs.
fn side_by_side<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(item);
                }
            });
        }
    });
}

/// What became of a mutant.
enum Verdict {
    Caught { model: String, why: String },
    Survived { endless: Vec<String> },
}

impl Verdict {
    fn of(models: &Models, mutant: &Mutant, names: &[String]) -> Self {
        let mut endless = Vec::new();
        for name in names {
            match models.run(name, Some(mutant)) {
                Run::Passed => {}
                Run::Failed(why) => return Verdict::Caught { model: name.clone(), why },
                Run::TimedOut => endless.push(name.clone()),
            }
        }
        Verdict::Survived { endless }
    }

    fn said(&self) -> String {
        match self {
            Verdict::Caught { model, why } => format!("caught by {model}: {why}"),
            Verdict::Survived { endless } if endless.is_empty() => "survived".into(),
            Verdict::Survived { endless } => format!("survived; did not end: {}", endless.join(", ")),
        }
    }

    /// What is wrong with that.
    fn finding(&self, mutant: &Mutant) -> Option<String> {
        let Mutant { name, file, why, .. } = mutant;
        match (self, &mutant.survives) {
            (Verdict::Caught { .. }, None) => None,
            (Verdict::Survived { endless }, Some(_)) if endless.is_empty() => None,
            (Verdict::Survived { endless }, _) if !endless.is_empty() => Some(format!(
                "{name}: no model failed, and {} did not end within {} s: give it models that end",
                endless.join(", "),
                LIMIT.as_secs()
            )),
            (Verdict::Survived { .. }, _) => Some(format!("{name} survived, in {file}: {why}")),
            (Verdict::Caught { model, .. }, Some(_)) => Some(format!(
                "{name}: {model} catches what the table says cannot be caught; say there why it must be"
            )),
        }
    }
}

const REMEDY: &str = "\
where a mutant survived, either no model looks there: add one that fails; or the code asks for more than it needs: weaken it,
with its argument; or nothing can notice: say so in the table by `equivalent`, or by `unseen` if it is loom that cannot";
