//! What survives a crash.

use super::gate::{Gate, wait_at};
use super::subjects::{Subject, skip};
use executor::JoinError;
use nix::sys::signal::{Signal, raise};

fn abort((): ()) -> u32 {
    std::process::abort()
}

fn segmentation_fault((): ()) -> u32 {
    raise(Signal::SIGSEGV).unwrap();
    1
}

fn killed((): ()) -> u32 {
    raise(Signal::SIGKILL).unwrap();
    1
}

fn exit((): ()) -> u32 {
    std::process::exit(3)
}

pub(crate) fn a_crash_ends_its_own_task_alone<S: Subject>() {
    let pool = S::start_two();
    if !pool.can().isolates {
        return skip::<S>("tasks share the process");
    }
    let gate = Gate::closed();
    let other = pool.submit(wait_at, gate.path());
    gate.wait_for_arrivals(1);

    let crashes = [
        (pool.submit(abort, ()), Signal::SIGABRT),
        (pool.submit(segmentation_fault, ()), Signal::SIGSEGV),
        (pool.submit(killed, ()), Signal::SIGKILL),
    ];
    for (task, expected) in crashes {
        match task.join() {
            Err(JoinError::Killed { signal, .. }) => assert_eq!(signal, expected as i32),
            other => panic!("{other:?} instead of {expected}"),
        }
        assert_eq!(pool.submit(|number: u32| number, 1).join().unwrap(), 1);
    }
    match pool.submit(exit, ()).join() {
        Err(JoinError::Exited { code, .. }) => assert_eq!(code, 3),
        other => panic!("{other:?} instead of an exit"),
    }

    // The one that ran beside them all has noticed nothing.
    gate.open();
    assert_eq!(other.join().unwrap(), 7);
    assert_eq!(pool.submit(|number: u32| number, 1).join().unwrap(), 1);
}
