//! Head to head: our crates against their peers, row by row, and the goals that they are held to.
//!
//! A row is one small piece of work that several contestants do, all of them in one program of its area (`peers-sync`,
//! under `benches/peers`). Each round runs every contestant of a row in a fresh process of that program, in random order,
//! and ours once more as its own control. Estimates, intervals and the noise are those of [`crate::stats`].
//!
//! - `program` starts an area's program and judges its answers
//! - `rounds` measures rows
//! - `log` keeps rows for a run that goes on later
//! - `verdict` is what a row comes to, also as JSON
//! - `json` is the file that results are written to
//! - `show` prints it, and says how it goes
//! - `goals` are the bounds of `benches/goals.toml`, and what became of them

mod goals;
mod json;
mod log;
mod program;
mod rounds;
mod show;
mod verdict;

use std::collections::BTreeSet;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use self::goals::{Goals, ROUNDS_NEEDED};
use self::json::JsonFile;
use self::log::Log;
use self::program::{List, Program, Programs, Row};
use self::rounds::{Measured, Plan, Status, measure, measure_steadily};
use self::show::Progress;
use self::verdict::Verdict;
use crate::cli::{GoalOptions, HeadToHead, PeerOptions};
use crate::failure::Failure;
use crate::machine::machine;
use crate::measure::{clock_seed, print, say};
use crate::select::matches;
use crate::session::root;

/// `compare peers`: measures rows and prints a table of each.
pub(crate) fn peers(options: &PeerOptions) -> Result<ExitCode, Failure> {
    if options.how.check_arguments {
        return Ok(ExitCode::SUCCESS);
    }
    let programs = Programs::open(options.how.area.as_deref())?.picked;
    let wanted = |row: &Row| any(&options.how.rows, &row.row);
    if !programs.iter().any(|program| program.list.rows.iter().any(&wanted)) {
        return Err(nothing(&options.how, &programs));
    }
    let json = JsonFile::open(options.how.json.as_deref())?;
    if options.list {
        for program in &programs {
            print(&show::list(&program.list, &wanted))?;
        }
        return json.write(&listed(&programs, &wanted)).map(|()| ExitCode::SUCCESS);
    }
    let run = Run::new(&options.how, &programs, &|_, row| wanted(row))?;
    let mut verdicts: Vec<Verdict> = Vec::new();
    let mut printed = Ok(());
    'rows: for program in &programs {
        for row in program.list.rows.iter().filter(|row| wanted(row)) {
            let Some(measured) = run.row(program, row) else { break };
            let verdict = Verdict::of(program, &measured);
            printed = run.progress.print(&show::table(&verdict));
            verdicts.push(verdict);
            if printed.is_err() {
                break 'rows;
            }
        }
    }
    run.progress.finish();
    // Where one of the two ways out is full, the other may have room.
    json.write(&verdicts)?;
    printed?;
    if run.stopped() {
        return Ok(INTERRUPTED.into());
    }
    let failed = |status| verdicts.iter().any(|verdict| verdict.has(status));
    Ok(if failed(Status::Wrong) {
        4.into()
    } else if failed(Status::Crashed) || failed(Status::Hung) {
        5.into()
    } else {
        ExitCode::SUCCESS
    })
}

/// `compare goals`: measures the rows that goals speak of and says which goals are met.
pub(crate) fn goals(options: &GoalOptions) -> Result<ExitCode, Failure> {
    let rounds = options.how.rounds;
    if rounds < ROUNDS_NEEDED {
        return Err(Failure::usage(format!(
            "--rounds {rounds}: a goal takes at least {ROUNDS_NEEDED}, fewer bear no interval; leave the option out, \
             or look at the rows by `compare peers`"
        )));
    }
    let goals = Goals::read(&root()?.join("benches/goals.toml"))?;
    if options.how.check_arguments {
        return Ok(ExitCode::SUCCESS);
    }
    let Programs { picked: programs, areas } = Programs::open(options.how.area.as_deref())?;
    goals.check(&programs, &areas)?;
    let those = |row: &str| any(&options.how.rows, row);
    if programs.iter().all(|program| goals.of(&program.list, &those).next().is_none()) {
        let asked = match &*options.how.rows.join(",") {
            "" => "these areas".to_owned(),
            rows => format!("--rows {rows:?}"),
        };
        return Err(Failure::usage(format!(
            "no goal of benches/goals.toml speaks of {asked}; `compare peers --list` shows all rows"
        )));
    }
    let asked_for = |list: &List, row: &Row| {
        those(&row.row) && goals.of(list, &those).any(|goal| goal.speaks_of(&row.row))
    };
    let json = JsonFile::open(options.how.json.as_deref())?;
    let mut log = options.resume.as_deref().map(|path| Log::open(path, &this_machine())).transpose()?;
    if log.as_ref().zip(json.metadata()).is_some_and(|(log, json)| log.is(&json)) {
        return Err(Failure::usage(
            "--json and --resume name the same file, and results would take the place of the rows; name two files",
        ));
    }
    let run = Run::new(&options.how, &programs, &asked_for)?;
    let mut found = Vec::new();
    for program in &programs {
        let rows = program.list.rows.iter().filter(|row| asked_for(&program.list, row));
        let fingerprint = if log.is_some() { program.fingerprint()? } else { String::new() };
        let mut measured: Vec<Measured<'_>> = Vec::new();
        for row in rows {
            let judged_by = goals.measures(&program.list, &row.row);
            match run.logged(program, &fingerprint, row, &judged_by, log.as_mut())? {
                Some(row) => measured.push(row),
                None => break,
            }
        }
        for failure in measured.iter().flat_map(show::failures) {
            run.progress.say(&failure);
        }
        found.extend(goals.judge(program, &measured, &those));
    }
    run.progress.finish();
    let printed = print(&show::goals(&found));
    // Where one of the two ways out is full, the other may have room.
    json.write(&found)?;
    printed?;
    if run.stopped() {
        return Ok(INTERRUPTED.into());
    }
    Ok(if found.iter().all(|goal| goal.met) { ExitCode::SUCCESS } else { UNMET.into() })
}

/// How rows are measured, and who hears of it.
struct Run {
    plan: Plan,
    progress: Progress,
    stop: Arc<AtomicBool>,
}

impl Run {
    fn new(
        how: &HeadToHead,
        programs: &[Program],
        wanted: &dyn Fn(&List, &Row) -> bool,
    ) -> Result<Self, Failure> {
        let stop = Arc::new(AtomicBool::new(false));
        on_interrupt(&stop)?;
        let rows =
            programs.iter().flat_map(|program| program.list.rows.iter().map(move |row| (program, row)));
        let samples = rows
            .filter(|(program, row)| wanted(&program.list, row))
            .map(|(program, row)| program.cells(row).len());
        let plan = Plan {
            rounds: how.rounds,
            seed: how.seed.unwrap_or_else(clock_seed),
            least: LEAST,
            limit: how.timeout.unwrap_or(LIMIT),
        };
        let progress = Progress::new(samples.sum::<usize>() * how.rounds as usize);
        Ok(Self { plan, progress, stop })
    }

    /// A row's rounds; `None` if the user stopped them.
    fn row<'a>(&self, program: &'a Program, row: &'a Row) -> Option<Measured<'a>> {
        measure(program, row, &self.plan, &self.stop, &self.progress)
    }

    /// A row's rounds from the log, or else measured until ours is steady in these measures, and logged.
    fn logged<'a>(
        &self,
        program: &Program,
        fingerprint: &str,
        row: &'a Row,
        measures: &BTreeSet<&str>,
        mut log: Option<&mut Log>,
    ) -> Result<Option<Measured<'a>>, Failure> {
        let area = &program.list.area;
        if let Some(log) = &mut log {
            if let Some(measured) = log.take(area, fingerprint, row, self.plan.rounds)? {
                self.progress.skip(program.cells(row).len() * self.plan.rounds as usize);
                return Ok(Some(measured));
            }
        }
        let measured = measure_steadily(program, row, measures, &self.plan, &self.stop, &self.progress);
        if let Some((log, measured)) = log.zip(measured.as_ref()) {
            log.add(area, fingerprint, measured)?;
        }
        Ok(measured)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// The first Ctrl-C ends the row that runs and keeps those before it; the second ends us. A sample hears both itself.
fn on_interrupt(stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    let stop = Arc::clone(stop);
    let handler = move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        say("\nstopping; rows that are complete are kept, and Ctrl-C once more ends at once");
    };
    ctrlc::set_handler(handler).map_err(Failure::doing("cannot listen for Ctrl-C"))
}

/// Whether a row is among those that were asked for; without globs all are.
fn any(globs: &[String], row: &str) -> bool {
    let mut globs =
        globs.iter().flat_map(|globs| globs.split(',')).filter(|glob| !glob.is_empty()).peekable();
    globs.peek().is_none() || globs.any(|glob| matches(glob, row))
}

/// What numbers depend on and the program does not tell.
fn this_machine() -> String {
    let it = machine();
    format!("{}, {} CPUs, {}", it.cpu, it.cpus, it.os)
}

fn nothing(how: &HeadToHead, programs: &[Program]) -> Failure {
    let areas: Vec<&str> = programs.iter().map(|program| program.list.area.as_str()).collect();
    let (rows, areas) = (how.rows.join(","), areas.join(", "));
    Failure::usage(format!(
        "--rows {rows:?} matches nothing in {areas}; `compare peers --list` shows all rows"
    ))
}

fn listed<'a>(programs: &'a [Program], wanted: &dyn Fn(&Row) -> bool) -> Vec<&'a Row> {
    programs.iter().flat_map(|program| program.list.rows.iter()).filter(|row| wanted(row)).collect()
}

/// The least that each sample times.
const LEAST: Duration = Duration::from_millis(30);

/// How long a sample may take in all. The longest honest one takes some seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// Some goal is not met.
const UNMET: u8 = 3;

const INTERRUPTED: u8 = 130;
