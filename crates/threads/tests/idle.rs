//! A pool that has nothing to do does nothing.

#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};
use threads::Pool;

/// How often the threads with this prefix have gone to sleep, by the system's count: each wake-up adds one.
fn sleeps(prefix: &str) -> Vec<u64> {
    threads::enumerate()
        .iter()
        .filter(|thread| thread.name().starts_with(prefix))
        .map(|thread| {
            let native_id = thread.native_id().expect("Linux has them");
            let status = std::fs::read_to_string(format!("/proc/self/task/{native_id}/status")).unwrap();
            let count =
                status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:")).unwrap();
            count.trim().parse().unwrap()
        })
        .collect()
}

#[test]
fn idle_workers_never_wake_up() {
    let pool = Pool::builder().workers(2).name("idle").build();
    let tasks: Vec<_> = (0..100).map(|number| pool.spawn(move || number)).collect();
    assert_eq!(tasks.into_iter().map(|task| task.join().unwrap()).sum::<u32>(), 4950);

    // They may be on their way to sleep.
    let patience = Instant::now() + Duration::from_secs(30);
    let mut before = sleeps("idle");
    loop {
        std::thread::sleep(Duration::from_millis(50));
        let after = sleeps("idle");
        if before == after {
            break;
        }
        assert!(Instant::now() < patience, "they never come to rest: {before:?}, {after:?}");
        before = after;
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(sleeps("idle"), before);
    assert!((1..=2).contains(&before.len()), "{before:?}");
}
