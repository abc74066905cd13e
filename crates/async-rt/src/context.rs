//! Which runtime the code on this thread belongs to.
//!
//! It is set while a task is polled, while a function runs on a blocking thread and during `block_on`, and put back
//! afterwards, on every backend alike; so a thread that serves several runtimes always names the right one. One may be
//! inside another: a function of one runtime that blocks on a future of a second one is inside both.

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
    /// The last one is the current one; the others are around it.
    static CONTEXTS: RefCell<Vec<Context>> = const { RefCell::new(Vec::new()) };
}

/// Looks at the current context. `look` must not lead back here.
pub(crate) fn with<R>(look: impl FnOnce(&Context) -> R) -> Option<R> {
    CONTEXTS.try_with(|contexts| contexts.borrow().last().map(look)).ok().flatten()
}

/// Whether this thread runs something of `core`, at a place that `which` is about.
pub(crate) fn is_inside(core: &Arc<Core>, which: impl Fn(Place) -> bool) -> bool {
    let inside = |context: &Context| Arc::ptr_eq(&context.core, core) && which(context.place);
    CONTEXTS.try_with(|contexts| contexts.borrow().iter().any(inside)).unwrap_or(false)
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
    lend(&mut Some(context), work)
}

/// As [`enter`], with a context that comes back, so that it need not be cloned.
pub(crate) fn lend<R>(context: &mut Option<Context>, work: impl FnOnce() -> R) -> R {
    struct Lent<'a>(&'a mut Option<Context>);
    impl Drop for Lent<'_> {
        fn drop(&mut self) {
            *self.0 = CONTEXTS.try_with(|contexts| contexts.borrow_mut().pop()).ok().flatten();
        }
    }
    // A thread that is going away has no place for it.
    let lent = context.is_some()
        && CONTEXTS.try_with(|contexts| contexts.borrow_mut().extend(context.take())).is_ok();
    let _back = lent.then(|| Lent(context));
    work()
}
