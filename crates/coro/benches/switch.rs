//! What a switch and a creation cost, beside the bare switch that this crate stands on.

use coro::{Coroutine, Generator, Greenlet, Step, Yielder};
use corosensei::stack::DefaultStack;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

/// One resume and the suspension that ends it: two switches.
fn resume(c: &mut Criterion) {
    let mut group = c.benchmark_group("resume and suspend");
    group.bench_function("corosensei", |b| {
        let mut bare = corosensei::Coroutine::<usize, usize, ()>::new(|y, first| {
            let mut n = first;
            loop {
                n = y.suspend(n);
            }
        });
        b.iter(|| bare.resume(black_box(1)).as_yield());
        // SAFETY: nothing on its stack has a destructor.
        unsafe { bare.force_reset() };
    });
    group.bench_function("Coroutine", |b| {
        let mut echo = Coroutine::<usize, usize, ()>::new(|y, first| {
            let mut n = first;
            loop {
                n = y.yield_(n);
            }
        });
        b.iter(|| echo.resume(black_box(1)));
    });
    group.bench_function("Generator", |b| {
        let mut numbers = Generator::<usize>::new(count_up);
        b.iter(|| numbers.next());
    });
    group.bench_function("Generator, through one more by yield_from", |b| {
        let mut numbers = Generator::<usize>::new(|y| {
            y.yield_from(&mut Generator::new(count_up));
        });
        b.iter(|| numbers.next());
    });
    group.finish();
}

fn count_up(y: &Yielder<usize, ()>) {
    for n in 0.. {
        y.yield_(n);
    }
}

fn create(c: &mut Criterion) {
    let mut group = c.benchmark_group("create, run to the end, drop");
    group.bench_function("corosensei, fresh stack", |b| {
        b.iter(|| {
            let stack = DefaultStack::new(64 << 10).expect("there is memory");
            corosensei::Coroutine::<usize, (), usize, _>::with_stack(stack, |_, n| n)
                .resume(black_box(1))
                .as_return()
        });
    });
    group.bench_function("corosensei, the same stack", |b| {
        let mut kept = Some(DefaultStack::new(64 << 10).expect("there is memory"));
        b.iter(|| {
            let stack = kept.take().expect("it was put back");
            let mut bare = corosensei::Coroutine::<usize, (), usize, _>::with_stack(stack, |_, n| n);
            let result = bare.resume(black_box(1)).as_return();
            kept = Some(bare.into_stack());
            result
        });
    });
    group.bench_function("Coroutine", |b| {
        b.iter(|| Coroutine::<usize, (), usize>::new(|_, n| n).resume(black_box(1)).map(Step::returned));
    });
    group.bench_function("Generator, dropped at its first yield", |b| {
        b.iter(|| Generator::<usize>::new(|y| y.yield_(black_box(1))).next());
    });
    group.bench_function("Greenlet", |b| {
        b.iter(|| Greenlet::new(|n: usize| n).switch(black_box(1)));
    });
    group.finish();
}

/// From one greenlet to another, which takes a suspension and a resumption.
fn hand_over(c: &mut Criterion) {
    let mut group = c.benchmark_group("hand-over from greenlet to greenlet");
    group.bench_function("Greenlet", |b| {
        let root = Greenlet::<usize>::current();
        // `ping` makes `pong`, hands over as often as it is told, and answers the root.
        let ping = Greenlet::new(move |first| {
            let me = Greenlet::current();
            let pong = Greenlet::new(move |first| {
                let mut n = first;
                loop {
                    n = me.switch(n);
                }
            });
            let mut rounds = first;
            loop {
                for n in 0..rounds {
                    black_box(pong.switch(n));
                }
                rounds = root.switch(0);
            }
        });
        b.iter_custom(|hand_overs| {
            let start = std::time::Instant::now();
            ping.switch(usize::try_from(hand_overs.div_ceil(2)).unwrap_or(usize::MAX));
            start.elapsed()
        });
        // `pong` holds `ping` and is held by its stack.
        assert!(ping.throw(coro::Exit).is_err());
    });
    group.finish();
}

criterion_group!(benches, resume, create, hand_over);
criterion_main!(benches);
