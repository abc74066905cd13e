//! Programs that hang, lose or starve with others: each is the shortest form of a report, which is named.

mod common;

use common::{ByHand, LONG};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use sync::park::block_on;
use sync::queue::GetError;
use sync::{Mutex, Queue, RwLock, Semaphore, select_async};

/// Oxide's RFD 609, "futurelock": a task borrows a future that waits for a lock, something else comes first, and in that body
/// the task waits for the same lock, which was handed to the borrowed future that nobody polls. Here it was only told.
///
/// Only told, the future has a millisecond to come; then it is passed over by whoever comes by. Where nobody does, because all
/// who wait are futures, the task still waits for ever: the README says so under what is not there yet.
#[test]
fn a_task_that_waits_for_a_lock_that_its_own_future_was_told_of() {
    let (mutex, over) = (Mutex::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        let guard = mutex.lock();
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                drop(mutex.lock());
                thread::yield_now();
            }
        });
        block_on(async {
            let mut borrowed = pin!(async { *mutex.lock_async().await += 1 });
            select_async! {
                () = &mut borrowed => unreachable!("the lock is held"),
                default => (),
            }
            drop(guard);
            *mutex.lock_async_timeout(LONG).await.expect("nobody passes over the one who does not come") +=
                10;
            borrowed.await;
        });
        over.store(true, Ordering::Relaxed);
    });
    assert_eq!(mutex.into_inner(), 11);
}

/// async-lock#91, `Mutex` and `RwLock` hang: two futures of one task wait, the lock is released, and the task awaits the one
/// that came second. The other lives on, and is not polled. The second gets the lock when it looks a millisecond later, or
/// when somebody else comes by; what makes it look is in the README under what is not there yet.
#[test]
fn of_two_futures_of_a_task_the_second_is_awaited() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let first = ByHand::waiting(mutex.lock_async());
    let mut second = ByHand::waiting(mutex.lock_async());
    drop(guard);
    assert!(first.is_told() && !second.is_told());
    while !second.is_told() {
        drop(mutex.lock_timeout(LONG).unwrap());
    }
    assert!(second.poll().is_some());
    drop(first);
    assert!(mutex.try_lock().is_some());
}

/// The same, where the first is dropped, as an arm by value of a `select!` is.
#[test]
fn of_two_futures_of_a_task_the_second_is_awaited_and_the_first_is_gone() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let first = ByHand::waiting(mutex.lock_async());
    let mut second = ByHand::waiting(mutex.lock_async());
    drop(guard);
    drop(first);
    assert!(second.is_told() && second.poll().is_some());
}

/// kanal#50 (and #24): an item that was on its way to the arm of a `select!` that lost is gone.
#[test]
fn items_of_the_arms_that_lost() {
    const ITEMS: u32 = 500;
    let queues = [Queue::bounded(1), Queue::bounded(1)];
    let mut got = thread::scope(|scope| {
        for (number, queue) in queues.iter().enumerate() {
            let from = u32::try_from(number).expect("a few") * ITEMS;
            scope.spawn(move || (from..from + ITEMS).for_each(|item| queue.put(item).unwrap()));
        }
        block_on(async {
            let mut got = Vec::new();
            while got.len() < 2 * ITEMS as usize {
                let item = select_async! {
                    item = queues[0].get_async() => item,
                    item = queues[1].get_async() => item,
                    after(LONG) => Err(GetError::TimedOut),
                };
                got.push(item.expect("an item is lost"));
            }
            got
        })
    });
    got.sort_unstable();
    assert!(got.into_iter().eq(0..2 * ITEMS));
}

/// The same without luck: the receiver has been told, and is dropped without another look.
#[test]
fn an_item_whose_receiver_goes_away_after_it_was_told() {
    for capacity in [1, 2, 3, 64] {
        let queue = Queue::bounded(capacity);
        let mut other = None;
        for item in 0..20 {
            let told = ByHand::waiting(queue.get_async());
            let waits = ByHand::waiting(queue.get_async());
            queue.put(item).unwrap();
            drop(told);
            // flume#104: here the item is still there, but nobody who waits is told of it.
            assert!(waits.is_told(), "capacity {capacity}: the wake-up is lost");
            other = Some(waits);
            assert_eq!(other.as_mut().unwrap().poll(), Some(Ok(item)));
        }
        drop(other);
    }
}

/// flume#120: a receiver that looks, while the last item comes and the queue is closed, takes the queue for closed and empty.
#[test]
fn the_last_item_before_the_end() {
    for round in 0..2_000 {
        let queue = Queue::bounded(1);
        thread::scope(|scope| {
            scope.spawn(|| {
                queue.put(round).unwrap();
                queue.close();
            });
            let (first, second) = block_on(async { (queue.get_async().await, queue.get_async().await) });
            assert_eq!((first, second), (Ok(round), Err(GetError::Closed)));
        });
    }
}

/// crossbeam#821: two threads on one CPU, where whoever waits by asking again and again takes the CPU from the one he waits
/// for. Here as many wait as there are CPUs and more, and then one comes who works.
#[test]
fn threads_that_wait_leave_the_cpu_to_those_who_work() {
    const ITEMS: u64 = 20_000;
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let (idle, there, back) = (Queue::<u64>::unbounded(), Queue::bounded(1), Queue::bounded(1));
    thread::scope(|scope| {
        for _ in 0..4 * cpus {
            scope.spawn(|| assert_eq!(idle.get(), Err(GetError::Closed)));
        }
        scope.spawn(|| there.iter().for_each(|item| back.put(item + 1).unwrap()));
        let mut item = 0;
        while item < ITEMS {
            there.put(item).unwrap();
            // Minutes if each turn had to wait for the end of a time slice.
            item = back.get_timeout(LONG).expect("a turn takes a minute");
        }
        there.close();
        idle.close();
    });
}

/// parking_lot#212: who reads, and reads once more while a writer waits, waits for that writer, who waits for him. Whoever needs
/// that says so.
#[test]
fn a_reader_that_reads_again_while_a_writer_waits() {
    let lock = RwLock::new(0);
    let reader = lock.read();
    let mut writer = ByHand::waiting(lock.write_async());
    let again = lock.read_recursive();
    assert_eq!((*reader, *again), (0, 0));
    assert!(writer.poll().is_none());
    drop((reader, again));
    assert!(writer.is_told() && writer.poll().is_some());
}

/// Those who wait for permits are served in order of arrival: a second future waits for the first for as long as that one is not
/// late, which is a millisecond; but it must go on at once when that one goes.
#[test]
fn a_semaphore_whose_first_in_line_goes_away() {
    let semaphore = Semaphore::new(0);
    let first = ByHand::waiting(semaphore.acquire_async());
    let mut second = ByHand::waiting(semaphore.acquire_async());
    semaphore.release(1);
    assert!(first.is_told() && second.poll().is_none());
    drop(first);
    assert!(second.is_told() && second.poll().is_some());
}

/// A thread that is told and gives up at the same moment: over and over, since no test can choose the moment.
#[test]
fn a_limit_that_passes_in_the_moment_of_the_wake_up() {
    let (queue, over) = (Queue::bounded(1), AtomicBool::new(false));
    let got = thread::scope(|scope| {
        let hasty = scope.spawn(|| {
            let mut got = 0_u64;
            while !over.load(Ordering::Relaxed) {
                got += u64::from(queue.get_timeout(std::time::Duration::from_micros(30)).is_ok());
            }
            got
        });
        let patient = scope.spawn(|| queue.iter().map(|_: u64| 1).sum::<u64>());
        for item in 0..5_000 {
            queue.put_timeout(item, LONG).expect("a wake-up is lost");
        }
        over.store(true, Ordering::Relaxed);
        let got = hasty.join().unwrap();
        queue.close();
        got + patient.join().unwrap()
    });
    assert_eq!(got, 5_000);
}
