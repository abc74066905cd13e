//! Queues where only one thread can run at a time: whoever waits awake keeps the other from what he waits for.

#![cfg(all(target_os = "linux", not(miri)))]
#![expect(unsafe_code, reason = "binding threads to a CPU is a system call")]

use std::mem;
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::queue::{GetError, Queue, mpsc, spsc};

const ITEMS: u64 = 20_000;

/// Binds the program's first thread, by which a queue knows how many CPUs there are, and this one, of which those that
/// it starts inherit it, to one CPU.
fn on_one_cpu() {
    // SAFETY: the call touches no memory.
    let first = unsafe { libc::getpid() };
    // SAFETY: the call touches no memory.
    let cpu = usize::try_from(unsafe { libc::sched_getcpu() }).expect("the CPU that this runs on");
    // SAFETY: a set of CPUs is plain numbers, for which zero is a value.
    let mut one: libc::cpu_set_t = unsafe { mem::zeroed() };
    // SAFETY: a number beyond the set's size is left out, and the call below then fails.
    unsafe { libc::CPU_SET(cpu, &mut one) };
    for thread in [first, 0] {
        // SAFETY: the set is as large as said, and only read.
        let answer = unsafe { libc::sched_setaffinity(thread, mem::size_of_val(&one), &one) };
        assert_eq!(answer, 0, "cannot bind to CPU {cpu}: {}", std::io::Error::last_os_error());
    }
    assert_eq!(thread::available_parallelism().map(usize::from).ok(), Some(1));
}

// One test, for the first thread is bound by all of them.
#[test]
fn all_items_pass_on_one_cpu() {
    on_one_cpu();
    for capacity in [2, 1024] {
        many_to_many(&Queue::bounded(capacity));
        many_to_one(capacity);
        one_to_one(capacity);
        a_crowd_that_the_end_finds_waiting(&Queue::bounded(capacity));
    }
    a_lone_sender_waits_awake_for_a_receiver_that_takes_one_at_a_time();
}

fn many_to_many(queue: &Queue<u64>) {
    let sum: u64 = thread::scope(|scope| {
        let taking = [
            scope.spawn(|| queue.iter().sum::<u64>()),
            scope.spawn(|| {
                block_on(async {
                    let mut sum = 0;
                    while let Ok(item) = queue.get_async().await {
                        sum += item;
                    }
                    sum
                })
            }),
        ];
        let putting =
            [(); 2].map(|()| scope.spawn(|| (0..ITEMS / 2).for_each(|item| queue.put(item).unwrap())));
        putting.into_iter().for_each(|it| it.join().unwrap());
        queue.close();
        taking.into_iter().map(|it| it.join().unwrap()).sum()
    });
    assert_eq!(sum, (0..ITEMS / 2).sum::<u64>() * 2);
}

fn many_to_one(capacity: usize) {
    let (sender, mut receiver) = mpsc::bounded(capacity);
    let sum: u64 = thread::scope(|scope| {
        for sender in [sender.clone(), sender] {
            scope.spawn(move || (0..ITEMS / 2).for_each(|item| sender.put(item).unwrap()));
        }
        receiver.iter().sum()
    });
    assert_eq!(sum, (0..ITEMS / 2).sum::<u64>() * 2);
}

fn one_to_one(capacity: usize) {
    let (mut sender, mut receiver) = spsc::bounded(capacity);
    thread::scope(|scope| {
        scope.spawn(move || (0..ITEMS).for_each(|item| sender.put(item).unwrap()));
        assert!(receiver.iter().eq(0..ITEMS), "items came in another order, or not at all");
    });
}

/// Most of the turns of each are for nothing, so that they nap; and some do so when the queue is closed.
fn a_crowd_that_the_end_finds_waiting(queue: &Queue<u64>) {
    const CROWD: usize = 8;
    let put_until_the_end = || (0..).take_while(|item| queue.put(*item).is_ok()).sum::<u64>();
    thread::scope(|scope| {
        let putting = [(); CROWD].map(|()| scope.spawn(put_until_the_end));
        let taken: u64 = queue.iter().take(2 * usize::try_from(ITEMS).unwrap()).sum();
        queue.close();
        let left: u64 = queue.iter().sum();
        let put: u64 = putting.into_iter().map(|it| it.join().unwrap()).sum();
        assert_eq!(taken + left, put);
    });
}

/// Nobody else takes the room that he is left, so there is nobody to leave the CPU to.
fn a_lone_sender_waits_awake_for_a_receiver_that_takes_one_at_a_time() {
    const ITEMS: u64 = 1_600;
    const CAPACITY: usize = 16;
    let most = i64::try_from(ITEMS).unwrap() / CAPACITY as i64 / 4;
    let begin = Instant::now();
    // Beside somebody with work of his own he does sleep: on a busy machine it may take some attempts.
    while sleeps_of_a_lone_sender(ITEMS, CAPACITY) > most {
        assert!(begin.elapsed() < Duration::from_secs(60), "he sleeps once for each {} items", 4 * CAPACITY);
    }
}

fn sleeps_of_a_lone_sender(items: u64, capacity: usize) -> i64 {
    let (sender, mut receiver) = mpsc::bounded(capacity);
    thread::scope(|scope| {
        let sending = scope.spawn(move || {
            let before = sleeps_of_this_thread();
            (0..items).for_each(|item| sender.put(item).unwrap());
            sleeps_of_this_thread() - before
        });
        let got = std::iter::from_fn(|| {
            let got = receiver.try_get();
            thread::yield_now();
            (got != Err(GetError::Closed)).then_some(got)
        });
        assert!(got.filter_map(Result::ok).eq(0..items));
        sending.join().unwrap()
    })
}

fn sleeps_of_this_thread() -> i64 {
    // SAFETY: a use of resources is plain numbers, for which zero is a value.
    let mut usage: libc::rusage = unsafe { mem::zeroed() };
    // SAFETY: the kernel writes one of these.
    assert_eq!(unsafe { libc::getrusage(libc::RUSAGE_THREAD, &mut usage) }, 0);
    usage.ru_nvcsw
}
