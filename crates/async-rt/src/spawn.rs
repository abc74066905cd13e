//! Tasks: one handle, one body, on every backend.
//!
//! A backend is given a [`Body`], a future without a result that never panics. The body polls the user's future inside
//! the runtime's context, catches panics, heeds requests to stop, and finishes the task's promise. So cancelling, panics
//! and closing mean the same everywhere, whatever the backend's own handles do.
//!
//! **Stopping.** A body looks before each poll whether it should stop. A task that waits is not polled, so its first wait
//! leaves its waker with the task's token: cancelling the token wakes the body, which looks, and drops the future where it
//! stands, at the `.await` it waits in. Registering comes after the poll; a request that came in between is found by
//! `on_cancel`, which calls back at once.

use crate::context::{self, Context as Current, Place};
use crate::runtime::Core;
use crate::tasks::Slot;
use executor::Entry;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use sync::{CancelToken, JoinError, Task, cancel::OnCancel, promise_cancelling, task::Promise};

/// Runs `future` as a task of the current runtime and returns its handle at once.
///
/// Dropping the handle detaches the task. [`Task::cancel`] drops the future at the `.await` it waits in, or reaches next,
/// and the task ends with [`JoinError::Cancelled`]; one that is ready before that gives its result. A panic ends the task
/// alone, with [`JoinError::Panicked`]. If the runtime is closed the task's error is [`JoinError::ShutDown`].
///
/// # Panics
/// Outside a runtime; [`Runtime::spawn`](crate::Runtime::spawn) works anywhere.
///
/// # Examples
/// ```
/// let sum = async_rt::run(async_rt::Backend::Native, async {
///     let task = async_rt::spawn(async { 20 + 1 });
///     task.await.map(|half| half * 2)
/// })?;
/// assert_eq!(sum?, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "create_task")]
#[doc(alias = "ensure_future")]
#[track_caller]
pub fn spawn<F>(future: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_on(&context::expect("spawn"), future)
}

pub(crate) fn spawn_on<F>(core: &Arc<Core>, future: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match core.ledger.enter() {
        Ok(entry) => spawn_admitted(core, entry, future),
        Err(executor::Closed) => Task::ready(Err(JoinError::ShutDown)),
    }
}

/// The runtime may have been closed since `entry` was had, and its driver stops only when nobody has one.
fn spawn_admitted<F>(core: &Arc<Core>, entry: Entry, future: F) -> Task<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let token = CancelToken::new();
    let (promise, task) = promise_cancelling(token.clone());
    let slot = core.tasks.insert(token.clone());
    core.driver_spawn(Body {
        future: Some(future),
        rest: Some(Rest { promise, token, slot, begun: false, on_cancel: None, entry }),
        context: Some(Current { core: Arc::clone(core), place: Place::Task }),
    });
    task
}

pin_project! {
    /// What a backend runs.
    struct Body<F: Future>
    where
        F::Output: Send,
        F::Output: 'static,
    {
        // `None` once it is over.
        #[pin]
        future: Option<F>,
        rest: Option<Rest<F::Output>>,
        // Lent to the thread during a poll.
        context: Option<Current>,
    }

    impl<F: Future> PinnedDrop for Body<F>
    where
        F::Output: Send,
        F::Output: 'static,
    {
        /// A backend may drop a body that is not over, when it is shut down from outside or while the thread of a task
        /// closes its own runtime.
        fn drop(this: Pin<&mut Self>) {
            let begun = this.rest.as_ref().is_some_and(|rest| rest.begun);
            this.end(Err(stopped(begun)));
        }
    }
}

struct Rest<T: Send + 'static> {
    promise: Promise<T>,
    token: CancelToken,
    slot: Slot,
    begun: bool,
    on_cancel: Option<(Waker, OnCancel)>,
    entry: Entry,
}

impl<F: Future> Future for Body<F>
where
    F::Output: Send + 'static,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.as_mut().project();
        let (Some(rest), Some(core)) =
            (this.rest.as_mut(), this.context.as_ref().map(|current| &current.core))
        else {
            return Poll::Ready(());
        };
        if rest.promise.is_cancelled() || core.ledger.is_cancelling() {
            let why = if rest.promise.is_cancelled() { JoinError::Cancelled } else { stopped(rest.begun) };
            self.end(Err(why));
            return Poll::Ready(());
        }
        rest.begun = true;
        let Some(future) = this.future.as_pin_mut() else { return Poll::Ready(()) };
        match context::lend(this.context, || sync::catch(|| future.poll(cx))) {
            Ok(Poll::Pending) => {
                rest.watch(cx.waker());
                return Poll::Pending;
            }
            Ok(Poll::Ready(output)) => self.end(Ok(output)),
            Err(panicked) => self.end(Err(panicked)),
        }
        Poll::Ready(())
    }
}

impl<F: Future> Body<F>
where
    F::Output: Send + 'static,
{
    /// Drops the future and finishes the task, all inside the context: a runtime that goes away with the future, the
    /// result, or a callback that the task's end has called must know that it is in a task of its own. The second time,
    /// nothing happens.
    fn end(self: Pin<&mut Self>, outcome: Result<F::Output, JoinError>) {
        let mut this = self.project();
        let (Some(rest), Some(context)) = (this.rest.take(), this.context.take()) else { return };
        let core = Arc::clone(&context.core);
        context::enter(context, || {
            let dropped = sync::catch(|| this.future.set(None));
            let Rest { promise, token: _, slot, begun: _, on_cancel, entry } = rest;
            drop(on_cancel);
            core.tasks.remove(slot);
            // A destructor that panicked is the task's failure too. Whoever is woken, and a result that nobody wants, are
            // not ours, and a body does not panic.
            sync::contain(|| promise.finish(dropped.and(outcome)));
            // Last: who waits for the runtime to be empty finds every task finished.
            drop(entry);
            core.left();
        });
    }
}

impl<T: Send> Rest<T> {
    /// Arranges that a request to stop wakes the body.
    fn watch(&mut self, waker: &Waker) {
        if self.on_cancel.as_ref().is_some_and(|(watched, _)| watched.will_wake(waker)) {
            return;
        }
        let wake = waker.clone();
        self.on_cancel = Some((waker.clone(), self.token.on_cancel(move || wake.wake())));
    }
}

/// The error of a task that the runtime's end has stopped.
fn stopped(begun: bool) -> JoinError {
    if begun { JoinError::Cancelled } else { JoinError::ShutDown }
}

#[cfg(all(test, not(trefoil_loom)))]
mod tests {
    use super::*;
    use crate::backend::Backend;
    use crate::runtime::Runtime;
    use std::time::Duration;

    /// A task that is being spawned while the runtime is dropped inside one of its own tasks, where nobody waits for it.
    fn spawned_during_a_drop_inside(backend: Backend) {
        let runtime = Runtime::new(backend).unwrap();
        let core = Arc::clone(&runtime.core);
        let entry = core.ledger.enter().unwrap();
        let (lend, lent) = std::sync::mpsc::channel::<Runtime>();
        let drops = runtime.spawn(async move { drop(lent.recv()) });
        lend.send(runtime).unwrap();
        drops.join().unwrap();
        // Long enough for workers that have nothing to do to end, if they are about to. With less, this tests less.
        std::thread::sleep(Duration::from_millis(20));
        let task = spawn_admitted(&core, entry, async {});
        let ended = task.join_timeout(Duration::from_secs(30)).expect("the task ends");
        assert!(matches!(ended, Err(JoinError::ShutDown)), "{ended:?}");
    }

    #[test]
    fn spawned_during_a_drop_inside_native() {
        spawned_during_a_drop_inside(Backend::Native);
    }

    #[test]
    #[cfg(feature = "tokio")]
    fn spawned_during_a_drop_inside_tokio() {
        spawned_during_a_drop_inside(Backend::Tokio);
    }

    #[test]
    #[cfg(feature = "async-std")]
    fn spawned_during_a_drop_inside_async_std() {
        spawned_during_a_drop_inside(Backend::AsyncStd);
    }

    #[test]
    #[cfg(feature = "smol")]
    fn spawned_during_a_drop_inside_smol() {
        spawned_during_a_drop_inside(Backend::Smol);
    }
}
