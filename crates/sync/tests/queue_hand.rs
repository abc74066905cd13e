//! Queues with one place or none: items go from hand to hand, and each arrives once or comes back, whoever gives up meanwhile.

mod common;

use common::{Bomb, ByHand, Counted, LONG, SHORT, await_waiters};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};
use sync::park::block_on;
use sync::queue::GetError;
use sync::{Queue, catch};

/// Of both kinds.
fn both<T>(test: impl Fn(&Queue<T>)) {
    test(&Queue::rendezvous());
    test(&Queue::bounded(1));
}

#[test]
fn what_it_says_of_itself() {
    let (none, one) = (Queue::<u8>::rendezvous(), Queue::<u8>::bounded(1));
    assert_eq!((none.capacity(), one.capacity()), (Some(0), Some(1)));
    assert_eq!(Queue::<u8>::bounded(0).capacity(), Some(0));
    one.put(1).unwrap();
    assert_eq!((none.len(), one.len()), (0, 1));
    assert_eq!(none.try_get(), Err(GetError::Empty));
    let refused = none.try_put(5).unwrap_err();
    assert!(refused.is_full() && refused.into_inner() == 5);
    assert!(one.try_put(6).unwrap_err().is_full());
}

#[test]
fn a_receiver_that_came_first_is_handed_the_item() {
    both(|queue| {
        thread::scope(|scope| {
            let receiver = scope.spawn(|| queue.get());
            await_waiters(queue, 1);
            queue.try_put(7).unwrap();
            assert_eq!(receiver.join().unwrap(), Ok(7));
        });
        assert!(queue.is_empty());
    });
}

#[test]
fn a_sender_that_came_first_goes_on_when_its_item_is_taken() {
    let queue = Queue::rendezvous();
    thread::scope(|scope| {
        let sender = scope.spawn(|| queue.put(7));
        await_waiters(&queue, 1);
        assert!(!sender.is_finished());
        assert_eq!(queue.try_get(), Ok(7));
        sender.join().unwrap().unwrap();
    });
}

#[test]
fn who_waits_for_room_moves_up() {
    let queue = Queue::bounded(1);
    queue.put(1).unwrap();
    let mut sender = ByHand::waiting(queue.put_async(2));
    let mut last = ByHand::waiting(queue.put_async(3));
    assert_eq!(queue.try_get(), Ok(1));
    assert!(sender.is_told() && !last.is_told());
    // The item is in the queue, whether its future is polled or not.
    assert_eq!(queue.len(), 1);
    assert_eq!(queue.try_get(), Ok(2));
    assert!(sender.poll().unwrap().is_ok());
    assert_eq!(queue.try_get(), Ok(3));
    assert!(last.poll().unwrap().is_ok());
}

#[test]
fn items_keep_their_order_where_tasks_and_threads_wait_together() {
    both(|queue| {
        let mut task = ByHand::waiting(queue.get_async());
        thread::scope(|scope| {
            let receiver = scope.spawn(|| queue.get());
            await_waiters(queue, 2);
            let first = scope.spawn(|| queue.put(1).unwrap());
            // The task comes first, and is told. It does not come.
            while !task.is_told() {
                thread::yield_now();
            }
            let second = scope.spawn(|| queue.put(2).unwrap());
            // The thread is brought the older item by whoever comes with the second, or looks again before.
            assert_eq!(receiver.join().unwrap(), Ok(1));
            let got = std::iter::repeat_with(|| task.poll()).find_map(|got| {
                if got.is_none() {
                    thread::yield_now();
                }
                got
            });
            assert_eq!(got, Some(Ok(2)));
            first.join().unwrap();
            second.join().unwrap();
        });
    });
}

#[test]
fn trying_reaches_a_task_that_waits() {
    let queue = Queue::rendezvous();
    let mut task = ByHand::waiting(queue.get_async());
    queue.try_put(1).unwrap();
    assert!(queue.try_put(2).unwrap_err().is_full(), "one task takes one item");
    assert!(task.is_told());
    assert_eq!(task.poll(), Some(Ok(1)));
    assert!(queue.try_put(3).unwrap_err().is_full());
}

#[test]
fn what_a_dropped_task_was_told_of_goes_to_the_next_or_stays() {
    both(|queue| {
        let first = ByHand::waiting(queue.get_async());
        let mut second = ByHand::waiting(queue.get_async());
        queue.try_put(1).unwrap();
        assert!(first.is_told() && !second.is_told());
        drop(first);
        assert!(second.is_told());
        assert_eq!(second.poll(), Some(Ok(1)));

        let only = ByHand::waiting(queue.get_async());
        queue.try_put(2).unwrap();
        drop(only);
        assert_eq!(queue.len(), 1);
        assert_eq!(queue.get(), Ok(2));
    });
}

#[test]
fn what_a_dropped_task_was_told_of_is_brought_to_a_thread() {
    both(|queue| {
        let task = ByHand::waiting(queue.get_async());
        thread::scope(|scope| {
            let receiver = scope.spawn(|| queue.get());
            await_waiters(queue, 2);
            let sender = scope.spawn(|| queue.put(1).unwrap());
            while !task.is_told() {
                thread::yield_now();
            }
            drop(task);
            assert_eq!(receiver.join().unwrap(), Ok(1));
            sender.join().unwrap();
        });
    });
}

#[test]
fn a_task_that_looks_in_vain_keeps_its_place() {
    both(|queue| {
        let mut first = ByHand::waiting(queue.get_async());
        let mut second = ByHand::waiting(queue.get_async());
        queue.try_put(1).unwrap();
        assert_eq!(queue.try_get(), Ok(1), "who comes takes what is there");
        assert!(first.poll().is_none());
        queue.try_put(2).unwrap();
        assert!(first.is_told() && !second.is_told());
        assert_eq!(first.poll(), Some(Ok(2)));
        assert!(second.poll().is_none());
    });
}

#[test]
fn a_sender_that_is_dropped_takes_its_item_back() {
    let items = Counted::default();
    let queue = Queue::rendezvous();
    let first = ByHand::waiting(queue.put_async(items.clone()));
    let mut second = ByHand::waiting(queue.put_async(items.clone()));
    assert_eq!(items.others(), 2);
    drop(first);
    assert_eq!(items.others(), 1);
    assert!(queue.try_get().is_ok());
    assert!(second.poll().unwrap().is_ok());
    assert!(queue.try_get().is_err());
    assert_eq!(items.others(), 0);
}

#[test]
fn an_item_that_was_taken_from_a_future_is_not_dropped_with_it() {
    let items = Counted::default();
    let queue = Queue::rendezvous();
    let sender = ByHand::waiting(queue.put_async(items.clone()));
    let item = queue.try_get().unwrap();
    drop(sender);
    assert_eq!(items.others(), 1);
    drop(item);
    assert_eq!(items.others(), 0);
}

#[test]
fn what_is_in_the_queue_is_dropped_with_it() {
    let items = Counted::default();
    let queue = Queue::bounded(1);
    queue.put(items.clone()).unwrap();
    drop(queue);
    assert_eq!(items.others(), 0);
}

#[test]
fn time_limits_give_items_back_and_are_not_early() {
    let queue = Queue::bounded(1);
    queue.put(0).unwrap();
    let none = Queue::rendezvous();
    for queue in [&queue, &none] {
        let begin = Instant::now();
        let refused = queue.put_timeout(3, SHORT).unwrap_err();
        assert!(refused.is_timeout() && refused.into_inner() == 3 && begin.elapsed() >= SHORT);
        let begin = Instant::now();
        let refused = block_on(queue.put_async_timeout(4, SHORT)).unwrap_err();
        assert!(refused.is_timeout() && refused.into_inner() == 4 && begin.elapsed() >= SHORT);
    }
    queue.get().unwrap();
    for queue in [&queue, &none] {
        let begin = Instant::now();
        assert_eq!(queue.get_timeout(SHORT), Err(GetError::TimedOut));
        assert!(begin.elapsed() >= SHORT);
        assert_eq!(block_on(queue.get_async_timeout(SHORT)), Err(GetError::TimedOut));
        assert_eq!(queue.get_timeout(Duration::ZERO), Err(GetError::TimedOut));
        assert_eq!(format!("{queue:?}").matches("waiting: 0").count(), 1);
    }
}

#[test]
fn the_longest_limit_is_none() {
    both(|queue| {
        thread::scope(|scope| {
            let receiver = scope.spawn(|| queue.get_timeout(Duration::MAX));
            await_waiters(queue, 1);
            queue.put_timeout(1, Duration::MAX).unwrap();
            assert_eq!(receiver.join().unwrap(), Ok(1));
        });
    });
}

#[test]
fn closing_gives_items_back_and_leaves_what_is_inside() {
    let queue = Queue::bounded(1);
    queue.put(1).unwrap();
    let mut task = ByHand::waiting(queue.put_async(2));
    thread::scope(|scope| {
        let sender = scope.spawn(|| queue.put(3));
        await_waiters(&queue, 2);
        queue.close();
        let refused = sender.join().unwrap().unwrap_err();
        assert!(refused.is_closed() && refused.into_inner() == 3);
    });
    let refused = task.poll().unwrap().unwrap_err();
    assert!(refused.is_closed() && refused.into_inner() == 2);
    assert!(queue.is_closed() && queue.try_put(4).unwrap_err().is_closed());
    assert_eq!(queue.get(), Ok(1));
    assert_eq!(queue.get(), Err(GetError::Closed));
    assert_eq!(queue.try_get(), Err(GetError::Closed));
}

#[test]
fn closing_ends_all_receivers() {
    const TASKS: usize = if cfg!(miri) { 4 } else { 40 };
    both(|queue: &Queue<u8>| {
        let mut tasks: Vec<_> = (0..TASKS).map(|_| ByHand::waiting(queue.get_async())).collect();
        thread::scope(|scope| {
            let threads = [(); 3].map(|()| scope.spawn(|| queue.get()));
            await_waiters(queue, TASKS + 3);
            queue.close();
            for thread in threads {
                assert_eq!(thread.join().unwrap(), Err(GetError::Closed));
            }
        });
        for task in &mut tasks {
            assert_eq!(task.poll(), Some(Err(GetError::Closed)));
        }
        queue.close();
    });
}

/// Threads, tasks and those who are short of time on both sides: what was sent has arrived, the rest came back.
#[test]
fn each_item_arrives_once_or_comes_back() {
    const ROUNDS: usize = if cfg!(miri) { 20 } else { 2_000 };
    both(|queue| {
        let items = Counted::default();
        let (sent, got) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let moment = Duration::from_micros(3);
        thread::scope(|scope| {
            for sender in 0..3 {
                let (items, sent) = (&items, &sent);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let item = items.clone();
                        let done = match (sender + round) % 4 {
                            0 => queue.put_timeout(item, moment),
                            1 => block_on(queue.put_async_timeout(item, moment)),
                            2 => queue.try_put(item),
                            _ => match pin!(queue.put_async(item)).poll_once() {
                                Poll::Ready(done) => done,
                                // Nobody knows whether it was sent before the future was dropped.
                                Poll::Pending => continue,
                            },
                        };
                        sent.fetch_add(usize::from(done.is_ok()), Ordering::Relaxed);
                    }
                });
            }
            for receiver in 0..3 {
                let got = &got;
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let done = match (receiver + round) % 4 {
                            0 => queue.get_timeout(moment),
                            1 => block_on(queue.get_async_timeout(moment)),
                            2 => queue.try_get(),
                            _ => match pin!(queue.get_async()).poll_once() {
                                Poll::Ready(done) => done,
                                Poll::Pending => continue,
                            },
                        };
                        got.fetch_add(usize::from(done.is_ok()), Ordering::Relaxed);
                    }
                });
            }
        });
        let left = std::iter::from_fn(|| queue.try_get().ok()).count();
        let (sent, got) = (sent.into_inner(), got.into_inner());
        assert!(sent <= got + left, "{sent} sent, {got} got and {left} left");
        assert!(got > 0 || cfg!(miri));
        assert_eq!(items.others(), 0, "each item was dropped");
        assert!(format!("{queue:?}").contains("waiting: 0"));
    });
}

/// As above, where every answer is certain.
#[test]
fn as_many_arrive_as_were_sent() {
    const ROUNDS: usize = if cfg!(miri) { 20 } else { 2_000 };
    both(|queue| {
        let (sent, got) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let moment = Duration::from_micros(3);
        thread::scope(|scope| {
            for end in 0..2 {
                let (sent, got) = (&sent, &got);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let done = match (end + round) % 3 {
                            0 => queue.put_timeout(Box::new(round), moment),
                            1 => block_on(queue.put_async_timeout(Box::new(round), moment)),
                            _ => queue.try_put(Box::new(round)),
                        };
                        sent.fetch_add(usize::from(done.is_ok()), Ordering::Relaxed);
                    }
                });
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let done = match (end + round) % 3 {
                            0 => queue.get_timeout(moment),
                            1 => block_on(queue.get_async_timeout(moment)),
                            _ => queue.try_get(),
                        };
                        got.fetch_add(usize::from(done.is_ok()), Ordering::Relaxed);
                    }
                });
            }
        });
        let left = std::iter::from_fn(|| queue.try_get().ok()).count();
        assert_eq!(sent.into_inner(), got.into_inner() + left);
        assert!(left <= queue.capacity().unwrap(), "a limit leaves no item in a queue without places");
    });
}

#[test]
fn sums_are_right_whoever_sends_and_receives() {
    const ITEMS: usize = if cfg!(miri) { 8 } else { 3_000 };
    both(|queue| {
        let left = AtomicUsize::new(4);
        let sum = thread::scope(|scope| {
            for sender in 0..4 {
                let left = &left;
                scope.spawn(move || {
                    for item in 1..=ITEMS {
                        if sender % 2 == 0 { queue.put(item) } else { block_on(queue.put_async(item)) }
                            .unwrap();
                    }
                    if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                        queue.close();
                    }
                });
            }
            let receivers = [0, 1, 2, 3].map(|receiver| {
                scope.spawn(move || {
                    let next = || if receiver % 2 == 0 { queue.get() } else { block_on(queue.get_async()) };
                    std::iter::from_fn(|| next().ok()).sum::<usize>()
                })
            });
            receivers.into_iter().map(|receiver| receiver.join().unwrap()).sum::<usize>()
        });
        assert_eq!(sum, 4 * ITEMS * (ITEMS + 1) / 2);
    });
}

#[test]
fn closing_while_both_ends_work_loses_nothing() {
    const ROUNDS: usize = if cfg!(miri) { 10 } else { 300 };
    for round in 0..ROUNDS {
        let queue = if round % 2 == 0 { Queue::rendezvous() } else { Queue::bounded(1) };
        let items = Counted::default();
        let (sent, got) = thread::scope(|scope| {
            let sender = scope.spawn(|| (0..).take_while(|_| queue.put(items.clone()).is_ok()).count());
            let receiver = scope.spawn(|| queue.iter().count());
            // At least one has arrived, so it closes in the middle.
            drop(queue.get());
            queue.close();
            (sender.join().unwrap(), receiver.join().unwrap())
        });
        assert_eq!(sent, got + 1);
        assert_eq!(items.others(), 0);
    }
}

#[test]
fn polled_once_and_dropped() {
    const TIMES: usize = if cfg!(miri) { 50 } else { 10_000 };
    both(|queue| {
        let items = Counted::default();
        let mut stays = ByHand::waiting(queue.get_async());
        for _ in 0..TIMES {
            assert!(pin!(queue.get_async()).poll_once().is_pending());
        }
        queue.try_put(items.clone()).unwrap();
        assert!(stays.is_told());
        for _ in 0..TIMES {
            assert!(pin!(queue.put_async(items.clone())).poll_once().is_pending());
        }
        assert_eq!(items.others(), 1);
        assert!(stays.poll().unwrap().is_ok());
        assert_eq!(items.others(), 0);
    });
}

#[test]
fn futures_that_are_forgotten_where_they_stand_keep_nobody_from_the_rest() {
    let queue: &'static Queue<u8> = Box::leak(Box::new(Queue::rendezvous()));
    std::mem::forget(ByHand::waiting(queue.get_async()));
    // It is told, and does not come: the item is taken by who does.
    let mut sender = ByHand::waiting(queue.put_async(1));
    assert_eq!(queue.get(), Ok(1));
    assert!(sender.poll().unwrap().is_ok());
    // A sender's item is there, whatever becomes of its future.
    std::mem::forget(ByHand::waiting(queue.put_async(2)));
    assert_eq!(queue.get(), Ok(2));
}

#[test]
fn a_thread_behind_a_task_that_does_not_come_gets_the_item() {
    both(|queue| {
        let mut task = ByHand::waiting(queue.get_async());
        thread::scope(|scope| {
            let receiver = scope.spawn(|| queue.get());
            await_waiters(queue, 2);
            queue.put(1).unwrap();
            assert_eq!(receiver.join().unwrap(), Ok(1));
        });
        assert!(task.is_told() && task.poll().is_none());
    });
}

#[test]
fn a_task_that_comes_back_to_its_place_before_a_thread_does_not_keep_it_from_the_item() {
    both(|queue| {
        let mut task = ByHand::waiting(queue.get_async());
        queue.try_put(1).unwrap();
        assert_eq!(queue.try_get(), Ok(1));
        thread::scope(|scope| {
            // It waits alone: the task has been told, and is in no list.
            let receiver = scope.spawn(|| queue.get_timeout(LONG));
            await_waiters(queue, 1);
            assert!(task.poll().is_none());
            queue.put(2).unwrap();
            assert!(task.is_told());
            assert_eq!(receiver.join().unwrap(), Ok(2));
        });
        assert!(task.poll().is_none());
    });
}

#[test]
fn threads_that_look_again_are_late_all_the_same() {
    both(|queue: &Queue<u8>| {
        let mut task = ByHand::waiting(queue.get_async());
        let begin = Instant::now();
        assert_eq!(queue.get_timeout(SHORT), Err(GetError::TimedOut));
        assert!(begin.elapsed() >= SHORT);
        queue.close();
        assert_eq!(task.poll(), Some(Err(GetError::Closed)));
    });
}

/// A destructor that panics.
struct Thorn(Arc<AtomicUsize>);

impl Drop for Thorn {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("a panic that the test asked for");
    }
}

#[test]
fn an_item_whose_destructor_panics_breaks_nothing() {
    both(|queue| {
        let dropped = Arc::new(AtomicUsize::new(0));
        let item = || Thorn(Arc::clone(&dropped));
        let fill = queue.capacity() == Some(1);
        if fill {
            queue.put(item()).unwrap();
        }
        let sender = ByHand::waiting(queue.put_async(item()));
        assert!(catch(|| drop(sender)).is_err());
        assert_eq!(dropped.load(Ordering::SeqCst), 1);
        let late = queue.put_timeout(item(), Duration::ZERO);
        assert!(catch(|| drop(late)).is_err());
        assert_eq!(dropped.load(Ordering::SeqCst), 2);
        if fill {
            assert!(catch(|| drop(queue.get())).is_err());
        }
        assert!(queue.try_get().is_err_and(|why| why == GetError::Empty));
        assert!(format!("{queue:?}").contains("waiting: 0"));
    });
}

#[test]
fn a_waker_that_panics_takes_no_item_with_it() {
    both(|queue| {
        let mut receiver = Box::pin(queue.get_async());
        assert!(receiver.as_mut().poll_with(&mut Context::from_waker(&Bomb::waker())).is_pending());
        queue.try_put(1).unwrap();
        assert_eq!(receiver.as_mut().poll_once(), Poll::Ready(Ok(1)));

        if queue.capacity() == Some(1) {
            queue.put(2).unwrap();
        }
        let mut sender = Box::pin(queue.put_async(3));
        assert!(sender.as_mut().poll_with(&mut Context::from_waker(&Bomb::waker())).is_pending());
        let expected = if queue.capacity() == Some(1) { 2 } else { 3 };
        assert_eq!(queue.get(), Ok(expected));
        assert!(sender.as_mut().poll_once().is_ready());

        // Closing goes on to the others, and then the panic does.
        while queue.try_get().is_ok() {}
        let mut bomb = Box::pin(queue.get_async());
        assert!(bomb.as_mut().poll_with(&mut Context::from_waker(&Bomb::waker())).is_pending());
        let mut other = ByHand::waiting(queue.get_async());
        assert!(catch(|| queue.close()).is_err());
        assert_eq!(other.poll(), Some(Err(GetError::Closed)));
        assert_eq!(bomb.as_mut().poll_once(), Poll::Ready(Err(GetError::Closed)));
    });
}

#[test]
fn large_items_and_items_without_size() {
    const ITEMS: u64 = if cfg!(miri) { 10 } else { 100 };
    let large = Queue::rendezvous();
    let none = Queue::rendezvous();
    thread::scope(|scope| {
        scope.spawn(|| (0..ITEMS).for_each(|number| large.put([number; 32]).unwrap()));
        scope.spawn(|| (0..ITEMS).for_each(|_| none.put(()).unwrap()));
        for number in 0..ITEMS {
            assert_eq!(large.get(), Ok([number; 32]));
            assert_eq!(none.get_timeout(LONG), Ok(()));
        }
    });
}

/// One poll by hand.
trait PollOnce: std::future::Future {
    fn poll_with(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.poll(cx)
    }

    fn poll_once(self: std::pin::Pin<&mut Self>) -> Poll<Self::Output> {
        self.poll(&mut Context::from_waker(std::task::Waker::noop()))
    }
}

impl<F: std::future::Future> PollOnce for F {}
