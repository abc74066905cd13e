//! How a thread waits at a queue: on a place in its own frame.

use super::getting::Getting;
use super::putting::Putting;
use super::{GetError, Hand, PutError};
use crate::park;
use std::pin::pin;
use std::task::Poll;
use std::time::Instant;

impl<T> Hand<T> {
    /// Puts `item` in, waiting until `deadline` at most. Blocks.
    #[inline]
    pub(crate) fn put(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        if !park::plain::is_here() {
            let mut put = pin!(self.put_async(item));
            return park::block_on_until(put.as_mut(), deadline).unwrap_or_else(|| put.give_up());
        }
        let mut putting = pin!(Putting::of_this_thread(self, item));
        if let Poll::Ready(answer) = putting.as_mut().look(true) {
            return answer;
        }
        putting.rest(deadline);
        putting.give_up()
    }

    /// Takes an item, waiting until `deadline` at most. Blocks.
    #[inline]
    pub(crate) fn get(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        if !park::plain::is_here() {
            let mut get = pin!(self.get_async());
            return park::block_on_until(get.as_mut(), deadline).unwrap_or_else(|| get.give_up());
        }
        let mut getting = pin!(Getting::of_this_thread(self));
        loop {
            if let Poll::Ready(answer) = getting.as_mut().look_or_wait() {
                return answer;
            }
            if !getting.rest(deadline) {
                return getting.give_up();
            }
            if let Some(item) = getting.handed() {
                return Ok(item);
            }
        }
    }
}
