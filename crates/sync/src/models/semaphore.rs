//! Who gives a permit back while a thread that was told is on its way tells nobody.

use super::*;

/// A thread that waits for so many permits and gives them back.
fn takes(semaphore: &Arc<Semaphore>, count: usize) -> thread::JoinHandle<()> {
    let semaphore = Arc::clone(semaphore);
    thread::spawn(move || drop(semaphore.acquire_many(count).unwrap()))
}

#[test]
fn what_comes_while_the_first_is_on_his_way_is_not_lost_to_him() {
    loom::model(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        // The first permit is not enough for him, so he may look in vain before the second, or at the same time.
        let greedy = takes(&semaphore, 2);
        semaphore.release(1);
        semaphore.release(1);
        greedy.join().unwrap();
        assert_eq!(semaphore.available(), 2);
    });
}

#[test]
fn what_comes_while_the_first_is_on_his_way_is_not_lost_to_the_next() {
    model_of_three(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let keep = || {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || semaphore.acquire().unwrap().forget())
        };
        let both = [keep(), keep()];
        semaphore.release(1);
        semaphore.release(1);
        for one in both {
            one.join().unwrap();
        }
        assert_eq!(semaphore.available(), 0);
    });
}

#[test]
fn what_comes_while_the_first_gives_up_is_not_lost_to_the_next() {
    model_of_three(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let hasty = Arc::clone(&semaphore);
        let hasty = thread::spawn(move || drop(hasty.acquire_timeout(Duration::ZERO)));
        let greedy = takes(&semaphore, 2);
        semaphore.release(1);
        semaphore.release(1);
        hasty.join().unwrap();
        greedy.join().unwrap();
        assert_eq!(semaphore.available(), 2);
    });
}

#[test]
fn a_task_that_is_told_and_dropped_keeps_nothing_from_a_thread() {
    model_of_three(|| {
        let semaphore = Arc::new(Semaphore::new(0));
        let task = Arc::clone(&semaphore);
        let task = thread::spawn(move || poll_and_drop(task.acquire_many_async(2)));
        let one = takes(&semaphore, 1);
        semaphore.release(1);
        task.join().unwrap();
        one.join().unwrap();
        assert_eq!(semaphore.available(), 1);
    });
}
