//! A task as the queue holds it.

use crate::ambient;
use sync::{CancelToken, JoinError, cancel::OnCancel, task::Promise};

/// Something to run, or to end without being run.
pub(super) trait Job: Send {
    /// Runs the work and finishes the task.
    fn run(self: Box<Self>);

    /// Finishes the task without running the work. Does not panic: others may wait for what the caller does next.
    fn end(self: Box<Self>, why: JoinError);
}

/// A closure and the promise of its result.
pub(super) struct Work<F, R: Send + 'static> {
    pub(super) work: F,
    pub(super) promise: Promise<R>,
    pub(super) token: CancelToken,
    /// Takes the job out of the queue when the token is cancelled.
    pub(super) on_cancel: OnCancel,
}

impl<F, R> Job for Work<F, R>
where
    F: FnOnce() -> R + Send,
    R: Send + 'static,
{
    fn run(self: Box<Self>) {
        let Work { work, promise, token, on_cancel } = *self;
        drop(on_cancel);
        let _ambient = ambient::enter(token);
        promise.run(work);
    }

    fn end(self: Box<Self>, why: JoinError) {
        let Work { work, promise, .. } = *self;
        // What the closure holds goes first: whoever learns of the end may count on it.
        sync::contain(|| drop(work));
        sync::contain(|| promise.finish(Err(why)));
    }
}
