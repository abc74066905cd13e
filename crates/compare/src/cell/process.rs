//! Starting a contestant, and ending it with everything that it started.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use command_fds::{CommandFdExt, FdMapping};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::time::TimeValLike;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2};

use super::pipes::{Line, Tail, read_lines, write_lines};
use super::watch;
use crate::protocol::{ANSWER_FD, ANSWER_FD_VAR, Answer, Request};
use crate::texts::EN;

/// How to start a contestant.
#[derive(Clone, Debug)]
pub(crate) struct Launch<'a> {
    /// The program and its arguments.
    pub(crate) command: &'a [OsString],
    /// The folder it starts in.
    pub(crate) folder: &'a Path,
    /// The CPUs it may use; empty for all of ours.
    pub(crate) cpus: &'a [usize],
    /// Environment variables that are set for it.
    pub(crate) variables: &'a [(String, String)],
    /// Processes of ours that are not part of it: the server.
    pub(crate) keep: &'a [i32],
}

/// How a contestant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Code(i32),
    Signal(i32),
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::Code(code) => f.write_str(&(EN.faults.exit_code)(code)),
            Self::Signal(number) => match Signal::try_from(number) {
                Ok(signal) => f.write_str(signal.as_str()),
                Err(_) => f.write_str(&(EN.faults.signal)(number)),
            },
        }
    }
}

/// A running contestant. [`Running::end`] must be called: it is what guarantees that nothing survives.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) pid: i32,
    pub(crate) started: Instant,
    pub(crate) answers: Receiver<Line>,
    to: Option<Sender<String>>,
    stdout: Tail,
    stderr: Tail,
    exit: Option<Exit>,
    before: Used,
    keep: Vec<i32>,
}

/// What was left when the contestant had been ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How it ended; by our own SIGKILL where it would not.
    pub(crate) exit: Exit,
    /// Whether it had to be killed.
    pub(crate) killed: bool,
    /// Names and pids of processes that outlived it, and were killed.
    pub(crate) survivors: Vec<String>,
    /// CPU nanoseconds and context switches of the whole tree.
    pub(crate) used: Used,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What reaped children have used, all together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    pub(crate) cpu_ns: u64,
    pub(crate) voluntary: u64,
    pub(crate) involuntary: u64,
}

/// Makes every orphan below us our own child, so that none can escape. Also switches core files off, for us and all below.
pub(crate) fn become_subreaper() -> io::Result<()> {
    nix::sys::prctl::set_child_subreaper(true)?;
    // A file of hundreds of megabytes for each planned crash would be measured as part of it.
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0)?;
    Ok(())
}

impl Launch<'_> {
    /// Starts the contestant in a process group of its own and gives it its request.
    pub(crate) fn start(&self, request: &Request) -> io::Result<Running> {
        let (answers, answer_end) = pipe2(OFlag::O_CLOEXEC)?;
        let before = Used::by_children();
        let mut command = self.program(answer_end, &[])?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        // Nothing is left of the contestant before, so whatever descends from us now is no part of this one.
        watch::remember_strangers();
        let started = Instant::now();
        let mut child = {
            // Held while it starts, so that whoever ends us now finds it.
            let mut current = current();
            let child = on_cpus(self.cpus, || command.spawn())?;
            *current = Some(watch::pid(child.id()));
            child
        };
        // The command holds our copy of the write end: while it lives, the answers would have no end.
        drop(command);

        let pid = watch::pid(child.id());
        let running = Running {
            pid,
            started,
            answers: read_lines(File::from(answers)),
            to: Some(write_lines(child.stdin.take())),
            stdout: Tail::of(child.stdout.take()),
            stderr: Tail::of(child.stderr.take()),
            exit: None,
            before,
            keep: self.keep.to_vec(),
        };
        running.say(serde_json::to_string(request).map_err(io::Error::other)?);
        Ok(running)
    }

    /// Starts the contestant on this terminal, with `input` as its requests, and waits for its end. Its answers go to
    /// standard output.
    pub(crate) fn run_in_foreground(&self, input: File) -> io::Result<ExitStatus> {
        let mut command = self.program(io::stdout().as_fd().try_clone_to_owned()?, &FOR_TOOLS)?;
        on_cpus(self.cpus, || command.stdin(input).status())
    }

    /// The program with its arguments, its folder and its environment, and with its answers going to `answers`. Of what is
    /// not inherited, it has `all_the_same`.
    fn program(&self, answers: OwnedFd, all_the_same: &[&str]) -> io::Result<Command> {
        let (program, arguments) =
            self.command.split_first().ok_or_else(|| io::Error::other(EN.absences.empty_command))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder);
        for name in NOT_INHERITED.iter().filter(|name| !all_the_same.contains(name)) {
            command.env_remove(name);
        }
        command.env(ANSWER_FD_VAR, ANSWER_FD.to_string());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
            .fd_mappings(vec![FdMapping { parent_fd: answers, child_fd: ANSWER_FD }])
            .map_err(|_| io::Error::other("descriptor 3 is mapped twice"))?;
        Ok(command)
    }

    /// The reason of a contestant that does not start.
    pub(super) fn cannot_start(&self, error: &io::Error) -> String {
        (EN.absences.cannot_start)(&format!("{:?}", self.command), error)
    }
}

impl Running {
    /// Sends one line. A contestant that is gone does not read it, and that shows elsewhere.
    pub(crate) fn say(&self, line: String) {
        if let Some(to) = &self.to {
            to.send(line).ok();
        }
    }

    /// The exit, if it has ended. Reaps whatever has.
    pub(crate) fn poll_exit(&mut self) -> Option<Exit> {
        self.reap();
        self.exit
    }

    /// Closes its input and sees to it that it and everything below it is gone: waits for `patience`, then SIGTERM, two
    /// seconds later SIGKILL. Processes that outlive it by more than a moment are killed and named.
    pub(crate) fn end(mut self, patience: Duration) -> Ended {
        self.to = None;
        let mut killed = false;
        if !self.exits_within(patience) {
            killed = true;
            killpg(Pid::from_raw(self.pid), Signal::SIGTERM).ok();
            if !self.exits_within(TERM_TO_KILL) {
                killpg(Pid::from_raw(self.pid), Signal::SIGKILL).ok();
                // It may have left its group.
                kill(Pid::from_raw(self.pid), Signal::SIGKILL).ok();
                self.exits_within(UNKILLABLE);
            }
        }
        let survivors = self.survivors(if killed { Duration::ZERO } else { AFTERLIFE });
        let after = Used::by_children();
        *current() = None;
        Ended {
            exit: self.exit.unwrap_or(Exit::Signal(Signal::SIGKILL as i32)),
            killed,
            survivors,
            used: after.since(self.before),
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
        }
    }

    fn exits_within(&mut self, limit: Duration) -> bool {
        let start = Instant::now();
        let mut pause = Duration::from_micros(200);
        while self.poll_exit().is_none() {
            if start.elapsed() >= limit {
                return false;
            }
            thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
        true
    }

    /// Waits until nothing of the tree is left, for `limit`; then kills what is, and names it.
    fn survivors(&mut self, limit: Duration) -> Vec<String> {
        let start = Instant::now();
        let mut named = Vec::new();
        loop {
            self.reap();
            let left = watch::tree(&self.keep);
            if left.is_empty() {
                self.reap();
                return named;
            }
            if start.elapsed() >= limit {
                for process in &left {
                    if named.len() < 5 {
                        let name = (EN.faults.process)(&process.name, process.pid);
                        if !named.contains(&name) {
                            named.push(name);
                        }
                    }
                    kill(Pid::from_raw(process.pid), Signal::SIGKILL).ok();
                }
                if start.elapsed() >= limit + UNKILLABLE {
                    return named;
                }
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn reap(&mut self) {
        loop {
            let (pid, exit) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, Exit::Code(code)),
                Ok(WaitStatus::Signaled(pid, signal, _)) => (pid, Exit::Signal(signal as i32)),
                Ok(WaitStatus::StillAlive) => return,
                Ok(_) | Err(Errno::EINTR) => continue,
                // No children at all: if ours is among the gone and we did not see it, it cannot come back.
                Err(_) => {
                    self.exit.get_or_insert(Exit::Signal(Signal::SIGKILL as i32));
                    return;
                }
            };
            if pid.as_raw() == self.pid {
                self.exit = Some(exit);
            }
        }
    }
}

/// Ends this program with `code`, and the contestant that runs now before it, if one does: for an end that cannot wait.
pub(crate) fn kill_current_and_exit(code: i32) -> ! {
    // Held to the end: one that is about to start waits for it, and so never does.
    let current = current();
    if let Some(group) = *current {
        killpg(Pid::from_raw(group), Signal::SIGKILL).ok();
    }
    std::process::exit(code);
}

/// The group of the contestant that runs now.
fn current() -> MutexGuard<'static, Option<i32>> {
    static CURRENT: Mutex<Option<i32>> = Mutex::new(None);
    CURRENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a contestant for a single question and returns its one answer, or why there is none.
pub(crate) fn ask(launch: &Launch<'_>, request: &Request, limit: Duration) -> Result<Answer, String> {
    let t = &EN.absences;
    let running = launch.start(request).map_err(|error| launch.cannot_start(&error))?;
    let line = running.answers.recv_timeout(limit);
    let late = matches!(line, Err(mpsc::RecvTimeoutError::Timeout));
    // One that has closed its answers is about to end, and may take a moment for it.
    let ended = running.end(if late { Duration::ZERO } else { Duration::from_secs(5) });
    match line {
        Ok(line) => serde_json::from_str(&line.text).map_err(|error| (t.invalid_answer)(&error)),
        Err(_) if late => Err((t.no_answer)(limit)),
        Err(_) => Err((t.ended_early)(last_line(&ended.stderr), &ended.exit)),
    }
}

/// The line of a program's last words that tells most: the message of a Rust panic, which a backtrace or a note on how to
/// get one follows, or else the last line that says something.
pub(crate) fn last_line(text: &str) -> Option<&str> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.clone().skip_while(|line| !line.contains("panicked at ")).nth(1);
    message.or_else(|| lines.next_back())
}

impl Used {
    fn by_children() -> Self {
        // The call fails for a wrong `who` only.
        let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) else { return Self::default() };
        let cpu = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        Self {
            cpu_ns: cpu.unsigned_abs() * 1000,
            voluntary: usage.voluntary_context_switches().unsigned_abs(),
            involuntary: usage.involuntary_context_switches().unsigned_abs(),
        }
    }

    fn since(self, before: Self) -> Self {
        Self {
            cpu_ns: self.cpu_ns - before.cpu_ns,
            voluntary: self.voluntary - before.voluntary,
            involuntary: self.involuntary - before.involuntary,
        }
    }
}

/// Runs `start` with this thread bound to `cpus`: a child inherits the binding, and no hook between fork and exec is needed.
pub(crate) fn on_cpus<T>(cpus: &[usize], start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    if cpus.is_empty() {
        return start();
    }
    let this = Pid::from_raw(0);
    let all = sched_getaffinity(this)?;
    let mut some = CpuSet::new();
    for &cpu in cpus {
        some.set(cpu)?;
    }
    sched_setaffinity(this, &some)?;
    let result = start();
    sched_setaffinity(this, &all)?;
    result
}

/// Settings of this shell that would make a contestant another program than the one that is named. Worker counts come
/// from the request alone.
const NOT_INHERITED: [&str; 12] = [
    "NODE_OPTIONS",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONOPTIMIZE",
    "PYTHONMALLOC",
    "PYTHONDEVMODE",
    "RUST_BACKTRACE",
    "RUST_MIN_STACK",
    "RAYON_NUM_THREADS",
    "TOKIO_WORKER_THREADS",
    "LD_PRELOAD",
    "MALLOC_ARENA_MAX",
];

/// Of these, what whoever looks at a cell in the foreground may have set for that very purpose: tools are preloaded.
const FOR_TOOLS: [&str; 2] = ["LD_PRELOAD", "RUST_BACKTRACE"];

/// How long a process may take to go after SIGKILL; one that waits for a broken disk may stay for ever.
const UNKILLABLE: Duration = Duration::from_secs(10);

/// From SIGTERM to SIGKILL.
const TERM_TO_KILL: Duration = Duration::from_secs(2);

/// How long helpers of a contestant may take to notice that it is gone: interpreters have some that end by themselves.
const AFTERLIFE: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};

    use super::*;

    fn shell(script: &str) -> Vec<OsString> {
        ["sh", "-c", script].map(OsString::from).to_vec()
    }

    fn asked(script: &str) -> Result<Answer, String> {
        let launch =
            Launch { command: &shell(script), folder: Path::new("/"), cpus: &[], variables: &[], keep: &[] };
        ask(&launch, &Request::Describe, Duration::from_secs(5))
    }

    #[test]
    fn a_contestant_is_heard_and_ended() {
        let _alone = crate::cell::ONE_TREE.lock();
        become_subreaper().expect("Linux lets us");
        assert_eq!(asked(r#"read request; echo '{"t":"ready"}' >&3"#), Ok(Answer::Ready));
        assert_eq!(asked("echo it broke >&2; exit 7"), Err("it broke (exit code 7)".to_owned()));
        assert_eq!(asked("kill -SEGV $$"), Err("ended without an answer (SIGSEGV)".to_owned()));
        let panic = "thread 'main' panicked at src/main.rs:2:5:\nwhat happened\nnote: run with `RUST_BACKTRACE=1`\n\n";
        assert_eq!(last_line(panic), Some("what happened"));
        assert_eq!(last_line("Traceback:\n  line 1\nValueError: 7\n\n"), Some("ValueError: 7"));
        assert!(asked("echo nonsense >&3").is_err_and(|why| why.contains("not valid")));

        let first = &crate::machine::allowed_cpus()[..1];
        let command = shell("trap '' TERM; sleep 60 & echo hello; echo '{\"t\":\"ready\"}' >&3; wait");
        let launch =
            Launch { command: &command, folder: Path::new("/"), cpus: first, variables: &[], keep: &[] };
        let mut running = launch.start(&Request::Describe).expect("it starts");
        running.answers.recv_timeout(Duration::from_secs(5)).expect("it answers");
        assert_eq!(running.poll_exit(), None);
        let ended = running.end(Duration::ZERO);
        assert!(ended.killed && ended.stdout == "hello\n", "{ended:?}");
        assert_eq!(watch::tree(&[]), []);

        let command = shell("(setsid sleep 60 &) ; echo '{\"t\":\"ready\"}' >&3");
        let launch =
            Launch { command: &command, folder: Path::new("/"), cpus: &[], variables: &[], keep: &[] };
        let ended = launch.start(&Request::Describe).expect("it starts").end(Duration::from_secs(5));
        assert!(ended.survivors.iter().any(|name| name.starts_with("sleep")), "{ended:?}");
        assert_eq!(watch::tree(&[]), []);
    }

    /// A shell that we know from before we were the engine starts something while we are, and ends before it.
    #[test]
    fn what_a_stranger_leaves_is_neither_ended_nor_blamed_on_a_contestant() {
        let _alone = crate::cell::ONE_TREE.lock();
        let script = "read go; sleep 60 >/dev/null & echo $!; read end";
        let mut stranger = Command::new("sh");
        stranger.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut stranger = stranger.spawn().expect("sh starts");
        become_subreaper().expect("Linux lets us");
        assert_eq!(asked(r#"read request; echo '{"t":"ready"}' >&3"#), Ok(Answer::Ready));
        let mut orders = stranger.stdin.take().expect("it is piped");
        orders.write_all(b"go\n").expect("it reads");
        let mut line = String::new();
        BufReader::new(stranger.stdout.take().expect("it is piped"))
            .read_line(&mut line)
            .expect("it answers");
        let left = Pid::from_raw(line.trim().parse().expect("a process number"));

        let command = shell("echo '{\"t\":\"ready\"}' >&3; read request; read end");
        let launch =
            Launch { command: &command, folder: Path::new("/"), cpus: &[], variables: &[], keep: &[] };
        let mut running = launch.start(&Request::Describe).expect("it starts");
        running.answers.recv_timeout(Duration::from_secs(60)).expect("it answers");
        drop(orders);
        while watch::all_processes().any(|it| it.pid == watch::pid(stranger.id()) && it.state != 'Z') {
            thread::sleep(Duration::from_millis(1));
        }
        running.reap();
        let ended = running.end(Duration::from_secs(60));
        assert!(ended.survivors.is_empty() && !ended.killed, "{ended:?}");
        kill(left, Signal::SIGKILL).expect("it still sleeps");
        assert!(matches!(waitpid(left, None), Ok(WaitStatus::Signaled(..))), "it is ours now");
        // Whoever reaps all children may have reaped it before.
        stranger.wait().ok();
    }
}
