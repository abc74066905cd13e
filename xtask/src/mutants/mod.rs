//! `cargo xtask test --mutants [FILTER]`: is each ordering and each recheck needed, and would the loom models notice?
//!
//! The tables in `crates/sync/mutants/` say how to weaken the code, one change each. A copy of the project gets all of
//! them at once, each behind a question that the environment answers, so that one build holds every mutant. The models that
//! a mutant names are run with that mutant switched on, until one fails: then it is *caught*. In the end the models that
//! caught something have to pass without a mutant.
//!
//! What loom cannot see, shuttle may: a mutant that names models of `schedules::` has these run as well.
//!
//! What it costs: one build of `sync` under loom, one under shuttle if a mutant needs it, and for each mutant a few model
//! runs, as many at a time as there are CPUs.

mod copy;
mod model;
mod table;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::num::NonZero;
use std::sync::OnceLock;
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
/// Nor is more to be learned from one that has panicked and has not ended by then.
const LIMIT_OF_UNWINDING: Duration = Duration::from_secs(3);

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
    let table = Table::read(project.root()).map_err(Stop::Failed)?;
    if let Some(filter) = meant_for_nobody(&filters, table.mutants()) {
        return Err(Stop::Usage(format!(
            "no mutant has `{filter}` in its name or file; they stand in crates/sync/mutants/"
        )));
    }
    let verdict = check(project, |mutant| {
        let named = filters.is_empty() || filters.iter().any(|filter| is_meant(mutant, filter));
        named && (mutant.quick || !quick)
    });
    verdict.map_err(Stop::Failed)
}

fn is_meant(mutant: &Mutant, filter: &str) -> bool {
    mutant.name.contains(filter) || mutant.file.contains(filter)
}

/// One of several words may be a typing error, and a run of hours without those that it was to choose.
fn meant_for_nobody<'f>(filters: &'f [String], mutants: &[Mutant]) -> Option<&'f String> {
    filters.iter().find(|filter| !mutants.iter().any(|mutant| is_meant(mutant, filter)))
}

/// Runs the mutants that are `wanted`; what went wrong, if anything did.
pub(crate) fn check(project: &Project, wanted: impl Fn(&Mutant) -> bool) -> Result<(), String> {
    let table = Table::read(project.root())?;
    let chosen: Vec<&Mutant> = table.mutants().iter().filter(|mutant| wanted(mutant)).collect();
    if chosen.is_empty() {
        return Err("none of these mutants is among the quick ones: leave out --quick".into());
    }
    println!("building {} mutants in one program", table.mutants().len());
    let models = Models::build(project, &table, &chosen)?;
    let plans = models.plan(&chosen)?;
    let begin = Instant::now();
    let verdicts = side_by_side(&plans, |(mutant, names)| {
        let verdict = Verdict::of(&models, mutant, names);
        println!("{:<44} {}", mutant.name, verdict.said(mutant));
        verdict
    });
    let findings: Vec<String> =
        plans.iter().zip(&verdicts).filter_map(|((mutant, _), verdict)| verdict.finding(mutant)).collect();
    let catchers: BTreeSet<&str> = verdicts.iter().filter_map(Verdict::catcher).collect();
    let caught = verdicts.iter().filter(|verdict| verdict.catcher().is_some()).count();
    let survived = verdicts.len() - caught;
    println!("{caught} caught, {survived} survived, in {:.0} s", begin.elapsed().as_secs_f64());
    pass_without_mutants(&models, &Vec::from_iter(catchers))?;
    println!(
        "the models that caught them pass without a mutant; {:.0} s in all",
        begin.elapsed().as_secs_f64()
    );
    match findings.is_empty() {
        true => Ok(()),
        false => Err(format!("{} findings:\n{}\n{REMEDY}", findings.len(), findings.join("\n"))),
    }
}

/// A mutant and the models that are to fail with it.
type Plan<'t> = (&'t Mutant, Vec<String>);

/// A model that fails as the code is has caught nothing.
fn pass_without_mutants(models: &Models, catchers: &[&str]) -> Result<(), String> {
    let failed = side_by_side(catchers, |name| match models.run(name, None) {
        Run::Passed => None,
        Run::Failed(why) => Some(format!("{name}: {why}")),
        Run::TimedOut => Some(format!("{name}: did not end within {} s", LIMIT.as_secs())),
    });
    let failed: Vec<String> = failed.into_iter().flatten().collect();
    match failed.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "these models do not pass as the code is, so they cannot judge a mutant:\n{}",
            failed.join("\n")
        )),
    }
}

/// Does `work` with each item, as many at a time as there are CPUs; what came of each.
fn side_by_side<T: Sync, R: Send + Sync>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let (Some(item), Some(result)) = (items.get(index), results.get(index)) else { return };
                    result.get_or_init(|| work(item));
                }
            });
        }
    });
    results.into_iter().filter_map(OnceLock::into_inner).collect()
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

    /// The model that caught it.
    fn catcher(&self) -> Option<&str> {
        match self {
            Verdict::Caught { model, .. } => Some(model),
            Verdict::Survived { .. } => None,
        }
    }

    fn said(&self, mutant: &Mutant) -> String {
        match (self, &mutant.survives) {
            (Verdict::Caught { model, why }, _) => format!("caught by {model}: {why}"),
            (Verdict::Survived { endless }, _) if !endless.is_empty() => {
                format!("survived; did not end: {}", endless.join(", "))
            }
            (Verdict::Survived { .. }, None) => "survived".into(),
            (Verdict::Survived { .. }, Some(reason)) => format!("survived, as it must; {reason}"),
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
