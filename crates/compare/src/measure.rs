//! The commands that run cells: a run, a test, a plan, a list, one cell in the foreground.

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::cell::{become_subreaper, kill_current_and_exit};
use crate::cli::{Options, ProgressMode, Show};
use crate::costs::Costs;
use crate::failure::Failure;
use crate::machine;
use crate::matrix::{Matrix, PlannedCell};
use crate::progress::{Progress, failure};
use crate::protocol::{Need, Profile};
use crate::rounds::{Manner, Rounds};
use crate::schedule::Step;
use crate::session::Session;
use crate::stats::compare::CORRECTED_ROUNDS;
use crate::store::{self, Record, Store};
use crate::summarize::summarize;
use crate::summary::{Cell, RunInfo, Status, Summary};
use crate::table;
use crate::texts::{EN, PlanCount};
use crate::{listing, report};

/// The engine's main command.
pub(crate) fn measure(options: &Options) -> Result<ExitCode, Failure> {
    become_subreaper().map_err(Failure::doing("cannot adopt orphans (PR_SET_CHILD_SUBREAPER)"))?;
    let quiet = options.progress == ProgressMode::None;
    let announce = |line: &str| {
        if !quiet {
            say(line);
        }
    };
    let session = Session::open(options, &announce)?;
    if let Some(cell) = &options.exec {
        return crate::foreground::run(&session, options, cell);
    }
    let matrix = session.matrix(options)?;
    if options.list {
        return listing::list(&session, &matrix, options.json);
    }
    let manner = Manner {
        seed: options.seed.unwrap_or_else(clock_seed) & ((1 << 53) - 1),
        profile: options.profile(),
        test: options.test,
        timeout: options.timeout,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let mut rounds = Rounds::new(&session, &matrix, &manner, &stop);
    let steps = rounds.steps();
    let costs = Costs::read(&session.out, profile_name(manner.profile));
    let plan = plan(&session, &matrix, &steps, &costs, options);
    if options.plan {
        print(&plan)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !quiet {
        say(plan.trim_end());
    }
    on_interrupt(&stop)?;

    let (mut store, id) = create(&session, options)?;
    let header = header(&session, &matrix, options, &manner, id);
    let mut progress = Progress::new(options.progress, costs, &matrix, steps);
    store.append(vec![header])?;
    let began = std::time::Instant::now();
    let whole = rounds.run(&mut store, &mut progress)?;
    let costs = progress.finish();
    if !options.test {
        costs.keep();
    }
    store.append(vec![Record::End { seconds: began.elapsed().as_secs_f64(), interrupted: !whole }])?;
    let summary = summarize(&store.records)?;
    if options.test {
        return finish_test(&store, &summary);
    }
    show(&summary, &options.show, &store.folder, quiet)?;
    Ok(exit_code(&summary))
}

/// `report`: draws an earlier run again.
pub(crate) fn report_again(run: Option<&Path>, how: &Show) -> Result<ExitCode, Failure> {
    let root = crate::session::root()?;
    let runs = crate::session::usual_out(&root);
    let folder = match run {
        None => runs.join("latest"),
        Some(run) if run.join("samples.jsonl").is_file() => run.to_owned(),
        Some(run) => runs.join(run),
    };
    let summary = summarize(&store::read(&folder)?)?;
    show(&summary, how, &folder, false)?;
    Ok(exit_code(&summary))
}

/// Prints a run's results, and writes what is drawn from it. Results are printed first, because a folder that is full by
/// now must not cost them; nor does a standard output that is full cost the files.
pub(crate) fn show(summary: &Summary, how: &Show, folder: &Path, quiet: bool) -> Result<(), Failure> {
    let width = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    let options = table::Options {
        format: how.format,
        width: width.or_else(columns).unwrap_or(100).max(20),
        colour: how.color.colours_stdout(),
        unicode: speaks_unicode(),
    };
    let printed = print(&table::render(summary, &options));
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        let doing =
            format!("cannot write {}; free some space, or choose another folder by --out", path.display());
        std::fs::write(&path, text).map_err(Failure::doing(doing)).map(|()| path)
    };
    let json = serde_json::to_string_pretty(summary)
        .map_err(Failure::doing("the summary cannot be written as JSON"))?;
    write("summary.json", &json)?;
    let page = write("report.html", &report::html(summary))?;
    if !quiet {
        say(&(EN.run.report_at)(&page.display().to_string()));
    }
    if how.open {
        open(&page)?;
    }
    printed
}

/// Says a line on standard error. Whoever listened there may have gone, which is no reason to stop.
pub(crate) fn say(line: &str) {
    use std::io::Write;
    writeln!(std::io::stderr(), "{line}").ok();
}

/// Prints to standard output; a reader that went away is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::internal(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn finish_test(store: &Store, summary: &Summary) -> Result<ExitCode, Failure> {
    let ok = summary.cells.iter().filter(|cell| cell.status == Status::Ok).count();
    let bad: Vec<String> = store.records.iter().filter_map(failure).collect();
    let holes = summary.cells.len() - ok - bad.len();
    for line in &bad {
        print(&format!("{line}\n"))?;
    }
    print(&format!("{}\n", (EN.run.tested)(ok, bad.len(), holes)))?;
    if bad.is_empty() {
        // It leaves nothing but what it printed.
        std::fs::remove_dir_all(&store.folder).ok();
    } else {
        say(&(EN.run.plan_out)(&store.folder.display().to_string()));
    }
    Ok(exit_code(summary))
}

/// Wrong answers weigh more than cells that did not come to one.
fn exit_code(summary: &Summary) -> ExitCode {
    let any = |statuses: &[Status]| summary.cells.iter().any(|cell| statuses.contains(&cell.status));
    if summary.run.interrupted {
        ExitCode::from(130)
    } else if any(&[Status::Wrong]) {
        ExitCode::from(4)
    } else if any(&[Status::Crashed, Status::Timeout, Status::Leaked]) {
        ExitCode::from(5)
    } else {
        ExitCode::SUCCESS
    }
}

fn header(session: &Session, matrix: &Matrix, options: &Options, manner: &Manner, id: String) -> Record {
    let (started_at, _) = store::now();
    let rounds = options.rounds();
    let run = RunInfo {
        id,
        started_at,
        seconds: 0.0,
        command: std::iter::once("cargo xtask compare".to_owned())
            .chain(std::env::args().skip(1))
            .collect::<Vec<_>>()
            .join(" "),
        seed: manner.seed,
        profile: manner.profile,
        rounds,
        exploratory: rounds < CORRECTED_ROUNDS,
        baseline: session.baseline.clone(),
        interrupted: false,
        commit: machine::commit(&session.root),
        rustc: machine::rustc(&session.root),
    };
    let mut flags = machine::standing_flags(&session.machine);
    let asks = matrix.groups.iter().any(|group| group.workload.needs.contains(&Need::Server));
    if asks && session.machine.cpus < 4 {
        let text = &EN.flags.shared_cpu;
        flags.push(text.flag("shared-cpu", text.what.to_owned()));
    }
    let models = session.contestants.iter().map(crate::roster::Contestant::info).collect();
    let cells = matrix.cells.iter().map(planned).collect();
    Record::run(
        run,
        session.machine.clone(),
        (session.workloads.clone(), models),
        cells,
        flags,
        options.margin / 100.0,
    )
}

fn planned(cell: &PlannedCell) -> Cell {
    Cell {
        workload: cell.workload.clone(),
        model: cell.model.clone(),
        form: cell.form.clone(),
        scale: cell.scale.clone(),
        cpus: cell.cpus,
        workers: cell.workers,
        metric: cell.metric,
        status: cell.status,
        why: cell.why.clone(),
        ..Cell::default()
    }
}

fn create(session: &Session, options: &Options) -> Result<(Store, String), Failure> {
    let (_, name) = store::now();
    let out = if options.test { session.out.join("tests") } else { session.out.clone() };
    // `latest` is the latest run; a test is none.
    Store::create(&out, &name, !options.test).map(|store| (store, name)).map_err(|error| {
        Failure::usage(format!(
            "cannot make a run folder in {}: {error}; choose another by --out DIR",
            out.display()
        ))
    })
}

/// What is going to be done and how long it takes, in lines.
fn plan(session: &Session, matrix: &Matrix, steps: &[Step], costs: &Costs, options: &Options) -> String {
    let mut models: Vec<&str> =
        matrix.cells.iter().filter(|cell| cell.runs).map(|cell| cell.model.as_str()).collect();
    models.sort_unstable();
    models.dedup();
    let mut workloads: Vec<&str> = matrix.groups.iter().map(|group| group.workload.name.as_str()).collect();
    workloads.dedup();
    let running = matrix.cells.iter().filter(|cell| cell.runs).count();
    let rounds = || matrix.groups.iter().map(|group| group.rounds);
    let count = PlanCount {
        workloads: workloads.len(),
        groups: matrix.groups.len(),
        models: models.len(),
        cells: running,
        rounds: if options.test {
            (1, 1)
        } else {
            (rounds().min().unwrap_or(0), rounds().max().unwrap_or(0))
        },
        holes: matrix.cells.len() - running,
    };
    let mut lines = vec![(EN.run.plan)(&count)];
    if options.plan {
        for (index, group) in matrix.groups.iter().enumerate() {
            let mine = steps.iter().filter(|step| step.group == index);
            let seconds = mine.map(|step| costs.step(matrix, step)).sum();
            let name = format!("{} {}", group.workload.name, group.label());
            lines.push((EN.run.plan_group)(&name, group.cells.len(), group.rounds, seconds));
        }
    }
    let seconds = steps.iter().map(|step| costs.step(matrix, step)).sum();
    lines.push((EN.run.plan_time)(seconds, matrix.groups.iter().all(|group| costs.knows(group))));
    if !options.test && options.rounds() < CORRECTED_ROUNDS {
        lines.push(EN.run.exploratory.to_owned());
    }
    if !options.test {
        lines.push((EN.run.plan_out)(&session.out.display().to_string()));
    }
    lines.join("\n") + "\n"
}

/// The first Ctrl-C stops the run and keeps it; the second ends the engine at once.
fn on_interrupt(stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    let stop = Arc::clone(stop);
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            kill_current_and_exit(130);
        }
        say(&format!("\n{}", EN.run.stopping));
    })
    .map_err(Failure::doing("cannot listen for Ctrl-C"))
}

/// A seed for those who name none.
pub(crate) fn clock_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::from(now.subsec_nanos()) ^ (now.as_secs() << 30)
}

fn profile_name(profile: Profile) -> &'static str {
    match profile {
        Profile::Quick => "quick",
        Profile::Default => "plain",
        Profile::Full => "full",
    }
}

fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    // Where no locale is set, a terminal may be anything, while a file or pipe holds what we write.
    let utf8 = locale.map_or(!std::io::stdout().is_terminal(), |locale| {
        locale.to_lowercase().replace('-', "").contains("utf8")
    });
    utf8 && !dumb
}

fn open(page: &Path) -> Result<(), Failure> {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    Command::new(opener)
        .arg(page)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map(drop)
        .map_err(|error| {
            Failure::internal(format!(
                "--open: cannot start {opener}: {error}; the report is {}",
                page.display()
            ))
        })
}
