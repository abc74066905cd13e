//! A fixed number of futures, each of its own type: nested pairs, pinned in the frame of whoever waits.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that may win; `None` if it is switched off.
pub type Arm<'f, F> = Option<Pin<&'f mut F>>;

/// Which arm has won, counted from the outside in, and its output.
#[derive(Debug)]
pub enum Won<A, B> {
    /// This one.
    This(A),
    /// One of those further in.
    Other(B),
}

/// Arms that are asked by their number.
pub trait Arms {
    /// The output of the arm that wins.
    type Output;

    /// Asks one arm.
    fn poll_arm(&mut self, number: usize, cx: &mut Context<'_>) -> Poll<Self::Output>;

    /// Whether any is switched on.
    fn any(&self) -> bool;
}

impl<F: Future, Rest: Arms> Arms for (Arm<'_, F>, Rest) {
    type Output = Won<F::Output, Rest::Output>;

    #[inline]
    fn poll_arm(&mut self, number: usize, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match (number, &mut self.0) {
            (0, None) => Poll::Pending,
            (0, Some(future)) => future.as_mut().poll(cx).map(Won::This),
            _ => self.1.poll_arm(number - 1, cx).map(Won::Other),
        }
    }

    fn any(&self) -> bool {
        self.0.is_some() || self.1.any()
    }
}

/// No arm.
impl Arms for () {
    type Output = Infallible;

    fn poll_arm(&mut self, _: usize, _: &mut Context<'_>) -> Poll<Infallible> {
        Poll::Pending
    }

    fn any(&self) -> bool {
        false
    }
}
