//! A project of its own for each test, and the engine started in it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const ENGINE: &str = env!("CARGO_BIN_EXE_engine");
pub(crate) const PLANTED: &str = env!("CARGO_BIN_EXE_planted");
pub(crate) const SEQ: &str = env!("CARGO_BIN_EXE_kit-seq");
pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_kit-server");
pub(crate) const SKELETON: &str = env!("CARGO_BIN_EXE_skeleton");
pub(crate) const THREADS: &str = env!("CARGO_BIN_EXE_kit-threads");

/// A folder that the engine takes for a project: contestants `seq` and `threads`, and those that a test adds.
///
/// While one that is [alone](Project::alone) lives, no other test runs an engine.
pub(crate) struct Project {
    folder: TempDir,
    root: PathBuf,
    compare_toml: String,
    /// In the environment of the engine and of all that it starts.
    mark: String,
    _turn: Turn,
}

/// Engines that judge times have the machine to themselves: another one would be the noise that they report. A test
/// drops its project before it makes the next one, or it may wait for itself.
static MACHINE: RwLock<()> = RwLock::new(());

#[expect(dead_code, reason = "held for as long as the project lives, never looked at")]
pub(crate) enum Turn {
    Shared(RwLockReadGuard<'static, ()>),
    Alone(RwLockWriteGuard<'static, ()>),
}

impl Turn {
    /// For all that keeps the machine busy: it waits until nobody judges times.
    pub(crate) fn shared() -> Self {
        Self::Shared(MACHINE.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Project {
    pub(crate) fn new() -> Self {
        Self::named("project")
    }

    /// The root's own name is `name`.
    pub(crate) fn named(name: &str) -> Self {
        Self::made(name, Turn::shared())
    }

    /// For tests of which times are the point.
    pub(crate) fn alone() -> Self {
        Self::made("project", Turn::Alone(MACHINE.write().unwrap_or_else(PoisonError::into_inner)))
    }

    fn made(name: &str, turn: Turn) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = tempfile::Builder::new().prefix("trefoil-").tempdir().expect("a temporary folder");
        let root = folder.path().join(name);
        fs::create_dir_all(root.join("target/compare")).expect("it is ours");
        let list = json!({
            "models": [{ "model": "seq", "program": SEQ }, { "model": "threads", "program": THREADS }],
            "server": SERVER,
        });
        fs::write(root.join("target/compare/contestants.json"), list.to_string()).expect("it is ours");
        let mark = format!("TREFOIL_TEST={}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let project = Self { folder, root, compare_toml: String::new(), mark, _turn: turn };
        project.with_compare_toml("")
    }

    /// Appends to `compare.toml`.
    pub(crate) fn with_compare_toml(mut self, text: &str) -> Self {
        self.compare_toml += text;
        fs::write(self.root.join("compare.toml"), &self.compare_toml).expect("it is ours");
        self
    }

    /// A contestant by `compare.toml`.
    pub(crate) fn with(self, name: &str, command: &[&str]) -> Self {
        // A debug-printed list of such words is a list in TOML.
        self.with_compare_toml(&format!("[model.{name}]\ncommand = {command:?}\n"))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The temporary folder around the root.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its runs go.
    pub(crate) fn out(&self) -> PathBuf {
        self.root.join("target/compare")
    }

    /// The engine as `cargo xtask compare` would start it, offline and without progress.
    pub(crate) fn engine(&self, arguments: &str) -> Command {
        let mut engine = self.bare_engine();
        engine.args(arguments.split_whitespace()).args(["--offline", "--progress", "none"]);
        engine
    }

    /// The engine without arguments.
    pub(crate) fn bare_engine(&self) -> Command {
        self.started(Command::new(ENGINE))
    }

    /// Gives a command the environment that `cargo xtask compare` gives the engine.
    pub(crate) fn started(&self, mut command: Command) -> Command {
        for name in ["NO_COLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "COLUMNS", "LC_ALL", "LC_CTYPE"] {
            command.env_remove(name);
        }
        let (name, value) = self.mark.split_once('=').expect("it has one");
        command
            .env(name, value)
            .env("TERM", "xterm")
            .env("LANG", "C.UTF-8")
            .env("COMPARE_ROOT", &self.root)
            .env("COMPARE_CONTESTANTS", self.out().join("contestants.json"))
            .env("COMPARE_OUT", self.out())
            .current_dir(&self.root);
        command
    }

    /// Runs the engine to its end.
    pub(crate) fn run(&self, arguments: &str) -> Finished {
        self.finish(self.engine(arguments))
    }

    /// Runs a command to its end, and sees to it that nothing of it is left.
    pub(crate) fn finish(&self, command: Command) -> Finished {
        self.start(command).finish()
    }

    pub(crate) fn start(&self, mut command: Command) -> Started<'_> {
        // Files, because a pipe that nobody reads would stop the engine.
        let path = |name: &str| self.folder.path().join(name);
        let file = |name: &str| File::create(path(name)).expect("it is ours");
        command.stdin(Stdio::null()).stdout(file("stdout")).stderr(file("stderr"));
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Started { project: self, child }
    }

    /// Waits until nothing that an engine of this project started is left, for at most `limit`.
    pub(crate) fn survivors(&self, limit: Duration) -> Vec<String> {
        let start = Instant::now();
        loop {
            let left = marked(&self.mark);
            if left.is_empty() || start.elapsed() >= limit {
                return left;
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The summary of the latest run.
    pub(crate) fn summary(&self) -> Summary {
        Summary::read(&self.out().join("latest"))
    }

    /// The lines of the latest run's `samples.jsonl` that are whole.
    pub(crate) fn records(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.out().join("latest/samples.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// An engine at work. It is killed when a test fails while it runs.
pub(crate) struct Started<'a> {
    project: &'a Project,
    child: Child,
}

impl Started<'_> {
    pub(crate) fn send(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process number is a positive i32");
        kill(Pid::from_raw(pid), signal).expect("it is our child");
    }

    /// Waits until `condition` holds; the engine must not end before.
    pub(crate) fn wait_until(&mut self, what: &str, mut condition: impl FnMut() -> bool) {
        let start = Instant::now();
        while !condition() {
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none(), "the engine ended ({ended:?}) before {what}:\n{}", self.said("stderr"));
            assert!(start.elapsed() < PATIENCE, "{what} did not happen:\n{}", self.said("stderr"));
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Finished {
        let status = self.wait();
        let left = self.project.survivors(Duration::ZERO);
        assert!(left.is_empty(), "the engine is gone ({status}) and left {left:?}");
        Finished { code: status.code(), stdout: self.said("stdout"), stderr: self.said("stderr") }
    }

    /// Waits for its end, whatever it leaves.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it is our child") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the engine does not end:\n{}", self.said("stderr"));
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn said(&self, stream: &str) -> String {
        let bytes = fs::read(self.project.folder.path().join(stream)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is the usual case.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// How an engine ended and what it said.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    #[track_caller]
    pub(crate) fn ended_with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "the exit code; it said:\n{}\nand on standard error:\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn complained_of(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is not in:\n{}", self.stderr);
        }
        self
    }
}

/// `summary.json`, as any program would read it.
#[derive(Debug)]
pub(crate) struct Summary(pub(crate) Value);

impl Summary {
    pub(crate) fn read(folder: &Path) -> Self {
        let path = folder.join("summary.json");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(serde_json::from_str(&text).expect("summary.json is JSON"))
    }

    pub(crate) fn cells(&self) -> &Vec<Value> {
        self.0["cells"].as_array().expect("a list")
    }

    #[track_caller]
    pub(crate) fn cell(&self, workload: &str, model: &str) -> &Value {
        let found = self.cells().iter().find(|cell| {
            cell["workload"] == workload && cell["model"] == model && cell["why"] != "not in quick"
        });
        found.unwrap_or_else(|| panic!("no cell {workload}/{model}"))
    }

    #[track_caller]
    pub(crate) fn has_status(&self, workload: &str, model: &str, status: &str, why: &str) {
        let cell = self.cell(workload, model);
        let told = cell["why"].as_str().unwrap_or_default();
        assert!(
            cell["status"] == status && told.contains(why),
            "{workload}/{model} must be {status:?} because of {why:?}: it is {} because of {told:?}",
            cell["status"]
        );
    }

    /// What could not be measured must not look like a result.
    #[track_caller]
    pub(crate) fn is_out_of_the_race(&self, workload: &str, model: &str) {
        let cell = self.cell(workload, model);
        for field in ["rank", "verdict", "ratio", "lo", "hi"] {
            assert!(cell[field].is_null(), "{workload}/{model} has a {field}: {cell}");
        }
    }

    /// Measured in every round and, where the machine was steady enough to judge at all, ranked.
    #[track_caller]
    pub(crate) fn is_in_the_race(&self, workload: &str, model: &str, rounds: u64) {
        let cell = self.cell(workload, model);
        assert_eq!(cell["status"], "ok", "{cell}");
        assert_eq!(cell["rounds"], rounds, "{cell}");
        assert!(cell["value"].as_f64().is_some_and(|value| value > 0.0), "{cell}");
        let control = &self.0["noise_floor"].as_array().expect("a list")[0];
        if control["stable"] == true {
            assert!(cell["rank"].is_u64() && cell["verdict"].is_string(), "{cell}");
            assert!(cell["verdict"] == "baseline" || cell["ratio"].is_f64(), "{cell}");
        }
    }
}

/// Processes that have the mark in their environment.
fn marked(mark: &str) -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("Linux has it").flatten();
    let has_mark = |folder: &Path| {
        // A process that ends meanwhile, or one of somebody else, is not ours.
        let environment = fs::read(folder.join("environ")).unwrap_or_default();
        environment.split(|&byte| byte == 0).any(|entry| entry == mark.as_bytes())
    };
    let name = |folder: PathBuf| {
        let command = fs::read(folder.join("cmdline")).unwrap_or_default();
        format!("{} {}", folder.display(), String::from_utf8_lossy(&command).replace('\0', " "))
    };
    processes.map(|process| process.path()).filter(|folder| has_mark(folder)).map(name).collect()
}

/// Whether the long tests are to run; says so when not.
pub(crate) fn full(test: &str) -> bool {
    let full = std::env::var_os("TREFOIL_FULL").is_some_and(|value| value == "1");
    if !full {
        skipped(test, "it takes minutes and a quiet machine; `cargo xtask test --full` runs it");
    }
    full
}

/// Says that a test could not do its work here.
pub(crate) fn skipped(test: &str, why: &str) {
    eprintln!("skipped {test}: {why}");
}

/// A machine may be slow, but not this slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);
