//! What the tests share.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use ipc::{Link, handoff};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::{Cell, RefCell};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};
use sync::park;

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

/// Waits for what must become so, or else the alarm goes off.
pub(crate) fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A parcel whose bytes tell where they belong.
pub(crate) fn parcel(number: u8, size: usize) -> ipc::Parcel {
    ipc::Parcel { bytes: (0..size).map(|place| number ^ place as u8).collect(), descriptors: Vec::new() }
}

/// This test program again, as another process that runs one test function, which finds out by [`child_role`] that it
/// is a child. Dropping it kills it.
pub(crate) struct Child {
    process: std::process::Child,
    pub(crate) link: Link,
}

const ROLE: &str = "IPC_TEST_ROLE";

impl Child {
    /// `test` is the full name of the test function.
    pub(crate) fn start(test: &str, role: &str) -> Child {
        let (link, childs) = Link::pair().unwrap();
        let process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            // A descriptor that the child inherits, without unsafe code on either side.
            .stdin(Stdio::from(OwnedFd::from(childs)))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Child { process, link }
    }

    pub(crate) fn tell(&self, value: &(impl Serialize + ?Sized)) {
        self.link.send(&handoff::encode(value).unwrap(), None).unwrap();
    }

    pub(crate) fn hear<T: DeserializeOwned>(&self) -> T {
        handoff::decode(self.link.receive(None).unwrap()).unwrap()
    }

    /// Waits until the child has called [`reached`].
    pub(crate) fn wait_until_reached(&self) {
        let () = self.hear();
    }

    pub(crate) fn pid(&self) -> i32 {
        self.process.id() as i32
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Waits until it has ended by itself, and well.
    pub(crate) fn join(mut self) {
        assert!(self.process.wait().unwrap().success());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// In a child: its role, and the connection to its parent.
pub(crate) fn child_role() -> Option<(String, Parent)> {
    let role = std::env::var(ROLE).ok()?;
    Some((role, Parent(link_to_parent())))
}

pub(crate) struct Parent(Link);

impl Parent {
    pub(crate) fn tell(&self, value: &(impl Serialize + ?Sized)) {
        self.0.send(&handoff::encode(value).unwrap(), None).unwrap();
    }

    pub(crate) fn hear<T: DeserializeOwned>(&self) -> T {
        handoff::decode(self.0.receive(None).unwrap()).unwrap()
    }
}

/// In a child: tells the parent that it may kill now.
pub(crate) fn reached() {
    Parent(link_to_parent()).tell(&());
}

/// In a child: stays until it is killed, or until its parent has gone.
pub(crate) fn stay() -> ! {
    let link = link_to_parent();
    while link.receive(None).is_ok() {}
    std::process::exit(1)
}

fn link_to_parent() -> Link {
    Link::from_fd(std::io::stdin().as_fd().try_clone_to_owned().unwrap()).unwrap()
}

/// A cooperative parker on this thread: while one coroutine is parked, something else may run on the thread.
pub(crate) struct Toy {
    parker: Rc<ToyParker>,
    _installed: park::Installed,
}

struct ToyParker {
    parks: Cell<usize>,
    /// What runs beside at the next park.
    beside: RefCell<Option<Box<dyn FnOnce()>>>,
    signal: Arc<Signal>,
}

#[derive(Default)]
struct Signal {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Toy {
    pub(crate) fn install() -> Toy {
        let parker =
            Rc::new(ToyParker { parks: Cell::new(0), beside: RefCell::default(), signal: Arc::default() });
        Toy { _installed: park::install(Rc::clone(&parker) as Rc<dyn park::Parker>), parker }
    }

    pub(crate) fn beside(&self, run: impl FnOnce() + 'static) {
        *self.parker.beside.borrow_mut() = Some(Box::new(run));
    }

    /// How often something was parked.
    pub(crate) fn parks(&self) -> usize {
        self.parker.parks.get()
    }
}

impl park::Parker for ToyParker {
    fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.signal))
    }

    fn park(&self, deadline: Option<Instant>) {
        self.parks.set(self.parks.get() + 1);
        let beside = self.beside.take();
        if let Some(beside) = beside {
            beside();
        }
        let mut woken = self.signal.woken.lock().unwrap();
        while !*woken {
            let left = deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return;
            }
            woken = self.signal.changed.wait_timeout(woken, left).unwrap().0;
        }
        *woken = false;
    }

    fn cooperative(&self) -> bool {
        true
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        *self.woken.lock().unwrap() = true;
        self.changed.notify_one();
    }
}
