//! `--exec`: one cell in the foreground, with this terminal as its own, for a profiler or a debugger.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::process::ExitCode;

use crate::cell::Launch;
use crate::cli::Options;
use crate::failure::Failure;
use crate::matrix::PlannedCell;
use crate::oracle::expected;
use crate::protocol::{self, Metric, Request, Run, Timing};
use crate::roster::Contestant;
use crate::schedule::round_seed;
use crate::session::Session;

/// Runs `WORKLOAD/MODEL` at its smallest scale of this profile for some seconds. Answers go to standard output as they
/// come, the contestant's errors to standard error.
pub(crate) fn run(session: &Session, options: &Options, cell: &str) -> Result<ExitCode, Failure> {
    let (workload, model) = cell
        .split_once('/')
        .ok_or_else(|| Failure::usage("--exec wants WORKLOAD/MODEL, such as primes/threads"))?;
    let narrowed = Options {
        workloads: vec![workload.to_owned()],
        models: vec![model.to_owned()],
        filters: Vec::new(),
        ..options.clone()
    };
    let matrix = session.matrix(&narrowed)?;
    let found = matrix.cells.iter().find(|cell| cell.model == model && cell.runs);
    let Some(cell) = found else {
        let why = matrix.cells.iter().find(|cell| cell.model == model).and_then(|cell| cell.why.clone());
        return Err(Failure::usage(format!(
            "--exec {cell}: it cannot run: {}",
            why.unwrap_or_else(|| "no such cell".to_owned())
        )));
    };
    let group = matrix
        .groups
        .iter()
        .find(|group| group.label() == cell.scale)
        .ok_or_else(|| Failure::internal("a cell without a group"))?;
    let seed = round_seed(options.seed.unwrap_or(1), &cell.workload, &cell.scale, 1);
    let input = expected(session, group, seed)
        .map_err(|why| Failure::internal(format!("the oracle has no input: {why}")))?
        .input;
    let request = Request::Run(Run {
        v: protocol::VERSION,
        workload: cell.workload.clone(),
        form: cell.form.clone(),
        scale: cell.scale.clone(),
        n: group.workload.scales[group.scale].n,
        round: 1,
        workers: cell.workers,
        input,
        timing: Timing { timed: true, warm_ns: 200_000_000, batch_ns: 5_000_000, min_ns: 5_000_000_000 },
    });
    let contestant = session
        .contestants
        .iter()
        .find(|it| it.name == model)
        .ok_or_else(|| Failure::internal("a cell without a model"))?;
    start(session, contestant, &request, cell)
}

fn start(
    session: &Session,
    contestant: &Contestant,
    request: &Request,
    cell: &PlannedCell,
) -> Result<ExitCode, Failure> {
    // A file, so that this process need not stay in the conversation: what a memory workload waits for is already there.
    let mut lines = serde_json::to_string(request)
        .map_err(Failure::doing("the request cannot be written as JSON"))?
        + "\n";
    if cell.metric == Metric::Memory {
        lines += "go\ngo\n";
    }
    let path = std::env::temp_dir().join(format!("compare-request-{}", std::process::id()));
    let doing = || format!("cannot use {}", path.display());
    let mut file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(Failure::doing(doing()))?;
    std::fs::remove_file(&path).map_err(Failure::doing(doing()))?;
    file.write_all(lines.as_bytes())
        .and_then(|()| file.seek(SeekFrom::Start(0)))
        .map_err(Failure::doing(doing()))?;
    let (cpus, variables) = (session.first_cpus(cell.cpus), contestant.variables(cell.workers));
    let launch = Launch {
        command: &contestant.command,
        folder: &session.root,
        cpus: &cpus,
        variables: &variables,
        keep: &session.keep(),
    };
    let status = launch
        .run_in_foreground(file)
        .map_err(Failure::doing(format!("cannot start {:?}", contestant.command)))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
