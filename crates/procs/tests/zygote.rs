//! The zygote dies. One test, because others in this program would lose their processes.

mod common;

use common::{children_of, eventually, lives};
use procs::{JoinError, Pool, Process};
use std::time::{Duration, Instant};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn sleep_long(_: ()) {
    std::thread::sleep(Duration::from_secs(600));
}

/// Says when it has begun.
fn say_and_sleep_long(link: ipc::Link) -> bool {
    let said = link.send(&ipc::Parcel::default(), None).is_ok();
    sleep_long(());
    drop(link);
    said
}

/// Workers that have lost their zygote are reaped by the system's first process, when it likes: zombies do not count.
#[test]
fn tasks_fail_with_the_cause_and_the_next_start_makes_a_new_zygote() -> Result {
    let pool = Pool::new(2)?;
    for round in 0..20_u64 {
        let process = Process::spawn(sleep_long, ())?;
        let (here, there) = ipc::Link::pair()?;
        let task = pool.submit(say_and_sleep_long, there);
        // A task that its worker has not read would go to another one.
        here.receive(Some(Instant::now() + Duration::from_secs(30)))?;
        let children = children_of(std::process::id());
        let [zygote] = children[..] else { panic!("one child, the zygote: {children:?}") };
        let workers = [process.pid(), pool.pids()[0]];
        assert!(workers.iter().all(|worker| children_of(zygote).contains(worker)));
        common::kill("-KILL", zygote);

        // In that very moment, and later: nothing new is lost.
        let at_once = Process::spawn(|n: u64| n + 1, round)?;
        let soon = pool.submit(|n: u64| n + 1, round);
        assert!(matches!(process.join(), Err(JoinError::Killed { signal: 9, .. })));
        assert!(matches!(task.join(), Err(JoinError::Killed { signal: 9, .. })));
        eventually("the workers have ended", || workers.iter().all(|worker| !lives(*worker)));
        match at_once.join() {
            Ok(value) => assert_eq!(value, round + 1),
            // It was forked before the zygote was gone.
            Err(error) => assert!(matches!(error, JoinError::Killed { signal: 9, .. }), "{error}"),
        }
        match soon.join() {
            Ok(value) => assert_eq!(value, round + 1),
            Err(error) => assert!(matches!(error, JoinError::Killed { signal: 9, .. }), "{error}"),
        }
        assert_eq!(Process::spawn(|n: u64| n + 1, round)?.join()?, round + 1);
        assert_eq!(pool.submit(|n: u64| n + 1, round).join()?, round + 1);
    }
    Ok(())
}
