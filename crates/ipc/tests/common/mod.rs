//! What the tests share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Ends the whole program if a test hangs, and keeps other tests of this binary out: they would open descriptors and
/// start threads while this one counts its own.
pub(crate) struct Alarm {
    done: mpsc::Sender<()>,
    thread: Option<std::thread::JoinHandle<()>>,
    _alone: MutexGuard<'static, ()>,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        let (done, wait) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            if wait.recv_timeout(Duration::from_secs(60)) == Err(mpsc::RecvTimeoutError::Timeout) {
                eprintln!("{test} hangs");
                std::process::abort();
            }
        });
        Alarm { done, thread: Some(thread), _alone: alone }
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let _ = self.done.send(());
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// How many descriptors this process has open.
pub(crate) fn descriptors_open() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// A parcel whose bytes tell where they belong.
pub(crate) fn parcel(number: u8, size: usize) -> ipc::Parcel {
    ipc::Parcel { bytes: (0..size).map(|place| number ^ place as u8).collect(), descriptors: Vec::new() }
}
