//! Programs that hang, lose or starve with others: each is the shortest form of a report, which is named.

mod common;

use common::{ByHand, LONG, SHORT};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use sync::extra::Notify;
use sync::park::{block_on, block_on_timeout};
use sync::queue::{GetError, mpsc, oneshot, spsc};
use sync::{Mutex, Queue, RwLock, Semaphore, select_async};

/// Nothing here takes as long, unless it would take for ever.
const SOME: Duration = Duration::from_secs(15);

/// Oxide's RFD 609, "futurelock": a task borrows a future that waits for a lock, something else comes first, and in that body
/// the task waits for the same lock, which was handed to the borrowed future that nobody polls. Here that was only told.
///
/// Only told, the future has a millisecond to come; then it is passed over by whoever comes by. Where nobody does, because
/// all who wait are futures, one of them is woken for it.
#[test]
fn a_task_that_waits_for_a_lock_that_its_own_future_was_told_of() {
    let mutex = Mutex::new(0);
    let guard = mutex.lock();
    let mut borrowed = ByHand::waiting(async { *mutex.lock_async().await += 1 });
    drop(guard);
    assert!(borrowed.is_told());
    // The body, in the same task.
    let mut body = ByHand::new(async { *mutex.lock_async().await += 10 });
    let mut ended = body.poll().is_some();
    // Others come by. Where the lock was handed over, the first of them waits for ever, and the body behind him.
    let begin = Instant::now();
    while !ended {
        drop(mutex.lock_timeout(SOME).expect("the lock belongs to a future that nobody polls"));
        ended = body.is_told() && body.poll().is_some();
        assert!(begin.elapsed() < SOME, "others come and go, and nobody tells the body");
    }
    assert!(borrowed.poll().is_some());
    assert_eq!(*mutex.try_lock().expect("all are done"), 11);
}

/// The same of all that is exclusive, with threads: a future that was told keeps no thread out that comes later. Be it that it was only
/// told, or has waited for so long that the lock is kept for it for a moment.
#[test]
fn a_thread_that_comes_behind_a_future_that_nobody_polls() {
    for held_for in [Duration::ZERO, SHORT] {
        let begin = Instant::now();
        let (mutex, lock, permits) = (Mutex::new(()), RwLock::new(()), Semaphore::new(1));
        let (guard, writing, permit) = (mutex.lock(), lock.write(), permits.acquire().unwrap());
        let told = (
            ByHand::waiting(mutex.lock_async()),
            ByHand::waiting(lock.write_async()),
            ByHand::waiting(permits.acquire_async()),
        );
        thread::sleep(held_for);
        drop(guard);
        assert!(told.0.is_told());
        drop(mutex.lock_timeout(SOME).expect("the mutex belongs to a future that nobody polls"));
        drop(writing);
        assert!(told.1.is_told());
        drop(lock.write_timeout(SOME).expect("the lock belongs to a future that nobody polls"));
        drop(lock.read_timeout(SOME).expect("the lock belongs to a future that nobody polls"));
        drop(permit);
        assert!(told.2.is_told());
        drop(permits.acquire_timeout(SOME).expect("the permit belongs to a future that nobody polls"));
        // Who is not told looks once more when his time has passed.
        assert!(begin.elapsed() < SOME, "a thread has slept until its limit");
        drop(told);
        assert!(mutex.try_lock().is_some() && lock.try_write().is_some() && permits.try_acquire().is_ok());
    }
}

/// async-lock#91, `Mutex` and `RwLock` hang: two futures of one task wait, the lock is released, and the task awaits the one
/// that came second. The other lives on, and is not polled. The second is woken, although nobody else wants the lock, and
/// passes over the first.
#[test]
fn of_two_futures_of_a_task_the_second_is_awaited() {
    let mutex = Mutex::new(());
    let guard = mutex.lock();
    let first = ByHand::waiting(mutex.lock_async());
    let mut second = ByHand::waiting(mutex.lock_async());
    let begin = Instant::now();
    drop(guard);
    assert!(first.is_told() && second.is_not_next(begin));
    while !second.is_told() {
        assert!(begin.elapsed() < SOME, "nobody wakes the second");
        thread::yield_now();
    }
    assert!(second.poll().is_some());
    drop(first);
    assert!(mutex.try_lock().is_some());
}

/// The same of an `RwLock`.
#[test]
fn of_two_writers_of_a_task_the_second_is_awaited() {
    let lock = RwLock::new(());
    let guard = lock.read();
    let first = ByHand::waiting(lock.write_async());
    let mut second = ByHand::waiting(lock.write_async());
    let begin = Instant::now();
    drop(guard);
    assert!(first.is_told() && second.is_not_next(begin));
    while second.poll().is_none() {
        while !second.is_told() {
            assert!(begin.elapsed() < SOME, "nobody wakes the second");
            thread::yield_now();
        }
    }
    drop(first);
    assert!(lock.try_write().is_some());
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

/// tokio#4618: who waits for a notification, or for a permit, is told and goes away without having looked, as a client does that
/// hangs up. What it was told of is there for who waits already, and for who comes only then. (In the report only a reference to the
/// future was dropped, and the future kept what it had been given; that is so here as well, and `Notify` says so.)
#[test]
fn a_notification_or_a_permit_of_one_who_hangs_up() {
    for others_wait in [true, false] {
        let (notify, permits) = (Notify::new(), Semaphore::new(0));
        let told = (ByHand::waiting(notify.wait_async()), ByHand::waiting(permits.acquire_async()));
        let mut others = others_wait
            .then(|| (ByHand::waiting(notify.wait_async()), ByHand::waiting(permits.acquire_async())));
        notify.notify_one();
        permits.release(1);
        assert!(told.0.is_told() && told.1.is_told());
        drop(told);
        if let Some((notified, permitted)) = &mut others {
            assert!(notified.is_told() && notified.poll().is_some(), "the notification is lost");
            assert!(permitted.is_told() && permitted.poll().is_some_and(|permit| permit.is_ok()));
            drop(others);
        } else {
            assert_eq!(block_on_timeout(notify.wait_async(), SOME), Ok(()), "the notification is lost");
            assert!(permits.acquire_timeout(SOME).is_ok(), "the permit is lost");
        }
        assert!(!notify.try_wait(), "one notification let two through");
        assert_eq!(permits.available(), 1);
    }
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

/// The same as it was reported: the sender is dropped as soon as it has sent. The item is there all the same, for a receiver that blocks
/// and for a task.
#[test]
fn the_last_item_of_a_sender_that_goes_at_once() {
    /// A call that blocks, and a task.
    macro_rules! ways {
        ($receiver:ty) => {
            [
                |receiver: &mut $receiver| receiver.get(),
                |receiver: &mut $receiver| block_on(receiver.get_async()),
            ]
        };
    }
    let ways = ways!(mpsc::Receiver<_>);
    for capacity in [1, 3] {
        is_received(|| mpsc::bounded(capacity), |sender, item| sender.put(item).unwrap(), ways);
    }
    is_received(mpsc::unbounded, |sender, item| sender.put(item).unwrap(), ways);

    let ways = ways!(spsc::Receiver<_>);
    for capacity in [1, 3] {
        is_received(|| spsc::bounded(capacity), |mut sender, item| sender.put(item).unwrap(), ways);
    }
    is_received(spsc::unbounded, |mut sender, item| sender.put(item).unwrap(), ways);

    is_received(oneshot::channel, |sender, item| sender.send(item).unwrap(), ways!(oneshot::Receiver<_>));
}

type Get<R> = fn(&mut R) -> Result<u32, GetError>;

/// `send` drops its sender as it returns.
fn is_received<S: Send, R>(channel: impl Fn() -> (S, R), send: fn(S, u32), ways: [Get<R>; 2]) {
    thread::scope(|scope| {
        let (hand_over, senders) = std::sync::mpsc::channel();
        scope.spawn(move || senders.into_iter().for_each(|(sender, item)| send(sender, item)));
        for round in 0..2_000 {
            for get in ways {
                let (sender, mut receiver) = channel();
                hand_over.send((sender, round)).expect("the thread goes on");
                assert_eq!((get(&mut receiver), get(&mut receiver)), (Ok(round), Err(GetError::Closed)));
            }
        }
    });
}

/// crossbeam#821: two threads on one CPU, where whoever waits by asking again and again takes the CPU from the one he waits
/// for. Here as many wait as there are CPUs and more, in each kind of queue: they all go to sleep, and stay asleep.
#[cfg(target_os = "linux")]
#[cfg_attr(miri, ignore = "Miri's threads have no state that /proc tells")]
#[test]
fn threads_that_wait_leave_the_cpu_to_those_who_work() {
    let waiters = 2 * thread::available_parallelism().map_or(1, usize::from);
    let empty = [Queue::unbounded(), Queue::bounded(64), Queue::bounded(1), Queue::rendezvous()];
    let full = [Queue::bounded(2), Queue::bounded(1)];
    full.iter().for_each(|queue| while queue.try_put(0).is_ok() {});
    let threads = Queue::unbounded();
    thread::scope(|scope| {
        // When the test fails, its threads end all the same.
        let _ends = Ends(&[&empty, &full]);
        for _ in 0..waiters {
            for queue in &empty {
                scope.spawn(|| {
                    threads.put(this_thread()).unwrap();
                    assert_eq!(queue.get(), Err(GetError::Closed));
                });
            }
            for queue in &full {
                scope.spawn(|| {
                    threads.put(this_thread()).unwrap();
                    assert!(queue.put(1).unwrap_err().is_closed());
                });
            }
        }
        let threads: Vec<_> = threads.iter().take(waiters * (empty.len() + full.len())).collect();
        let begin = Instant::now();
        // Twice, and none has woken up in between: not the short sleep of one who asks again.
        loop {
            let before = asleep(&threads);
            thread::sleep(Duration::from_millis(2));
            if before.is_some() && before == asleep(&threads) {
                break;
            }
            assert!(begin.elapsed() < SOME, "they go on asking for what is not there");
        }
    });
}

/// Closes queues.
#[cfg(target_os = "linux")]
struct Ends<'a>(&'a [&'a [Queue<u32>]]);

#[cfg(target_os = "linux")]
impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.iter().flat_map(|queues| queues.iter()).for_each(Queue::close);
    }
}

/// Where the system tells of this thread.
#[cfg(target_os = "linux")]
fn this_thread() -> std::path::PathBuf {
    std::path::Path::new("/proc").join(std::fs::read_link("/proc/thread-self").unwrap()).join("status")
}

/// How often they have gone to sleep, if all sleep now.
#[cfg(target_os = "linux")]
fn asleep(threads: &[std::path::PathBuf]) -> Option<u64> {
    let mut times = 0;
    for thread in threads {
        let status = std::fs::read_to_string(thread).unwrap();
        let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        if !field("State:").starts_with('S') {
            return None;
        }
        times += field("voluntary_ctxt_switches:").parse::<u64>().unwrap();
    }
    Some(times)
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

/// The same as it was reported: one thread reads twice in the plain way, and a writer waits in between. It is a deadlock, and the
/// checker of this crate says so: see the program `a_reader_reads_again_behind_a_writer` of `tests/check_programs`. With a limit
/// nobody waits for ever, and nothing is lost: the first read holds, and the writer goes on after it.
#[test]
fn a_reader_that_reads_again_in_the_plain_way_while_a_writer_waits() {
    let lock = RwLock::new(0);
    thread::scope(|scope| {
        let reader = lock.read();
        let writer = scope.spawn(|| *lock.write() += 1);
        // Until the writer has waited for long enough, whoever comes reads.
        while lock.try_read().is_some() {
            thread::yield_now();
        }
        for _ in 0..3 {
            assert!(lock.read_timeout(SHORT).is_err(), "the writer is passed by");
            assert!(block_on(lock.read_async_timeout(SHORT)).is_err(), "the writer is passed by");
        }
        assert!(!writer.is_finished() && *reader == 0, "the first read does not hold");
        drop(reader);
        writer.join().unwrap();
    });
    assert_eq!(lock.try_read().map(|value| *value), Some(1));
}

/// Those who wait for permits are served in order of arrival: a second future waits for the first for as long as that one is not
/// late, which is a millisecond; but it must go on at once when that one goes.
#[test]
fn a_semaphore_whose_first_in_line_goes_away() {
    for _ in 0..1_000 {
        let semaphore = Semaphore::new(0);
        let first = ByHand::waiting(semaphore.acquire_async());
        let mut second = ByHand::waiting(semaphore.acquire_async());
        let begin = Instant::now();
        semaphore.release(1);
        assert!(first.is_told());
        let is_overtaken = second.poll().is_some();
        if begin.elapsed() >= Duration::from_micros(900) {
            // This thread lost its CPU meanwhile, and the first was late.
            continue;
        }
        assert!(!is_overtaken);
        drop(first);
        assert!(second.is_told() && second.poll().is_some());
        return;
    }
    panic!("this thread loses its CPU every time");
}

/// A thread that is told and gives up at the same moment: over and over, since no test can choose the moment.
#[test]
fn a_limit_that_passes_in_the_moment_of_the_wake_up() {
    let (queue, over) = (Queue::bounded(1), AtomicBool::new(false));
    let got = thread::scope(|scope| {
        let hasty = scope.spawn(|| {
            let mut got = 0_u64;
            while !over.load(Ordering::Relaxed) {
                got += u64::from(queue.get_timeout(Duration::from_micros(30)).is_ok());
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
