//! Symmetric switches: who runs next is said by name.

use coro::{Exit, Generator, Greenlet, SwitchError, Thrown};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

type Log = Rc<RefCell<Vec<String>>>;

/// Handles that greenlets need of each other before both exist.
type Later<T> = Rc<RefCell<Option<Greenlet<T>>>>;

fn switch_to<T>(later: &Later<T>, value: T) -> T {
    let greenlet = later.borrow().clone().expect("it has been made by now");
    greenlet.switch(value)
}

#[test]
fn two_switch_to_each_other_in_an_exact_order() {
    let log = Log::default();
    let (log_a, log_b) = (Rc::clone(&log), Rc::clone(&log));
    let (later_a, later_b) = (Later::<u32>::default(), Later::<u32>::default());
    let (to_a, to_b) = (Rc::clone(&later_a), Rc::clone(&later_b));
    let a = Greenlet::new(move |first| {
        log_a.borrow_mut().push(format!("a got {first}"));
        let next = switch_to(&to_b, 2);
        log_a.borrow_mut().push(format!("a got {next}"));
        100
    });
    let b = Greenlet::new(move |first| {
        log_b.borrow_mut().push(format!("b got {first}"));
        switch_to(&to_a, 3);
        unreachable!("nobody switches to b again");
    });
    *later_a.borrow_mut() = Some(a.clone());
    *later_b.borrow_mut() = Some(b.clone());

    let result = a.switch(1);
    log.borrow_mut().push(format!("root got {result}"));
    assert_eq!(*log.borrow(), ["a got 1", "b got 2", "a got 3", "root got 100"]);
    assert!(a.is_dead());
    assert!(!b.is_dead() && b.is_started(), "b waits where it is");
    later_b.borrow_mut().take();
}

#[test]
fn a_long_ping_pong_needs_no_more_stack() {
    let later_a = Later::<u32>::default();
    let to_a = Rc::clone(&later_a);
    let b = Greenlet::new(move |first| {
        let mut n = first;
        loop {
            n = switch_to(&to_a, n + 1);
        }
    });
    let to_b = b.clone();
    let a = Greenlet::new(move |first| {
        let mut n = first;
        while n < 200_000 {
            n = to_b.switch(n + 1);
        }
        n
    });
    *later_a.borrow_mut() = Some(a.clone());
    assert_eq!(a.switch(0), 200_000);
    drop(later_a.take());
    drop(b);
}

#[test]
fn a_result_goes_to_the_parent() {
    let inner = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&inner);
    let outer = Greenlet::new(move |n: u32| {
        let me = Greenlet::current();
        let child = Greenlet::new(|n| n * 10);
        assert_eq!(child.parent(), Some(me));
        let result = child.switch(n + 1);
        seen.borrow_mut().push(result);
        result + 1
    });
    assert_eq!(outer.parent(), Some(Greenlet::current()));
    assert_eq!(outer.switch(1), 21);
    assert_eq!(*inner.borrow(), [20]);
}

#[test]
fn an_ended_parent_is_passed_over() {
    let later = Later::<u32>::default();
    let child_of_the_ended = Rc::clone(&later);
    let parent = Greenlet::new(move |n| {
        *child_of_the_ended.borrow_mut() = Some(Greenlet::new(|n| n + 1000));
        n
    });
    assert_eq!(parent.switch(1), 1);
    assert!(parent.is_dead());
    let child = later.take().unwrap();
    assert_eq!(child.parent(), Some(parent));
    assert_eq!(child.switch(5), 1005, "the root gets it in the dead parent's place");
}

#[test]
fn a_grandchild_may_switch_past_its_parent() {
    let root = Greenlet::<u32>::current();
    assert_eq!(root.parent(), None);
    let to_root = root.clone();
    let parent = Greenlet::new(move |n| {
        let child = Greenlet::new(move |n| to_root.switch(n + 1));
        child.switch(n + 1) + 100
    });
    assert_eq!(parent.switch(0), 2, "from the grandchild, straight to the root");
    assert_eq!(parent.switch(7), 107, "the parent waited for its child, and takes what comes first");
    assert!(parent.is_dead());
}

#[test]
fn a_dead_greenlet_gives_the_value_back() {
    let greenlet = Greenlet::new(|text: String| text);
    assert_eq!(greenlet.switch("once".to_owned()), "once");
    let error = greenlet.try_switch("twice".to_owned()).unwrap_err();
    assert!(error.is_dead());
    assert_eq!(error.into_inner().unwrap(), "twice");
    let payload = catch_unwind(AssertUnwindSafe(|| greenlet.switch(String::new()))).unwrap_err();
    assert!(payload.downcast::<String>().unwrap().contains("has ended"));
    assert_eq!(greenlet.throw("late").unwrap_err().to_string(), "late");
}

#[test]
fn current_is_who_runs() {
    let root = Greenlet::<()>::current();
    assert_eq!(root, Greenlet::current());
    assert!(!root.is_dead() && root.is_started());
    let known = Later::<()>::default();
    let later = Rc::clone(&known);
    let greenlet = Greenlet::new(move |()| {
        assert_eq!(Some(Greenlet::current()), *later.borrow());
        assert_ne!(Greenlet::<()>::current(), root);
        assert_eq!(Greenlet::<()>::current().parent(), Some(root));
        // Another type of values is another family, of which nobody runs.
        assert_eq!(Greenlet::<u8>::current().parent(), None);
    });
    *known.borrow_mut() = Some(greenlet.clone());
    greenlet.switch(());
    assert!(greenlet.is_dead());
}

#[test]
fn switching_to_oneself_returns_at_once() {
    assert_eq!(Greenlet::current().switch(5), 5);
    assert_eq!(Greenlet::new(|n: u32| Greenlet::current().switch(n + 1) + 1).switch(1), 3);
}

#[test]
fn an_error_is_raised_where_the_greenlet_waits() {
    let root = Greenlet::current();
    let patient = Greenlet::new(move |first: u32| {
        let mut count = 0;
        let mut next = root.try_switch(first);
        while let Err(SwitchError::Thrown(thrown)) = next {
            assert_eq!(thrown.to_string(), "again");
            count += 1;
            next = root.try_switch(count);
        }
        next.unwrap() + 1000
    });
    assert_eq!(patient.switch(50), 50);
    assert_eq!(patient.throw("again").unwrap(), 1);
    assert_eq!(patient.throw("again").unwrap(), 2);
    assert_eq!(patient.switch(7), 1007);
}

#[test]
fn an_error_that_is_not_caught_goes_to_the_parent() {
    let alive = Rc::new(());
    let inside = Rc::clone(&alive);
    let root = Greenlet::current();
    let greenlet = Greenlet::new(move |n: u32| {
        let _inside = inside;
        root.switch(n)
    });
    greenlet.switch(1);
    assert_eq!(greenlet.throw("stop").unwrap_err().to_string(), "stop");
    assert!(greenlet.is_dead());
    assert_eq!(Rc::strong_count(&alive), 1);

    let fresh = Greenlet::new(|n: u32| n);
    assert_eq!(fresh.throw("before the beginning").unwrap_err().to_string(), "before the beginning");
    assert!(fresh.is_dead());
}

#[test]
fn an_error_wakes_the_parent_wherever_it_waits() {
    let outer = Greenlet::new(|n: u32| {
        let child = Greenlet::new(|n: u32| {
            if n > 0 {
                Thrown::raise(Greenlet::new(|n: u32| n).throw("from the child").unwrap_err());
            }
            n
        });
        match child.try_switch(n) {
            Err(SwitchError::Thrown(thrown)) => thrown.to_string().len() as u32,
            _ => 0,
        }
    });
    assert_eq!(outer.switch(1), 14);
}

#[test]
fn an_exit_ends_a_greenlet_and_is_no_error_for_its_parent() {
    let root = Greenlet::current();
    let greenlet = Greenlet::new(move |n: u32| root.switch(n));
    greenlet.switch(1);
    assert!(greenlet.throw(Exit).unwrap_err().is_exit());
    assert!(greenlet.is_dead());

    // A parent that waits for the value of a child that somebody else ends, gets none.
    let root = Greenlet::<u32>::current();
    let later = Later::default();
    let child_of_waiting = Rc::clone(&later);
    let waiting = Greenlet::new(move |n| {
        let child = Greenlet::new(move |n| root.switch(n));
        *child_of_waiting.borrow_mut() = Some(child.clone());
        match child.try_switch(n) {
            Err(SwitchError::Exited) => 77,
            _ => 0,
        }
    });
    assert_eq!(waiting.switch(3), 3);
    let child = later.take().unwrap();
    assert_eq!(child.throw(Exit).unwrap(), 77, "the parent went on, ended, and its value came here");
    assert!(child.is_dead() && waiting.is_dead());
}

#[test]
fn a_panic_goes_to_the_parent_with_its_payload() {
    let greenlet = Greenlet::new(|n: u32| -> u32 { std::panic::panic_any(n + 1) });
    let payload = catch_unwind(AssertUnwindSafe(|| greenlet.switch(1))).unwrap_err();
    assert_eq!(*payload.downcast::<u32>().unwrap(), 2);
    assert!(greenlet.is_dead());

    let outer = Greenlet::new(|n: u32| {
        let child = Greenlet::new(|_: u32| panic!("caught on the way"));
        catch_unwind(AssertUnwindSafe(|| child.switch(n))).map_or(9, |_| 0)
    });
    assert_eq!(outer.switch(1), 9);
}

#[test]
fn a_generator_inside_a_greenlet_is_suspended_with_it() {
    let root = Greenlet::current();
    let greenlet = Greenlet::new(move |first: u32| {
        let numbers = Generator::<u32>::new(move |y| {
            for n in 0..3 {
                // Switches the greenlet away from within the generator's stack.
                y.yield_(n + root.switch(n));
            }
        });
        numbers.map(|n| n * first).sum()
    });
    assert_eq!(greenlet.switch(10), 0);
    let elsewhere = Generator::<u32>::new(|y| y.yield_(5));
    assert_eq!(elsewhere.sum::<u32>(), 5, "others run meanwhile");
    assert_eq!(greenlet.switch(100), 1);
    assert_eq!(greenlet.switch(200), 2);
    assert_eq!(greenlet.switch(300), 10 * (100 + 201 + 302));
    assert!(greenlet.is_dead());
}

#[test]
fn families_inside_suspended_greenlets_do_not_disturb_each_other() {
    // Two tasks of one family, each of which uses a family of another type for itself.
    let root = Greenlet::<()>::current();
    let results = Rc::new(RefCell::new(Vec::new()));
    let task = |id: u32| {
        let (root, results) = (root.clone(), Rc::clone(&results));
        Greenlet::new(move |()| {
            let worker = Greenlet::new(move |n: u32| {
                assert!(Greenlet::<u32>::current().parent().is_some());
                root.switch(());
                n + id
            });
            let result = worker.switch(1);
            results.borrow_mut().push(result);
        })
    };
    let tasks = [task(10), task(20)];
    for _ in 0..2 {
        for task in &tasks {
            assert_eq!(Greenlet::<u32>::current().parent(), None, "none of that family runs here");
            task.switch(());
        }
    }
    assert_eq!(*results.borrow(), [11, 21]);
}

#[test]
fn a_greenlet_that_runs_inside_a_suspended_one_is_busy() {
    let root = Greenlet::<()>::current();
    let later = Later::<u32>::default();
    let inner = Rc::clone(&later);
    let task = Greenlet::new(move |()| {
        let worker = Greenlet::new(move |n: u32| {
            root.switch(());
            n
        });
        *inner.borrow_mut() = Some(worker.clone());
        assert_eq!(worker.switch(4), 4);
    });
    task.switch(());
    let worker = later.take().unwrap();
    assert!(matches!(worker.try_switch(5), Err(SwitchError::Busy(5))));
    assert!(!worker.is_dead() && worker.is_started());
    assert!(format!("{worker:?}").contains("Busy"));
    task.switch(());
    assert!(worker.is_dead() && task.is_dead());
}

#[test]
fn an_exit_passes_through_the_greenlets_inside() {
    let alive = Rc::new(());
    let inside = Rc::clone(&alive);
    let root = Greenlet::<()>::current();
    let task = Greenlet::new(move |()| {
        let _outer = Rc::clone(&inside);
        let worker = Greenlet::new(move |n: u32| {
            let _inner = Rc::clone(&inside);
            root.switch(());
            n
        });
        worker.switch(4);
        unreachable!("the exit is the task's and not only the worker's");
    });
    task.switch(());
    assert!(Rc::strong_count(&alive) > 2);
    assert!(task.throw(Exit).unwrap_err().is_exit());
    assert!(task.is_dead());
    assert_eq!(Rc::strong_count(&alive), 1);
}

#[test]
fn switching_during_a_panic_is_refused() {
    struct Switches(Greenlet<u32>, Rc<RefCell<Option<SwitchError<u32>>>>);
    impl Drop for Switches {
        fn drop(&mut self) {
            *self.1.borrow_mut() = self.0.try_switch(1).err();
        }
    }
    let answer = Rc::default();
    let kept = Rc::clone(&answer);
    let root = Greenlet::current();
    let greenlet = Greenlet::new(move |n: u32| {
        let _guard = Switches(root.clone(), answer);
        root.switch(n)
    });
    greenlet.switch(1);
    assert!(greenlet.throw("stop").is_err());
    assert!(kept.take().unwrap().thrown().unwrap().is_refused());
}

#[test]
fn a_dying_greenlet_can_name_itself() {
    struct Names(Rc<RefCell<Option<bool>>>);
    impl Drop for Names {
        fn drop(&mut self) {
            let me = Greenlet::<u32>::current();
            *self.0.borrow_mut() = Some(me.parent().is_some() && !me.is_dead());
        }
    }
    let answer = Rc::default();
    let kept = Rc::clone(&answer);
    let root = Greenlet::current();
    let greenlet = Greenlet::new(move |n: u32| {
        let _names = Names(answer);
        root.switch(n)
    });
    greenlet.switch(1);
    drop(greenlet);
    assert_eq!(kept.take(), Some(true));
}

#[test]
fn debug_tells_the_state() {
    let root = Greenlet::<()>::current();
    assert_eq!(format!("{root:?}"), "Greenlet(root)");
    let greenlet = Greenlet::new(move |()| {
        assert!(format!("{:?}", Greenlet::<()>::current()).contains("Current"));
        root.switch(());
    });
    assert!(format!("{greenlet:?}").contains("NotStarted"));
    greenlet.switch(());
    assert!(format!("{greenlet:?}").contains("Suspended"));
    greenlet.switch(());
    assert!(format!("{greenlet:?}").contains("Finished"));
}
