//! The coroutines of this project's own `coro`, on one thread.
//!
//! The idioms are those of its README: `Coroutine` for units that suspend themselves, `Greenlet` for two that switch to
//! each other, `Generator` for a line of stages. There is no event loop in `coro` yet, so nothing that waits for a socket.

#![forbid(unsafe_code)]

use coro::{Builder, Coroutine, Generator, Greenlet, Step};
use kit::forms::{Forms, OwnForms};
use kit::protocol::Uses;
use kit::workloads::crash::Failure;
use kit::workloads::{files, pingpong, pipeline, primes, switch};
use kit::{Capability, Facts, Lost, Stage, unwind};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

struct Coro;

/// A unit that is resumed without a value, yields none, and returns its result.
type Unit = Coroutine<(), (), u64>;

const STAYS: &str = "a coroutine stays on its thread";

impl Forms for Coro {
    fn facts() -> Facts {
        Facts {
            name: "coro",
            version: kit::version!("coro"),
            about: "coroutines, greenlets and generators of this project's `coro`, on one thread",
            uses: Uses::OneThread { helpers: 0 },
            cannot: &[
                (Capability::Net, "coro has no event loop yet, which would wait for sockets"),
                (Capability::Spawn, STAYS),
                (Capability::Switch, STAYS),
                (Capability::Channel, STAYS),
                (Capability::Gate, STAYS),
                (Capability::Map, STAYS),
            ],
            most_units: Some((
                30_000,
                "a stack with a guard page takes two memory mappings, of which vm.max_map_count allows 65,530 by default",
            )),
            own_forms: &["spawn", "switch", "pingpong", "pipeline", "primes", "files", "sleepers", "crash"],
            ..Facts::default()
        }
    }

    fn start(_workers: usize) -> io::Result<Self> {
        Ok(Coro)
    }

    fn form(&self, workload: &str, stage: &Stage) -> Vec<u64> {
        let (salt, n) = (stage.input.salt, stage.n);
        match workload {
            "spawn" => spawn(salt, n),
            "switch" => take_turns(salt, n),
            "pingpong" => (0..n).map(|pair| play(salt + pair)).collect(),
            "pipeline" => line(salt, n).collect(),
            "primes" => primes(salt, &stage.input.numbers),
            "files" => read(salt, n, Path::new(&stage.input.texts[0])),
            "sleepers" => sleep(stage),
            "crash" => crash(stage),
            other => panic!("coro has no form of `{other}`"),
        }
    }
}

fn spawn(salt: u64, n: u64) -> Vec<u64> {
    let units: Vec<Unit> = (0..n).map(|i| unit(move || salt + i)).collect();
    units.into_iter().map(finish).collect()
}

/// All units in turn, one step each, until the last has ended.
fn take_turns(salt: u64, n: u64) -> Vec<u64> {
    let start = |i: u64| {
        begin(move |y, ()| {
            (0..switch::YIELDS).fold(salt + i, |sum, step| {
                y.yield_(());
                switch::after_step(sum, salt, step)
            })
        })
    };
    let mut units: Vec<Unit> = (0..n).map(start).collect();
    let mut results = Vec::with_capacity(units.len());
    while results.len() < units.len() {
        results.clear();
        results.extend(units.iter_mut().filter_map(|unit| resume(unit).returned()));
    }
    results
}

/// A client and a server that switch to each other; the server is the client's child.
fn play(first: u64) -> u64 {
    let client = Greenlet::new(|first: u64| {
        let server = Greenlet::new(|first: u64| {
            let client = Greenlet::current().parent().expect("it was made by the client");
            let mut question = first;
            loop {
                question = client.switch(question + 1);
            }
        });
        let (mut question, mut answer) = (first, 0);
        for _ in 0..pingpong::ROUND_TRIPS {
            answer = server.switch(question);
            assert_eq!(answer, question + 1, "the server answered something else");
            question = answer + 1;
        }
        answer
    });
    client.switch(first)
}

/// The source and the stages, each a generator that takes from the one before it.
fn line(salt: u64, n: u64) -> Generator<u64> {
    let source = generator(move |give| (0..n).for_each(|i| give(pipeline::item(salt, i))));
    (1..=pipeline::STAGES).fold(source, |before, stage| {
        generator(move |give| before.for_each(|item| give(pipeline::after_stage(item, stage, salt))))
    })
}

fn primes(salt: u64, numbers: &[u64]) -> Vec<u64> {
    let start = |&number: &u64| unit(move || salt * 2 + u64::from(primes::is_prime(number)));
    let units: Vec<Unit> = numbers.iter().map(start).collect();
    units.into_iter().map(finish).collect()
}

fn read(salt: u64, n: u64, dir: &Path) -> Vec<u64> {
    // One after the other: what computes never suspends itself, so a second stack would only wait for the first.
    let digest = |file: std::path::PathBuf| finish(unit(move || files::digest_file(salt, &file)));
    files::walk(dir, n * files::MIB).into_iter().map(digest).collect()
}

fn sleep(stage: &Stage) -> Vec<u64> {
    let salt = stage.input.salt;
    stage.hold("base");
    let start = |i: u64| {
        let mut unit = begin(move |y, ()| {
            y.yield_(());
            salt + i
        });
        assert_eq!(resume(&mut unit), Step::Yielded(()), "unit {i} did not wait");
        unit
    };
    let units: Vec<Unit> = (0..stage.n).map(start).collect();
    stage.hold("waiting");
    units.into_iter().map(finish).collect()
}

fn crash(stage: &Stage) -> Vec<u64> {
    let (salt, victim) = (stage.input.salt, stage.input.numbers[0]);
    let failure = Failure::named(&stage.scale);
    let start = |i: u64| {
        unit(move || {
            if i == victim {
                failure.happen();
            }
            salt + i
        })
    };
    stage.danger();
    let units: Vec<Unit> = (0..stage.n).map(start).collect();
    let join =
        |unit| catch_unwind(AssertUnwindSafe(|| finish(unit))).map_err(|payload| unwind::lost(&*payload));
    let joined: Vec<Result<u64, Lost>> = units.into_iter().map(join).collect();
    let works_on = finish(unit(move || salt + 8)) == salt + 8;
    stage.survived(&joined, works_on)
}

fn unit(work: impl FnOnce() -> u64 + 'static) -> Unit {
    begin(move |_, ()| work())
}

fn begin(body: impl FnOnce(&coro::Yielder<(), ()>, ()) -> u64 + 'static) -> Unit {
    Builder::new().coroutine(body).unwrap_or_else(|error| limit(&error))
}

fn generator(body: impl FnOnce(&dyn Fn(u64)) + 'static) -> Generator<u64> {
    Builder::new().generator(|y| body(&|item| y.yield_(item))).unwrap_or_else(|error| limit(&error))
}

fn limit(error: &io::Error) -> ! {
    kit::limit(format!("no more stacks: {error}; raise vm.max_map_count"))
}

fn resume(unit: &mut Unit) -> Step<(), u64> {
    unit.resume(()).expect("a unit that has ended is not resumed")
}

fn finish(mut unit: Unit) -> u64 {
    resume(&mut unit).returned().expect("a unit that is finished does not yield")
}

kit::main!(OwnForms<Coro>);
