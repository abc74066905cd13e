//! The future of the first arm that is ready, and the ways to wait for it.

use super::arms::Arms;
use super::asking::asking;
use super::order::Order;
use crate::park;
use crate::timer;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

/// The first of `N` arms.
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct First<A, const N: usize> {
    arms: A,
    order: Order,
    /// The numbers of the arms, in the order in which they were last asked.
    numbers: [usize; N],
}

impl<A: Arms, const N: usize> First<A, N> {
    /// The first of `arms`, of which there are as many as in `count`.
    pub fn new(arms: A, order: Order, _count: [(); N]) -> Self {
        First { arms, order, numbers: std::array::from_fn(|number| number) }
    }

    #[track_caller]
    fn must_have_an_arm(&self) {
        assert!(self.arms.any(), "{NO_ARM}");
    }
}

/// Why there is nothing to wait for.
pub(super) const NO_ARM: &str =
    "a select without any arm switched on would wait for ever; give it a limit, or `default`";

/// The arms are pinned elsewhere.
impl<A, const N: usize> Unpin for First<A, N> {}

impl<A: Arms, const N: usize> Future for First<A, N> {
    type Output = A::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Output> {
        let First { arms, order, numbers } = self.get_mut();
        asking(|| order.ask(numbers, |number| arms.poll_arm(number, cx)))
    }
}

/// Blocks until an arm is ready.
#[track_caller]
pub fn block<A: Arms, const N: usize>(first: First<A, N>) -> A::Output {
    first.must_have_an_arm();
    park::block_on(first)
}

/// Waits until an arm is ready.
#[track_caller]
pub fn wait<A: Arms, const N: usize>(first: First<A, N>) -> First<A, N> {
    first.must_have_an_arm();
    first
}

/// Asks each arm once.
pub fn now<F: Future + Unpin>(mut first: F) -> Option<F::Output> {
    match Pin::new(&mut first).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(won) => Some(won),
        Poll::Pending => None,
    }
}

/// Waits until an arm is ready, or until `at`, which is looked at after the arms.
///
/// # Cancel safety
/// That of the arms, which are dropped with the future.
pub async fn until<F: Future + Unpin>(at: Instant, mut first: F) -> Option<F::Output> {
    let mut end = pin!(timer::sleep_until(at));
    poll_fn(|cx| match Pin::new(&mut first).poll(cx) {
        Poll::Ready(won) => Poll::Ready(Some(won)),
        Poll::Pending => end.as_mut().poll(cx).map(|()| None),
    })
    .await
}
