//! Which runtime the code on this thread belongs to.
//!
//! It is set while a task is polled, while a function runs on a blocking thread and during `block_on`, and put back
//! afterwards, on every backend alike; so a thread that serves several runtimes always names the right one.

use crate::runtime::Core;
use std::cell::RefCell;
use std::sync::Arc;

pub(crate) struct Context {
    pub(crate) core: Arc<Core>,
    pub(crate) place: Place,
}

/// Where in the runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A task: its thread is one of the runtime's.
    Task,
    /// A function that may block: its thread is lent by the runtime.
    Function,
    /// The future of `block_on`: its thread is the caller's.
    Root,
}

thread_local! {
    static CURRENT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

/// Sets what is current and returns what was. A thread that is going away has none.
pub(crate) fn replace(context: Option<Context>) -> Option<Context> {
    CURRENT.try_with(|current| current.replace(context)).unwrap_or(None)
}

/// Looks at the current context. `look` must not lead back here.
pub(crate) fn with<R>(look: impl FnOnce(&Context) -> R) -> Option<R> {
    CURRENT.try_with(|current| current.borrow().as_ref().map(look)).ok().flatten()
}

/// The current runtime.
pub(crate) fn current() -> Option<Arc<Core>> {
    with(|context| Arc::clone(&context.core))
}

/// The current runtime, for what cannot be done without one.
#[track_caller]
pub(crate) fn expect(what: &str) -> Arc<Core> {
    match current() {
        Some(core) => core,
        None => panic!(
            "`{what}` needs a runtime, and there is none on this thread; \
             call it inside `async_rt::run`, or use the method of `Runtime`"
        ),
    }
}

/// Runs `work` with `context` as the current one.
pub(crate) fn enter<R>(context: Context, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Context>);
    impl Drop for Restore {
        fn drop(&mut self) {
            drop(replace(self.0.take()));
        }
    }
    let _restore = Restore(replace(Some(context)));
    work()
}
