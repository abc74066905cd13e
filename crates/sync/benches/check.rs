//! What the deadlock checker costs where it is switched off: an operation of each kind that it follows, uncontended.
//!
//! Two builds are run in turns, each round in a process of its own, so that the hour and where things lie in memory meet both alike.
//! The first command keeps the program without the checker, the second compares the one with it, the third says what the comparison
//! finds between two that are the same. The second and the third fail if an operation takes 2 ns more than the other build's:
//!
//! ```console
//! $ cargo bench -p sync --bench check -- --keep without
//! $ cargo bench -p sync --bench check --features check -- --against without
//! $ cargo bench -p sync --bench check -- --against without
//! ```
//!
//! Operations that the checker does not follow stand at the end. What is found for them is what else differs between two builds,
//! such as where the code lies.

use std::cell::Cell;
use std::env;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use sync::extra::RLock;
use sync::park::block_on;
use sync::{Mutex, Queue, RwLock, Semaphore, promise};

/// How often each of the two is run.
const ROUNDS: usize = 20;
/// An operation has so many turns in a round, of which the median counts, ...
const TURNS: usize = 5;
/// ... each as long as this.
const TURN: Duration = Duration::from_millis(10);
const LIMIT: Duration = Duration::from_secs(1);
/// No operation may take longer by more than this.
const MOST_NS: f64 = 2.0;

/// Does something so many times.
type Times = Box<dyn Fn(u64)>;

fn main() -> ExitCode {
    // Cargo says `--bench` where this is to measure, and nothing where it is only to be tried.
    let arguments: Vec<String> = env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let this = env::current_exe().expect("a program");
    match arguments[..] {
        ["--keep", name] => _ = std::fs::copy(&this, this.with_file_name(name)).expect("it is copied"),
        ["--against", name] => return compare(&this.with_file_name(name), &this),
        ["--round"] => operations().iter().for_each(|(name, times)| println!("{} {name}", measure(times))),
        [] => operations().iter().for_each(|(_, times)| times(1)),
        _ => panic!("`--keep NAME` or `--against NAME`, not {arguments:?}"),
    }
    ExitCode::SUCCESS
}

fn operations() -> Vec<(&'static str, Times)> {
    let mut all: Vec<(&'static str, Times)> = Vec::new();
    locks(&mut all);
    permits_and_tasks(&mut all);
    what_is_not_followed(&mut all);
    all
}

/// Lies so that the words of a lock and its value are in one cache line in both builds, and not by chance in one of them: two lines are
/// 2 to 3 ns more. For that, an `RwLock` begins in the middle of a line.
#[repr(align(128))]
struct Aligned<T>(T);

/// See [`Aligned`].
#[repr(C)]
struct Shifted<T>([u64; 4], T);

/// A loop of its own for each operation, of which the compiler knows nothing from outside.
fn times<T: 'static>(subject: T, operation: impl Fn(&T) + 'static) -> Times {
    let subject = Aligned(subject);
    Box::new(move |times| (0..times).for_each(|_| operation(black_box(&subject).inside())))
}

impl<T> Aligned<T> {
    fn inside(&self) -> &T {
        &self.0
    }
}

fn locks(all: &mut Vec<(&'static str, Times)>) {
    let mutex = || Mutex::new(0_u64);
    all.push(("Mutex: lock", times(mutex(), |mutex| *mutex.lock() += 1)));
    all.push(("Mutex: try_lock", times(mutex(), |mutex| _ = mutex.try_lock().map(|mut n| *n += 1))));
    let limited = |mutex: &Mutex<u64>| _ = mutex.lock_timeout(LIMIT).map(|mut n| *n += 1);
    all.push(("Mutex: lock_timeout", times(mutex(), limited)));
    all.push((
        "Mutex: lock_async",
        times(mutex(), |mutex| block_on(async { *mutex.lock_async().await += 1 })),
    ));
    let limited = |mutex: &Mutex<u64>| {
        block_on(async { _ = mutex.lock_async_timeout(LIMIT).await.map(|mut n| *n += 1) });
    };
    all.push(("Mutex: lock_async_timeout", times(mutex(), limited)));

    // A lock of its own for each: one that was only read would be read by way of the bias.
    let lock = || Shifted([0; 4], RwLock::new(0_u64));
    type Shared = Shifted<RwLock<u64>>;
    all.push(("RwLock: read", times(lock(), |Shifted(_, lock)| _ = black_box(*lock.read()))));
    let attempt = |Shifted(_, lock): &Shared| _ = black_box(lock.try_read().map(|n| *n));
    all.push(("RwLock: try_read", times(lock(), attempt)));
    let awaited = |Shifted(_, lock): &Shared| _ = black_box(*block_on(lock.read_async()));
    all.push(("RwLock: read_async", times(lock(), awaited)));
    let upgradable = |Shifted(_, lock): &Shared| _ = black_box(*lock.upgradable_read());
    all.push(("RwLock: upgradable_read", times(lock(), upgradable)));
    all.push(("RwLock: write", times(lock(), |Shifted(_, lock)| *lock.write() += 1)));
    all.push(("RwLock: write, nothing is done", times(lock(), |Shifted(_, lock)| drop(lock.write()))));
    let attempt = |Shifted(_, lock): &Shared| _ = lock.try_write().map(|mut n| *n += 1);
    all.push(("RwLock: try_write", times(lock(), attempt)));
    all.push(("RwLock: write_async", times(lock(), |Shifted(_, lock)| *block_on(lock.write_async()) += 1)));

    let rlock = || RLock::new(Cell::new(0_u64));
    all.push(("RLock: lock", times(rlock(), |lock| _ = lock.lock().replace(1))));
    all.push(("RLock: try_lock", times(rlock(), |lock| _ = lock.try_lock().map(|n| n.replace(1)))));
}

fn permits_and_tasks(all: &mut Vec<(&'static str, Times)>) {
    let semaphore = || Semaphore::new(2);
    all.push(("Semaphore: acquire", times(semaphore(), |two| _ = two.acquire().map(|one| one.count()))));
    all.push((
        "Semaphore: try_acquire",
        times(semaphore(), |two| _ = two.try_acquire().map(|one| one.count())),
    ));
    let awaited = |two: &Semaphore| _ = block_on(two.acquire_async()).map(|one| one.count());
    all.push(("Semaphore: acquire_async", times(semaphore(), awaited)));
    let release = |one: &Semaphore| {
        one.try_acquire().expect("there is one").forget();
        one.release(1);
    };
    all.push(("Semaphore: forget, release", times(semaphore(), release)));

    let run = |()| {
        let (promise, task) = promise();
        promise.run(|| 1);
        task
    };
    all.push(("Task: run, join", times((), move |()| _ = run(()).join())));
    all.push(("Task: run, await", times((), move |()| _ = block_on(run(())))));
}

fn what_is_not_followed(all: &mut Vec<(&'static str, Times)>) {
    let std = std::sync::Mutex::new(0_u64);
    all.push(("not followed: std's Mutex", times(std, |mutex| _ = mutex.lock().map(|mut n| *n += 1))));
    let queue = || Queue::bounded(8);
    let round = |queue: &Queue<u64>| _ = (queue.put(1), black_box(queue.get()));
    all.push(("not followed: Queue, put and get", times(queue(), round)));
    let awaited =
        |queue: &Queue<u64>| _ = block_on(async { (queue.put_async(1).await, queue.get_async().await) });
    all.push(("not followed: Queue, awaited", times(queue(), awaited)));
    all.push(("not followed: block_on", times((), |()| block_on(async { black_box(()) }))));
}

/// Nanoseconds for one.
fn measure(times: &Times) -> f64 {
    let timed = |count| {
        let begin = Instant::now();
        times(count);
        begin.elapsed()
    };
    let mut count = 1_000;
    loop {
        let took = timed(count);
        if took >= TURN / 4 {
            count = (count as f64 * TURN.as_secs_f64() / took.as_secs_f64()) as u64;
            break;
        }
        count *= 2;
    }
    let turns = (0..TURNS).map(|_| timed(count).as_nanos() as f64 / count as f64);
    Quartiles::of(turns.collect()).median
}

/// Runs both in turns and prints how many nanoseconds the second takes more than the first; fails if that is too much.
fn compare(first: &Path, second: &Path) -> ExitCode {
    let programs: [PathBuf; 2] = [first.into(), second.into()];
    let mut rounds: [Vec<Vec<(f64, String)>>; 2] = Default::default();
    for round in 0..ROUNDS {
        // Who comes first changes, too.
        for program in [round % 2, 1 - round % 2] {
            rounds[program].push(run_a_round(&programs[program]));
        }
    }
    println!("{:34} {:>7} {:>7}  {:>7}  (the middle half)", "ns, medians", "first", "second", "more");
    let mut dear = 0;
    for (operation, (_, name)) in rounds[0][0].iter().enumerate() {
        let of = |program: usize| rounds[program].iter().map(move |round| round[operation].0);
        let [first, second] = [0, 1].map(|program| Quartiles::of(of(program).collect()).median);
        let more = Quartiles::of(of(1).zip(of(0)).map(|(second, first)| second - first).collect());
        let Quartiles { lower, median, upper } = more;
        let verdict = if median > MOST_NS { "  too much" } else { "" };
        dear += usize::from(median > MOST_NS);
        println!("{name:34} {first:7.2} {second:7.2}  {median:7.2}  ({lower:.2} to {upper:.2}){verdict}");
    }
    if dear == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_a_round(program: &Path) -> Vec<(f64, String)> {
    let output = Command::new(program).arg("--round").output().expect("it is started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    let line = |line: &str| {
        let (nanos, name) = line.split_once(' ').expect("a number and a name");
        (nanos.parse().expect("a number"), name.to_owned())
    };
    lines.lines().map(line).collect()
}

struct Quartiles {
    lower: f64,
    median: f64,
    upper: f64,
}

impl Quartiles {
    fn of(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let at = |quarters: usize| all[(all.len() - 1) * quarters / 4];
        Quartiles { lower: at(1), median: at(2), upper: at(3) }
    }
}
