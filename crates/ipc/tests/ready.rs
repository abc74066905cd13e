//! Waiting for descriptors: threads, coroutines, tasks of any runtime.
#![cfg(target_os = "linux")]

mod common;

use common::{Alarm, Toy, descriptors_open};
use ipc::Interest::{Read, Write};
use ipc::ready::{wait, wait_any, wait_any_async, wait_async};
use std::future::Future;
use std::io::Write as _;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::panic_any;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::{Duration, Instant};
use sync::Event;
use sync::park::block_on_timeout;

/// A limit that no test reaches unless it hangs.
const LONG: Duration = Duration::from_secs(30);

fn in_ms(number: u64) -> Option<Instant> {
    Some(Instant::now() + Duration::from_millis(number))
}

/// Writes until there is no room.
fn fill(stream: &UnixStream) {
    stream.set_nonblocking(true).unwrap();
    while (&*stream).write(&[0; 4096]).is_ok() {}
}

#[test]
fn a_thread_waits_for_what_comes_and_no_longer_than_it_may() {
    let _alarm = Alarm::new();
    let (here, mut there) = UnixStream::pair().unwrap();
    let begin = Instant::now();
    assert!(!wait(here.as_fd(), Read, in_ms(30)).unwrap());
    assert!(begin.elapsed() >= Duration::from_millis(30));
    assert!(wait(here.as_fd(), Write, None).unwrap());
    there.write_all(b"x").unwrap();
    assert!(wait(here.as_fd(), Read, None).unwrap());
    // A deadline that has passed still finds what is there.
    assert!(wait(here.as_fd(), Read, Some(Instant::now())).unwrap());
    assert_eq!(wait_any(&[(there.as_fd(), Read), (here.as_fd(), Read)], None).unwrap(), Some(1));
    assert_eq!(wait_any(&[(there.as_fd(), Read)], in_ms(1)).unwrap(), None);
    fill(&here);
    assert!(!wait(here.as_fd(), Write, in_ms(1)).unwrap());
    drop(there);
    assert!(wait(here.as_fd(), Write, None).unwrap());
}

#[test]
fn a_coroutine_waits_without_stopping_its_thread() {
    let _alarm = Alarm::new();
    let (here, mut there) = UnixStream::pair().unwrap();
    let toy = Toy::install();
    assert!(!wait(here.as_fd(), Read, in_ms(20)).unwrap());
    assert!(toy.parks() >= 1);
    // What runs beside it on the same thread, while it is parked, is what ends the wait.
    toy.beside(move || there.write_all(b"x").unwrap());
    assert!(wait(here.as_fd(), Read, None).unwrap());
}

#[test]
fn tasks_of_any_runtime_wait() {
    let _alarm = Alarm::new();
    async fn ping_pong() {
        let (here, mut there) = UnixStream::pair().unwrap();
        wait_async(here.as_fd(), Write).await.unwrap();
        let writer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(5));
            there.write_all(b"x").unwrap();
            there
        });
        wait_async(here.as_fd(), Read).await.unwrap();
        let there = writer.join().unwrap();
        let both = [(there.as_fd(), Read), (here.as_fd(), Read)];
        assert_eq!(wait_any_async(&both).await.unwrap(), 1);
        // A plain file is always ready.
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        wait_async(file.as_fd(), Read).await.unwrap();
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(ping_pong());
    smol::block_on(ping_pong());
    sync::park::block_on(ping_pong());
}

#[test]
fn waits_of_one_descriptor_do_not_disturb_each_other() {
    let _alarm = Alarm::new();
    let (here, mut there) = UnixStream::pair().unwrap();
    std::thread::scope(|scope| {
        let waits: Vec<_> =
            (0..4).map(|_| scope.spawn(|| smol::block_on(wait_async(here.as_fd(), Read)).unwrap())).collect();
        there.write_all(b"x").unwrap();
        waits.into_iter().for_each(|wait| wait.join().unwrap());
    });
}

/// Says that it was woken, and panics with a payload that panics again when it is dropped.
struct Bomb(Event);

struct Sharp;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        self.0.set();
        panic_any(Sharp);
    }
}

impl Drop for Sharp {
    fn drop(&mut self) {
        panic!("another panic that the test asked for");
    }
}

#[test]
fn a_waker_that_panics_again_and_again_ends_no_other_wait() {
    let _alarm = Alarm::new();
    let (here, there) = UnixStream::pair().unwrap();
    let bomb = Arc::new(Bomb(Event::new()));
    let waker = Waker::from(Arc::clone(&bomb));
    let mut wait = pin!(wait_async(here.as_fd(), Write));
    assert!(wait.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    bomb.0.wait();
    // The same thread serves these.
    let others = [wait_async(here.as_fd(), Write), wait_async(there.as_fd(), Write)];
    for other in others {
        block_on_timeout(other, LONG).expect("the watcher lives").unwrap();
    }
    assert!(wait.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn a_wait_that_is_given_up_leaves_nothing_behind() {
    let _alarm = Alarm::new();
    let (here, there) = UnixStream::pair().unwrap();
    // The watcher's own descriptor is there from here on.
    smol::block_on(wait_async(here.as_fd(), Write)).unwrap();
    let before = descriptors_open();
    for _ in 0..100 {
        let limit = Duration::from_micros(100);
        let wait = sync::timer::timeout(limit, wait_async(here.as_fd(), Read));
        assert_eq!(sync::park::block_on(wait).map(Result::unwrap), Err(sync::TimedOut));
    }
    common::until(|| descriptors_open() <= before);
    drop(there);
}
