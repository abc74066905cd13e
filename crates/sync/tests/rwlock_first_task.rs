//! Threads that wait for a lock when the first task comes to wait as well: they are woken once, to learn of it, and it is nobody's turn
//! by that.

mod common;

use common::{ByHand, LONG, SHORT};
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};
use sync::RwLock;
use sync::park::block_on_timeout;

#[test]
fn the_first_task_that_waits_lets_nobody_pass_an_overdue_writer() {
    // More than are woken at once.
    const READERS: usize = 20;
    let (lock, inside) = (RwLock::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        let held = lock.read();
        scope.spawn(|| *lock.write() += 1);
        while lock.try_read().is_some() {
            thread::yield_now();
        }
        for _ in 0..READERS {
            scope.spawn(|| {
                let read = lock.read();
                inside.fetch_add(1, Ordering::SeqCst);
                drop(read);
            });
        }
        thread::sleep(SHORT);
        let task = ByHand::waiting(lock.write_async());
        thread::sleep(SHORT);
        assert!(lock.try_read().is_none() && block_on_timeout(lock.read_async(), SHORT).is_err());
        assert_eq!((inside.load(Ordering::SeqCst), *held), (0, 0));
        drop((held, task));
    });
    assert_eq!((*lock.read(), inside.into_inner()), (1, READERS));
}

/// They have gone to sleep for as long as it takes, and nobody else comes by. Behind each of them it is a task's turn that does not come.
#[test]
fn threads_that_slept_before_the_first_task_came_pass_tasks_that_do_not_come() {
    // More than are woken at once.
    const WRITERS: usize = 20;
    let (lock, written, over) = (RwLock::new(()), AtomicUsize::new(0), AtomicBool::new(false));
    let tasks = std::sync::Mutex::new(Vec::new());
    let a_task_comes = || {
        let mut task = Box::pin(lock.read_async());
        assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        tasks.lock().unwrap().push(task);
    };
    thread::scope(|scope| {
        let held = lock.write();
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let _written = lock.write();
                if !over.load(Ordering::SeqCst) {
                    a_task_comes();
                }
                written.fetch_add(1, Ordering::SeqCst);
            });
        }
        thread::sleep(SHORT);
        a_task_comes();
        thread::sleep(SHORT);
        drop(held);
        let begin = Instant::now();
        while written.load(Ordering::SeqCst) < WRITERS && begin.elapsed() < LONG {
            thread::sleep(Duration::from_millis(1));
        }
        over.store(true, Ordering::SeqCst);
        let passed = written.load(Ordering::SeqCst);
        // It is the turn of those who are left, if any.
        tasks.lock().unwrap().clear();
        assert_eq!(passed, WRITERS, "the others wait for a task that does not come");
    });
}
