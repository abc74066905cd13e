//! What a select does to its losers, in every order of what happens meanwhile. The arms are asked as written.

use super::{Arc, block_on, thread};
use crate::{Event, Mutex, Queue, select_async};

/// Every order in which a thread is interrupted at most so often where it could have gone on.
fn with_changes(changes: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(changes);
    builder.check(model);
}

/// The loser was told, or is, or is not yet: the item goes to the one who waits for nothing else.
#[test]
fn an_item_that_a_loser_was_told_of_reaches_the_next() {
    with_changes(2, || {
        let (queue, event) = (Arc::new(Queue::unbounded()), Arc::new(Event::new()));
        let producer = thread::spawn({
            let (queue, event) = (Arc::clone(&queue), Arc::clone(&event));
            move || {
                queue.try_put(7).unwrap();
                event.set();
            }
        });
        let patient = thread::spawn({
            let queue = Arc::clone(&queue);
            move || block_on(queue.get_async())
        });
        // Either outcome; but what is put is put once, and after a loss it is there for the other.
        let mine = block_on(async {
            select_async! {
                () = event.wait_async() => None,
                item = queue.get_async() => item.ok(),
            }
        });
        if mine.is_some() {
            queue.try_put(8).unwrap();
        }
        assert!(patient.join().unwrap().is_ok());
        producer.join().unwrap();
        assert!(queue.is_empty());
    });
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
