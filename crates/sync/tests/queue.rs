//! What a queue promises beside its order: nothing is lost, whoever comes, goes or panics.

mod common;

use common::{Bomb, ByHand, Counted, LONG, SHORT, await_waiters};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::queue::{GetError, Queue};

/// How many items threads pass in a test. Miri takes its time.
const ITEMS: u64 = if cfg!(miri) { 60 } else { 3_000 };
const MANY: usize = if cfg!(miri) { 20 } else { 10_000 };

/// Every item comes once, and each producer's items come in order.
fn many_to_many(queue: &Queue<(usize, u64)>, producers: usize, consumers: usize) {
    let share = ITEMS / producers as u64;
    let seen: Vec<Vec<(usize, u64)>> = thread::scope(|scope| {
        let consumers: Vec<_> = (0..consumers)
            .map(|number| {
                scope.spawn(move || match number % 2 {
                    0 => queue.iter().collect::<Vec<_>>(),
                    _ => block_on(async {
                        let mut seen = Vec::new();
                        while let Ok(item) = queue.get_async().await {
                            seen.push(item);
                        }
                        seen
                    }),
                })
            })
            .collect();
        let producers: Vec<_> = (0..producers)
            .map(|producer| {
                scope.spawn(move || {
                    for number in 0..share {
                        match number % 3 {
                            0 => queue.put_timeout((producer, number), LONG).unwrap(),
                            1 => block_on(queue.put_async((producer, number))).unwrap(),
                            _ => queue.put((producer, number)).unwrap(),
                        }
                    }
                })
            })
            .collect();
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        queue.close();
        consumers.into_iter().map(|consumer| consumer.join().unwrap()).collect()
    });
    for producer in 0..producers {
        let of_this = |seen: &[(usize, u64)]| -> Vec<u64> {
            seen.iter().filter(|(from, _)| *from == producer).map(|(_, number)| *number).collect()
        };
        assert!(seen.iter().all(|seen| of_this(seen).is_sorted()), "a producer's items overtook each other");
        let mut numbers: Vec<u64> = seen.iter().flat_map(|seen| of_this(seen)).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..share), "items of producer {producer} were lost or came twice");
    }
}

#[test]
fn every_item_of_many_producers_reaches_one_of_many_consumers() {
    for (producers, consumers) in [(1, 1), (2, 1), (1, 2), (3, 3)] {
        for capacity in [1, 2, 3, 100] {
            many_to_many(&Queue::bounded(capacity), producers, consumers);
        }
        many_to_many(&Queue::unbounded(), producers, consumers);
    }
}

#[test]
fn a_bound_beyond_any_ring_is_a_bound() {
    // A ring would be 400 kB, so this is a chain of blocks.
    let (queue, item) = (Queue::bounded(100), |number: u8| [number; 4096]);
    (0..100).for_each(|number| queue.try_put(item(number)).unwrap());
    assert!(queue.try_put(item(0)).unwrap_err().is_full());
    assert_eq!((queue.len(), queue.capacity()), (100, Some(100)));
    assert_eq!(queue.get().map(|item| item[4095]), Ok(0));
    queue.try_put(item(100)).unwrap();
    assert!(queue.try_iter().map(|item| item[4095]).eq(1..=100));
}

#[test]
fn a_queue_is_made_where_it_is_static() {
    static JOBS: Queue<u32> = Queue::unbounded();
    static ROOM: Queue<u32> = Queue::bounded(2);
    JOBS.put(1).unwrap();
    ROOM.put(2).unwrap();
    assert_eq!((JOBS.get(), ROOM.get()), (Ok(1), Ok(2)));
    assert_eq!((JOBS.capacity(), ROOM.capacity()), (None, Some(2)));
}

#[test]
fn items_without_a_size_and_items_of_a_page_are_counted_as_well() {
    let empty = Queue::unbounded();
    (0..2_000).for_each(|_| empty.put(()).unwrap());
    assert_eq!(empty.into_iter().count(), 2_000);
    let large = Queue::unbounded();
    (0..40_u8).for_each(|number| large.put([number; 40_000]).unwrap());
    assert!(large.into_iter().map(|item| item[39_999]).eq(0..40));
}

#[test]
fn what_is_left_is_dropped_with_the_queue_wherever_it_lies() {
    // None at all; within a block; at its end; several blocks; blocks behind that were given back.
    let cases = [
        (0, 0),
        (3, 1),
        (2_048, 0),
        (2_048, 2_048),
        (2_400, 2_051),
        (8_000, 0),
        (20_000, 16_400),
        (20_000, 20_000),
    ];
    for (put, got) in cases.into_iter().take(if cfg!(miri) { 5 } else { 8 }) {
        let items = Counted::default();
        let (unbounded, bounded) = (Queue::unbounded(), Queue::bounded(20_000));
        for queue in [&unbounded, &bounded] {
            (0..put).for_each(|_| queue.put(items.clone()).unwrap());
            (0..got).for_each(|_| drop(queue.get().unwrap()));
        }
        assert_eq!(items.others(), 2 * (put - got));
        drop((unbounded, bounded));
        assert_eq!(items.others(), 0, "{put} were put and {got} taken");
    }
}

/// Panics when it is dropped, if it is to.
struct Grudge(Arc<AtomicUsize>, bool);

impl Drop for Grudge {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        assert!(!self.1, "a destructor that panics");
    }
}

#[test]
fn a_destructor_that_panics_keeps_no_other_item_alive() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let queue = Queue::bounded(8);
    for number in 0..5 {
        assert!(queue.try_put(Grudge(Arc::clone(&dropped), number == 1)).is_ok());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| drop(queue))).is_err(), "the panic goes on");
    assert_eq!(dropped.load(Ordering::Relaxed), 5);
}

#[test]
fn futures_that_were_polled_once_and_dropped_lose_nothing() {
    let items = Counted::default();
    let queue = Queue::bounded(1);
    let mut patient = ByHand::waiting(queue.get_async());
    for _ in 0..MANY {
        drop(ByHand::waiting(queue.get_async()));
    }
    assert_eq!(patient.wakes(), 0);
    queue.put(items.clone()).unwrap();
    assert!(patient.poll().unwrap().is_ok());
    queue.put(items.clone()).unwrap();
    let mut patient = ByHand::waiting(queue.put_async(items.clone()));
    for _ in 0..MANY {
        drop(ByHand::waiting(queue.put_async(items.clone())));
    }
    assert_eq!(items.others(), 2, "an item goes with its future");
    drop(queue.get().unwrap());
    assert!(patient.poll().unwrap().is_ok());
    assert!(format!("{queue:?}").contains("waiting: 0"), "{queue:?}");
}

#[test]
fn a_crowd_that_waits_queues_up_at_once_and_leaves_in_any_order() {
    const BATCHES: usize = if cfg!(miri) { 4 } else { 400 };
    const TASKS: usize = 100 * BATCHES;
    fn come_and_go<'q, T, F: Future<Output = T> + 'q>(wait: impl Fn() -> F) {
        let mut tasks: Vec<Option<ByHand<'q, T>>> = Vec::with_capacity(TASKS);
        let batch = |_| {
            let begin = Instant::now();
            tasks.extend((0..TASKS / BATCHES).map(|_| Some(ByHand::waiting(wait()))));
            begin.elapsed()
        };
        let times: Vec<Duration> = (0..BATCHES).map(batch).collect();
        // The fastest of each: some are always held up by something else. Past all who wait, it would be hundreds of times as long.
        let fastest = |batches: &[Duration]| *batches.iter().min().expect("there are some");
        let (first, last) = (fastest(&times[..BATCHES / 4]), fastest(&times[BATCHES / 4 * 3..]));
        assert!(last < first * 20 || cfg!(miri), "{first:?} when few wait, {last:?} when many do");
        // 7919 has no divisor in common with their number, so each is met once.
        for step in 0..TASKS {
            drop(tasks[step * 7919 % TASKS].take().expect("each leaves once"));
        }
    }
    let queue = Queue::bounded(2);
    come_and_go(|| queue.get_async());
    queue.put(0).unwrap();
    queue.put(1).unwrap();
    come_and_go(|| queue.put_async(2));
    assert_eq!((queue.get(), queue.get(), queue.len()), (Ok(0), Ok(1), 0));
}

#[test]
fn futures_that_were_told_and_dropped_lose_nothing() {
    let queue = Queue::unbounded();
    let mut last = None;
    for number in 0..MANY {
        let first = ByHand::waiting(queue.get_async());
        let mut second = ByHand::waiting(queue.get_async());
        queue.put(number).unwrap();
        assert_eq!((first.wakes(), second.wakes()), (1, 0));
        drop(first);
        assert_eq!(second.wakes(), 1);
        last = second.poll();
    }
    assert_eq!((last, queue.len()), (Some(Ok(MANY - 1)), 0));
}

#[test]
fn a_future_that_is_told_and_never_polled_keeps_nobody_from_what_is_there() {
    let queue = Queue::unbounded();
    let sleepy = ByHand::waiting(queue.get_async());
    queue.put(1).unwrap();
    assert_eq!(sleepy.wakes(), 1);
    assert_eq!(queue.try_get(), Ok(1));
    let mut forgotten = Box::pin(queue.get_async());
    assert!(
        forgotten.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())).is_pending()
    );
    // Its memory stays, so it stays in the list.
    std::mem::forget(forgotten);
    queue.put(2).unwrap();
    queue.put(3).unwrap();
    assert_eq!((queue.get(), queue.get()), (Ok(2), Ok(3)));
    drop(sleepy);
}

#[test]
fn threads_behind_a_task_that_does_not_come_get_the_item_and_the_room() {
    let queue = Queue::bounded(2);
    let mut sleepy = ByHand::waiting(queue.get_async());
    thread::scope(|scope| {
        let consumer = scope.spawn(|| queue.get());
        await_waiters(&queue, 2);
        queue.put(1).unwrap();
        assert_eq!(consumer.join().unwrap(), Ok(1));
    });
    assert!(sleepy.is_told() && sleepy.poll().is_none());
    drop(sleepy);
    queue.put(2).unwrap();
    queue.put(3).unwrap();
    let mut sleepy = ByHand::waiting(queue.put_async(4));
    thread::scope(|scope| {
        let producer = scope.spawn(|| queue.put_timeout(5, LONG));
        await_waiters(&queue, 2);
        assert_eq!(queue.get(), Ok(2));
        producer.join().unwrap().unwrap();
    });
    assert!(sleepy.is_told() && sleepy.poll().is_none());
    assert_eq!((queue.get(), queue.get()), (Ok(3), Ok(5)));
    assert!(sleepy.poll().unwrap().is_ok());
    assert!(format!("{queue:?}").contains("waiting: 0"), "{queue:?}");
}

#[test]
fn a_task_that_comes_back_to_its_place_before_a_thread_does_not_keep_it_from_the_item() {
    let queue = Queue::unbounded();
    let mut sleepy = ByHand::waiting(queue.get_async());
    queue.put(1).unwrap();
    assert_eq!(queue.try_get(), Ok(1));
    thread::scope(|scope| {
        // It waits alone: the task has been told, and is in no list.
        let consumer = scope.spawn(|| queue.get());
        await_waiters(&queue, 1);
        assert!(sleepy.poll().is_none());
        queue.put(2).unwrap();
        assert!(sleepy.is_told());
        assert_eq!(consumer.join().unwrap(), Ok(2));
    });
}

#[test]
fn every_item_that_was_accepted_before_a_close_is_taken() {
    for round in 0..if cfg!(miri) { 20 } else { 2_000 } {
        let queue = Queue::bounded(1 + round % 3);
        let (put, got) = thread::scope(|scope| {
            let put =
                [(); 2].map(|()| scope.spawn(|| (0..20).filter(|item| queue.put(*item).is_ok()).count()));
            let got = [(); 2].map(|()| scope.spawn(|| queue.iter().count()));
            scope.spawn(|| {
                (0..round % 50).for_each(|_| std::hint::spin_loop());
                queue.close();
            });
            (put.map(|it| it.join().unwrap()), got.map(|it| it.join().unwrap()))
        });
        assert_eq!(put.iter().sum::<usize>(), got.iter().sum::<usize>());
        assert_eq!(queue.try_get(), Err(GetError::Closed));
    }
}

#[test]
fn deadlines_that_pass_all_the_time_lose_nothing() {
    let queue = Queue::bounded(1);
    let (limit, items) = (Duration::from_micros(3), ITEMS);
    let sum: u64 = thread::scope(|scope| {
        let consumers = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut sum = 0;
                loop {
                    match queue.get_timeout(limit) {
                        Ok(item) => sum += item,
                        Err(why) if why.is_timeout() => {}
                        Err(_) => return sum,
                    }
                }
            })
        });
        for mut item in 1..=items {
            while let Err(refused) = queue.put_timeout(item, limit) {
                assert!(refused.is_timeout());
                item = refused.into_inner();
            }
        }
        queue.close();
        consumers.map(|it| it.join().unwrap()).into_iter().sum()
    });
    assert_eq!(sum, items * (items + 1) / 2);
}

#[test]
fn an_item_that_came_too_late_is_given_back() {
    let queue = Queue::bounded(1);
    queue.put(String::from("first")).unwrap();
    let refused = queue.put_timeout(String::from("late"), SHORT).unwrap_err();
    assert!(refused.is_timeout());
    assert_eq!(refused.into_inner(), "late");
    let refused = block_on(queue.put_async_timeout(String::from("late"), SHORT)).unwrap_err();
    assert!(refused.is_timeout());
    assert_eq!(refused.into_inner(), "late");
}

#[test]
fn whoever_joins_waits_until_all_is_done() {
    let queue = Queue::unbounded();
    queue.join();
    (0..3).for_each(|number| queue.put(number).unwrap());
    assert_eq!(queue.unfinished(), 3);
    assert!(queue.join_timeout(SHORT).is_err());
    assert!(block_on(queue.join_async_timeout(SHORT)).is_err());
    thread::scope(|scope| {
        let joining = [scope.spawn(|| queue.join()), scope.spawn(|| block_on(queue.join_async()))];
        let limited = scope.spawn(|| queue.join_timeout(Duration::MAX));
        for _ in queue.try_iter() {
            queue.task_done();
        }
        joining.into_iter().for_each(|it| it.join().unwrap());
        limited.join().unwrap().unwrap();
    });
    assert!(catch_unwind(AssertUnwindSafe(|| queue.task_done())).is_err(), "there was nothing to be done");
    assert_eq!(queue.unfinished(), 0);
}

#[test]
fn items_that_are_put_and_done_at_the_same_time_are_all_counted() {
    for queue in [Queue::unbounded(), Queue::bounded(1)] {
        thread::scope(|scope| {
            let work = || {
                for _ in 0..MANY {
                    queue.put(()).unwrap();
                    queue.get().unwrap();
                    queue.task_done();
                }
            };
            let workers = [scope.spawn(work), scope.spawn(work), scope.spawn(work)];
            while !workers.iter().all(thread::ScopedJoinHandle::is_finished) {
                assert!(queue.unfinished() <= 3, "nobody has more than one item");
            }
        });
        assert_eq!(queue.join_timeout(Duration::ZERO), Ok(()));
    }
}

#[test]
fn a_queue_that_is_closed_now_gives_back_what_is_left() {
    let queue = Queue::unbounded();
    (0..3).for_each(|number| queue.put(number).unwrap());
    assert_eq!(queue.get(), Ok(0));
    thread::scope(|scope| {
        let joining = scope.spawn(|| queue.join());
        assert_eq!(queue.close_now().collect::<Vec<_>>(), [1, 2]);
        assert_eq!(queue.unfinished(), 1, "the one that was taken is still at work");
        queue.task_done();
        joining.join().unwrap();
    });
    assert_eq!(queue.get(), Err(GetError::Closed));
}

#[test]
fn a_queue_that_is_drained_gives_what_is_inside_and_stays_open() {
    for capacity in [1, 2, 40] {
        let queue = Queue::bounded(capacity);
        (0..capacity).for_each(|number| queue.put(number).unwrap());
        let mut putter = ByHand::waiting(queue.put_async(capacity));
        let drained = queue.drain();
        assert_eq!(drained.len(), capacity);
        assert!(drained.eq(0..capacity), "in order");
        assert!(putter.is_told() && putter.poll().unwrap().is_ok());
        assert_eq!((queue.try_get(), queue.is_closed()), (Ok(capacity), false));
        assert_eq!(queue.unfinished(), capacity + 1);
    }
    let unbounded = Queue::unbounded();
    (0..100).for_each(|number| unbounded.put(number).unwrap());
    assert!(unbounded.drain().eq(0..100));
    unbounded.put(100).unwrap();
    assert_eq!((unbounded.get(), unbounded.unfinished()), (Ok(100), 101));
    let rendezvous = Queue::rendezvous();
    let putter = ByHand::waiting(rendezvous.put_async(1));
    assert_eq!(rendezvous.drain().len(), 0, "nothing is inside");
    assert!(!putter.is_told());
}

#[test]
fn a_stream_ends_with_the_queue() {
    let queue = Queue::bounded(2);
    let sum: u64 = thread::scope(|scope| {
        let sum = scope.spawn(|| {
            block_on(async {
                let (mut stream, mut sum) = (std::pin::pin!(queue.stream()), 0);
                while let Some(item) = stream.as_mut().next().await {
                    sum += item;
                }
                sum
            })
        });
        (1..=100).for_each(|item| queue.put(item).unwrap());
        queue.close();
        sum.join().unwrap()
    });
    assert_eq!(sum, 5050);
}

#[test]
fn a_waker_that_panics_makes_no_second_panic_of_one_that_closes_the_queue() {
    for capacity in 0..3 {
        let queue = Arc::new(Queue::<u8>::bounded(capacity));
        let mut bomb = Box::pin(queue.get_async());
        assert!(bomb.as_mut().poll(&mut Context::from_waker(&Bomb::waker())).is_pending());
        drop(queue.close_on_drop());
        assert!(queue.is_closed());
    }
}

#[test]
#[expect(unsafe_code, reason = "only a waker of its own says when a clone of it is dropped")]
fn a_waker_that_panics_when_it_is_dropped_loses_nothing_that_was_taken() {
    thread_local! {
        static ARMED: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
    }
    static BAD: RawWakerVTable = RawWakerVTable::new(
        |_| RawWaker::new(std::ptr::null(), &BAD),
        |_| (),
        |_| (),
        |_| {
            if ARMED.take() {
                panic!("a panic that the test asked for");
            }
        },
    );
    // SAFETY: the functions use no data.
    let bad = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &BAD)) };
    let mut cx = Context::from_waker(&bad);
    for queue in [Queue::bounded(0), Queue::bounded(1), Queue::bounded(2)] {
        let mut receiver = Box::pin(queue.get_async());
        assert!(receiver.as_mut().poll(&mut cx).is_pending());
        queue.try_put(1).unwrap();
        ARMED.set(true);
        assert_eq!(receiver.as_mut().poll(&mut cx), Poll::Ready(Ok(1)));
        ARMED.set(false);
    }
    // A permit.
    let semaphore = sync::Semaphore::new(0);
    let mut taker = Box::pin(semaphore.acquire_async());
    assert!(taker.as_mut().poll(&mut cx).is_pending());
    semaphore.release(1);
    ARMED.set(true);
    assert!(taker.as_mut().poll(&mut cx).is_ready());
    ARMED.set(false);
}

#[test]
#[expect(unsafe_code, reason = "only a waker of its own says when a clone of it is dropped")]
fn a_waker_that_uses_the_queue_when_it_is_dropped_finds_it_free() {
    static QUEUE: Queue<u8> = Queue::bounded(1);
    static LOCKED_OUT: AtomicUsize = AtomicUsize::new(0);
    static CURIOUS: RawWakerVTable = RawWakerVTable::new(
        |_| RawWaker::new(std::ptr::null(), &CURIOUS),
        |_| (),
        |_| (),
        |_| {
            // Another thread looks, so that the test can end if it cannot.
            let (seen, has_seen) = std::sync::mpsc::channel();
            let looks = thread::spawn(move || seen.send(QUEUE.len()));
            match has_seen.recv_timeout(LONG) {
                Ok(_) => looks.join().unwrap().unwrap(),
                Err(_) => _ = LOCKED_OUT.fetch_add(1, Ordering::Relaxed),
            }
        },
    );
    // SAFETY: the functions use no data.
    let curious = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &CURIOUS)) };
    let mut curious = Context::from_waker(&curious);

    let mut receiver = Box::pin(QUEUE.get_async());
    assert!(receiver.as_mut().poll(&mut curious).is_pending());
    QUEUE.put(1).unwrap();
    assert_eq!(receiver.as_mut().poll(&mut curious), Poll::Ready(Ok(1)));

    QUEUE.put(2).unwrap();
    let mut sender = Box::pin(QUEUE.put_async(3));
    assert!(sender.as_mut().poll(&mut curious).is_pending());
    assert!(sender.as_mut().poll(&mut curious).is_pending());
    assert_eq!(QUEUE.get(), Ok(2));
    assert!(sender.as_mut().poll(&mut curious).is_ready());
    assert_eq!(LOCKED_OUT.load(Ordering::Relaxed), 0, "a waker was dropped under the lock");
}
