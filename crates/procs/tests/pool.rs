//! Pools.
use procs::{Executor, JoinError, Pool};
#[test]
fn spike() {
    let pool = Pool::new(2).unwrap();
    let v: Result<Vec<u64>, _> = pool.map(|n: u64| n * n, 0..100).collect();
    assert_eq!(v.unwrap(), (0..100).map(|n| n * n).collect::<Vec<_>>());
    let t = pool.submit(|()| std::process::abort(), ());
    let e: Result<(), _> = t.join();
    assert!(matches!(e, Err(JoinError::Killed { signal: 6, .. })), "{e:?}");
}
