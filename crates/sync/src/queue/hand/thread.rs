//! How a thread waits at a queue: on a place in its own frame.

use super::getting::Getting;
use super::held::Held;
use super::place::Wakes;
use super::putting::Putting;
use super::{GetError, Hand, PutError, Refusal};
use crate::park;
use std::pin::{Pin, pin};
use std::time::Instant;

impl<T> Hand<T> {
    /// Puts `item` in, waiting until `deadline` at most. Blocks.
    ///
    /// Not inline: it needs a frame, and where it is part of the caller, each operation of a ring would set it up.
    #[inline(never)]
    pub(crate) fn put(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        if !park::plain::is_here() {
            let item = match self.put_at_hand(item) {
                Ok(()) => return Ok(()),
                Err(item) => item,
            };
            let mut put = pin!(self.put_later(item));
            return park::block_on_until(put.as_mut(), deadline).unwrap_or_else(|| put.give_up());
        }
        // Mostly nobody has to wait. Who has to is given a place by himself, under the lock under which he has looked.
        let (mut item, mut wakes, mut putting) = (Held::new(item), Wakes::new(), pin!(None));
        let done = self.with(|state| {
            let done = state.put(&mut item, &mut wakes);
            if done == Err(Refusal::Full) {
                putting.set(Some(Putting::of_this_thread(self, item.take_surely())));
                // SAFETY: it is new, and this is the state of its hand.
                unsafe { who_waits(putting.as_mut()).wait(state, &mut wakes) };
            }
            done
        });
        wakes.run();
        match done {
            Ok(()) => Ok(()),
            Err(Refusal::Full) => who_waits(putting).rest_until(deadline),
            Err(why) => Err(PutError::new(why, item.take_surely())),
        }
    }

    /// Takes an item, waiting until `deadline` at most. Blocks.
    ///
    /// Not inline, as [`put`](Hand::put).
    #[inline(never)]
    pub(crate) fn get(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        if !park::plain::is_here() {
            let mut get = pin!(self.get_later());
            return park::block_on_until(get.as_mut(), deadline).unwrap_or_else(|| get.give_up());
        }
        let (mut item, mut wakes, mut getting) = (Held::nothing(), Wakes::new(), pin!(None));
        let done = self.with(|state| {
            let done = state.get(&mut item, &mut wakes);
            if done == Err(GetError::Empty) {
                getting.set(Some(Getting::of_this_thread(self)));
                // SAFETY: this is the state of its hand.
                unsafe { who_waits(getting.as_mut()).wait(state, &mut wakes) };
            }
            done
        });
        wakes.run();
        match done {
            Ok(()) => Ok(item.take_surely()),
            Err(GetError::Empty) => who_waits(getting).rest_until(deadline),
            Err(why) => Err(why),
        }
    }
}

/// The one who waits, who is there.
fn who_waits<W>(waiter: Pin<&mut Option<W>>) -> Pin<&mut W> {
    match waiter.as_pin_mut() {
        Some(waiter) => waiter,
        None => unreachable!("who has looked in vain waits"),
    }
}
