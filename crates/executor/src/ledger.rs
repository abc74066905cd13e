//! The book-keeping of a pool: who is inside, and whether the door is still open.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use sync::{Condvar, JoinError, Mutex, Task, TimedOut, promise, task::Promise};

use crate::contract::Shutdown;

/// Counts the tasks of a pool that have not ended, refuses new ones after a shutdown, and waits for the last one.
///
/// For implementors of [`Executor`](crate::Executor). Where a pool runs closures in this process,
/// [`admit`](Ledger::admit) is all that it needs. Clones are the same ledger. Waiting goes through [`sync::park`], so it
/// is cooperative where the caller is.
///
/// # Examples
/// An executor that starts a thread for each task:
/// ```
/// use executor::{Abilities, Argument, Executor, JoinError, Ledger, Shutdown, Task, TimedOut};
///
/// #[derive(Default)]
/// struct Threads {
///     ledger: Ledger,
/// }
///
/// impl Executor for Threads {
///     fn can(&self) -> Abilities {
///         Abilities { isolates: false, kills: false, cancels: true, captures: false }
///     }
///
///     fn workers(&self) -> usize {
///         64
///     }
///
///     fn start<F, A, R>(&self, f: F, argument: A) -> Task<R>
///     where
///         F: Fn(A) -> R + Copy + Send + 'static,
///         A: Argument,
///         R: Argument,
///     {
///         let (task, job) = self.ledger.admit(move || f(argument));
///         if let Some(job) = job {
///             std::thread::spawn(job);
///         }
///         task
///     }
///
///     fn shut_down_until(&self, how: Shutdown, deadline: Option<std::time::Instant>) -> Result<(), TimedOut> {
///         self.ledger.close(how);
///         self.ledger.wait_until(deadline)
///     }
/// }
///
/// let threads = Threads::default();
/// assert_eq!(threads.submit(|number: u64| number + 1, 1).join()?, 2);
/// threads.shutdown(Shutdown::Finish);
/// assert!(matches!(threads.submit(|()| (), ()).join(), Err(JoinError::ShutDown)));
/// # Ok::<(), JoinError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    book: Mutex<Book>,
    /// Nobody is inside any more, but for those who wait for that.
    empty: Condvar,
    /// Read by every task before it begins.
    cancelling: AtomicBool,
}

#[derive(Debug, Default)]
struct Book {
    inside: usize,
    /// Of those inside, how many wait for the others.
    waiting: usize,
    closed: bool,
}

/// The pool takes no more tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closed;

/// A task that was let in and has not ended. Dropping it says that the task has ended, be it that it was never run.
#[must_use = "dropping it says that the task has ended"]
#[derive(Debug)]
pub struct Entry {
    ledger: Ledger,
}

thread_local! {
    /// The ledgers of the tasks that run on this thread, one inside the other.
    static HERE: RefCell<Vec<*const Shared>> = const { RefCell::new(Vec::new()) };
}

impl Ledger {
    /// Open, and nobody inside.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a task of `work`, and the job that a pool has to run for it, anywhere in this process.
    ///
    /// The job does not panic. It does not run `work` if the task was cancelled before, or the ledger closed with
    /// [`Shutdown::CancelPending`]. Dropped without being run, it ends the task with
    /// [`JoinError::Abandoned`](sync::JoinError::Abandoned). After a shutdown there is no job, and the task has ended
    /// with [`JoinError::ShutDown`](sync::JoinError::ShutDown).
    pub fn admit<T, W>(&self, work: W) -> (Task<T>, Option<impl FnOnce() + Send + 'static + use<T, W>>)
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let Ok(entry) = self.enter() else {
            return (Task::ready(Err(JoinError::ShutDown)), None);
        };
        let (promise, task) = promise();
        let job = move || {
            // Named in the order in which a job that is never run drops them: the entry last, for it says that the task has
            // ended.
            let (promise, work, entry) = (promise, work, entry);
            // The panics of `work` are the task's. What is left is foreign too: the destructors of closures and results that
            // nobody wants, and wakers. The thread belongs to a pool that need not survive them.
            sync::contain(move || entry.run(promise, work));
        };
        (task, Some(job))
    }

    /// Lets a task in.
    ///
    /// # Errors
    /// [`Closed`] after a shutdown.
    pub fn enter(&self) -> Result<Entry, Closed> {
        let mut book = self.shared.book.lock();
        if book.closed {
            return Err(Closed);
        }
        book.inside += 1;
        Ok(Entry { ledger: self.clone() })
    }

    /// Lets nobody in any more.
    pub fn close(&self, how: Shutdown) {
        self.shared.book.lock().closed = true;
        if how == Shutdown::CancelPending {
            // Release: pairs with the load in `is_cancelling`; there is nothing else to publish.
            self.shared.cancelling.store(true, Ordering::Release);
        }
    }

    /// Whether tasks that have not begun are to end with [`JoinError::ShutDown`](sync::JoinError::ShutDown).
    #[must_use]
    pub fn is_cancelling(&self) -> bool {
        // Acquire: see `close`.
        self.shared.cancelling.load(Ordering::Acquire)
    }

    /// How many are inside.
    #[must_use]
    pub fn inside(&self) -> usize {
        self.shared.book.lock().inside
    }

    /// Waits until nobody is inside, at most until `deadline`. Blocks.
    ///
    /// Inside a job that [`admit`](Ledger::admit) made, it waits for the others only, and not for those of them who wait
    /// here too: nobody waits for himself.
    ///
    /// # Errors
    /// [`TimedOut`] if somebody still is.
    pub fn wait_until(&self, deadline: Option<Instant>) -> Result<(), TimedOut> {
        let shared = &*self.shared;
        let _myself = Here::is_marked(shared).then(|| Waiting::among(shared));
        let occupied = |book: &mut Book| book.inside > book.waiting;
        let book = shared.book.lock();
        match deadline {
            None => drop(shared.empty.wait_while(book, occupied)),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                shared.empty.wait_while_timeout(book, occupied, left).1?;
            }
        }
        Ok(())
    }
}

impl Shared {
    /// Changes the numbers, and tells those who wait if this was what they wait for.
    fn change(&self, change: impl FnOnce(&mut Book)) {
        let mut book = self.book.lock();
        change(&mut book);
        let empty = book.inside <= book.waiting;
        drop(book);
        if empty {
            self.empty.notify_all();
        }
    }
}

impl Entry {
    /// Runs what was let in, unless it is too late for that.
    fn run<T: Send + 'static>(self, promise: Promise<T>, work: impl FnOnce() -> T) {
        let _here = Here::mark(&self.ledger.shared);
        if self.ledger.is_cancelling() {
            sync::contain(|| drop(work));
            promise.finish(Err(JoinError::ShutDown));
        } else {
            promise.run(work);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.ledger.shared.change(|book| book.inside -= 1);
    }
}

/// One who is inside and waits for the others.
struct Waiting<'a>(&'a Shared);

impl<'a> Waiting<'a> {
    fn among(shared: &'a Shared) -> Self {
        shared.change(|book| book.waiting += 1);
        Waiting(shared)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.change(|book| book.waiting -= 1);
    }
}

/// A mark that a task of a ledger runs on this thread. Removed when dropped, in reverse order.
struct Here;

impl Here {
    fn mark(shared: &Arc<Shared>) -> Self {
        let _ = HERE.try_with(|here| here.borrow_mut().push(Arc::as_ptr(shared)));
        Here
    }

    fn is_marked(shared: &Shared) -> bool {
        // The addresses are only compared: a task keeps its ledger alive, so no other has the same one.
        HERE.try_with(|here| here.borrow().iter().any(|there| std::ptr::eq(*there, shared))).unwrap_or(false)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        let _ = HERE.try_with(|here| here.borrow_mut().pop());
    }
}
