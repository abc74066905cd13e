//! Histories that are wrong in one way each, and their neighbours that are right.

#![forbid(unsafe_code)]

use linearizable::models::queue::{self, Operation::*, Queue, Response::*};
use linearizable::models::rendezvous::Rendezvous;
use linearizable::models::{flag, permits, register};
use linearizable::{History, judge};

type OfQueue = History<queue::Operation, queue::Response>;

/// After how many events the queue's history fits no order.
fn fails_after(history: &OfQueue) -> Option<usize> {
    judge(Queue::fifo(), history).err().map(|violation| violation.prefix_len())
}

#[test]
fn a_lost_item_is_missed() {
    let mut history = History::new();
    history.call(0, Put(1));
    history.at_once(1, Get, Empty); // As long as it is being put, it may not be there.
    history.answer(0, Done);
    assert_eq!(fails_after(&history), None);
    history.at_once(1, Get, Empty);
    assert_eq!(fails_after(&history), Some(6));
}

#[test]
fn an_item_that_somebody_may_have_taken_is_not_lost() {
    let mut history = History::new();
    history.at_once(0, Put(1), Done);
    history.call(1, Get); // It never returns, and may have taken the item or not.
    history.at_once(2, Get, Empty);
    assert_eq!(fails_after(&history), None);
    history.at_once(2, Put(2), Done);
    history.at_once(2, Get, Got(1)); // Now it has not, so the queue was not empty.
    assert_eq!(fails_after(&history), Some(9));
}

#[test]
fn a_doubled_item_is_seen() {
    let mut history = History::new();
    history.at_once(0, Put(1), Done);
    history.call(1, Get);
    history.call(2, Get);
    history.answer(2, Got(1));
    assert_eq!(fails_after(&history), None);
    history.answer(1, Got(1));
    assert_eq!(fails_after(&history), Some(6));
}

#[test]
fn an_item_out_of_nowhere_is_seen() {
    let mut history = History::new();
    history.at_once(0, Get, Got(7));
    history.at_once(1, Put(7), Done); // Too late.
    assert_eq!(fails_after(&history), Some(2));
}

#[test]
fn items_that_overtake_are_seen_unless_they_were_put_at_once() {
    let mut in_turn = History::new();
    in_turn.at_once(0, Put(1), Done);
    in_turn.at_once(1, Put(101), Done);
    let mut together = History::new();
    together.call(0, Put(1));
    together.at_once(1, Put(101), Done);
    together.answer(0, Done);
    for history in [&mut in_turn, &mut together] {
        history.at_once(2, Get, Got(101));
        history.at_once(2, Get, Got(1));
    }
    assert_eq!(fails_after(&in_turn), Some(6));
    assert_eq!(fails_after(&together), None);
    assert!(judge(Queue::lifo(), &in_turn).is_ok());
    assert_eq!(judge(Queue::smallest_first(), &in_turn).unwrap_err().prefix_len(), 6);
}

#[test]
fn an_honest_answer_is_not_blamed_for_a_later_lie() {
    let mut history = History::new();
    history.at_once(0, Put(1), Done);
    history.at_once(0, Put(2), Done);
    history.call(1, Get);
    history.at_once(2, Get, Got(2)); // Fine: thread 1 may have taken the first item,
    history.answer(1, Empty); // which is what this answer denies.
    let violation = judge(Queue::fifo(), &history).unwrap_err();
    assert_eq!(violation.prefix_len(), 8);
}

#[test]
fn a_bound_that_is_not_kept_is_seen() {
    let mut history = History::new();
    history.at_once(0, Put(1), Done);
    history.call(1, Get);
    history.at_once(0, Put(2), Done); // There may be room already, so the item has been taken.
    assert!(judge(Queue::fifo().bounded(1), &history).is_ok());
    history.at_once(0, Put(3), Done);
    assert_eq!(judge(Queue::fifo().bounded(1), &history).unwrap_err().prefix_len(), 7);
}

#[test]
fn an_item_that_goes_into_a_closed_queue_is_seen() {
    let mut history = History::new();
    history.call(0, Close);
    history.at_once(1, Put(1), Done);
    history.answer(0, Done);
    history.at_once(1, Get, Got(1));
    history.at_once(1, Get, queue::Response::Closed);
    assert_eq!(fails_after(&history), None);
    history.at_once(1, Put(2), Done);
    assert_eq!(fails_after(&history), Some(10));
}

#[test]
fn a_stale_read_is_seen() {
    use register::Operation::{Read, Write};
    use register::{Register, Response::*};
    let mut history = History::new();
    history.call(0, Write(1));
    history.at_once(1, Read, Value(1));
    history.call(2, Read);
    history.call(1, Read);
    assert!(judge(Register::new(0), &history).is_ok());
    let mut stale = history.clone();
    stale.answer(2, Value(0));
    assert_eq!(judge(Register::new(0), &stale).unwrap_err().prefix_len(), 6);
    history.answer(2, Value(1));
    assert!(judge(Register::new(0), &history).is_ok());
}

#[test]
fn a_lost_update_is_seen() {
    use register::{Operation::Add, Register, Response::*};
    let mut history = History::new();
    history.call(0, Add(1));
    history.call(1, Add(1));
    history.answer(0, Value(0));
    assert!(judge(Register::new(0), &history).is_ok());
    history.answer(1, Value(0));
    assert_eq!(judge(Register::new(0), &history).unwrap_err().prefix_len(), 4);
}

#[test]
fn a_permit_too_many_is_seen_however_hesitant_the_semaphore() {
    use permits::{Operation::*, Permits, Response::*};
    let mut history = History::new();
    history.at_once(0, Acquire(1), Refused);
    history.at_once(1, Acquire(2), Done);
    assert_eq!(judge(Permits::new(2), &history).unwrap_err().prefix_len(), 2);
    assert!(judge(Permits::new(2).hesitant(), &history).is_ok());
    history.at_once(0, Acquire(1), Done);
    assert_eq!(judge(Permits::new(2).hesitant(), &history).unwrap_err().prefix_len(), 6);
}

#[test]
fn who_waits_sees_a_flag_that_was_set_for_a_moment() {
    use flag::{Flag, Operation::*, Response::*};
    let mut history = History::new();
    history.call(0, Look);
    history.at_once(1, Set, Done);
    history.at_once(1, Clear, Done);
    history.answer(0, IsSet);
    assert!(judge(Flag::new(), &history).is_ok());
    history.at_once(0, Look, IsSet);
    assert_eq!(judge(Flag::new(), &history).unwrap_err().prefix_len(), 8);
}

#[test]
fn a_meeting_of_two_who_were_never_there_together_is_seen() {
    let mut history = History::new();
    history.call(0, Put(1));
    history.call(1, Put(101));
    history.at_once(2, Get, Got(101)); // Thread 1 is there.
    history.answer(1, Done);
    assert!(judge(Rendezvous::new(), &history).is_ok());
    let mut too_early = history.clone();
    too_early.answer(0, Done); // Nobody has taken its item,
    too_early.at_once(2, Get, Got(1)); // and who comes now is too late.
    assert_eq!(judge(Rendezvous::new(), &too_early).unwrap_err().prefix_len(), 6);
    history.answer(0, Full);
    history.at_once(2, Get, Got(1));
    assert_eq!(judge(Rendezvous::new(), &history).unwrap_err().prefix_len(), 8);
}

#[test]
fn an_item_goes_to_one_of_two_who_wait_for_it() {
    let mut history = History::new();
    history.call(1, Get);
    history.call(2, Get);
    history.at_once(0, Put(1), Done);
    history.answer(1, Empty);
    assert!(judge(Rendezvous::new(), &history).is_ok());
    let mut nobody = history.clone();
    nobody.answer(2, Empty);
    assert_eq!(judge(Rendezvous::new(), &nobody).unwrap_err().prefix_len(), 6);
    history.answer(2, Got(1));
    assert!(judge(Rendezvous::new(), &history).is_ok());
}
