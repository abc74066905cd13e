//! A whole task, and whether it awaits nothing but locks.
//!
//! Whatever a task awaits holds a clone of its waker, or nobody could wake it. So a task whose waker has as many clones as the task
//! awaits locks, each by that very waker, is woken by those locks or by nobody: it waits as a thread does that blocks. With one
//! clone more, be it a timer's, a channel's, or one that somebody has kept from an earlier poll, it is not said to wait.

use super::context::{self, Context as Owner, ContextId};
use super::state::{self, State};
use super::waits;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};

/// The waker of a task, whose clones are counted.
#[derive(Default)]
pub(super) struct TaskWaker {
    /// Of whoever polls the task.
    outer: Mutex<Option<Waker>>,
    woken: Arc<AtomicBool>,
}

/// A task's future. It is dropped as its context, for it may give locks back.
struct Body<'a, F> {
    owner: &'a Owner,
    future: Option<Pin<Box<F>>>,
}

pub(super) async fn run<F: Future>(owner: &Owner, future: F) -> F::Output {
    let mut body = Body { owner, future: Some(Box::pin(future)) };
    let task_waker = Arc::<TaskWaker>::default();
    poll_fn(|cx| {
        task_waker.begin(cx.waker());
        let waker = Waker::from(Arc::clone(&task_waker));
        let poll = body.poll(&mut Context::from_waker(&waker), &task_waker);
        drop(waker);
        if poll.is_pending() {
            look(owner.id());
        }
        poll
    })
    .await
}

/// Looks for a deadlock that the task's last wait has closed.
fn look(id: ContextId) {
    if super::is_on() {
        waits::follow(state::with(|state| waits::suspicion(state, id)).flatten());
    }
}

/// What wakes this task as its own waker does, without being counted: for whoever wakes it to look, and is not who it waits for.
/// `None` if that is not the task's own waker.
pub(crate) fn uncounted(waker: &Waker) -> Option<Waker> {
    if !super::is_on() {
        return None;
    }
    let id = context::current_task().id()?;
    let own = state::with(|state| match state.wakes(id, waker) {
        true => state.contexts.get(&id).and_then(|context| Some(context.waker.as_ref()?.waker.clone())),
        false => None,
    });
    own.flatten().map(|own| Waker::from(Arc::new(Uncounted(own))))
}

struct Uncounted(Weak<TaskWaker>);

impl Wake for Uncounted {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(waker) = self.0.upgrade() {
            waker.wake_by_ref();
        }
    }
}

impl State {
    /// Whether this is the waker of that whole task.
    pub(super) fn wakes(&self, task: ContextId, waker: &Waker) -> bool {
        let own = self.contexts.get(&task).and_then(|context| context.waker.as_ref());
        own.is_some_and(|own| own.waker.as_ptr().cast() == waker.data())
    }
}

impl<F: Future> Body<'_, F> {
    fn poll(&mut self, cx: &mut Context<'_>, waker: &Arc<TaskWaker>) -> Poll<F::Output> {
        let _entered = self.owner.enter_as_task();
        self.owner.wakes_by(WakesBy { waker: Arc::downgrade(waker), woken: Arc::clone(&waker.woken) });
        match &mut self.future {
            Some(future) => future.as_mut().poll(cx),
            None => unreachable!("the future stays until this is dropped"),
        }
    }
}

impl<F> Drop for Body<'_, F> {
    fn drop(&mut self) {
        let _entered = self.owner.enter_as_task();
        self.future = None;
    }
}

impl TaskWaker {
    fn begin(&self, waker: &Waker) {
        // Relaxed: a wake that comes now is for the poll that begins.
        self.woken.store(false, Ordering::Relaxed);
        let mut outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        if outer.as_ref().is_some_and(|outer| outer.will_wake(waker)) {
            return;
        }
        drop(outer);
        // Both may run foreign code.
        let waker = waker.clone();
        outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner);
        let old = outer.replace(waker);
        drop(outer);
        drop(old);
    }
}

/// What the checker knows of a task's waker. It never has the waker itself: the last to drop that runs a foreign destructor.
pub(super) struct WakesBy {
    waker: Weak<TaskWaker>,
    woken: Arc<AtomicBool>,
}

impl WakesBy {
    /// How many have it, with the task itself.
    pub(super) fn count(&self) -> usize {
        self.waker.strong_count()
    }

    /// Whether somebody has said that the task is to be polled.
    pub(super) fn is_woken(&self) -> bool {
        // Relaxed: what matters is looked at again after a while.
        self.woken.load(Ordering::Relaxed)
    }
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Relaxed);
        let outer = self.outer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(outer) = outer {
            outer.wake();
        }
    }
}
