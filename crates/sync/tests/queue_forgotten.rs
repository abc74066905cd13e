//! What a queue owes to futures that others treat badly: they are forgotten, moved from thread to thread, polled after they ended, and
//! hold items that panic when they are dropped.

mod common;

use common::{ByHand, Counted};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Waker};
use std::thread;
use sync::Queue;
use sync::queue::{GetError, mpsc, spsc};

const TIMES: usize = if cfg!(miri) { 30 } else { 20_000 };

fn queues<T>() -> [Queue<T>; 4] {
    [Queue::rendezvous(), Queue::bounded(1), Queue::bounded(2), Queue::unbounded()]
}

fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

#[track_caller]
fn forget(future: impl Future) {
    let mut future = Box::pin(future);
    assert!(poll(&mut future).is_pending(), "it should wait");
    std::mem::forget(future);
}

#[test]
fn a_queue_moves_away_from_those_who_were_forgotten() {
    for queue in queues() {
        let queue = Box::new(queue);
        forget(queue.get_async());
        forget(queue.get_async());
        // Whoever was told does not look: the item is for whoever comes.
        queue.try_put(Box::new(1)).unwrap();
        let queue = *queue;
        assert_eq!(queue.try_get(), Ok(Box::new(1)));
        queue.try_put(Box::new(2)).unwrap();
        assert_eq!(queue.get(), Ok(Box::new(2)));
        // Nobody else is left who was not told.
        queue.close();
        assert_eq!(queue.get(), Err(GetError::Closed));
    }
}

#[test]
fn an_item_in_a_future_that_was_forgotten_can_be_had_where_there_is_no_other_place() {
    for queue in [Queue::rendezvous(), Queue::bounded(1)] {
        let places = usize::from(queue.put_timeout(Box::new(0), std::time::Duration::ZERO).is_ok());
        let queue = Box::new(queue);
        forget(queue.put_async(Box::new(places)));
        forget(queue.put_async(Box::new(places + 1)));
        let queue = *queue;
        for due in 0..places + 2 {
            assert_eq!(queue.try_get(), Ok(Box::new(due)));
        }
        assert_eq!(queue.try_get(), Err(GetError::Empty));
    }
}

#[test]
fn an_owner_takes_as_many_as_were_inside_whatever_forgotten_futures_hold() {
    for queue in queues() {
        let places =
            (0..2).filter(|number| queue.put_timeout(*number, std::time::Duration::ZERO).is_ok()).count();
        if queue.capacity().is_some() {
            forget(queue.put_async(7));
            forget(queue.put_async(8));
        }
        let mut left = queue.into_iter();
        assert_eq!(left.len(), places);
        for number in 0..places {
            assert_eq!((left.next(), left.len()), (Some(number), places - number - 1));
        }
        assert_eq!(left.next(), None);
    }
}

#[test]
fn ends_that_are_alone_go_away_after_those_who_were_forgotten() {
    let (mut sender, mut receiver) = spsc::bounded(1);
    forget(receiver.get_async());
    sender.try_put(Box::new(1)).unwrap();
    forget(sender.put_async(Box::new(2)));
    assert_eq!(receiver.get(), Ok(Box::new(1)));
    sender.put(Box::new(3)).unwrap();
    drop(receiver);
    assert!(sender.put(Box::new(4)).is_err());

    let (sender, mut receiver) = mpsc::bounded(1);
    let mut stream = Box::pin(receiver.stream());
    assert!(stream.as_mut().poll_next(&mut Context::from_waker(Waker::noop())).is_pending());
    std::mem::forget(stream);
    forget(receiver.get_async());
    sender.put(Box::new(1)).unwrap();
    forget(sender.put_async(Box::new(2)));
    drop(sender);
    assert_eq!(receiver.get(), Ok(Box::new(1)));
    assert_eq!(receiver.get(), Err(GetError::Closed));
}

#[test]
fn a_future_that_has_ended_and_is_polled_again_takes_nothing_that_is_not_its_own() {
    for queue in queues() {
        let counted = Counted::default();
        while queue.try_put(counted.clone()).is_ok() && queue.capacity().is_some() {}
        let mut put = Box::pin(queue.put_async(counted.clone()));
        let waits = poll(&mut put).is_pending();
        let mut got = 0;
        while queue.try_get().is_ok() {
            got += 1;
        }
        // It was sent from where it lay, or is put now.
        if waits {
            assert!(poll(&mut put).is_ready());
        }
        // It is an `async fn`'s, which panics; what it held has gone.
        assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut put))).is_err());
        drop(put);
        while queue.try_get().is_ok() {
            got += 1;
        }
        assert!(got > 0);
        assert_eq!(counted.others(), 0);
    }
}

/// Each future is polled on one thread, and polled again or dropped on another, while items come and go.
#[test]
fn futures_that_change_threads_lose_no_item_and_take_none_twice() {
    for queue in queues::<Counted>() {
        let (queue, counted, got) = (&queue, &Counted::default(), &AtomicUsize::new(0));
        let sent = thread::scope(|scope| {
            type Getting<'a> = Pin<Box<dyn Future<Output = Result<Counted, GetError>> + Send + 'a>>;
            let (sender, receiver) = channel::<Getting<'_>>();
            scope.spawn(move || {
                for _ in 0..TIMES {
                    let mut get: Getting<'_> = Box::pin(queue.get_async());
                    match poll(&mut get) {
                        Poll::Ready(item) => _ = item.map(|_| got.fetch_add(1, Ordering::Relaxed)),
                        Poll::Pending => sender.send(get).unwrap(),
                    }
                }
            });
            scope.spawn(move || {
                for (number, mut get) in receiver.into_iter().enumerate() {
                    if number % 2 == 0 {
                        if let Poll::Ready(Ok(_)) = poll(&mut get) {
                            got.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
            let put = |number| {
                let mut put = Box::pin(queue.put_async(counted.clone()));
                poll(&mut put).is_ready() || number % 2 == 0 && poll(&mut put).is_ready()
            };
            (0..TIMES).filter(|number| put(*number)).count()
        });
        while queue.try_get().is_ok() {
            got.fetch_add(1, Ordering::Relaxed);
        }
        // What was taken while its future was being dropped was sent as well.
        assert!((sent..=TIMES).contains(&got.load(Ordering::Relaxed)));
        assert_eq!(counted.others(), 0, "each item was got or dropped, once");
        assert!(format!("{queue:?} ").contains("waiting: 0 "));
    }
}

/// Counts how often it was dropped, and panics then.
struct Sharp<'a>(&'a AtomicUsize);

impl Drop for Sharp<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        // A second panic would end the process.
        if !thread::panicking() {
            panic!("a panic that the test asked for");
        }
    }
}

#[test]
fn items_that_panic_when_they_are_dropped_are_dropped_once() {
    let dropped = AtomicUsize::new(0);
    let dropping = |work: &mut dyn FnMut()| {
        dropped.store(0, Ordering::Relaxed);
        assert!(catch_unwind(AssertUnwindSafe(work)).is_err());
        dropped.load(Ordering::Relaxed)
    };
    for queue in queues() {
        // In a future that waits, or in the queue if that has no end of room.
        let room = queue.capacity().unwrap_or(1);
        let mut queue = Some(queue);
        for _ in 0..room {
            queue.as_ref().unwrap().put(Sharp(&dropped)).ok().unwrap();
        }
        if queue.as_ref().unwrap().capacity().is_some() {
            let times = dropping(&mut || {
                let mut put = Box::pin(queue.as_ref().unwrap().put_async(Sharp(&dropped)));
                assert!(poll(&mut put).is_pending());
            });
            assert_eq!(times, 1);
        }
        assert!(format!("{:?} ", queue.as_ref().unwrap()).contains("waiting: 0 "));
        if room > 0 {
            assert_eq!(dropping(&mut || drop(queue.take())), room);
        }
    }
    // A sender that waits has its item still when nobody takes it any more.
    let queue = Queue::rendezvous();
    let mut refused = ByHand::waiting(queue.put_async(Sharp(&dropped)));
    queue.close();
    assert_eq!(dropping(&mut || drop(refused.poll().unwrap())), 1);
}
