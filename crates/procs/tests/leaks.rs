//! Nothing is left: no thread, no process, no zombie, no descriptor. One test, because others would be in the way.

mod common;

use common::{children_of, crash, descriptors, eventually, threads};
use procs::{Executor, Limits, Pool, Process, Shutdown, communicate};
use std::process::Command;
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

#[test]
fn everything_is_given_back() -> Result {
    let before = (descriptors(), threads());
    assert_eq!(children_of(std::process::id()), []);

    let link_pair = ipc::Link::pair()?;
    for _ in 0..3 {
        let processes: Vec<_> =
            (0..8_u64).map(|n| Process::spawn(|n: u64| n, n)).collect::<std::io::Result<_>>()?;
        for process in processes {
            process.join()?;
        }
        // Detached, killed, crashed, refused, with descriptors, and with a result that nobody takes.
        drop(Process::spawn(|text: String| text, "c".repeat(1 << 20))?);
        let _ = Process::spawn(|how: String| crash(&how), "segv".to_owned())?.join();
        let killed = Process::spawn(|()| std::thread::sleep(Duration::from_secs(600)), ())?;
        killed.cancel();
        drop(killed);
        let (here, there) = ipc::Link::pair()?;
        drop(Process::spawn(|_: ipc::Link| (), there)?);
        assert!(here.receive(None).is_err_and(|error| error.is_disconnected()));

        let pool = Pool::builder().workers(3).task_timeout(Duration::from_secs(600)).build()?;
        let tasks: Vec<_> = (0..30_u64).map(|n| pool.submit(|n: u64| n, n)).collect();
        let crashes: Vec<_> = ["abort", "exit 0", "panic"]
            .map(|how| pool.submit(|how: String| crash(&how), how.to_owned()))
            .into_iter()
            .collect();
        drop(tasks);
        assert!(crashes.into_iter().all(|task| task.join().is_err()));
        pool.shutdown(Shutdown::Finish);
        let dropped = Pool::new(2)?;
        let forgotten = dropped.submit(|()| std::thread::sleep(Duration::from_secs(600)), ());
        drop(dropped);
        assert!(forgotten.join().is_err());

        let echoed = communicate(&mut Command::new("cat"), "text", Limits::none())?;
        assert_eq!(echoed.stdout, b"text");
        let late = Limits::none().timeout(Duration::from_millis(5));
        assert!(communicate(Command::new("sleep").arg("600"), "", late).is_err());
    }
    drop(link_pair);

    // Thread and zygote stay for a moment after the last process.
    eventually("no thread, process or descriptor is left", || {
        children_of(std::process::id()).is_empty()
            && descriptors() == before.0
            && threads().iter().filter(|name| *name != "trefoil-timer").eq(&before.1)
    });

    // And it all begins anew.
    assert_eq!(Process::spawn(|n: u64| n + 1, 1)?.join()?, 2);
    Ok(())
}
