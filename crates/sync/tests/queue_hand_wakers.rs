//! Queues with one place or none: wakers that are of no use any more, and items that come back when the queue is closed.

mod common;

use common::{ByHand, LONG, await_waiters};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use sync::Queue;
use sync::queue::GetError;

/// Of both kinds, full: what is put waits.
fn both_full(test: impl Fn(&Queue<u8>)) {
    test(&Queue::rendezvous());
    let one = Queue::bounded(1);
    one.put(0).unwrap();
    test(&one);
}

type Receiving<'a> = Pin<Box<dyn Future<Output = Result<u8, GetError>> + 'a>>;

/// A waker that wakes nobody, and whose clones can be counted.
struct Quiet;

impl Wake for Quiet {
    fn wake(self: Arc<Self>) {}
}

/// Polls once, and leaves the waker to the future.
fn poll_with<F: Future + ?Sized>(future: &mut Pin<Box<F>>, waker: &Waker) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(waker))
}

/// A waker that panics when its last clone goes away.
struct Sting;

impl Sting {
    fn waker() -> Waker {
        Waker::from(Arc::new(Sting))
    }
}

impl Wake for Sting {
    fn wake(self: Arc<Self>) {
        std::mem::forget(self);
    }
}

impl Drop for Sting {
    fn drop(&mut self) {
        panic!("a panic that the test asked for");
    }
}

#[test]
fn a_waker_that_panics_when_it_is_not_needed_any_more_stops_nobody() {
    both_full(|queue| {
        let mut sender = Box::pin(queue.put_async(1));
        assert!(poll_with(&mut sender, &Sting::waker()).is_pending());
        assert!(poll_with(&mut sender, Waker::noop()).is_pending(), "the first waker goes");
        assert!(poll_with(&mut sender, &Sting::waker()).is_pending());
        drop(sender);
        while queue.try_get().is_ok() {}

        let mut receiver = Box::pin(queue.get_async());
        assert!(poll_with(&mut receiver, &Sting::waker()).is_pending());
        assert!(poll_with(&mut receiver, Waker::noop()).is_pending(), "the first waker goes");
        assert!(poll_with(&mut receiver, &Sting::waker()).is_pending());
        drop(receiver);
        assert!(format!("{queue:?} ").contains("waiting: 0 "));
    });
}

#[test]
fn a_future_that_has_ended_keeps_no_waker() {
    both_full(|queue| {
        let quiet = Arc::new(Quiet);
        let waker = || Waker::from(Arc::clone(&quiet));
        let is_kept = || Arc::strong_count(&quiet) > 1;
        while queue.try_get().is_ok() {}

        let receivers: [Receiving<'_>; 2] =
            [Box::pin(queue.get_async()), Box::pin(queue.get_async_timeout(LONG))];
        for mut receiver in receivers {
            let mut first = ByHand::waiting(queue.get_async());
            assert!(poll_with(&mut receiver, &waker()).is_pending() && is_kept());
            queue.try_put(1).unwrap();
            assert!(first.is_told(), "and the other is not");
            assert_eq!(poll_with(&mut receiver, &waker()), Poll::Ready(Ok(1)));
            assert!(!is_kept(), "while the future is still there");
            assert!(first.poll().is_none());
        }

        let mut stream = Box::pin(queue.stream());
        let mut first = ByHand::waiting(queue.get_async());
        assert!(stream.as_mut().poll_next(&mut Context::from_waker(&waker())).is_pending() && is_kept());
        queue.try_put(2).unwrap();
        assert!(first.is_told(), "and the other is not");
        assert_eq!(stream.as_mut().poll_next(&mut Context::from_waker(&waker())), Poll::Ready(Some(2)));
        assert!(!is_kept(), "while the stream is still there");
        assert!(first.poll().is_none());
    });
}

#[test]
fn closing_gives_items_back_whose_senders_have_a_limit() {
    both_full(|queue| {
        let mut task = ByHand::waiting(queue.put_async_timeout(1, LONG));
        let mut another = ByHand::waiting(queue.put_async(2));
        let mut kept = Some(3);
        let mut offer = ByHand::waiting(queue.put_from_async(&mut kept));
        thread::scope(|scope| {
            let sender = scope.spawn(|| queue.put_timeout(4, LONG));
            await_waiters(queue, 4);
            queue.close();
            let refused = sender.join().unwrap().unwrap_err();
            assert!(refused.is_closed() && refused.into_inner() == 4);
        });
        let refused = task.poll().unwrap().unwrap_err();
        assert!(refused.is_closed() && refused.into_inner() == 1);
        let refused = another.poll().unwrap().unwrap_err();
        assert!(refused.is_closed() && refused.into_inner() == 2);
        assert!(offer.poll().unwrap().unwrap_err().is_closed());
        drop(offer);
        assert_eq!(kept, Some(3));
    });
}
