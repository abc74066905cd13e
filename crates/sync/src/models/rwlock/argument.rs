//! Single steps of the argument at the head of [`raw`](crate::rwlock::raw): each model here fails if one of them is left out.

use super::*;
use std::pin::Pin;

fn interrupted(times: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(times);
    builder.check(model);
}

#[test]
fn a_reader_under_the_bias_sees_what_was_written_before_it_began() {
    interrupted(3, || {
        let number = Number::new();
        let reader = beside(&number, |number| assert!(number.read() <= 1));
        number.lock.write();
        number.add();
        number.lock.release_write();
        number.lock.begin_bias();
        reader.join().unwrap();
        number.end(1);
    });
}

/// The reader has found the first bias when he counts himself in, and the second when he looks again.
#[test]
fn a_reader_who_comes_between_two_biases_sees_what_was_written() {
    interrupted(3, || {
        let number = Number::biased();
        let reader = beside(&number, |number| assert!(number.read() <= 1));
        number.write();
        number.lock.begin_bias();
        reader.join().unwrap();
        number.end(1);
    });
}

#[test]
fn a_bias_that_would_begin_beside_a_writer_who_waits_makes_nobody_miss_him() {
    interrupted(3, || {
        let number = Number::new();
        let first = number.lock.read();
        let reader = beside(&number, move |number| {
            number.lock.begin_bias();
            number.lock.release_read(first);
            if let Some(second) = number.lock.try_acquire(Want::ReadAgain) {
                number.look();
                number.lock.release_read(second);
            }
        });
        // Loom's first thread, so he waits before the bias would begin.
        number.write();
        reader.join().unwrap();
        number.end(1);
    });
}

#[test]
fn one_who_might_have_upgraded_and_did_not_lets_the_writer_in() {
    interrupted(3, || {
        let number = Number::new();
        let writer = beside(&number, Number::write);
        number.lock.acquire_until(Want::Upgradable, None);
        number.look();
        number.lock.release_upgradable();
        writer.join().unwrap();
        number.end(1);
    });
}

/// Who wants the upgradable read is told as a reader, finds it taken, and gives nothing back; the one who has it may wait for nobody
/// by then.
#[test]
fn an_upgrade_goes_on_when_another_came_in_vain() {
    interrupted(2, || {
        let number = Number::new();
        number.lock.acquire_until(Want::Upgradable, None);
        let places = [number.lock.read(), number.lock.read()];
        let readers = beside(&number, move |number| {
            places.into_iter().for_each(|place| number.lock.release_read(place));
        });
        let second = beside(&number, |number| {
            number.lock.acquire_until(Want::Upgradable, None);
            number.lock.release_upgradable();
        });
        number.lock.acquire_until(Want::Upgrade, None);
        number.add();
        number.lock.release_write();
        readers.join().unwrap();
        second.join().unwrap();
        number.end(1);
    });
}

/// The same with a writer for whom the lock was not kept. Another one waits behind him, so that he is not forgotten.
#[test]
fn an_upgrade_goes_on_when_a_writer_came_too_late() {
    interrupted(2, || {
        let number = Number::unhurried();
        number.lock.write();
        let mut told = waits(number.lock.acquire_async(Want::Write, Site::here()));
        let behind = waits(number.lock.acquire_async(Want::Write, Site::here()));
        number.lock.release_write();
        number.lock.acquire_until(Want::Upgradable, None);
        let place = number.lock.read();
        let upgrade = beside(&number, |number| {
            number.lock.acquire_until(Want::Upgrade, None);
            number.add();
            number.lock.release_write();
        });
        number.lock.release_read(place);
        let has_come = told.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        if !has_come {
            upgrade.join().unwrap();
            block_on(told);
            number.add();
            number.lock.release_write();
            number.end(2);
        } else {
            number.lock.release_write();
            upgrade.join().unwrap();
            number.end(1);
        }
        drop(behind);
    });
}

#[test]
fn one_who_might_have_upgraded_goes_on_as_a_reader() {
    interrupted(3, || {
        let number = Number::new();
        let upgrader = beside(&number, Number::upgrade);
        number.lock.acquire_until(Want::Upgradable, None);
        number.look();
        let place = number.lock.upgradable_to_read();
        number.look();
        number.lock.release_read(place);
        upgrader.join().unwrap();
        number.end(1);
    });
}

#[test]
fn what_a_writer_wrote_is_seen_when_he_keeps_the_right_to_upgrade() {
    interrupted(3, || {
        let number = Number::new();
        number.lock.write();
        let reader = beside(&number, |number| assert!(number.read() == 1));
        number.add();
        number.lock.write_to_upgradable();
        // The reader is let in beside this one.
        reader.join().unwrap();
        number.lock.release_upgradable();
        number.end(1);
    });
}

#[test]
fn readers_come_in_beside_a_writer_who_goes_on_as_one() {
    interrupted(3, || {
        let number = Number::new();
        number.lock.write();
        let reader = beside(&number, |number| assert!(number.read() == 1));
        number.add();
        let place = number.lock.write_to_read();
        reader.join().unwrap();
        number.lock.release_read(place);
        number.end(1);
    });
}

#[test]
fn a_lock_that_is_kept_for_one_who_was_told_stays_kept_when_others_try() {
    interrupted(3, || {
        let number = Number::new();
        let others = |number: &Number| {
            for want in [Want::Write, Want::Read, Want::Upgradable, Want::Write] {
                assert!(number.lock.try_acquire(want).is_none(), "it is kept for the one who was told");
            }
        };
        number.lock.write();
        {
            let mut told = pin!(number.lock.acquire_async(Want::Write, Site::here()));
            let mut cx = Context::from_waker(Waker::noop());
            assert!(told.as_mut().poll(&mut cx).is_pending());
            number.lock.release_write();
            let other = beside(&number, others);
            others(&number);
            assert!(told.as_mut().poll(&mut cx).is_ready());
            number.add();
            other.join().unwrap();
        }
        number.lock.release_write();
        number.end(1);
    });
}

#[test]
fn a_lock_that_was_kept_is_free_when_the_one_who_was_told_goes_away() {
    interrupted(3, || {
        let number = Number::new();
        number.lock.write();
        let mut told = Box::pin(number.lock.acquire_async(Want::Write, Site::here()));
        assert!(told.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        number.lock.release_write();
        let writer = beside(&number, Number::write);
        let tried = number.lock.try_acquire(Want::Upgradable).is_some();
        assert!(!tried, "it is kept for the one who was told, or has gone to the other");
        drop(told);
        assert!(number.read() <= 1);
        writer.join().unwrap();
        number.end(1);
    });
}

/// Polls `future` once, which is to wait.
fn waits<T>(future: impl Future<Output = T>) -> Pin<Box<impl Future<Output = T>>> {
    let mut future = Box::pin(future);
    assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    future
}

#[test]
fn a_lock_that_is_kept_stays_kept_when_one_who_was_not_told_gives_up() {
    interrupted(3, || {
        let number = Number::new();
        number.lock.write();
        let told = waits(number.lock.acquire_async(Want::Write, Site::here()));
        number.lock.release_write();
        let leaves = beside(&number, |number| assert_eq!(number.write_or_leave(), 0));
        let dropped = waits(number.lock.acquire_async(Want::Read, Site::here()));
        drop(dropped);
        assert_eq!(number.write_or_leave(), 0, "it is kept for the one who was told");
        leaves.join().unwrap();
        block_on(told);
        number.add();
        number.lock.release_write();
        number.end(1);
    });
}

#[test]
fn a_lock_stays_kept_for_a_reader_when_another_who_was_told_with_it_goes_away() {
    interrupted(3, || {
        let number = Number::new();
        number.lock.write();
        let [gone, told] = [(); 2].map(|()| waits(number.lock.acquire_async(Want::Read, Site::here())));
        number.lock.release_write();
        let other = beside(&number, |number| assert_eq!(number.write_or_leave(), 0));
        drop(gone);
        assert_eq!(number.write_or_leave(), 0, "it is kept for the other reader");
        other.join().unwrap();
        drop(told);
        assert_eq!(number.write_or_leave(), 1, "nobody is to come");
        number.end(1);
    });
}

#[test]
fn one_is_told_in_the_place_of_one_who_was_told_and_goes_away() {
    interrupted(3, || {
        let number = Number::new();
        number.lock.write();
        let writes = || waits(number.lock.acquire_async(Want::Write, Site::here()));
        let (told, mut next, mut last) = (writes(), writes(), writes());
        number.lock.release_write();
        let other = beside(&number, |number| assert_eq!(number.write_or_leave(), 0));
        drop(told);
        let mut cx = Context::from_waker(Waker::noop());
        assert!(last.as_mut().poll(&mut cx).is_pending(), "it is kept for the one before");
        assert!(next.as_mut().poll(&mut cx).is_ready());
        number.add();
        other.join().unwrap();
        number.lock.release_write();
        block_on(last);
        number.lock.release_write();
        number.end(1);
    });
}
