//! The parker of a plain thread.
//!
//! It does not use `std::thread::park`, whose one token belongs to the user's own code: a wait of ours between a
//! user's `unpark` and `park` would swallow it.

use super::{Parker, Signal};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

pub(super) struct ThreadParker {
    signal: Arc<Signal>,
    waker: Waker,
}

crate::primitive::thread_local! {
    static OF_THIS_THREAD: Rc<ThreadParker> = Rc::new(ThreadParker::new());
}

impl ThreadParker {
    /// One for each thread, made at its first wait and kept, so that a wait does not allocate.
    pub(super) fn of_this_thread() -> Rc<dyn Parker> {
        OF_THIS_THREAD.try_with(Rc::clone).unwrap_or_else(|_| Rc::new(ThreadParker::new()))
    }

    fn new() -> Self {
        let signal = Arc::<Signal>::default();
        ThreadParker { waker: signal.waker(), signal }
    }
}

impl Parker for ThreadParker {
    fn waker(&self) -> Waker {
        self.waker.clone()
    }

    fn park(&self, deadline: Option<Instant>) {
        self.signal.wait(deadline);
    }

    fn cooperative(&self) -> bool {
        false
    }
}
