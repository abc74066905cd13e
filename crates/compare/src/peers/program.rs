//! The program of an area: what it offers, and one sample of it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::rounds::{Plan, Status};
use crate::cell::last_line;
use crate::failure::Failure;
use crate::session::{root, usual_out};

/// A program, and what it said of itself.
#[derive(Debug)]
pub(super) struct Program {
    path: PathBuf,
    pub(super) list: List,
}

/// The programs that were asked for.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) picked: Vec<Program>,
    /// All areas that there are, also those that nobody asked for.
    pub(super) areas: Vec<String>,
}

/// What a program offers.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    pub(super) area: String,
    /// The contestant that is ours.
    pub(super) ours: String,
    /// What a machine may be able to do, and whether this one is, for goals that depend on it.
    #[serde(default)]
    pub(super) facts: BTreeMap<String, bool>,
    pub(super) rows: Vec<Row>,
}

/// One row.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Row {
    pub(super) row: String,
    pub(super) about: String,
    pub(super) contestants: Vec<Contestant>,
    /// The first is what contestants are ranked by.
    pub(super) measures: Vec<Measure>,
}

/// Who takes part.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Contestant {
    pub(super) name: String,
    /// Whether one who waits sleeps. Who only spins is no peer of one who does not, unless a goal names it.
    pub(super) blocks: bool,
    /// Whether it is ours in another form: shown, and no peer of ours unless a goal names it.
    #[serde(default)]
    pub(super) also_ours: bool,
}

/// A number that samples give.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) better: Better,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Better {
    Less,
    More,
}

/// One process of a round: a contestant, or ours once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its place among the row's contestants.
    pub(super) contestant: usize,
    /// Whether it is the control.
    pub(super) twin: bool,
}

/// What a sample gave: its values, or how it failed and why.
pub(super) type Outcome = Result<BTreeMap<String, f64>, (Status, String)>;

/// The programs that were built, as `cargo xtask` writes it down.
#[derive(Deserialize)]
struct Built {
    areas: Vec<BuiltArea>,
    /// The names of areas that were not built, because nobody asked for them.
    #[serde(default)]
    others: Vec<String>,
}

#[derive(Deserialize)]
struct BuiltArea {
    area: String,
    program: Option<PathBuf>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    values: Option<BTreeMap<String, f64>>,
    timed_ns: Option<u64>,
    wrong: Option<String>,
}

impl Programs {
    /// The program of `area`, or those of all areas that were built.
    pub(super) fn open(area: Option<&str>) -> Result<Self, Failure> {
        let path = match std::env::var_os("COMPARE_PEERS") {
            Some(path) => PathBuf::from(path),
            None => usual_out(&root()?).join("peers.json"),
        };
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::usage(format!(
                "no list of programs at {}: {error}; start by `cargo xtask compare peers`",
                path.display()
            ))
        })?;
        let built: Built = serde_json::from_str(&text)
            .map_err(Failure::doing(format!("{} is no list of programs", path.display())))?;
        let names: Vec<&str> = built.areas.iter().map(|built| built.area.as_str()).collect();
        if let Some(area) = area.filter(|area| !names.contains(area)) {
            return Err(Failure::usage(format!(
                "no area is called {area:?}; there are: {}",
                names.join(", ")
            )));
        }
        let picked = built.areas.iter().filter(|built| area.is_none_or(|area| area == built.area));
        let picked = picked.map(Program::open).collect::<Result<_, _>>()?;
        let areas = built.areas.iter().map(|built| &built.area).chain(&built.others).cloned().collect();
        Ok(Self { picked, areas })
    }
}

impl Program {
    fn open(built: &BuiltArea) -> Result<Self, Failure> {
        let area = &built.area;
        let path = built.program.clone().ok_or_else(|| {
            let why = built.error.as_deref().unwrap_or("no reason was given");
            Failure::internal(format!("the peers of {area} do not build: {why}"))
        })?;
        let said = run(&path, &["--list".as_ref()], LISTING, &AtomicBool::new(false))
            .map_err(|(_, why)| why)
            .and_then(|text| {
                serde_json::from_str::<List>(&text).map_err(|error| format!("its list is not valid: {error}"))
            });
        let list = said.map_err(Failure::doing(format!("cannot list the rows of {}", path.display())))?;
        match list.rows.iter().find(|row| row.measures.is_empty()) {
            Some(row) => Err(Failure::internal(format!("{}: {} has no measure", path.display(), row.row))),
            None => Ok(Self { path, list }),
        }
    }

    /// A number that another build of the program has not, except by chance. (FNV-1a: Glenn Fowler, Landon Curt Noll,
    /// Phong Vo.)
    pub(super) fn fingerprint(&self) -> Result<String, Failure> {
        let bytes = std::fs::read(&self.path)
            .map_err(Failure::doing(format!("cannot read {}", self.path.display())))?;
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Ok(format!("{hash:016x}"))
    }

    /// The processes of a round of `row`.
    pub(super) fn cells(&self, row: &Row) -> Vec<Cell> {
        let all = (0..row.contestants.len()).map(|contestant| Cell { contestant, twin: false });
        let ours = row.contestants.iter().position(|it| it.name == self.list.ours);
        all.chain(ours.map(|contestant| Cell { contestant, twin: true })).collect()
    }

    /// Runs one sample, which ends early when the user wants it to stop.
    pub(super) fn sample(
        &self,
        row: &Row,
        contestant: &str,
        seed: u64,
        plan: &Plan,
        stop: &AtomicBool,
    ) -> Outcome {
        let least = plan.least;
        let (least_text, seed) = (least.as_secs_f64().to_string(), seed.to_string());
        let arguments: [&OsStr; 8] = [
            "--row",
            row.row.as_str(),
            "--contestant",
            contestant,
            "--seconds-min",
            &least_text,
            "--seed",
            &seed,
        ]
        .map(OsStr::new);
        let text = run(&self.path, &arguments, plan.limit, stop)?;
        let wrong = |why: String| (Status::Wrong, why);
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|error| wrong(format!("its answer is not valid: {error}")))?;
        if let Some(why) = answer.wrong {
            return Err(wrong(why));
        }
        if let Some(timed) = answer.timed_ns.map(Duration::from_nanos).filter(|timed| *timed < least) {
            return Err(wrong(format!("it timed {timed:?}, and {least:?} is the least")));
        }
        let values = answer.values.unwrap_or_default();
        match row.measures.iter().find(|it| !values.get(&it.name).is_some_and(|value| value.is_finite())) {
            Some(measure) => Err(wrong(format!("it gives no {}", measure.name))),
            None => Ok(values),
        }
    }
}

/// What a program printed, if it ended well and in time.
fn run(
    path: &Path,
    arguments: &[&OsStr],
    limit: Duration,
    stop: &AtomicBool,
) -> Result<String, (Status, String)> {
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let crashed = |why: String| (Status::Crashed, why);
    let mut child =
        command.spawn().map_err(|error| crashed(format!("cannot start {}: {error}", path.display())))?;
    let streams = text_of(child.stdout.take()).and_then(|out| Ok((out, text_of(child.stderr.take())?)));
    let (stdout, stderr) = streams.map_err(|error| {
        // Not to be left behind, be it that it has ended by itself.
        child.kill().and_then(|()| child.wait()).ok();
        crashed(format!(
            "no thread to be had that reads its answer: {error}; `ulimit -u` and `ulimit -v` bound them"
        ))
    })?;
    let ended =
        within(&mut child, limit, stop).map_err(|error| crashed(format!("lost sight of it: {error}")))?;
    let Some(status) = ended else { return Err((Status::Hung, format!("no end within {limit:?}"))) };
    // Both pipes have an end now, unless something that it started holds them.
    let said = |stream: &Receiver<Vec<u8>>| {
        String::from_utf8_lossy(&stream.recv_timeout(DRAIN).unwrap_or_default()).into_owned()
    };
    if status.success() {
        return Ok(said(&stdout));
    }
    let last_words = said(&stderr);
    Err(crashed(
        last_line(&last_words).map_or_else(|| status.to_string(), |line| format!("{line} ({status})")),
    ))
}

/// How the child ended; one that does not within `limit`, or before we are to stop, is killed.
fn within(child: &mut Child, limit: Duration, stop: &AtomicBool) -> std::io::Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if start.elapsed() >= limit || stop.load(Ordering::Relaxed) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// All that a stream holds, read by a thread of its own so that the child never waits for us.
fn text_of(stream: Option<impl Read + Send + 'static>) -> io::Result<Receiver<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            // Up to an error or the limit is still the best there is.
            stream.take(ANSWER_BYTES).read_to_end(&mut bytes).ok();
        }
        // Nobody listens when the child had to be killed.
        sender.send(bytes).ok();
    })?;
    Ok(receiver)
}

/// How long a program may take to say what it offers.
const LISTING: Duration = Duration::from_secs(30);

/// How often we look whether a sample has ended: rarely enough to take nothing from it.
const LOOK: Duration = Duration::from_millis(5);

/// How long what was written may take to be read.
const DRAIN: Duration = Duration::from_millis(500);

/// The longest answer: a list of some hundred rows has a few hundred KiB.
const ANSWER_BYTES: u64 = 8 * 1024 * 1024;
