//! Whoever installs a parker on a thread has every wait of it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};
use sync::extra::{BoundedSemaphore, Exchanger, Latch, Notify, OnceCell, WaitGroup};
use sync::park::{self, Parker, Signal};
use sync::queue::{LifoQueue, mpsc, oneshot, spsc};
use sync::{Barrier, CancelToken, Condvar, Event, Mutex, Queue, RwLock, Semaphore, promise};

/// A thread's parker that counts how often it was asked.
#[derive(Default)]
struct Counting {
    parks: Cell<usize>,
    signal: Arc<Signal>,
}

impl Parker for Counting {
    fn waker(&self) -> Waker {
        self.signal.waker()
    }

    fn park(&self, deadline: Option<Instant>) {
        self.parks.set(self.parks.get() + 1);
        self.signal.wait(deadline);
    }

    fn cooperative(&self) -> bool {
        false
    }
}

#[test]
fn every_wait_asks_the_parker_that_is_installed() {
    let parker = Rc::new(Counting::default());
    let _installed = park::install(parker.clone());
    let asked = |name: &str, wait: &mut dyn FnMut() -> bool| {
        let before = parker.parks.get();
        assert!(wait(), "{name}: nobody ends this wait but the clock");
        assert!(parker.parks.get() > before, "{name} waits beside the parker");
    };
    let limit = Duration::from_millis(1);

    let mutex = Mutex::new(0);
    let guard = mutex.lock();
    asked("Mutex", &mut || mutex.lock_timeout(limit).is_err());
    drop(guard);
    asked("Mutex::when", &mut || mutex.when_timeout(|number| *number > 0, limit).is_err());
    let condvar = Condvar::new();
    asked("Condvar", &mut || condvar.wait_timeout(mutex.lock(), limit).1.is_err());
    let lock = RwLock::new(());
    let guard = lock.write();
    asked("RwLock, to read", &mut || lock.read_timeout(limit).is_err());
    asked("RwLock, to write", &mut || lock.write_timeout(limit).is_err());
    drop(guard);
    let semaphore = Semaphore::new(0);
    asked("Semaphore", &mut || semaphore.acquire_timeout(limit).is_err());
    let bounded = BoundedSemaphore::new(1);
    let permit = bounded.acquire();
    asked("BoundedSemaphore", &mut || bounded.acquire_timeout(limit).is_err());
    drop(permit);
    asked("Event", &mut || Event::new().wait_timeout(limit).is_err());
    asked("Barrier", &mut || Barrier::new(2).wait_timeout(limit).is_err());
    asked("Latch", &mut || Latch::new(1).wait_timeout(limit).is_err());
    let group = WaitGroup::new();
    group.add(1);
    asked("WaitGroup", &mut || group.wait_timeout(limit).is_err());
    asked("Notify", &mut || Notify::new().wait_timeout(limit).is_err());
    asked("OnceCell", &mut || OnceCell::<u8>::new().wait_timeout(limit).is_err());
    asked("Exchanger", &mut || Exchanger::new().exchange_timeout(1, limit).is_err());
    asked("CancelToken", &mut || CancelToken::new().wait_timeout(limit).is_err());
    let (_promise, task) = promise::<()>();
    let mut task = Some(task);
    asked("Task", &mut || task.take().is_some_and(|task| task.join_timeout(limit).is_err()));

    for capacity in [0, 1, 16] {
        let queue = Queue::<u8>::bounded(capacity);
        asked("Queue, to get", &mut || queue.get_timeout(limit).is_err());
        (0..capacity).for_each(|_| queue.try_put(1).unwrap());
        asked("Queue, to put", &mut || queue.put_timeout(1, limit).is_err());
    }
    asked("LifoQueue", &mut || LifoQueue::<u8>::unbounded().get_timeout(limit).is_err());
    let (_sender, receiver) = oneshot::channel::<u8>();
    asked("oneshot", &mut || receiver.get_timeout(limit).is_err());
    let (_sender, mut receiver) = spsc::bounded::<u8>(1);
    asked("spsc", &mut || receiver.get_timeout(limit).is_err());
    let (_sender, mut receiver) = mpsc::bounded::<u8>(1);
    asked("mpsc", &mut || receiver.get_timeout(limit).is_err());
}

#[test]
fn threads_sleep_on_words_in_one_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sleeps = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // The calls of the system themselves.
                folders.extend(Some(path).filter(|path| !path.ends_with("os")));
            } else if fs::read_to_string(&path).unwrap().contains("Sleeper::sleep") {
                sleeps.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    assert_eq!(sleeps, [PathBuf::from("park/plain.rs")]);
}
