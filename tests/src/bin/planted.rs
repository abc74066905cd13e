//! A contestant that misbehaves on purpose, so that the engine can be seen to notice.
//!
//! `planted FAULT [ROUND]` does the workloads `spawn` and `primes` by threads, correctly, and commits the fault in the rounds
//! from ROUND on (0, the check before the first round, if left out). It shares nothing with the kit: this is the protocol
//! done once more by hand.

#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio, exit};
use std::thread;
use std::time::{Duration, Instant};

use compare::protocol::{self, Ability, Answer, Description, Request, Run, Uses};
use nix::sys::signal::{SigSet, Signal, raise};
use nix::unistd::{Pid, close, getpgid, getppid, setpgid, setsid};

/// Every fault, with what the engine is to think of it in `tests/compare/plants.rs`.
const FAULTS: [&str; 37] = [
    "none",
    "leaves-early",
    "panics",
    "hangs",
    "hangs-elsewhere",
    "closes-answers",
    "segfaults",
    "exits-unanswered",
    "exits-with-3",
    "stays",
    "says-limit",
    "wrong-when-warm",
    "wrong-when-timed",
    "skips-timing",
    "zero-ns",
    "nan-ns",
    "too-many-ns",
    "prints",
    "floods",
    "junk-answer",
    "endless-answer",
    "endless-orphan",
    "silent-orphan",
    "answers-after-done",
    "leaks",
    "leaks-with-setsid",
    "claims-processes",
    "claims-one-thread",
    "one-thread-does-all",
    "one-process-does-all",
    "process-for-each",
    "process-comes-late",
    "forks",
    "dangerous",
    "holds",
    "other-version",
    "deaf",
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let fault = arguments.first().map_or("none", String::as_str);
    match fault {
        "linger" => return thread::sleep(LONG),
        "linger-with-setsid" => {
            setsid().expect("whoever leads no process group may lead a session");
            return thread::sleep(LONG);
        }
        "babble" => return babble(),
        "spin" => return spin(),
        "deaf" => return,
        "is-prime" => exit(i32::from(!is_prime(arguments[1].parse().expect("a number")))),
        // Every thread inherits the mask.
        "hangs" => SigSet::from_iter([Signal::SIGTERM]).thread_block().expect("a thread has a mask"),
        known if FAULTS.contains(&known) => {}
        unknown => panic!("no fault is called {unknown:?}; there are {FAULTS:?}"),
    }
    let from_round: u32 = arguments.get(1).map_or(0, |text| text.parse().expect("a round is a number"));
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("the engine sends a request");
    match serde_json::from_str(&line).expect("the engine sends valid requests") {
        Request::Describe => Answers::open().say(&Answer::Description(description(fault))),
        Request::Run(order) => {
            let fault = if order.round >= from_round { fault.to_owned() } else { "none".to_owned() };
            // Not in the main thread: who claims to use threads must be seen to have more than one.
            thread::spawn(move || Cell { fault, order, answers: Answers::open(), idler: None }.run())
                .join()
                .unwrap_or_else(|_| exit(101));
        }
        other => panic!("no use for {other:?}"),
    }
}

fn description(fault: &str) -> Description {
    Description {
        v: if fault == "other-version" { protocol::VERSION + 98 } else { protocol::VERSION },
        model: "planted".into(),
        version: "1".into(),
        about: format!("a contestant whose fault is: {fault}"),
        uses: match fault {
            "claims-processes" | "one-process-does-all" | "process-for-each" | "process-comes-late" => {
                Uses::Processes
            }
            "claims-one-thread" => Uses::OneThread { helpers: 0 },
            _ => Uses::Threads,
        },
        abilities: ["spawn", "primes"]
            .map(|workload| Ability {
                workload: workload.into(),
                forms: vec!["generic".into()],
                ..Ability::default()
            })
            .into(),
        ..Description::default()
    }
}

/// One order being carried out.
struct Cell {
    fault: String,
    order: Run,
    answers: Answers,
    /// A process that is there, does nothing, and ends with the cell.
    idler: Option<Child>,
}

impl Cell {
    fn run(mut self) {
        self.before_ready();
        self.answers.say(&Answer::Ready);
        self.before_warm();
        let (_, digest) = self.iteration();
        let digests = vec![if self.is("wrong-when-warm") { wrong(&digest) } else { digest }];
        self.answers.say(&Answer::Warm { iterations: 1, digests });
        self.time();
        self.before_done();
        self.answers.say(&Answer::Done);
        self.after_done();
    }

    fn is(&self, fault: &str) -> bool {
        self.fault == fault
    }

    fn before_ready(&mut self) {
        match self.fault.as_str() {
            "exits-unanswered" => exit(0),
            "junk-answer" => self.answers.write(b"this is not an answer\n"),
            "endless-answer" => loop {
                self.answers.write(&[b'x'; 4096]);
            },
            // Only once it speaks, or the engine could take us for gone before there is anything to hear.
            "endless-orphan" => {
                let mut orphan = this_program_as("babble").stdout(Stdio::piped()).spawn().expect("it starts");
                let mut speaks = orphan.stdout.take().expect("it is piped");
                speaks.read_exact(&mut [0]).expect("it tells us");
                exit(0);
            }
            "silent-orphan" => {
                leave_behind("linger");
                exit(0);
            }
            "says-limit" => {
                self.answers.say(&Answer::Limit { why: "the planted limit is 0; raise it".into() });
                exit(0);
            }
            _ => {}
        }
    }

    fn before_warm(&mut self) {
        match self.fault.as_str() {
            "panics" => panic!("planted panic"),
            "hangs-elsewhere" => {
                let engine = getpgid(Some(getppid())).expect("the engine is still there");
                setpgid(Pid::from_raw(0), engine).expect("it is in our session");
                thread::sleep(LONG);
            }
            "closes-answers" => {
                close(protocol::ANSWER_FD).expect("it is open");
                self.answers.0 =
                    OpenOptions::new().write(true).open("/dev/null").expect("it can always be written");
                thread::sleep(LONG);
            }
            "hangs" => thread::sleep(LONG),
            "forks" => {
                let mut child = this_program_as("linger").spawn().expect("a copy of us starts");
                thread::sleep(OBSERVABLE);
                child.kill().and_then(|()| child.wait()).expect("it is our child");
            }
            // What would be an outcome of `crash` is none of `spawn`.
            "dangerous" => {
                self.answers.say(&Answer::Danger);
                panic!("planted panic");
            }
            "holds" => self.answers.say(&Answer::Hold { what: "base".into() }),
            // The standard library's handler takes the first one and puts the default action back.
            "segfaults" => loop {
                raise(Signal::SIGSEGV).expect("a program may signal itself");
            },
            // Long enough for the engine to look often enough to be sure, on a busy machine, too.
            "claims-processes" => thread::sleep(OBSERVABLE),
            // We run in a thread beside the main one, which waits: that makes two.
            "one-thread-does-all" => thread::sleep(OBSERVABLE),
            "one-process-does-all" | "process-for-each" => {
                self.idler = Some(this_program_as("linger").spawn().expect("a copy of us starts"));
                thread::sleep(OBSERVABLE);
            }
            "claims-one-thread" => {
                let idlers: Vec<_> = (0..3).map(|_| thread::spawn(|| thread::sleep(OBSERVABLE))).collect();
                idlers.into_iter().for_each(|idler| idler.join().expect("it only sleeps"));
            }
            _ => {}
        }
    }

    /// Batches of one iteration, as long as the order says.
    fn time(&mut self) {
        if !self.order.timing.timed || self.is("skips-timing") {
            return;
        }
        let mut total_ns = 0;
        while total_ns < self.order.timing.min_ns {
            let (ns, digest) = self.iteration();
            total_ns += ns;
            // Later than a short check ends.
            if self.is("process-comes-late") && self.idler.is_none() && total_ns > 200_000_000 {
                self.idler = Some(this_program_as("linger").spawn().expect("a copy of us starts"));
            }
            let digests = vec![if self.is("wrong-when-timed") { wrong(&digest) } else { digest }];
            match self.fault.as_str() {
                "zero-ns" => self.answers.say(&Answer::Batch { ns: 0, iterations: 1, digests }),
                "too-many-ns" => {
                    self.answers.say(&Answer::Batch { ns: ns + 3_600_000_000_000, iterations: 1, digests });
                }
                "nan-ns" => {
                    let line =
                        format!("{{\"t\":\"batch\",\"ns\":NaN,\"iterations\":1,\"digests\":{digests:?}}}\n");
                    self.answers.write(line.as_bytes());
                }
                _ => self.answers.say(&Answer::Batch { ns, iterations: 1, digests }),
            }
        }
    }

    fn before_done(&self) {
        match self.fault.as_str() {
            "prints" => println!("a greeting from the planted contestant"),
            "floods" => {
                let mut stdout = io::stdout().lock();
                for _ in 0..2048 {
                    stdout.write_all(&[b'#'; 4096]).expect("the engine reads what we print");
                }
            }
            "leaks" => leave_behind("linger"),
            "leaks-with-setsid" => leave_behind("linger-with-setsid"),
            _ => {}
        }
    }

    fn after_done(&mut self) {
        match self.fault.as_str() {
            "leaves-early" => return,
            "stays" => thread::sleep(LONG),
            "answers-after-done" => self.answers.say(&Answer::Done),
            _ => {}
        }
        // The engine reads our memory before it closes our standard input.
        io::stdin().read_to_end(&mut Vec::new()).expect("standard input can be read");
        if let Some(idler) = &mut self.idler {
            idler.kill().and_then(|()| idler.wait()).expect("it is our child");
        }
        if self.is("exits-with-3") {
            exit(3);
        }
    }

    /// The workload once. How long it took and what came out.
    fn iteration(&self) -> (u64, String) {
        let start = Instant::now();
        let results = match self.order.workload.as_str() {
            "primes" => self.primes(),
            _ => self.spawn(),
        };
        let ns = u64::try_from(start.elapsed().as_nanos()).expect("shorter than 500 years");
        (ns, protocol::digest(&results))
    }

    /// n threads are started, then joined in order.
    fn spawn(&self) -> Vec<u64> {
        let salt = self.order.input.salt;
        let tasks: Vec<_> = (0..self.order.n).map(|unit| thread::spawn(move || salt + unit)).collect();
        tasks.into_iter().map(|task| task.join().expect("it only adds")).collect()
    }

    /// Each worker is a thread with its share of the numbers, unless the fault is who does them.
    fn primes(&self) -> Vec<u64> {
        let numbers = &self.order.input.numbers;
        let all = |numbers: &[u64], test: fn(u64) -> bool| -> Vec<bool> {
            numbers.iter().map(|&number| test(number)).collect()
        };
        let primes = match self.fault.as_str() {
            "one-thread-does-all" | "one-process-does-all" => all(numbers, is_prime),
            "process-for-each" => all(numbers, is_prime_elsewhere),
            _ => thread::scope(|scope| {
                let share = numbers.len().div_ceil(self.order.workers.max(1) as usize).max(1);
                let workers: Vec<_> =
                    numbers.chunks(share).map(|share| scope.spawn(move || all(share, is_prime))).collect();
                workers.into_iter().flat_map(|worker| worker.join().expect("it only divides")).collect()
            }),
        };
        primes.into_iter().map(|prime| self.order.input.salt * 2 + u64::from(prime)).collect()
    }
}

/// By trial division, for odd numbers above 2, of which alone the workload consists.
fn is_prime(number: u64) -> bool {
    (3..=number.isqrt()).step_by(2).all(|divisor| number % divisor != 0)
}

/// The same in a process that starts for this number and ends with it.
fn is_prime_elsewhere(number: u64) -> bool {
    let mut command = this_program_as("is-prime");
    command.arg(number.to_string()).status().expect("a copy of us starts").success()
}

/// The digest of other results.
fn wrong(digest: &str) -> String {
    protocol::digest(&digest.bytes().map(u64::from).collect::<Vec<_>>())
}

/// Starts a process that nobody waits for, outside our process group.
fn leave_behind(manner: &str) {
    let mut command = this_program_as(manner);
    command.stderr(Stdio::null());
    if manner == "linger" {
        command.process_group(0);
    }
    command.spawn().map(drop).expect("a copy of this program starts");
}

/// A copy of this program that takes nothing from our input and adds nothing to our output.
fn this_program_as(manner: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("it is still there"));
    command.arg(manner).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// What is left behind with the answer descriptor in its hand, and goes on answering for ever. It tells whoever started it
/// when there is enough to be heard to know that it babbles.
fn babble() {
    let mut answers = Answers::open();
    answers.say(&Answer::Ready);
    answers.say(&Answer::Ready);
    io::stdout().write_all(b"\n").expect("our parent waits for it");
    loop {
        answers.say(&Answer::Ready);
    }
}

/// A program of somebody else that takes all of a CPU.
fn spin() {
    let start = Instant::now();
    while start.elapsed() < LONG {
        std::hint::spin_loop();
    }
}

/// The answer descriptor, unbuffered.
struct Answers(File);

impl Answers {
    fn open() -> Self {
        let path = format!("/dev/fd/{}", protocol::ANSWER_FD);
        Answers(OpenOptions::new().write(true).open(path).expect("the engine opens it for us"))
    }

    fn say(&mut self, answer: &Answer) {
        let line = serde_json::to_string(answer).expect("an answer is plain data");
        self.write(format!("{line}\n").as_bytes());
    }

    /// Nobody is left to work for when the engine is gone.
    fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap_or_else(|_| exit(1));
    }
}

/// The engine looks about every millisecond, and wants five looks.
const OBSERVABLE: Duration = Duration::from_millis(600);

/// Far longer than any test, short enough to clean up after one that was killed.
const LONG: Duration = Duration::from_secs(600);
