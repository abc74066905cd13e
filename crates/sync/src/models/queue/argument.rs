//! Single steps of the arguments: each model here fails if one of them is left out.

use super::*;
use std::cell::{Cell, RefCell};
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{RawWaker, RawWakerVTable, Wake};

/// The last item comes before the end, and both between the two looks at the position, or before them.
#[test]
fn who_sees_that_it_is_closed_sees_what_was_put_before() {
    interrupted(2, || {
        let queue = Plain::new(Queue::bounded(2));
        let over = Arc::new(Over::new());
        let (producer, said) = (Plain::clone(&queue), Arc::clone(&over));
        let producer = thread::spawn(move || {
            producer.put(token()).unwrap();
            producer.close();
            said.say();
        });
        over.is_said();
        let got = queue.try_get().map(drop);
        assert_ne!(got, Err(GetError::Closed));
        producer.join().unwrap();
        assert_eq!(queue.try_get().is_ok(), got.is_err());
    });
}

/// One item into the next block, one out of it.
#[test]
fn blocks_are_linked_while_the_other_side_looks_for_the_next() {
    loom::model(|| {
        let queue = Plain::new(Queue::unbounded());
        let over = Arc::new(Over::new());
        (0..2).for_each(|_| queue.put(token()).unwrap());
        (0..2).for_each(|_| assert!(queue.try_get().is_ok()));
        let (producer, said) = (Plain::clone(&queue), Arc::clone(&over));
        let producer = thread::spawn(move || {
            producer.put(token()).unwrap();
            said.say();
        });
        over.is_said();
        let taken = usize::from(queue.try_get().is_ok());
        producer.join().unwrap();
        assert_eq!(queue.len(), 1 - taken);
    });
}

/// The first block is used up and given back, while the third is begun, which may be the first again.
#[test]
fn blocks_are_given_back_while_the_other_side_looks_for_one() {
    loom::model(|| {
        let queue = Plain::new(Queue::unbounded());
        let over = Arc::new(Over::new());
        (0..4).for_each(|_| queue.put(token()).unwrap());
        let (consumer, said) = (Plain::clone(&queue), Arc::clone(&over));
        let consumer = thread::spawn(move || {
            (0..3).for_each(|_| assert!(consumer.try_get().is_ok()));
            said.say();
        });
        over.is_said();
        queue.put(token()).unwrap();
        consumer.join().unwrap();
        assert_eq!(queue.len(), 2);
    });
}

/// Room is made before a producer says that he waits, so nobody is told of it. He takes it; and is told, while he does so, of the room
/// for another, who has queued up behind him.
#[test]
fn room_that_one_is_told_of_who_has_taken_other_room_is_for_the_next() {
    loom::model(|| {
        let (sender, mut receiver) = mpsc::bounded(2);
        let sender = Plain::new(sender);
        (0..2).for_each(|_| sender.put(0).unwrap());
        let theirs = Plain::clone(&sender);
        let mut second = Box::pin(async move { theirs.put_async(2).await });
        let told = Plain::new(Told(AtomicBool::new(false)));
        let waker = Waker::from(Plain::clone(&told));
        let other = Rc::new(Cell::new(None));
        let spawned = Rc::clone(&other);
        let interrupting = interrupting(move || {
            receiver.get().unwrap();
            spawned.set(Some(thread::spawn(move || {
                let waits = second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending();
                receiver.get().unwrap();
                (waits, second, receiver)
            })));
        });
        let mut first = Box::pin(sender.put_async(1));
        let first_waits = first.as_mut().poll(&mut Context::from_waker(&interrupting)).is_pending();
        let (second_waits, second, receiver) = other.take().expect("the queue was full").join().unwrap();
        // There is room for both by now.
        assert!(!first_waits || WOKEN.get());
        assert!(!second_waits || told.0.load(Ordering::Relaxed));
        drop((first, second, receiver));
    });
}

/// Whether a task was woken.
struct Told(AtomicBool);

impl Wake for Told {
    fn wake(self: Plain<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

std::thread_local! {
    // Loom runs the threads of a model on one.
    static AT_A_CLONE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
    static WOKEN: Cell<bool> = const { Cell::new(false) };
}

static INTERRUPTING: RawWakerVTable = RawWakerVTable::new(
    |_| {
        if let Some(interruption) = AT_A_CLONE.take() {
            interruption();
        }
        RawWaker::new(ptr::null(), &INTERRUPTING)
    },
    |_| WOKEN.set(true),
    |_| WOKEN.set(true),
    |_| (),
);

/// A waker that is interrupted when it is cloned first: its task has looked in vain, and has not queued up.
fn interrupting(interruption: impl FnOnce() + 'static) -> Waker {
    AT_A_CLONE.set(Some(Box::new(interruption)));
    WOKEN.set(false);
    // SAFETY: the functions use no data.
    unsafe { Waker::from_raw(RawWaker::new(ptr::null(), &INTERRUPTING)) }
}
