//! The conversation with one contestant: every answer is judged as it comes, and the first that cannot stand ends the cell.
//!
//! ```text
//! started --ready--> warming --warm--> timing --batch*--> timing --done--> over
//!                       |--hold base--> holding --hold waiting--> held --warm--> ...
//!                       |--danger--> in danger --outcome--> ... (or death by the cause that was asked for)
//! ```
//!
//! Only a memory workload may hold, and only one whose result is an outcome may be in danger.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::pipes::{DRAIN, Line};
use super::process::{Ended, Exit, Launch, Running, last_line};
use super::sample::Sample;
use super::watch;
use crate::protocol::{Answer, Metric, Request, Run, Uses};
use crate::summary::Status;
use crate::texts::EN;

/// All that is needed to run one cell once.
#[derive(Debug)]
pub(crate) struct CellOrder<'a> {
    pub(crate) launch: Launch<'a>,
    pub(crate) run: Run,
    pub(crate) metric: Metric,
    pub(crate) uses: Uses,
    /// The digest that every iteration must have.
    pub(crate) digest: &'a str,
    /// For an outcome: what each task must return.
    pub(crate) results: &'a [u64],
    /// How many CPUs it has.
    pub(crate) cpus: u32,
    /// Its work is CPU time, so that more than one worker can be told from one.
    pub(crate) cpu_bound: bool,
    pub(crate) limit: Duration,
    /// Look at the tree again and again. It costs CPU time, so it is for rounds whose times do not count.
    pub(crate) observe: bool,
    /// Set when the user wants to stop.
    pub(crate) stop: &'a AtomicBool,
}

/// Runs the cell. Whatever happens, nothing of it is left, and the sample says what happened. `None`: the user stopped it.
pub(crate) fn run(order: &CellOrder<'_>) -> Option<Sample> {
    let mut talk = Talk::new(order);
    let running = match order.launch.start(&Request::Run(order.run.clone())) {
        Ok(running) => running,
        Err(error) => {
            talk.fail(Status::Unavailable, order.launch.cannot_start(&error));
            return Some(talk.sample);
        }
    };
    let ended = talk.listen(running)?;
    talk.conclude(&ended);
    Some(talk.sample)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Started,
    Warming,
    Holding { base: u64 },
    Held,
    Timing,
    InDanger,
    Survived,
    Over,
}

#[derive(Debug)]
struct Talk<'a> {
    order: &'a CellOrder<'a>,
    sample: Sample,
    state: State,
    started: Instant,
    /// CPU time by process and thread, and context switches, when it was ready.
    cpu_at_ready: BTreeMap<(i32, i32), u64>,
    switches_at_ready: (u64, u64),
    /// CPU time of processes that had been and gone when it was ready, and of those that have since, in ticks.
    reaped_at_ready: u64,
    reaped: u64,
    /// Threads that were seen to have worked since, with their processes.
    busy: BTreeSet<(i32, i32)>,
    available_at_start: u64,
}

impl<'a> Talk<'a> {
    fn new(order: &'a CellOrder<'a>) -> Self {
        let run = &order.run;
        let sample = Sample {
            workload: run.workload.clone(),
            form: run.form.clone(),
            scale: run.scale.clone(),
            workers: run.workers,
            round: run.round,
            status: Status::Ok,
            ..Sample::default()
        };
        Self {
            order,
            sample,
            state: State::Started,
            started: Instant::now(),
            cpu_at_ready: BTreeMap::new(),
            switches_at_ready: (0, 0),
            reaped_at_ready: 0,
            reaped: 0,
            busy: BTreeSet::new(),
            available_at_start: watch::available_bytes(),
        }
    }

    /// Hears the contestant out, or to its first fault, and ends it.
    fn listen(&mut self, mut running: Running) -> Option<Ended> {
        self.started = running.started;
        // A limit beyond what the clock can hold is no limit.
        let deadline = self.started.checked_add(self.order.limit).unwrap_or(self.started + NO_LIMIT);
        while self.is_open() {
            if self.order.stop.load(Ordering::Relaxed) {
                running.end(Duration::ZERO);
                return None;
            }
            let now = Instant::now();
            if now >= deadline {
                self.fail(Status::Timeout, (EN.faults.no_end)(self.order.limit));
                break;
            }
            let tick = if self.order.observe { OBSERVED_TICK } else { TICK };
            match running.answers.recv_timeout(tick.min(deadline - now)) {
                Ok(line) => self.hear(&line, &running),
                Err(RecvTimeoutError::Disconnected) => break,
                // A descendant may hold the answer pipe open when the contestant itself is gone; what it wrote before may
                // still be on its way, and what the descendant writes may have no end.
                Err(RecvTimeoutError::Timeout) if running.poll_exit().is_some() => {
                    while self.is_open() && Instant::now() < deadline {
                        let Ok(line) = running.answers.recv_timeout(DRAIN) else { break };
                        self.hear(&line, &running);
                    }
                    break;
                }
                Err(RecvTimeoutError::Timeout) => self.guard_memory(),
            }
            if self.order.observe && self.state != State::Started {
                self.look();
            }
        }
        if self.order.stop.load(Ordering::Relaxed) {
            // What broke may have broken because we are being stopped.
            running.end(Duration::ZERO);
            return None;
        }
        if self.state == State::Over {
            let alone = watch::tree(self.order.launch.keep).len() <= 1;
            let peak = if alone { watch::high_water_bytes(running.pid).unwrap_or(0) } else { 0 };
            self.sample.peak_bytes = self.sample.peak_bytes.max(peak);
        }
        let heard_out = self.sample.status == Status::Ok;
        Some(running.end(if heard_out { GOODBYE } else { Duration::ZERO }))
    }

    /// Whether there is anything left to hear: no fault yet, and not the end.
    fn is_open(&self) -> bool {
        self.sample.status == Status::Ok && self.state != State::Over
    }

    fn hear(&mut self, line: &Line, running: &Running) {
        if self.sample.status != Status::Ok {
            return;
        }
        let answer = match serde_json::from_str::<Answer>(&line.text) {
            Ok(answer) => answer,
            Err(error) => {
                let why = (EN.faults.not_an_answer)(&shorten(&line.text), &error);
                return self.fail(Status::Wrong, why);
            }
        };
        let metric = self.order.metric;
        match (self.state, answer) {
            (State::Started, Answer::Ready) => {
                self.cpu_at_ready = watch::cpu_by_thread(self.order.launch.keep);
                self.switches_at_ready = watch::switches(self.order.launch.keep);
                self.reaped_at_ready = watch::reaped_ticks(self.order.launch.keep);
                self.sample.startup_ns = nanos(line.at - self.started);
                self.state = State::Warming;
            }
            (State::Warming, Answer::Hold { what }) if metric == Metric::Memory && what == "base" => {
                self.state = State::Holding { base: watch::pss_bytes(self.order.launch.keep) };
                running.say("go".to_owned());
            }
            (State::Holding { base }, Answer::Hold { what }) if what == "waiting" => {
                let waiting = watch::pss_bytes(self.order.launch.keep);
                self.sample.bytes = Some(waiting.saturating_sub(base));
                self.sample.peak_bytes = waiting;
                self.look();
                self.state = State::Held;
                running.say("go".to_owned());
            }
            (State::Warming | State::Held, Answer::Warm { iterations, digests }) => {
                self.verify(&digests, None);
                self.sample.iterations = iterations;
                self.state = State::Timing;
            }
            (State::Timing, Answer::Batch { ns, iterations, digests }) => {
                self.batch(ns, iterations, &digests);
            }
            // Whoever is in danger may die without a result, which only an outcome allows.
            (State::Warming, Answer::Danger) if metric == Metric::Outcome => self.state = State::InDanger,
            (State::InDanger, Answer::Outcome { outcome, cause, results }) => {
                self.outcome(outcome, cause, &results);
                self.state = State::Survived;
            }
            (State::Timing | State::Survived, Answer::Done) => self.done(line.at),
            (_, Answer::Limit { why }) => self.fail(Status::Limit, why),
            (state, answer) => {
                let answer = shorten(&format!("{answer:?}"));
                self.fail(Status::Wrong, (EN.faults.out_of_turn)(&answer, &format!("{state:?}")));
            }
        }
    }

    fn batch(&mut self, ns: u64, iterations: u64, digests: &[String]) {
        self.verify(digests, Some(self.sample.batches.len() + 1));
        if ns == 0 || iterations == 0 {
            return self.fail(Status::Wrong, (EN.faults.empty_batch)(iterations, ns));
        }
        self.sample.iterations += iterations;
        self.sample.batches.push((ns, iterations));
    }

    fn done(&mut self, at: Instant) {
        let t = &EN.faults;
        let timed = self.order.run.timing.timed && self.order.metric == Metric::Time;
        if timed && self.sample.batches.is_empty() {
            return self.fail(Status::Wrong, t.no_batch.to_owned());
        }
        let inner: u128 = self.sample.batches.iter().map(|&(ns, _)| u128::from(ns)).sum();
        let outer = (at - self.started).as_nanos();
        // Counted from the start, because a busy machine may deliver the end of the warm-up late.
        if inner > outer {
            return self.fail(Status::Wrong, (t.impossible_time)(inner, outer));
        }
        if timed && inner < u128::from(self.order.run.timing.min_ns) {
            let asked = self.order.run.timing.min_ns;
            return self.fail(Status::Wrong, (t.too_little_time)(inner, asked));
        }
        if self.order.metric == Metric::Outcome && self.sample.outcome.is_none() {
            return self.fail(Status::Wrong, t.no_outcome.to_owned());
        }
        if self.order.metric == Metric::Memory && self.sample.bytes.is_none() {
            return self.fail(Status::Wrong, t.no_memory.to_owned());
        }
        self.state = State::Over;
    }

    /// Are these the right digests? `batch` counts the timed batches from 1; `None` is the warm-up.
    fn verify(&mut self, digests: &[String], batch: Option<usize>) {
        let right = self.order.digest;
        let distinct: BTreeSet<&str> = digests.iter().map(String::as_str).collect();
        if distinct.len() != 1 || !distinct.contains(right) {
            let got: Vec<&str> = distinct.into_iter().take(3).collect();
            self.fail(Status::Wrong, (EN.faults.wrong_digest)(batch, &shorten(&got.join(", ")), right));
        }
    }

    fn outcome(&mut self, outcome: String, cause: String, results: &[Option<u64>]) {
        let t = &EN.faults;
        let victim = self.order.run.input.numbers.first().and_then(|&n| usize::try_from(n).ok());
        let right = self.order.results;
        if results.len() != right.len() {
            let why = (t.wrong_count)(results.len(), right.len());
            return self.fail(Status::Wrong, why);
        }
        for (task, (got, &right)) in results.iter().zip(right).enumerate() {
            match *got {
                Some(got) if Some(task) == victim => {
                    return self.fail(Status::Wrong, (t.victim_lives)(task, got));
                }
                Some(got) if got != right => {
                    return self.fail(Status::Wrong, (t.wrong_result)(task, got, right));
                }
                _ => {}
            }
        }
        let lost = results.iter().filter(|result| result.is_none()).count();
        let plausible = match outcome.as_str() {
            "task lost" => lost == 1,
            "worker lost" => true,
            _ => false,
        };
        if !plausible {
            return self.fail(Status::Wrong, (t.wrong_outcome)(&outcome, lost, right.len()));
        }
        self.sample.cause =
            Some(if lost == 1 { cause } else { (t.cause_and_losses)(&cause, lost, right.len()) });
        self.sample.outcome = Some(outcome);
    }

    /// Takes what the ended tree shows into the sample: its exit, what it left, what it used.
    fn conclude(&mut self, ended: &Ended) {
        if self.sample.status == Status::Ok {
            self.judge_end(ended);
        } else if !ended.survivors.is_empty() {
            self.sample.notes.push((EN.faults.left_behind_note)(ended.survivors.len()));
        }
        if self.sample.status == Status::Ok {
            self.judge_use();
        }
        let sample = &mut self.sample;
        sample.outer_ns = nanos(self.started.elapsed());
        sample.cpu_ns = ended.used.cpu_ns.saturating_sub(self.cpu_at_ready.values().sum());
        let (voluntary, involuntary) = self.switches_at_ready;
        sample.ctx = (
            ended.used.voluntary.saturating_sub(voluntary),
            ended.used.involuntary.saturating_sub(involuntary),
        );
        let cpus = u64::from(self.order.cpus.max(1));
        if self.order.run.timing.timed
            && ended.used.cpu_ns > sample.outer_ns * cpus + sample.outer_ns / 20 * cpus
        {
            sample.notes.push(EN.faults.much_cpu_time.to_owned());
        }
        if sample.status != Status::Ok && !ended.stderr.trim().is_empty() {
            sample.log = Some(ended.stderr.clone());
        }
    }

    fn judge_end(&mut self, ended: &Ended) {
        let t = &EN.faults;
        let left = &ended.survivors;
        match (self.state, ended.exit) {
            (State::InDanger, exit) if dies_of(&self.order.run.scale, exit, &ended.stderr) => {
                self.sample.outcome = Some("program lost".to_owned());
                self.sample.cause = Some((t.ended_program)(&exit));
            }
            (State::Over, _) if ended.killed => {
                self.fail(Status::Timeout, (t.no_exit)(GOODBYE));
            }
            (_, _) if ended.killed => {
                self.fail(Status::Timeout, t.closed_answers.to_owned());
            }
            (State::Over, Exit::Code(0)) => {}
            (State::Over, exit) => self.fail(Status::Crashed, (t.bad_exit)(&exit)),
            (_, exit) => {
                let said = last_line(&ended.stderr).map(shorten);
                self.fail(Status::Crashed, (t.early_exit)(&exit, said.as_deref()));
            }
        }
        let program_lost = self.sample.outcome.as_deref() == Some("program lost");
        if self.sample.status == Status::Ok && !left.is_empty() && !program_lost {
            self.fail(Status::Leaked, (t.left_behind)(left));
        }
        if program_lost && !left.is_empty() {
            self.sample.notes.push((t.left_behind_note)(left.len()));
        }
        if self.sample.status == Status::Ok && !ended.stdout.is_empty() {
            self.fail(Status::Wrong, (t.wrote_to_stdout)(&shorten(&ended.stdout)));
        }
    }

    /// Does it run where it says it does? Judged only where it was looked at often enough to know. What was seen was there;
    /// what was not seen may have been there between two looks: nobody is blamed for it after a single iteration, and after
    /// few looks it is a doubt.
    fn judge_use(&mut self) {
        let (processes, threads, looks) = self.sample.seen;
        let outcome = self.order.metric == Metric::Outcome;
        if looks < ENOUGH_LOOKS || outcome {
            return;
        }
        let uses = self.order.uses;
        let beyond = match uses {
            Uses::OneThread { helpers } => processes > 1 || threads > 1 + helpers,
            Uses::Threads => processes > 1,
            Uses::Processes => false,
        };
        let lasting = self.order.run.timing.timed;
        let short = match uses {
            Uses::OneThread { .. } => false,
            Uses::Threads => threads < 2,
            Uses::Processes => processes < 2,
        };
        // A memory workload is looked at while all of its tasks wait, so one look would do.
        let sure = looks >= SURE_LOOKS || self.order.metric == Metric::Memory;
        if lasting && short && !sure {
            self.sample.in_doubt = true;
        } else if beyond || (lasting && short) {
            return self.fail(Status::Wrong, (EN.faults.not_its_model)(uses, self.sample.seen));
        }
        let several = self.order.run.workers > 1 && self.order.cpus > 1 && self.order.cpu_bound;
        let busy_processes: BTreeSet<i32> = self.busy.iter().map(|(pid, _)| *pid).collect();
        let alone = match uses {
            Uses::OneThread { .. } => false,
            Uses::Threads => self.busy.len() == 1,
            // A process for each item may be gone before anybody looks: then what it took shows with who waited for it.
            Uses::Processes => busy_processes.len() == 1 && self.reaped == 0,
        };
        if lasting && several && alone && !sure {
            self.sample.in_doubt = true;
        } else if lasting && several && alone {
            self.fail(Status::Wrong, (EN.faults.one_did_all)(uses, self.order.run.workers));
        }
    }

    fn look(&mut self) {
        let look = watch::look(self.order.launch.keep);
        let (processes, threads, looks) = &mut self.sample.seen;
        *processes = look.processes.max(*processes);
        *threads = look.threads.max(*threads);
        *looks += 1;
        if self.order.cpu_bound && self.order.uses == Uses::Processes {
            let reaped = watch::reaped_ticks(self.order.launch.keep);
            self.reaped = self.reaped.max(reaped.saturating_sub(self.reaped_at_ready));
        }
        if self.order.cpu_bound && look.threads <= FEW_THREADS {
            let worked = watch::cpu_by_thread(self.order.launch.keep).into_iter().filter(|(thread, ns)| {
                ns - self.cpu_at_ready.get(thread).copied().unwrap_or(0).min(*ns) >= WORKED_NS
            });
            self.busy.extend(worked.map(|(thread, _)| thread));
        }
        // Every few looks are enough for memory, which is dear to read.
        if look.processes > 1 && (*looks % 8 == 1) {
            self.sample.peak_bytes = self.sample.peak_bytes.max(watch::pss_bytes(self.order.launch.keep));
        }
    }

    /// Ends a cell that is about to take the machine's memory from everyone else.
    fn guard_memory(&mut self) {
        let (start, now) = (self.available_at_start, watch::available_bytes());
        // Somebody else may be the one who takes it.
        if now < start / 5 * 2 && watch::pss_bytes(self.order.launch.keep) > start / 5 {
            self.fail(Status::Limit, (EN.faults.took_memory)(now, start));
        }
    }

    fn fail(&mut self, status: Status, why: String) {
        if self.sample.status == Status::Ok {
            self.sample.status = status;
            self.sample.why = Some(why);
        }
    }
}

/// Is this how a program dies of the failure that was asked for? An exit code alone would fit any mistake, so a panic must
/// have said that it is the planted one.
fn dies_of(scale: &str, exit: Exit, stderr: &str) -> bool {
    use nix::sys::signal::Signal::{SIGABRT, SIGSEGV};
    match scale {
        "abort" => exit == Exit::Signal(SIGABRT as i32),
        "segv" => exit == Exit::Signal(SIGSEGV as i32),
        _ => matches!(exit, Exit::Code(1..)) && stderr.contains("planted"),
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A text for one line of a table.
fn shorten(text: &str) -> String {
    const MOST: usize = 160;
    let text = text.trim();
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST).chain("...".chars()).collect()
}

/// Longer than anybody waits.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

/// How often we wake while a timed cell works, to see whether it is still there.
const TICK: Duration = Duration::from_millis(50);

/// The pause between two looks in a round whose times do not count.
const OBSERVED_TICK: Duration = Duration::from_millis(1);

/// A thread that used this much CPU time has worked; one that only waits for others uses far less in a check.
const WORKED_NS: u64 = 2_000_000;

/// With more threads than this, reading all of their times would take longer than what is looked at.
const FEW_THREADS: u32 = 64;

/// With fewer looks than this, nothing is known.
const ENOUGH_LOOKS: u32 = 5;

/// With fewer looks than this, not having seen a thread or process may be chance: a thread that does next to nothing is there
/// in some looks only, and a busy machine makes looks rare. A check has ten to twenty, a longer one some hundred.
const SURE_LOOKS: u32 = 50;

/// How long a contestant may take to end after its last answer.
const GOODBYE: Duration = Duration::from_secs(5);
