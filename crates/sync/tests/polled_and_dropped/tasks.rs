//! Waiting for several tasks at once. A task has a place for one waker, so who was told and left has told nobody else: the next
//! one sees that the task has ended.

use super::again_and_again;
use crate::common::{ByHand, LONG};
use sync::completion::Wait;
use sync::{When, as_completed, gather, gather_all, park, promise, wait_async};

#[test]
fn a_wait_for_one_or_for_all() {
    let (slow, mut first) = promise::<Box<u32>>();
    let (slower, mut second) = promise::<u8>();
    again_and_again(|| {
        for when in [When::FirstCompleted, When::FirstError, When::AllCompleted] {
            drop(ByHand::waiting(wait_async::<dyn Wait>(&mut [&mut first, &mut second], when)));
        }
        let (quick, mut ended) = promise();
        let mut tasks: [&mut dyn Wait; 3] = [&mut first, &mut ended, &mut second];
        let told = ByHand::waiting(wait_async(&mut tasks, When::FirstCompleted));
        quick.finish(Ok(Box::new(1)));
        assert!(told.is_told());
        drop(told);
        let finished =
            ByHand::new(wait_async(&mut tasks, When::FirstCompleted)).poll().expect("one has ended");
        assert_eq!((finished.done, finished.pending), (vec![1], vec![0, 2]));
        assert_eq!(ended.join().expect("it has ended"), Box::new(1));
    });
    slow.finish(Ok(Box::new(1)));
    slower.finish(Ok(2));
    let all = ByHand::new(wait_async::<dyn Wait>(&mut [&mut first, &mut second], When::AllCompleted)).poll();
    assert_eq!(all.expect("all have ended").done, [0, 1]);
    assert_eq!((first.join().unwrap(), second.join().unwrap()), (Box::new(1), 2));
}

#[test]
fn results_as_they_come() {
    let (slow, never) = promise();
    // It lives on while tasks are added and taken, and does not grow.
    let mut all = as_completed([never]);
    again_and_again(|| {
        let (quick, ends) = promise();
        all.push(ends);
        drop(ByHand::waiting(all.next_async()));
        drop(ByHand::waiting(all.next_async_timeout(LONG)));
        let told = ByHand::waiting(all.next_async());
        quick.finish(Ok(Box::new(1)));
        assert!(told.is_told());
        drop(told);
        let next = ByHand::new(all.next_async()).poll().expect("what the first was told of is lost with it");
        assert_eq!(next.expect("a task").expect("it has ended"), Box::new(1));
        // One that goes away with what it waits for.
        let (quick, ends) = promise();
        let mut some = as_completed([(1, ends)]);
        drop(ByHand::waiting(some.next_async()));
        drop(some);
        quick.finish(Ok(Box::new(2)));
    });
    slow.finish(Ok(Box::new(3)));
    assert_eq!(all.next().expect("a task").expect("it has ended"), Box::new(3));
    assert!(all.next().is_none());
}

#[test]
fn results_in_order() {
    again_and_again(|| {
        let ((slow, first), (quick, second)) = (promise(), promise());
        let mut both = gather([first, second]);
        drop(ByHand::waiting(&mut both));
        let told = ByHand::waiting(&mut both);
        quick.finish(Ok(Box::new(2)));
        assert!(told.is_told());
        drop(told);
        let told = ByHand::waiting(&mut both);
        slow.finish(Ok(Box::new(1)));
        assert!(told.is_told());
        drop(told);
        assert_eq!(park::block_on(both).expect("both have ended"), [Box::new(1), Box::new(2)]);

        let ((slow, first), (broken, second)) = (promise::<Box<u32>>(), promise());
        let mut both = gather_all([first, second]);
        let told = ByHand::waiting(&mut both);
        drop(broken);
        assert!(told.is_told());
        drop(told);
        drop(ByHand::waiting(&mut both));
        slow.finish(Ok(Box::new(1)));
        let results = park::block_on(both);
        assert!(results[0].is_ok() && results[1].is_err());

        // Told, and gone with what was told: the tasks' results go with it.
        let ((slow, first), (quick, second)) = (promise(), promise());
        let told = ByHand::waiting(gather([first, second]));
        quick.finish(Ok(Box::new(2)));
        drop(told);
        slow.finish(Ok(Box::new(1)));
    });
}
