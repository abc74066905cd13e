//! The same locks, signals, queues and channels, used at once by threads, by greenlets, and by tasks of tokio, smol and
//! async-std.
//!
//! Who does what is drawn by a seed, which is printed: `TREFOIL_SEED=.. cargo test -p tests --test everywhere` draws the
//! same again. In which order it happens is the machine's affair. `TREFOIL_FULL=1` lets them do it three hundred times.

#![forbid(unsafe_code)]

mod channels;
mod greenlets;
mod rare;
mod rest;
mod results;
mod world;

use channels::{Ends, begin_relay, end_relay, read_letters, read_letters_async, relay, relay_async};
use greenlets::on_greenlets;
use rare::{Rare, Sums};
use rest::Rest;
use results::Results;
use std::env;
use std::sync::Arc;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use sync::Mutex;
use sync::extra::Owner;
use sync::queue::spsc;
use world::{LONG, Share, World};

/// Of each kind.
const PARTICIPANTS: u64 = 2;
const KINDS: u64 = 5;

#[test]
fn threads_greenlets_and_tasks_of_three_runtimes_share_everything() {
    let seed = env::var("TREFOIL_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that has been set");
        u64::from(now.subsec_nanos())
    });
    let times = if env::var_os("TREFOIL_FULL").is_some_and(|full| full == "1") { 300 } else { 3 };
    for seed in (0..times).map(|time| seed.wrapping_add(time)) {
        println!("TREFOIL_SEED={seed}");
        share_everything(seed);
    }
}

fn share_everything(seed: u64) {
    let world = Arc::new(World::new((KINDS * PARTICIPANTS) as usize));
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (mut threads, mut tokios, mut smols, mut async_stds) = (vec![], vec![], vec![], vec![]);
    let mut green: Vec<Box<dyn FnOnce() -> Share + Send>> = vec![];

    let (ends, mut boxes) = Ends::new(3);
    for number in 0..PARTICIPANTS {
        let seed_of = |kind: u64| seed ^ (kind << 32 | (number + 1));
        let blocking = |seed| {
            let (world, ends) = (Arc::clone(&world), ends.clone());
            move || world.take_part(seed, ends)
        };
        let awaited = |seed| {
            let (world, ends) = (Arc::clone(&world), ends.clone());
            Owner::new().task(async move { world.take_part_async(seed, ends).await })
        };
        threads.push(thread::spawn(blocking(seed_of(1))));
        tokios.push(tokio.spawn(awaited(seed_of(2))));
        smols.push(smol::spawn(awaited(seed_of(3))));
        async_stds.push(async_std::task::spawn(awaited(seed_of(4))));
        green.push(Box::new(blocking(seed_of(5))));
    }
    let mut letters = || boxes.pop().expect("a box for each kind that reads letters");
    let mine = letters();
    threads.push(thread::spawn(move || read_letters(mine)));
    tokios.push(tokio.spawn(read_letters_async(letters())));
    let mine = letters();
    green.push(Box::new(move || read_letters(mine)));

    // From a thread by a greenlet, and tasks of tokio, smol and async-std, to another thread.
    let (first, from_first) = spsc::bounded(1);
    let (second, from_second) = spsc::bounded(2);
    let (third, from_third) = spsc::unbounded();
    let (fourth, from_fourth) = spsc::bounded(16);
    let (last, from_last) = spsc::bounded(3);
    threads.push(thread::spawn(move || begin_relay(first)));
    green.push(Box::new(move || relay(from_first, second)));
    tokios.push(tokio.spawn(relay_async(from_second, third)));
    smols.push(smol::spawn(relay_async(from_third, fourth)));
    async_stds.push(async_std::task::spawn(relay_async(from_fourth, last)));
    threads.push(thread::spawn(move || end_relay(from_last)));

    let green = thread::spawn(move || on_greenlets(green.into_iter()));
    // Who reads letters ends when nobody can write any.
    let board = ends.into_board();
    world.begin();

    let mut shares = Vec::new();
    shares.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    shares.extend(tokios.into_iter().map(|task| tokio.block_on(task).unwrap()));
    shares.extend(smols.into_iter().map(smol::block_on));
    shares.extend(async_stds.into_iter().map(async_std::task::block_on));
    shares.extend(green.join().unwrap());
    let (readers, links) = (3, 6);
    assert_eq!(shares.len() as u64, KINDS * PARTICIPANTS + readers + links);
    world.check(
        *board.borrow(),
        KINDS * PARTICIPANTS,
        &shares.into_iter().fold(Share::default(), Share::add),
    );
}

#[test]
fn threads_greenlets_and_tasks_of_three_runtimes_share_what_is_rare() {
    let everybody = KINDS * PARTICIPANTS;
    let rare = Arc::new(Rare::new(everybody as usize));
    // Nobody may publish before all have subscribed.
    let news = Mutex::new((0..everybody).map(|_| rare.subscribe()).collect::<Vec<_>>());
    let mine = || (Arc::clone(&rare), news.lock().pop().expect("one for each"));
    let sums = by_all_kinds(
        || {
            let (rare, news) = mine();
            move || rare.take_part(news)
        },
        || {
            let (rare, news) = mine();
            async move { rare.take_part_async(news).await }
        },
        || rare.end(),
    );
    rare.check(everybody, &sums.into_iter().fold(Sums::default(), Sums::add));
}

#[test]
fn threads_greenlets_and_tasks_of_three_runtimes_share_guards_and_results() {
    let all = Arc::new(Results::new());
    let sums = by_all_kinds(
        || {
            let all = Arc::clone(&all);
            move || all.take_part()
        },
        || {
            let all = Arc::clone(&all);
            async move { all.take_part_async().await }
        },
        || (),
    );
    all.check(KINDS * PARTICIPANTS, sums.into_iter().fold([0; 2], results::add));
}

#[test]
fn threads_greenlets_and_tasks_of_three_runtimes_share_the_rest() {
    let rest = Arc::new(Rest::new(KINDS * PARTICIPANTS));
    let sums = by_all_kinds(
        || {
            let rest = Arc::clone(&rest);
            move || rest.take_part()
        },
        || {
            let rest = Arc::clone(&rest);
            async move { rest.take_part_async().await }
        },
        || rest.end(),
    );
    rest.check(&sums.into_iter().fold(rest::Sums::default(), rest::Sums::add));
}

/// What each participant of each kind gives.
fn by_all_kinds<R, B, A>(
    blocking: impl Fn() -> B,
    awaited: impl Fn() -> A,
    meanwhile: impl FnOnce(),
) -> Vec<R>
where
    R: Send + 'static,
    B: FnOnce() -> R + Send + 'static,
    A: Future<Output = R> + Send + 'static,
{
    let began = Instant::now();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let (mut threads, mut tokios, mut smols, mut async_stds) = (vec![], vec![], vec![], vec![]);
    let mut green = vec![];
    for _ in 0..PARTICIPANTS {
        threads.push(thread::spawn(blocking()));
        green.push(blocking());
        tokios.push(tokio.spawn(awaited()));
        smols.push(smol::spawn(awaited()));
        async_stds.push(async_std::task::spawn(awaited()));
    }
    let green = thread::spawn(move || on_greenlets(green.into_iter()));
    meanwhile();

    let mut results = Vec::new();
    results.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    results.extend(tokios.into_iter().map(|task| tokio.block_on(task).unwrap()));
    results.extend(smols.into_iter().map(smol::block_on));
    results.extend(async_stds.into_iter().map(async_std::task::block_on));
    results.extend(green.join().unwrap());
    assert_eq!(results.len() as u64, KINDS * PARTICIPANTS);
    // Whoever is never told looks once more at his limit, and may be right.
    assert!(began.elapsed() < LONG, "a wake-up is lost: somebody has waited until his limit");
    results
}
