//! The threads that this crate has started and that have not ended.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::{self, JoinHandle, ThreadId};
use sync::Event;

/// Who a thread is. Cheap to clone, and valid after the thread has ended.
#[derive(Clone)]
pub struct Identity {
    about: Arc<About>,
}

struct About {
    number: u64,
    name: String,
    daemon: bool,
    /// Filled by the thread itself, first of all.
    ids: OnceLock<Ids>,
    begun: Event,
}

#[derive(Clone, Copy)]
struct Ids {
    id: ThreadId,
    native: Option<u64>,
}

/// How to start a thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) name: Option<String>,
    pub(crate) daemon: bool,
    pub(crate) stack_bytes: Option<usize>,
}

impl Identity {
    /// Its name: the one it was given, or `thread-N`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.about.name
    }

    /// The identity that `std::thread` knows it by. Waits until the thread has begun, which takes microseconds.
    #[must_use]
    #[doc(alias = "ident")]
    pub fn id(&self) -> ThreadId {
        self.ids().id
    }

    /// The number that the system knows it by, as `top -H` and debuggers show it: `gettid` of Linux and Android. `None`
    /// elsewhere. Waits until the thread has begun, which takes microseconds.
    #[must_use]
    #[doc(alias = "get_native_id")]
    pub fn native_id(&self) -> Option<u64> {
        self.ids().native
    }

    /// Whether [`join_all`](crate::join_all) and the end of the program do not wait for it.
    #[must_use]
    #[doc(alias = "daemon")]
    pub fn is_daemon(&self) -> bool {
        self.about.daemon
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        living().threads.contains_key(&self.about.number)
    }

    fn ids(&self) -> Ids {
        loop {
            if let Some(ids) = self.about.ids.get() {
                return *ids;
            }
            self.about.begun.wait();
        }
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("name", &self.about.name)
            .field("native_id", &self.about.ids.get().and_then(|ids| ids.native))
            .field("daemon", &self.about.daemon)
            .field("alive", &self.is_alive())
            .finish_non_exhaustive()
    }
}

/// How many threads there are that this crate has started, a pool's workers included. `main` and others' threads do not
/// count.
#[must_use]
pub fn active_count() -> usize {
    living().threads.len()
}

/// The threads that this crate has started and that have not ended, in the order in which they were started.
#[must_use]
pub fn enumerate() -> Vec<Identity> {
    living().threads.values().map(|about| Identity { about: Arc::clone(about) }).collect()
}

/// This thread, if it was started by this crate.
#[must_use]
#[doc(alias = "current_thread")]
pub fn current() -> Option<Identity> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// Starts a thread that is listed from now until it ends.
pub(crate) fn start(
    plan: Plan,
    body: impl FnOnce() + Send + 'static,
) -> io::Result<(Identity, JoinHandle<()>)> {
    if plan.name.as_ref().is_some_and(|name| name.contains('\0')) {
        let why = format!("the name {:?} of a thread has a zero byte in it; leave it out", plan.name);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    let listed = Listed::new(plan.name, plan.daemon);
    let identity = listed.identity.clone();
    let mut builder = thread::Builder::new().name(identity.name().into());
    if let Some(bytes) = plan.stack_bytes {
        builder = builder.stack_size(bytes);
    }
    // A thread that does not start drops what it was given, and so it is no longer listed.
    let handle = builder.spawn(move || {
        listed.begin();
        body();
    })?;
    Ok((identity, handle))
}

/// `Ready` when no thread lives that is not a daemon, this one apart; otherwise `cx`'s waker is woken when it may be so.
pub(crate) fn poll_all_ended(cx: &Context<'_>) -> Poll<()> {
    let waker = cx.waker().clone();
    let myself = current().map(|myself| myself.about.number);
    let mut living = living();
    let someone = living.threads.iter().any(|(number, about)| !about.daemon && Some(*number) != myself);
    if !someone {
        return Poll::Ready(());
    }
    if !living.waiting.iter().any(|waiting| waiting.will_wake(&waker)) {
        living.waiting.push(waker);
    }
    Poll::Pending
}

/// A thread's place in the list, which it leaves when this is dropped.
struct Listed {
    identity: Identity,
}

impl Listed {
    fn new(name: Option<String>, daemon: bool) -> Self {
        let mut living = living();
        living.started += 1;
        let number = living.started;
        let about = Arc::new(About {
            number,
            name: name.unwrap_or_else(|| format!("thread-{number}")),
            daemon,
            ids: OnceLock::new(),
            begun: Event::new(),
        });
        living.threads.insert(number, Arc::clone(&about));
        Listed { identity: Identity { about } }
    }

    /// What the thread does first.
    fn begin(&self) {
        let about = &self.identity.about;
        about.ids.get_or_init(|| Ids { id: thread::current().id(), native: native_id() });
        about.begun.set();
        let _ = CURRENT.try_with(|current| current.replace(Some(self.identity.clone())));
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        let mut living = living();
        living.threads.remove(&self.identity.about.number);
        let waiting = std::mem::take(&mut living.waiting);
        drop(living);
        // Whoever installs a parker brings its wakers: one that panics keeps no other from being woken.
        waiting.into_iter().for_each(|waker| sync::contain(|| waker.wake()));
    }
}

struct Living {
    /// By number, which is the order of starting.
    threads: BTreeMap<u64, Arc<About>>,
    started: u64,
    /// Those who wait for all to end. They look again whenever a thread ends.
    waiting: Vec<Waker>,
}

static LIVING: Mutex<Living> =
    Mutex::new(Living { threads: BTreeMap::new(), started: 0, waiting: Vec::new() });

thread_local! {
    static CURRENT: RefCell<Option<Identity>> = const { RefCell::new(None) };
}

/// The list is under a lock of `std`, which does not ask the pool whose worker may be here: the pool itself starts
/// threads.
fn living() -> MutexGuard<'static, Living> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn native_id() -> Option<u64> {
    u64::try_from(nix::unistd::gettid().as_raw()).ok()
}

/// Other systems have such a number too, but none that can be asked for without unsafe code.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn native_id() -> Option<u64> {
    None
}
