//! A place among those who wait for a side to move.

use super::side::{End, Queued, Users};
use crate::wait::list::{Node, set_waker};
use crate::wait::{patience_with_tasks, sleep_until};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::Waker;
use std::time::Instant;

/// In the frame of whoever waits. As long as he has not queued up it costs nothing: the node is not even initialised, which
/// would take longer than to take an item that is there.
pub(super) struct Place<'r, T, U: Users> {
    end: End<'r, T, U>,
    /// Initialised while there is a ticket.
    node: MaybeUninit<Node>,
    /// There from queueing up until leaving; the node is then in the list, or has been told.
    ticket: Option<u64>,
    /// He has queued up at a side of one, and found something in the last look. It may be something that nobody was told of.
    untold: bool,
    is_of_a_task: bool,
    /// There may be tasks before him, which may be told and not come.
    beside_tasks: bool,
}

/// Who waits there.
pub(super) enum Who {
    ThisThread,
    Task(Waker),
}

impl<'r, T, U: Users> Place<'r, T, U> {
    pub(super) fn new(end: End<'r, T, U>) -> Self {
        Place {
            end,
            node: MaybeUninit::uninit(),
            ticket: None,
            untold: false,
            is_of_a_task: false,
            beside_tasks: false,
        }
    }

    /// Queues up, or takes the old place again, and looks once more. `false`: look again, for there is something. A queue that is
    /// closed is something.
    pub(super) fn queue_up(self: Pin<&mut Self>, who: Who, there_is_something: impl Fn() -> bool) -> bool {
        // SAFETY: the node is not moved, and nothing else is pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // What is foreign is dropped after the list is given back, by the order of these.
        let mut who = Some(who);
        let _old_waker;
        let mut hold = this.end.hold();
        // Under the lock of a side of many nothing can come that this look has missed.
        if U::SHARED && there_is_something() {
            drop(hold);
            return false;
        }
        if this.ticket.is_none() {
            this.is_of_a_task = matches!(who, Some(Who::Task(_)));
            this.node.write(if this.is_of_a_task { Node::of_a_task() } else { Node::of_this_thread() });
            hold.count_a_task(this.is_of_a_task);
        }
        let node = this.node.as_ptr();
        // SAFETY: it was written above, or when the ticket was given.
        let shared = unsafe { &*node };
        // SAFETY: the list is ours; the node is in it or in none.
        _old_waker = who.take().and_then(|who| unsafe { set(shared, who) });
        // SAFETY: it is pinned, and goes away by `leave` only; without a ticket it is new.
        let (ticket, queued) = unsafe { hold.queue_up(NonNull::from(shared), this.ticket) };
        this.ticket = Some(ticket);
        this.beside_tasks = hold.has_tasks();
        drop(hold);
        if queued == Queued::Locked {
            return true;
        }
        this.end.before_the_last_look(queued);
        this.untold = there_is_something();
        !this.untold
    }

    /// Sleeps until told, or until it is time to look again, or until the deadline, or a little less. The node is this thread's.
    pub(super) fn sleep(self: Pin<&mut Self>, deadline: Option<Instant>) {
        if self.ticket.is_some() {
            let until = sleep_until(deadline, patience_with_tasks(self.beside_tasks));
            // SAFETY: while there is a ticket it is initialised.
            unsafe { self.node.assume_init_ref() }.sleep(until);
        }
    }

    /// Whether this has been in the list since it was made or served.
    pub(super) fn has_queued_up(&self) -> bool {
        self.ticket.is_some()
    }

    /// Whether this is in the list.
    pub(super) fn is_in_the_list(&self) -> bool {
        // SAFETY: while there is a ticket it is initialised.
        self.ticket.is_some() && unsafe { self.node.assume_init_ref() }.told().is_none()
    }

    /// Leaves, with what was waited for.
    pub(super) fn served(self: Pin<&mut Self>) {
        if self.ticket.is_some() {
            // SAFETY: the node is not moved.
            let this = unsafe { self.get_unchecked_mut() };
            // Who has taken what nobody was told of has not made use of what he was told meanwhile.
            this.leave(!this.untold);
        }
    }

    #[cold]
    fn leave(&mut self, made_use: bool) {
        if self.ticket.take().is_none() {
            return;
        }
        // SAFETY: while there was a ticket it was initialised.
        let node = NonNull::from(unsafe { self.node.assume_init_ref() });
        let mut hold = self.end.hold();
        hold.discount_a_task(self.is_of_a_task);
        // SAFETY: whoever has a ticket is queued up.
        unsafe { hold.remove(node, made_use) };
        // SAFETY: it is in no list any more, and without a ticket nobody uses it.
        unsafe { self.node.assume_init_drop() };
    }
}

impl<T, U: Users> Drop for Place<'_, T, U> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            self.leave(false);
        }
    }
}

/// # Safety
/// As for [`set_waker`].
unsafe fn set(node: &Node, who: Who) -> Option<Waker> {
    match who {
        Who::ThisThread => None,
        // SAFETY: as promised by the caller.
        Who::Task(waker) => unsafe { set_waker(node, waker) },
    }
}
