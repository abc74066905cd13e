//! What a scheduler of coroutines installs, as small as it can be.

use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;
use sync::park::{Parker, Signal};

/// It has a thread for each coroutine, or one coroutine, which is enough to be asked.
#[derive(Default)]
pub(crate) struct OwnThread(pub(crate) Arc<Signal>);

impl Parker for OwnThread {
    fn waker(&self) -> Waker {
        self.0.waker()
    }

    fn park(&self, deadline: Option<Instant>) {
        self.0.wait(deadline);
    }

    fn cooperative(&self) -> bool {
        true
    }
}
