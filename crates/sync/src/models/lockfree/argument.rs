//! Single steps of the structures' arguments: each model here fails if one of them is left out.

use super::*;
use crate::models::Over;
use loom::cell::Cell;
use loom::sync::atomic::fence;

mod spsc {
    use super::*;

    #[test]
    fn who_sees_that_the_consumer_has_gone_sees_what_it_did() {
        loom::model(|| {
            let (producer, consumer) = spsc_ring::<u8>(1);
            let value = Arc::new(Cell::new(0));
            let done = Arc::clone(&value);
            let consuming = thread::spawn(move || {
                done.set(1);
                drop(consumer);
            });
            if producer.is_abandoned() {
                assert_eq!(value.get(), 1);
            }
            consuming.join().unwrap();
        });
    }

    #[test]
    fn who_sees_that_there_is_an_item_sees_what_was_done_before_it_was_put() {
        loom::model(|| {
            let (mut producer, consumer) = spsc_ring(1);
            let value = Arc::new(Cell::new(0));
            let done = Arc::clone(&value);
            let producing = thread::spawn(move || {
                done.set(1);
                producer.push(7).is_ok()
            });
            if !consumer.is_empty() {
                assert_eq!(value.get(), 1);
            }
            assert!(producing.join().unwrap());
        });
    }

    #[test]
    fn who_sees_that_there_is_room_sees_what_was_done_before_it_was_made() {
        loom::model(|| {
            let (mut producer, mut consumer) = spsc_ring(1);
            assert!(producer.push(7).is_ok());
            let value = Arc::new(Cell::new(0));
            let done = Arc::clone(&value);
            let consuming = thread::spawn(move || {
                done.set(1);
                consumer.pop()
            });
            if producer.room() > 0 {
                assert_eq!(value.get(), 1);
            }
            assert_eq!(consuming.join().unwrap(), Some(7));
        });
    }
}

mod array {
    use super::*;

    #[test]
    fn who_has_seen_the_queue_empty_finds_room_although_the_item_is_still_being_taken_out() {
        loom::model(|| {
            let queue = Arc::new(ArrayQueue::new(1));
            queue.push(1).unwrap();
            let consumer = Arc::clone(&queue);
            let consumer = thread::spawn(move || _ = consumer.pop());
            if queue.pop().is_none() {
                assert!(queue.push(2).is_ok());
            }
            consumer.join().unwrap();
        });
    }

    #[test]
    fn an_item_behind_one_that_is_not_ready_is_waited_for() {
        loom::model(|| {
            let queue = Arc::new(ArrayQueue::new(2));
            let slow = Arc::clone(&queue);
            let slow = thread::spawn(move || slow.push(1).unwrap());
            queue.push(2).unwrap();
            assert!(queue.pop().is_some());
            slow.join().unwrap();
        });
    }

    #[test]
    fn room_that_was_made_before_is_seen() {
        loom::model(|| {
            let shared = Arc::new((ArrayQueue::new(1), Over::new()));
            shared.0.push(1).unwrap();
            let consumer = Arc::clone(&shared);
            let consumer = thread::spawn(move || {
                assert!(consumer.0.pop().is_some());
                fence(Ordering::SeqCst);
                consumer.1.say();
            });
            let (queue, over) = &*shared;
            if over.is_said() {
                assert!(queue.push(2).is_ok());
            }
            consumer.join().unwrap();
        });
    }

    #[test]
    fn an_item_that_was_put_in_before_is_seen() {
        loom::model(|| {
            let shared = Arc::new((ArrayQueue::new(1), Over::new()));
            let producer = Arc::clone(&shared);
            let producer = thread::spawn(move || {
                producer.0.push(1).unwrap();
                fence(Ordering::SeqCst);
                producer.1.say();
            });
            let (queue, over) = &*shared;
            if over.is_said() {
                assert!(queue.pop().is_some());
            }
            producer.join().unwrap();
        });
    }
}

mod segmented {
    use super::*;

    /// What one who looks finds while another puts in one and takes out `takes`, in this order, when `before` are inside already.
    fn while_another_takes<R>(before: usize, takes: usize, look: fn(&SegmentedQueue<usize>) -> R) -> R {
        let queue = Arc::new(SegmentedQueue::new());
        (0..before).for_each(|number| queue.push(number));
        let other = Arc::clone(&queue);
        let other = thread::spawn(move || {
            other.push(before);
            (0..takes).for_each(|_| _ = other.pop());
        });
        let found = look(&queue);
        other.join().unwrap();
        found
    }

    #[test]
    fn who_comes_to_a_queue_that_is_never_empty_finds_something() {
        loom::model(|| assert!(while_another_takes(1, 1, SegmentedQueue::pop).is_some()));
    }

    #[test]
    fn who_comes_to_a_block_that_is_used_up_finds_something_in_the_next_one() {
        loom::model(|| assert!(while_another_takes(2, 2, SegmentedQueue::pop).is_some()));
    }

    #[test]
    fn a_queue_that_is_never_empty_does_not_say_that_it_is() {
        loom::model(|| assert!(!while_another_takes(1, 1, SegmentedQueue::is_empty)));
        loom::model(|| assert!(!while_another_takes(2, 2, SegmentedQueue::is_empty)));
    }

    /// A queue whose only block is used up by both sides.
    fn at_the_end_of_a_block(maker: &Maker) -> Arc<SegmentedQueue<Item>> {
        let queue = Arc::new(SegmentedQueue::new());
        (0..2).for_each(|number| queue.push(maker.item(number)));
        (0..2).for_each(|number| assert_eq!(queue.pop().map(|item| item.number()), Some(number)));
        queue
    }

    #[test]
    fn the_block_to_which_one_consumer_moves_is_whole_for_another() {
        model_bounded(2, || {
            let maker = Maker::new();
            let queue = at_the_end_of_a_block(&maker);
            let (other, item) = (Arc::clone(&queue), maker.item(2));
            let other = thread::spawn(move || {
                other.push(item);
                other.pop().map(|item| item.number())
            });
            let mine = queue.pop().map(|item| item.number());
            let others = other.join().unwrap();
            assert_eq!((mine.or(others), mine.and(others)), (Some(2), None));
        });
    }

    #[test]
    fn a_producer_who_finds_the_next_block_before_it_is_at_the_tail_finds_it_whole() {
        loom::model(|| {
            let maker = Maker::new();
            let shared = Arc::new((at_the_end_of_a_block(&maker), Over::new()));
            let (other, item) = (Arc::clone(&shared), maker.item(2));
            let other = thread::spawn(move || {
                other.0.push(item);
                other.1.say();
            });
            let (queue, over) = &*shared;
            over.is_said();
            queue.push(maker.item(3));
            other.join().unwrap();
            assert_eq!(std::iter::from_fn(|| queue.pop()).count(), 2);
        });
    }

    /// One who looks has come to the old block before there is a new one, and puts that at the head: from there another has it.
    #[test]
    fn a_block_that_another_than_its_maker_puts_at_the_head_is_whole() {
        model_bounded(3, || {
            let maker = Maker::new();
            let queue = at_the_end_of_a_block(&maker);
            let other = Arc::clone(&queue);
            let other = thread::spawn(move || other.is_empty());
            let (producer, item) = (Arc::clone(&queue), maker.item(2));
            let producer = thread::spawn(move || producer.push(item));
            let _it_may_be = queue.is_empty();
            other.join().unwrap();
            producer.join().unwrap();
            assert_eq!(queue.pop().map(|item| item.number()), Some(2));
        });
    }

    #[test]
    fn who_comes_while_another_moves_to_the_next_block_finds_what_is_there() {
        model_bounded(2, || {
            let maker = Maker::new();
            let queue = at_the_end_of_a_block(&maker);
            (2..4).for_each(|number| queue.push(maker.item(number)));
            let other = Arc::clone(&queue);
            let other = thread::spawn(move || assert!(other.pop().is_some()));
            assert!(queue.pop().is_some());
            other.join().unwrap();
        });
    }

    /// One who frees it looks at one hazard before the second producer claims that, and at the next one after the first
    /// producer, who knows of the new block, has left it.
    #[test]
    fn a_block_is_not_freed_under_a_producer_who_finds_it_at_the_tail() {
        model_bounded(3, || {
            let maker = Maker::new();
            let queue = at_the_end_of_a_block(&maker);
            let producers = [2, 3].map(|number| {
                let (queue, item) = (Arc::clone(&queue), maker.item(number));
                thread::spawn(move || queue.push(item))
            });
            drop(queue.pop());
            for producer in producers {
                producer.join().unwrap();
            }
            while queue.pop().is_some() {}
            drop(queue);
            assert_eq!(maker.dropped(), 4);
        });
    }
}

mod stack {
    use super::*;

    #[test]
    fn what_was_pushed_is_whole_for_who_takes_all() {
        loom::model(|| {
            let maker = Maker::new();
            let stack = Arc::new(Stack::new());
            let (other, item) = (Arc::clone(&stack), maker.item(1));
            let other = thread::spawn(move || other.push(item));
            stack.take_all().for_each(|item| assert_eq!(item.number(), 1));
            other.join().unwrap();
        });
    }

    #[test]
    fn who_finds_the_stack_empty_sees_what_was_done_before_the_last_item_was_taken() {
        for by_pop in [false, true] {
            loom::model(move || {
                let shared = Arc::new((Stack::new(), Cell::new(0), Over::new()));
                shared.0.push(1);
                let taker = Arc::clone(&shared);
                let taker = thread::spawn(move || {
                    taker.1.set(1);
                    taker.0.pop();
                    taker.2.say();
                });
                let (stack, value, over) = &*shared;
                over.is_said();
                let is_empty = if by_pop { stack.pop().is_none() } else { stack.is_empty() };
                if is_empty {
                    assert_eq!(value.get(), 1);
                }
                taker.join().unwrap();
            });
        }
    }

    #[test]
    fn who_finds_the_stack_empty_at_the_second_look_sees_what_was_done_before_all_was_taken() {
        loom::model(|| {
            let shared = Arc::new((Stack::new(), Cell::new(0)));
            shared.0.push(1);
            let looks = Arc::clone(&shared);
            let looks = thread::spawn(move || {
                if looks.0.pop().is_none() {
                    assert_eq!(looks.1.get(), 1);
                }
            });
            shared.1.set(1);
            // By one exchange: nothing else, no hazard, tells the other thread of it.
            drop(shared.0.take_all());
            looks.join().unwrap();
        });
    }
}

mod rcu {
    use super::*;

    #[test]
    fn a_value_that_one_thread_keeps_is_freed_by_another() {
        loom::model(|| {
            let maker = Maker::new();
            let cell = Arc::new(RcuCell::new(maker.item(0)));
            let guard = cell.load();
            let (writer, item) = (Arc::clone(&cell), maker.item(1));
            let writer = thread::spawn(move || writer.store(item));
            drop(guard);
            cell.collect();
            writer.join().unwrap();
            cell.collect();
            assert_eq!(maker.dropped(), 1);
        });
    }

    #[test]
    fn what_is_stored_is_whole_for_a_reader() {
        for by_update in [false, true] {
            loom::model(move || {
                let cell = Arc::new(RcuCell::new(Cell::new(0)));
                let writer = Arc::clone(&cell);
                let writer = thread::spawn(move || match by_update {
                    false => writer.store(Cell::new(1)),
                    true => writer.update(|old| Cell::new(old.get() + 1)),
                });
                assert!(cell.load().get() <= 1);
                writer.join().unwrap();
            });
        }
    }
}
