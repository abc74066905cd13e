//! A thread of a pool.

use super::parker::WorkerParker;
use super::shared::Shared;
use crate::living::{self, Plan};
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a thread stays that is one too many. Starting one costs tens of microseconds, which tasks that wait for each
/// other all the time should not pay each time; a thread that sleeps costs its stack.
const LINGER: Duration = Duration::from_secs(1);

thread_local! {
    static CURRENT: RefCell<Option<Rc<WorkerParker>>> = const { RefCell::new(None) };
}

/// Starts the thread with this number, which has been counted as starting.
pub(super) fn start(shared: &Arc<Shared>, number: u64) -> io::Result<JoinHandle<()>> {
    let plan = Plan {
        name: Some(format!("{}-{number}", shared.plan.name)),
        // The end of the program does not wait for it: the pool does, when it is dropped.
        daemon: true,
        stack_bytes: shared.plan.stack_bytes,
    };
    let shared = Arc::clone(shared);
    let (_, handle) = living::start(plan, move || work(&shared, number))?;
    Ok(handle)
}

/// Whether this thread belongs to that pool.
pub(super) fn is_of(shared: &Arc<Shared>) -> bool {
    current().is_some_and(|worker| worker.is_of(shared))
}

/// Runs `wait`, which blocks this thread in a way that the pool cannot see: reading a socket, a lock of `std`. Meanwhile
/// the pool whose task this is runs another one. Elsewhere it only runs `wait`.
///
/// Waits by `sync` (`join`, `Queue::get`, `Mutex::lock`) do this by themselves.
///
/// # Examples
/// ```
/// let pool = threads::Pool::new(1);
/// let (send, receive) = std::sync::mpsc::channel();
/// let first = pool.spawn(move || threads::blocking(|| receive.recv()));
/// pool.spawn(move || send.send("from a task behind it")).join()?.expect("the first one waits");
/// assert_eq!(first.join()?, Ok("from a task behind it"));
/// # Ok::<(), threads::JoinError>(())
/// ```
#[doc(alias = "managedBlock")]
pub fn blocking<T>(wait: impl FnOnce() -> T) -> T {
    let worker = current();
    let _blocked = worker.as_ref().map(|worker| worker.block());
    wait()
}

fn current() -> Option<Rc<WorkerParker>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

fn work(shared: &Arc<Shared>, number: u64) {
    let parker = Rc::new(WorkerParker::new(Arc::clone(shared)));
    CURRENT.set(Some(Rc::clone(&parker)));
    let _installed = sync::park::install(Rc::<WorkerParker>::clone(&parker));

    let mut state = shared.lock();
    state.started();
    loop {
        if let Some(job) = state.take(shared.plan.workers) {
            drop(state);
            shared.room.leave(1);
            // The panic of its work is in its task; what may get here is one of a callback, or of the destructor of a
            // result that nobody wants.
            parker.in_task(|| sync::contain(|| job.run()));
            state = shared.done();
        } else if state.is_over() {
            break;
        } else {
            let limit = state.has_spare(shared.plan.workers).then_some(LINGER);
            let told;
            (state, told) = shared.sleep(state, limit);
            if !told && state.has_spare(shared.plan.workers) {
                break;
            }
        }
    }
    shared.ended(state, number);
    CURRENT.set(None);
}
