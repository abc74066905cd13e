//! A pool that has nothing to do does nothing.

#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};
use threads::Pool;

/// How often the threads with this prefix have gone to sleep, by the system's count: each wake-up adds one. `None` unless
/// all of them are asleep.
fn sleeps(prefix: &str) -> Option<Vec<u64>> {
    threads::enumerate()
        .iter()
        .filter(|thread| thread.name().starts_with(prefix))
        .map(|thread| {
            let native_id = thread.native_id().expect("Linux has them");
            let status = std::fs::read_to_string(format!("/proc/self/task/{native_id}/status")).unwrap();
            let field = |name| status.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
            let count = field("voluntary_ctxt_switches:").parse().unwrap();
            field("State:").starts_with('S').then_some(count)
        })
        .collect()
}

/// As [`sleeps`], once all of them sleep. A thread that slept at both of two looks, and as often, slept all the time between
/// them; so there is a moment at which all did, and none had the pool's lock, for which another would have slept.
fn sleeps_at_rest(prefix: &str) -> Vec<u64> {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        let before = sleeps(prefix);
        match sleeps(prefix) {
            Some(now) if before.as_ref() == Some(&now) => return now,
            now => assert!(Instant::now() < patience, "they never come to rest: {before:?}, {now:?}"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn idle_workers_never_wake_up() {
    let pool = Pool::builder().workers(2).name("idle").build();
    let tasks: Vec<_> = (0..100).map(|number| pool.spawn(move || number)).collect();
    assert_eq!(tasks.into_iter().map(|task| task.join().unwrap()).sum::<u32>(), 4950);

    let before = sleeps_at_rest("idle");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(sleeps_at_rest("idle"), before);
    assert!((1..=2).contains(&before.len()), "{before:?}");
}
