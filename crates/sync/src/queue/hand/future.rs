//! How a task waits at a queue: in its future, which is told to look, or that its item was taken.

use super::getting::Getting;
use super::putting::Putting;
use super::{GetError, Hand, ITEM, PutError, Refusal};
use crate::select::is_arm;
use crate::timer;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

/// See [`Hand::put_later`].
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Put<'a, T>(Putting<'a, T>);

/// See [`Hand::get_later`].
#[must_use = "futures do nothing unless awaited"]
pub(crate) struct Get<'a, T>(Getting<'a, T>);

impl<T> Hand<T> {
    /// Puts `item` in, waiting for room or for a receiver. If the future is dropped, the item is sent, or it is dropped too.
    #[inline]
    pub(crate) async fn put_async(&self, item: T) -> Result<(), PutError<T>> {
        let item = match self.put_at_hand(item) {
            Ok(()) => return Ok(()),
            Err(item) => item,
        };
        // Nobody may take from an arm's hand: another arm may win.
        if is_arm() {
            let mut item = Some(item);
            return self.offer(&mut item).await.map_err(|why| why.with(item));
        }
        self.put_later(item).await
    }

    /// Takes an item, waiting for it. Nothing is lost by dropping the future.
    #[inline]
    pub(crate) async fn get_async(&self) -> Result<T, GetError> {
        match self.item_at_hand() {
            Some(item) => Ok(item),
            None => self.get_later().await,
        }
    }

    pub(crate) async fn put_async_timeout(&self, item: T, limit: Duration) -> Result<(), PutError<T>> {
        let item = match self.put_at_hand(item) {
            Ok(()) => return Ok(()),
            Err(item) => item,
        };
        if is_arm() {
            let mut item = Some(item);
            let done = timer::timeout(limit, self.offer(&mut item)).await;
            return done.unwrap_or(Err(Refusal::TimedOut)).map_err(|why| why.with(item));
        }
        let mut put = pin!(self.put_later(item));
        match timer::timeout(limit, put.as_mut()).await {
            Ok(answer) => answer,
            Err(_late) => put.give_up(),
        }
    }

    pub(crate) async fn get_async_timeout(&self, limit: Duration) -> Result<T, GetError> {
        if let Some(item) = self.item_at_hand() {
            return Ok(item);
        }
        let mut get = pin!(self.get_later());
        match timer::timeout(limit, get.as_mut()).await {
            Ok(answer) => answer,
            Err(_late) => get.give_up(),
        }
    }

    /// As [`put_async`](Hand::put_async), for one who has seen no room, and is no arm.
    #[inline]
    pub(super) fn put_later(&self, item: T) -> Put<'_, T> {
        Put(Putting::of_a_task(self, item))
    }

    /// As [`get_async`](Hand::get_async), for one who may have seen no item.
    #[inline]
    pub(crate) fn get_later(&self) -> Get<'_, T> {
        Get(Getting::of_a_task(self))
    }
}

impl<'a, T> Put<'a, T> {
    /// The item again, if nobody has taken it yet.
    pub(super) fn give_up(self: Pin<&mut Self>) -> Result<(), PutError<T>> {
        self.putting().give_up()
    }

    fn putting(self: Pin<&mut Self>) -> Pin<&mut Putting<'a, T>> {
        // SAFETY: what is pinned in `Put` is its only field.
        unsafe { self.map_unchecked_mut(|put| &mut put.0) }
    }
}

impl<'a, T> Get<'a, T> {
    /// The last look, for one who is late: whoever was told takes the item all the same.
    pub(super) fn give_up(self: Pin<&mut Self>) -> Result<T, GetError> {
        self.getting().give_up()
    }

    fn getting(self: Pin<&mut Self>) -> Pin<&mut Getting<'a, T>> {
        // SAFETY: what is pinned in `Get` is its only field.
        unsafe { self.map_unchecked_mut(|get| &mut get.0) }
    }
}

impl<T> Future for Put<'_, T> {
    type Output = Result<(), PutError<T>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut putting = self.putting();
        if putting.waits() {
            return match putting.answer() {
                Poll::Pending => putting.wait_on(cx.waker().clone()),
                answer => answer,
            };
        }
        putting.set_waker(cx.waker().clone());
        match putting.as_mut().look() {
            // The one whom it told of its item may be a thread that has it already.
            Poll::Pending => putting.answer(),
            answer => answer,
        }
    }
}

impl<T> Future for Get<'_, T> {
    type Output = Result<T, GetError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut getting = self.getting();
        // A look does without a waker, unless it would be in vain. Who has waited already does not wait awake, nor does an arm,
        // for another arm may be ready.
        let hand = getting.hand();
        if hand.seems_to_have(ITEM) || !getting.waits() && !is_arm() && hand.glance() {
            if let Poll::Ready(answer) = getting.as_mut().look() {
                return Poll::Ready(answer);
            }
        }
        getting.look_or_wait_for(cx.waker().clone())
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::{GetError, Hand};
    use crate::select::Select;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn a_receiver_that_is_polled_when_it_has_ended_waits_anew() {
        let (hand, mut cx) = (Hand::new(true), Context::from_waker(Waker::noop()));
        let mut get = pin!(hand.get_later());
        for item in 0..2 {
            assert!(get.as_mut().poll(&mut cx).is_pending());
            hand.try_put(item).unwrap();
            assert_eq!(get.as_mut().poll(&mut cx), Poll::Ready(Ok(item)));
        }
        assert!(get.as_mut().poll(&mut cx).is_pending());
        assert_eq!(get.give_up(), Err(GetError::TimedOut));
        assert_eq!(hand.waiting(), 0, "it stands in the list of a queue, from where it would be gone");
    }

    #[test]
    fn an_arm_does_not_wait_awake() {
        let hand = Hand::<u8>::new(true);
        let nothing = format!("{:?}", hand.pace);
        let mut arms = Select::new();
        arms.arm(hand.get_later());
        assert!(arms.try_wait().is_none());
        assert_eq!(format!("{:?}", hand.pace), nothing);
    }
}
