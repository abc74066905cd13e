//! Help for models whose units run in other processes.
//!
//! A unit of [`Model`](crate::Model) is a future with whatever it has captured, and that cannot leave its process. What can is a
//! function without captured variables and an argument that can be written down. [`Remote`] is a model of such units;
//! [`Apart`] makes [forms](crate::forms) of it, in which each workload has the same units, the same messages and the same
//! results as in its generic form, put in these terms. The two workloads that only compute need [`Jobs`] alone, and are
//! there for models with other forms of the rest.

use crate::forms::Forms;
use crate::workloads::crash::Failure;
use crate::workloads::{fetch, files, pingpong, pipeline, primes, switch};
use crate::{Capability, Facts, Lost, Stage, blocking};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// What a unit is given.
pub trait Argument: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Argument for T {}

/// A way to run jobs in other processes, which is all that computing work needs.
pub trait Jobs {
    /// A job for each item, at most as many at a time as there are workers; the results in order of the items.
    fn map<A: Argument, T: Argument>(
        &self,
        job: impl Fn(A) -> T + Copy + Send + 'static,
        items: Vec<A>,
    ) -> Vec<T>;
}

/// What a pool's own map answers, for [`Jobs::map`].
///
/// # Panics
/// If one was lost: then the cell has no result.
pub fn all_of<T, E: fmt::Display>(results: impl Iterator<Item = Result<T, E>>) -> Vec<T> {
    results.map(|result| result.unwrap_or_else(|why| panic!("an item was lost: {why}"))).collect()
}

/// A way to run functions in other processes.
pub trait Remote: Jobs + Sized + Send + Sync + 'static {
    /// The handle of a unit. It is only ever joined, never dropped before.
    type Task<T: Argument>: Send;
    /// The sending end of a bounded channel between processes; the channel ends when all of its clones are dropped.
    type Sender: Argument + Clone;
    /// The receiving end.
    type Receiver: Argument;
    /// What units wait for, once. What a model lacks is `()`.
    type Gate: Argument;
    /// What opens a gate when it is dropped.
    type Keeper;

    /// Who this is, and what it cannot do even in these terms.
    fn facts() -> Facts;

    /// Starts what there is to start with `workers` workers.
    ///
    /// # Errors
    /// If the machine refuses; it is reported as a limit.
    fn start(workers: usize) -> io::Result<Self>;

    /// Starts a unit.
    fn spawn<A: Argument, T: Argument>(
        &self,
        unit: impl Fn(A) -> T + Copy + Send + 'static,
        argument: A,
    ) -> Self::Task<T>;

    /// Waits for a unit: its result, or how it was lost.
    ///
    /// # Errors
    /// How it was lost.
    fn join<T: Argument>(task: Self::Task<T>) -> Result<T, Lost>;

    /// A channel that holds at most `capacity` words.
    fn channel(_capacity: usize) -> (Self::Sender, Self::Receiver) {
        lacking("channel")
    }

    /// Waits for room and sends; `false` if the receiver is gone.
    fn send(_sender: &mut Self::Sender, _word: u64) -> bool {
        lacking("channel")
    }

    /// Waits for a word; `None` once the senders are gone and the channel is empty.
    fn receive(_receiver: &mut Self::Receiver) -> Option<u64> {
        lacking("channel")
    }

    /// A closed gate and what opens it.
    fn gate() -> (Self::Keeper, Self::Gate) {
        lacking("gate")
    }

    /// The same gate once more, for another unit.
    fn share(_gate: &Self::Gate) -> Self::Gate {
        lacking("gate")
    }

    /// Waits until the gate is open.
    fn wait(_gate: &Self::Gate) {
        lacking("gate")
    }
}

/// What a model does when it is asked for something that [`Facts::cannot`] should have named.
fn lacking(what: &str) -> ! {
    panic!("the model has no {what} of its own: implement it, or name it in `cannot`")
}

/// The forms of a remote model: `kit::main!(OwnForms<Apart<MyModel>>)`.
#[derive(Debug)]
pub struct Apart<R>(R);

impl<R: Remote> Forms for Apart<R> {
    fn facts() -> Facts {
        const CANNOT: &str = "a future cannot leave its process";
        let facts = R::facts();
        // What it cannot do at all comes first; all else has a form of its own.
        let mut cannot = facts.cannot.to_vec();
        let all =
            [Capability::Spawn, Capability::Switch, Capability::Channel, Capability::Gate, Capability::Map];
        cannot.extend(all.map(|capability| (capability, CANNOT)));
        let can =
            |needs: &[Capability]| needs.iter().all(|need| facts.cannot.iter().all(|(lack, _)| lack != need));
        let own = FORMS.iter().filter(|(_, needs)| can(needs)).map(|(name, _)| *name);
        // Asked for a few times in a program's life.
        Facts { cannot: cannot.leak(), own_forms: own.collect::<Vec<_>>().leak(), ..facts }
    }

    fn start(workers: usize) -> io::Result<Self> {
        R::start(workers).map(Apart)
    }

    fn form(&self, workload: &str, stage: &Stage) -> Vec<u64> {
        match workload {
            "spawn" => spawn(&self.0, stage),
            "switch" => switch(&self.0, stage),
            "pingpong" => pingpong(&self.0, stage),
            "pipeline" => pipeline(&self.0, stage),
            "primes" => primes(&self.0, stage),
            "files" => files(&self.0, stage),
            "fetch" => fetch(&self.0, stage),
            "sleepers" => sleepers(&self.0, stage),
            "crash" => crash(&self.0, stage),
            other => panic!("there is no form of `{other}` for units in other processes"),
        }
    }
}

/// The workloads that are written below, and what each needs.
const FORMS: &[(&str, &[Capability])] = &[
    ("spawn", &[Capability::Spawn]),
    ("switch", &[Capability::Spawn, Capability::Switch]),
    ("pingpong", &[Capability::Spawn, Capability::Channel]),
    ("pipeline", &[Capability::Spawn, Capability::Channel]),
    ("primes", &[Capability::Map]),
    ("files", &[Capability::Map]),
    ("fetch", &[Capability::Spawn, Capability::Net]),
    ("sleepers", &[Capability::Spawn, Capability::Gate]),
    ("crash", &[Capability::Spawn]),
];

fn spawn<R: Remote>(model: &R, stage: &Stage) -> Vec<u64> {
    let salt = stage.input.salt;
    let tasks = (0..stage.n).map(|i| model.spawn(|(salt, i): (u64, u64)| salt + i, (salt, i))).collect();
    join_all::<R, u64>(tasks)
}

fn switch<R: Remote>(model: &R, stage: &Stage) -> Vec<u64> {
    let salt = stage.input.salt;
    let unit = |(salt, i): (u64, u64)| {
        (0..switch::YIELDS).fold(salt + i, |sum, step| {
            std::thread::yield_now();
            switch::after_step(sum, salt, step)
        })
    };
    let tasks = (0..stage.n).map(|i| model.spawn(unit, (salt, i))).collect();
    join_all::<R, u64>(tasks)
}

fn pingpong<R: Remote>(model: &R, stage: &Stage) -> Vec<u64> {
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for pair in 0..stage.n {
        let (questions_in, questions) = R::channel(1);
        let (answers_in, answers) = R::channel(1);
        servers.push(model.spawn(serve::<R>, (questions, answers_in)));
        clients.push(model.spawn(ask::<R>, (stage.input.salt + pair, questions_in, answers)));
    }
    let results = join_all::<R, u64>(clients);
    let served = join_all::<R, u64>(servers);
    assert!(
        served.iter().all(|&count| count == pingpong::ROUND_TRIPS),
        "a server answered {served:?} questions"
    );
    results
}

fn ask<R: Remote>((first, mut questions, mut answers): (u64, R::Sender, R::Receiver)) -> u64 {
    let (mut question, mut answer) = (first, 0);
    for _ in 0..pingpong::ROUND_TRIPS {
        assert!(R::send(&mut questions, question), "the server left before the question {question}");
        answer = R::receive(&mut answers).expect("the server answers every question");
        assert_eq!(answer, question + 1, "the server answered something else");
        question = answer + 1;
    }
    answer
}

fn serve<R: Remote>((mut questions, mut answers): (R::Receiver, R::Sender)) -> u64 {
    let mut served = 0;
    while let Some(question) = R::receive(&mut questions) {
        assert!(R::send(&mut answers, question + 1), "the client left before the answer to {question}");
        served += 1;
    }
    served
}

fn pipeline<R: Remote>(model: &R, stage: &Stage) -> Vec<u64> {
    let (salt, n) = (stage.input.salt, stage.n);
    let (first, mut items) = R::channel(pipeline::CAPACITY);
    let mut tasks = vec![model.spawn(source::<R>, (salt, n, first))];
    for place in 1..=pipeline::STAGES {
        let (next, arriving) = R::channel(pipeline::CAPACITY);
        tasks.push(model.spawn(work::<R>, (place, salt, items, next)));
        items = arriving;
    }
    // The root of the iteration is the sink, as in the generic form.
    let mut results = Vec::with_capacity(usize::try_from(n).expect("a number of items fits"));
    while let Some(item) = R::receive(&mut items) {
        results.push(item);
    }
    let passed = join_all::<R, u64>(tasks);
    assert!(passed.iter().all(|&count| count == n), "stages passed on {passed:?} of {n} items");
    results
}

fn source<R: Remote>((salt, n, mut first): (u64, u64, R::Sender)) -> u64 {
    for i in 0..n {
        assert!(R::send(&mut first, pipeline::item(salt, i)), "the first stage left before item {i}");
    }
    n
}

fn work<R: Remote>((place, salt, mut items, mut next): (u64, u64, R::Receiver, R::Sender)) -> u64 {
    let mut passed = 0;
    while let Some(item) = R::receive(&mut items) {
        let made = pipeline::after_stage(item, place, salt);
        assert!(R::send(&mut next, made), "stage {place} has nobody to pass item {passed} to");
        passed += 1;
    }
    passed
}

/// The workload `primes`, a job for each number.
pub fn primes(model: &impl Jobs, stage: &Stage) -> Vec<u64> {
    let items = stage.input.numbers.iter().map(|&number| (stage.input.salt, number)).collect();
    model.map(|(salt, number): (u64, u64)| salt * 2 + u64::from(primes::is_prime(number)), items)
}

/// The workload `files`, a job for the walk and one for each file.
pub fn files(model: &impl Jobs, stage: &Stage) -> Vec<u64> {
    let walk = |(dir, bytes): (PathBuf, u64)| files::walk(&dir, bytes);
    let dir = PathBuf::from(&stage.input.texts[0]);
    let found = model.map(walk, vec![(dir, stage.n * files::MIB)]).pop().expect("one walk gives one list");
    let items = found.into_iter().map(|file| (stage.input.salt, file)).collect();
    model.map(|(salt, file): (u64, PathBuf)| files::digest_file(salt, Path::new(&file)), items)
}

fn fetch<R: Remote>(model: &R, stage: &Stage) -> Vec<u64> {
    let address: SocketAddr = stage.input.texts[0].parse().expect("the oracle has checked the address");
    let salt = stage.input.salt;
    let unit = |(salt, address, target): (u64, SocketAddr, String)| match blocking::exchange(
        address,
        &fetch::request(address, &target),
    ) {
        Ok(answer) => fetch::result_of(salt, &answer),
        Err(error) => panic!("cannot ask {address}: {error}"),
    };
    let start = |target: &String| model.spawn(unit, (salt, address, target.clone()));
    join_all::<R, u64>(stage.input.texts[1..].iter().map(start).collect())
}

fn sleepers<R: Remote>(model: &R, stage: &Stage) -> Vec<u64> {
    let (salt, n) = (stage.input.salt, stage.n);
    let (arrive, mut arrived) = R::channel(1);
    let (keeper, gate) = R::gate();
    stage.hold("base");
    let unit = |(result, mut arrive, gate): (u64, R::Sender, R::Gate)| {
        assert!(R::send(&mut arrive, result), "nobody counts the units in");
        drop(arrive);
        R::wait(&gate);
        result
    };
    let tasks = (0..n).map(|i| model.spawn(unit, (salt + i, arrive.clone(), R::share(&gate)))).collect();
    drop(arrive);
    for i in 0..n {
        R::receive(&mut arrived).unwrap_or_else(|| panic!("only {i} of {n} units came"));
    }
    stage.hold("waiting");
    drop(keeper);
    join_all::<R, u64>(tasks)
}

fn crash<R: Remote>(model: &R, stage: &Stage) -> Vec<u64> {
    let (salt, victim) = (stage.input.salt, stage.input.numbers[0]);
    let unit = |(scale, result, fails): (String, u64, bool)| {
        if fails {
            Failure::named(&scale).happen();
        }
        result
    };
    stage.danger();
    let start = |i: u64| model.spawn(unit, (stage.scale.clone(), salt + i, i == victim));
    let tasks: Vec<_> = (0..stage.n).map(start).collect();
    let joined: Vec<_> = tasks.into_iter().map(R::join).collect();
    let last = R::join(model.spawn(unit, (stage.scale.clone(), salt + 8, false)));
    stage.survived(&joined, last == Ok(salt + 8))
}

/// Waits for units in order. Workloads that lose no unit on purpose use this.
fn join_all<R: Remote, T: Argument>(tasks: Vec<R::Task<T>>) -> Vec<T> {
    let join = |(i, task)| match R::join(task) {
        Ok(result) => result,
        Err(lost) => panic!("unit {i} was {lost}"),
    };
    tasks.into_iter().enumerate().map(join).collect()
}
