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
fn a_put_that_loses_has_its_item_unless_the_queue_has_it() {
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
        // Where it lost, it may have been put all the same, before it could look; the item tells.
        assert!(!put || item.is_none());
        assert_eq!(queue.try_get().ok(), if item.is_none() { Some(1) } else { None });
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
