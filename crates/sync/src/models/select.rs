//! What a select does to its losers, in every order of what happens meanwhile. The arms are asked as written.

use super::{Arc, block_on, thread};
use crate::{Event, Mutex, Queue, select_async};

/// Every order in which a thread is interrupted at most so often where it could have gone on.
fn with_changes(changes: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(changes);
    builder.check(model);
}

#[test]
fn a_lock_that_a_loser_was_told_of_reaches_the_next() {
    with_changes(2, || {
        let (mutex, event) = (Arc::new(Mutex::new(())), Arc::new(Event::new()));
        let guard = mutex.try_lock().unwrap();
        let selecting = thread::spawn({
            let (mutex, event) = (Arc::clone(&mutex), Arc::clone(&event));
            move || {
                block_on(async {
                    select_async! {
                        () = event.wait_async() => (),
                        _guard = mutex.lock_async() => (),
                    }
                });
            }
        });
        event.set();
        drop(guard);
        drop(block_on(mutex.lock_async()));
        selecting.join().unwrap();
        assert!(!mutex.is_locked() && !mutex.has_waiters());
    });
}

#[test]
fn a_put_that_loses_has_its_item_and_one_that_wins_has_not() {
    with_changes(2, || {
        let (queue, event) = (Arc::new(Queue::bounded(1)), Arc::new(Event::new()));
        queue.try_put(0).unwrap();
        let consumer = thread::spawn({
            let (queue, event) = (Arc::clone(&queue), Arc::clone(&event));
            move || {
                let first = queue.try_get().ok();
                event.set();
                first
            }
        });
        let mut item = Some(1);
        let put = block_on(async {
            select_async! {
                () = event.wait_async() => false,
                done = queue.put_from_async(&mut item) => done.is_ok(),
            }
        });
        assert_eq!(consumer.join().unwrap(), Some(0));
        assert_eq!((item, queue.try_get().ok()), if put { (None, Some(1)) } else { (Some(1), None) });
    });
}

/// Both consumers may be there between two looks of the select, and both could take what they wait for.
#[test]
fn of_two_puts_without_places_one_happens() {
    with_changes(2, || {
        let queues = Arc::new([Queue::rendezvous(), Queue::rendezvous()]);
        let consumers = [0, 1].map(|number| {
            let queues = Arc::clone(&queues);
            thread::spawn(move || {
                let got = queues[number].get().ok();
                if got.is_some() {
                    queues[1 - number].close();
                }
                got
            })
        });
        let won = block_on(async {
            select_async! {
                done = queues[0].put_async(0) => done.map(|()| 0),
                done = queues[1].put_async(1) => done.map(|()| 1),
            }
        });
        let got = consumers.map(|consumer| consumer.join().unwrap());
        // Closing comes after an item was taken, but maybe before the select has seen it.
        let number = won.unwrap();
        assert_eq!((got[number], got[1 - number]), (Some(number), None));
    });
}

#[test]
fn two_selects_meet_where_there_is_no_place() {
    with_changes(2, || {
        let (queue, never) = (Arc::new(Queue::rendezvous()), Arc::new(Event::new()));
        let consumer = thread::spawn({
            let (queue, never) = (Arc::clone(&queue), Arc::clone(&never));
            move || {
                block_on(async {
                    select_async! {
                        () = never.wait_async() => None,
                        item = queue.get_async() => item.ok(),
                    }
                })
            }
        });
        let mut item = Some(1);
        block_on(async {
            select_async! {
                () = never.wait_async() => unreachable!("nobody sets it"),
                done = queue.put_from_async(&mut item) => done.unwrap(),
            }
        });
        assert_eq!((item, consumer.join().unwrap()), (None, Some(1)));
    });
}

#[test]
fn nothing_wakes_two_who_select_over_the_same_in_vain() {
    with_changes(2, || {
        let queues = Arc::new([Queue::bounded(1), Queue::bounded(1)]);
        let select = |queues: &[Queue<u8>; 2], first: usize| {
            block_on(async {
                select_async! {
                    item = queues[first].get_async() => item,
                    item = queues[1 - first].get_async() => item,
                }
            })
        };
        let other = thread::spawn({
            let queues = Arc::clone(&queues);
            move || select(&queues, 1)
        });
        queues[0].try_put(1).unwrap();
        let producer = thread::spawn({
            let queues = Arc::clone(&queues);
            move || queues[1].try_put(2).unwrap()
        });
        let mine = select(&queues, 0).unwrap();
        producer.join().unwrap();
        let mut both = [mine, other.join().unwrap().unwrap()];
        both.sort_unstable();
        assert_eq!(both, [1, 2]);
    });
}
