//! Help for models that hand a unit's panic on as a panic: here it becomes a [`Lost`].

use crate::Lost;
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// How a panic ended a unit, as `panicked: <message>`.
#[must_use]
pub fn lost(payload: &(dyn Any + Send)) -> Lost {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Lost::new(format_args!("panicked: {}", text.unwrap_or("(a payload that is no text)")))
}

/// Calls a function and catches its panic.
///
/// # Errors
/// If it panics. Whatever it has left half done is not looked at again: a lost unit has no result.
pub fn call<T>(function: impl FnOnce() -> T) -> Result<T, Lost> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|payload| lost(&*payload))
}

/// Awaits a future and catches its panic.
///
/// # Errors
/// If it panics; see [`call`].
pub async fn wait<T>(future: impl Future<Output = T>) -> Result<T, Lost> {
    let mut future = pin!(future);
    poll_fn(|context| match call(|| future.as_mut().poll(context)) {
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(lost) => Poll::Ready(Err(lost)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::blocking::finish;

    #[test]
    fn a_panic_becomes_a_loss_that_tells_its_message() {
        let lost = |cause: &str| Err::<u64, _>(Lost { cause: cause.to_owned() });
        assert_eq!(call(|| -> u64 { panic!("two\nlines") }), lost("panicked: two lines"));
        assert_eq!(call(|| -> u64 { panic!("number {}", 7) }), lost("panicked: number 7"));
        assert_eq!(
            call(|| -> u64 { std::panic::panic_any(7) }),
            lost("panicked: (a payload that is no text)")
        );
        assert_eq!(finish(wait(async { panic!("here") })), lost("panicked: here"));
        assert_eq!(finish(wait(async { 7_u64 })), Ok(7));
    }
}
