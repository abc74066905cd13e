//! Pools with a bounded queue.

use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::Event;
use threads::{Executor, Full, Pool, Shutdown};

fn busy(pool: &Pool) -> Arc<Event> {
    let (begun, go) = (Arc::new(Event::new()), Arc::new(Event::new()));
    drop(pool.spawn({
        let (begun, go) = (Arc::clone(&begun), Arc::clone(&go));
        move || {
            begun.set();
            go.wait();
        }
    }));
    begun.wait();
    go
}

#[test]
fn what_does_not_fit_comes_back() {
    let pool = Pool::builder().workers(1).max_threads(1).queue_bound(2).build();
    let go = busy(&pool);
    let first = pool.try_submit(|text| text, String::from("first")).unwrap();
    let second = pool.try_spawn(|| "second").unwrap();
    let Full(back) = pool.try_submit(|text: String| text, String::from("third")).unwrap_err();
    assert_eq!(back, "third");

    let began = Instant::now();
    let limit = Duration::from_millis(10);
    let full = pool.submit_timeout(|text: String| text, back, limit).unwrap_err();
    assert!(began.elapsed() >= limit);
    assert_eq!(full.into_inner(), "third");

    // A task that is taken back leaves its place.
    second.cancel();
    let again = pool.spawn_timeout(|| "again", Duration::MAX).unwrap();
    go.set();
    assert_eq!(first.join().unwrap(), "first");
    assert_eq!(again.join().unwrap(), "again");
    assert!(pool.spawn(|| ()).join().is_ok());
}

#[test]
fn a_task_may_submit_more_than_fits_to_its_own_pool() {
    let pool = Arc::new(Pool::builder().workers(1).queue_bound(1).build());
    let outer = pool.spawn({
        let pool = Arc::clone(&pool);
        move || {
            let tasks: Vec<_> = (0..20).map(|number| pool.spawn(move || number)).collect();
            tasks.into_iter().map(|task| task.join().unwrap()).sum::<u32>()
        }
    });
    assert_eq!(outer.join().unwrap(), 190);
}

#[test]
fn a_map_is_held_up_and_gets_through() {
    let pool = Pool::builder().workers(2).queue_bound(1).build();
    let results: Vec<u32> = pool.map(|number| number, 0..200).window(16).map(Result::unwrap).collect();
    assert_eq!(results, (0..200).collect::<Vec<_>>());
    pool.shutdown(Shutdown::Finish);
}
