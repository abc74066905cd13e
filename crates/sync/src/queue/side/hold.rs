//! The list of those who wait for a side to move, held by one at a time.

use super::{End, FENCE_NS, FENCED, NEAR_FENCE_NS, ONE, SURE, TOLD, Users, WAITING, Waiting, run};
use crate::primitive::{Ordering, ShortGuard, this_thread};
use crate::wait::list::{Node, Wake};
use std::ptr::NonNull;

/// What there is to do between queueing up and the last look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::queue) enum Queued {
    /// Nothing: the last look was made under the lock.
    Locked,
    /// The owner uses a barrier for each item, and so does the waiter.
    Fenced,
    /// The owner uses none: the waiter makes it for both.
    Bare,
}

/// The list of those who wait, held. Gives back the side, or the short lock, when dropped.
pub(in crate::queue) struct Hold<'r, T, U: Users> {
    pub(super) end: End<'r, T, U>,
    pub(super) position: usize,
    pub(super) _short: Option<ShortGuard<'r>>,
}

impl<T, U: Users> Hold<'_, T, U> {
    pub(super) fn access<R>(&mut self, access: impl FnOnce(&mut Waiting) -> R) -> R {
        self.end.side.waiting.with_mut(|waiting| {
            // SAFETY: the list is held by this, and no access is inside another.
            access(unsafe { &mut *waiting })
        })
    }

    pub(super) fn is_empty(&mut self) -> bool {
        self.access(|waiting| waiting.list.is_empty())
    }

    /// Somebody comes who has no ticket, perhaps a task.
    pub(in crate::queue) fn count_a_task(&mut self, is_task: bool) {
        self.access(|waiting| waiting.tasks += usize::from(is_task));
    }

    /// Somebody gives his ticket back.
    pub(in crate::queue) fn discount_a_task(&mut self, is_task: bool) {
        self.access(|waiting| waiting.tasks -= usize::from(is_task));
    }

    pub(in crate::queue) fn has_tasks(&mut self) -> bool {
        self.access(|waiting| waiting.tasks > 0)
    }

    /// Tells the first to look again, and takes him out.
    pub(super) fn tell_first(&mut self) -> Wake {
        let wake = self.access(|waiting| {
            waiting.len -= usize::from(!waiting.list.is_empty());
            waiting.list.tell_first(TOLD)
        });
        self.unset_if_empty();
        wake
    }

    /// As [`tell_first`](Hold::tell_first), for the owner of a side of one.
    pub(super) fn tell_first_here(&mut self) -> Wake {
        self.access(|waiting| waiting.told_on = this_thread());
        self.tell_first()
    }

    /// Puts a node in its place, at the end if it has no ticket; its ticket.
    ///
    /// # Safety
    /// It is in no list, or in this one, with that ticket. It neither moves nor goes away before [`remove`](Hold::remove).
    pub(in crate::queue) unsafe fn queue_up(
        &mut self,
        node: NonNull<Node>,
        ticket: Option<u64>,
    ) -> (u64, Queued) {
        // SAFETY: the node is there, as the caller promises.
        let shared = unsafe { node.as_ref() };
        let has_left = shared.told().is_some();
        shared.begin();
        let ticket = self.access(|waiting| match ticket {
            None => {
                waiting.last_ticket += 1;
                waiting.len += 1;
                // At the end at once: to look for its place from the front would be a step for everybody who waits.
                // SAFETY: without a ticket it is in no list; the rest is promised by the caller.
                unsafe { waiting.list.push(node, waiting.last_ticket) };
                waiting.last_ticket
            }
            Some(ticket) => {
                if has_left {
                    waiting.len += 1;
                    // SAFETY: it was taken out when it was told; the rest is promised by the caller.
                    unsafe { waiting.list.push_back_in(node, ticket) };
                }
                ticket
            }
        });
        (ticket, self.set_waiting())
    }

    fn set_waiting(&mut self) -> Queued {
        if U::SHARED {
            // Relaxed: those who look have the lock.
            self.end.flag.fetch_or(WAITING, Ordering::Relaxed);
            return Queued::Locked;
        }
        let (position, side) = (self.position, self.end.side);
        let wants_fence = self.access(|waiting| {
            let fence = if waiting.told_on == this_thread() { NEAR_FENCE_NS } else { FENCE_NS };
            side.fence_ns.store(fence, Ordering::Relaxed);
            let moved = position.wrapping_sub(waiting.last_position) / ONE;
            waiting.last_position = position;
            let is_dear =
                moved.saturating_mul(fence as usize) < side.barrier_ns.load(Ordering::Relaxed) as usize;
            waiting.dear = if is_dear { waiting.dear.saturating_add(1) } else { 0 };
            waiting.dear > 1
        });
        let set = if wants_fence { WAITING | FENCED } else { WAITING };
        // SeqCst: the first half of a handshake, of which the last look is the second. If it finds `SURE`, the owner cannot
        // clear that before he has seen `WAITING`.
        match self.end.flag.fetch_or(set, Ordering::SeqCst) & SURE {
            0 => Queued::Bare,
            _ => Queued::Fenced,
        }
    }

    /// Takes out a node that was queued up here. If it was told, and has not made use of that, the next is told.
    ///
    /// # Safety
    /// It was queued up here, and not taken out since.
    pub(in crate::queue) unsafe fn remove(mut self, node: NonNull<Node>, made_use: bool) {
        // SAFETY: the node is there, as the caller promises.
        let was_told = unsafe { node.as_ref() }.told().is_some();
        let wake = match (was_told, made_use) {
            (false, _) => {
                self.access(|waiting| {
                    waiting.len -= 1;
                    // SAFETY: it was queued up, and who is told is the only one that is taken out by others.
                    unsafe { waiting.list.remove(node) };
                });
                self.unset_if_empty();
                Wake::Nobody
            }
            (true, true) => Wake::Nobody,
            (true, false) => self.tell_first(),
        };
        drop(self);
        run(wake);
    }

    fn unset_if_empty(&mut self) {
        if self.is_empty() {
            // Relaxed: who sets it holds the list.
            self.end.flag.fetch_and(!WAITING, Ordering::Relaxed);
        }
    }
}

impl<T, U: Users> Drop for Hold<'_, T, U> {
    fn drop(&mut self) {
        self.end.leave(self.position);
    }
}

#[cfg(all(test, not(any(trefoil_loom, trefoil_shuttle))))]
mod tests {
    use super::super::{
        BARRIER_NS, FENCE_NS, FENCED, NEAR_FENCE_NS, ONE, SURE, Side, Sole, TRIAL_AFTER, WAITING,
    };
    use super::End;
    use crate::primitive::{AtomicU8, Ordering::Relaxed, this_thread};

    const DEAR_NS: u32 = 17_000;

    /// A side of one on which the barrier on all CPUs took so long.
    fn with_barriers_of(nanos: u32) -> Side<u64, Sole> {
        let side = Side::new();
        side.barrier_ns.store(nanos, Relaxed);
        side
    }

    /// Whether the owner is to make barriers, after some waits with so many items between them, if he told who waits here or elsewhere.
    fn is_to_be_fenced(barrier_ns: u32, items: usize, is_near: bool) -> bool {
        let (side, flag) = (with_barriers_of(barrier_ns), AtomicU8::new(0));
        let end = End::new(&side, &flag);
        if is_near {
            end.tell_one();
        }
        for wait in 1..4 {
            side.word.store(wait * items * ONE, Relaxed);
            end.hold().set_waiting();
        }
        flag.load(Relaxed) & FENCED != 0
    }

    #[test]
    fn a_barrier_at_each_item_is_cheap_for_one_on_the_thread_of_who_waits() {
        assert!(is_to_be_fenced(DEAR_NS, 1_024, true));
        assert!(!is_to_be_fenced(DEAR_NS, 1_024, false));
        assert!(is_to_be_fenced(DEAR_NS, 128, false));
        assert!(!is_to_be_fenced(500, 128, true));
    }

    #[test]
    fn who_publishes_notes_where_he_tells() {
        for flags in [WAITING, WAITING | FENCED] {
            let (side, flag) = (Side::<u64, Sole>::new(), AtomicU8::new(flags));
            let end = End::new(&side, &flag);
            // SAFETY: nobody else has the side.
            unsafe { end.publish(0) };
            assert_eq!(end.hold().access(|waiting| waiting.told_on), this_thread());
        }
    }

    /// After how many items the owner drops his barriers, if somebody waits every so many.
    fn fenced_for(barrier_ns: u32, fence_ns: u32, waits_every: u32) -> Option<u32> {
        let (side, flag) = (with_barriers_of(barrier_ns), AtomicU8::new(FENCED | SURE));
        side.fence_ns.store(fence_ns, Relaxed);
        let end = End::new(&side, &flag);
        // SAFETY: nobody else has the side.
        unsafe { end.own(|own| own.fenced = true) };
        (1..10_000).find(|item| {
            if item % waits_every == 0 {
                // Whoever it is has left again when the owner comes to tell him.
                flag.fetch_or(WAITING, Relaxed);
            }
            // SAFETY: as above.
            unsafe { end.publish(*item as usize * ONE) };
            flag.load(Relaxed) & FENCED == 0
        })
    }

    #[test]
    fn barriers_are_dropped_when_they_do_not_pay_and_now_and_then() {
        // 800 ns for what takes 1,500, so they pay; and a trial for 24 us.
        let stays = fenced_for(1_500, NEAR_FENCE_NS, 100).expect("there is a trial");
        assert!(stays.abs_diff(TRIAL_AFTER * 1_500 / NEAR_FENCE_NS) < 10, "{stays}");
        // 128 ns for what takes 500, which is too little for a trial to matter.
        let stays = fenced_for(500, NEAR_FENCE_NS, 16).expect("there is a trial");
        assert!(stays.abs_diff(TRIAL_AFTER * BARRIER_NS / NEAR_FENCE_NS) < 10, "{stays}");
        // 102 us for what takes 17.
        let stays = fenced_for(DEAR_NS, FENCE_NS, 1_024).expect("they do not pay");
        assert!(stays <= 512, "{stays}");
        // While somebody waits at each item, nothing is dropped.
        assert_eq!(fenced_for(DEAR_NS, FENCE_NS, 1), None);
    }
}
