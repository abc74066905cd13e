//! The adapters, each as far as it has something of its own. What all pools promise is tested by the workspace's
//! conformance suite.

#![cfg(all(feature = "rayon", feature = "tokio", feature = "smol", feature = "async-std"))]

#[path = "common/sharp.rs"]
mod sharp;

use executor::async_std::AsyncStd;
use executor::rayon::Rayon;
use executor::smol::Smol;
use executor::sync::Event;
use executor::tokio::Tokio;
use executor::{Executor, JoinError, Shutdown};
use sharp::Sharp;
use std::sync::Arc;

#[test]
fn a_closure_brings_its_variables_and_the_work_stays_here() {
    fn check<P>(pool: &P, spawn: impl Fn(&P, Arc<str>) -> executor::Task<Arc<str>>) {
        let text: Arc<str> = "the same one".into();
        let back = spawn(pool, Arc::clone(&text)).join().unwrap();
        assert!(Arc::ptr_eq(&text, &back));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    check(&Rayon::global(), |pool, text| pool.spawn(move || text));
    check(&Rayon::global(), |pool, text| pool.submit(|text| text, text));
    check(&Tokio::new(runtime.handle().clone()), |pool, text| pool.spawn(move || text));
    check(&Smol::new(), |pool, text| pool.spawn(move || text));
    check(&AsyncStd::new(), |pool, text| pool.spawn(move || text));
}

#[test]
fn two_adapters_of_one_pool_shut_down_alone() {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
    let first = Rayon::new(Arc::clone(&pool));
    let second = Rayon::new(Arc::clone(&pool));
    assert_eq!((first.workers(), second.workers()), (2, 2));
    first.shutdown(Shutdown::Finish);
    assert!(matches!(first.spawn(|| ()).join(), Err(JoinError::ShutDown)));
    assert_eq!(second.spawn(|| 1).join().unwrap(), 1);
    assert_eq!(pool.install(|| 2), 2);
}

#[test]
fn rayons_pool_runs_the_task_on_its_own_threads() {
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
    let index = Rayon::new(pool).submit(|()| rayon::current_thread_index(), ()).join().unwrap();
    assert_eq!(index, Some(0));
}

/// Rayon ends the program when a job panics.
#[test]
fn what_panics_behind_a_task_is_kept_from_rayon() {
    let pool = Rayon::new(Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap()));
    let unwanted = Arc::new(Event::new());
    let wait = Arc::clone(&unwanted);
    drop(pool.spawn(move || {
        wait.wait();
        Sharp::Twice
    }));
    unwanted.set();
    assert_eq!(pool.spawn(|| 1).join().unwrap(), 1);
    pool.shutdown(Shutdown::Finish);
}

#[test]
fn a_runtime_that_is_gone_abandons_its_tasks() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let pool = Tokio::new(runtime.handle().clone()).with_workers(3);
    assert_eq!(pool.workers(), 3);
    assert_eq!(pool.spawn(|| 1).join().unwrap(), 1);
    drop(runtime);
    assert!(matches!(pool.spawn(|| ()).join(), Err(JoinError::Abandoned)));
    pool.shutdown(Shutdown::Finish);
}
