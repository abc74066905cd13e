//! Greenlets on one thread, of which one that waits lets the others go on.

use coro::Greenlet;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;
use sync::park::{self, Parker, Signal};

/// One for all on this thread: whoever is woken, all look again. They may; and it is short.
struct Shared {
    scheduler: Greenlet<()>,
    woken: Arc<Signal>,
    /// The first deadline of those who are parked.
    first: Cell<Option<Instant>>,
}

impl Parker for Shared {
    fn waker(&self) -> Waker {
        self.woken.waker()
    }

    fn park(&self, deadline: Option<Instant>) {
        let first = self.first.get();
        self.first.set(
            deadline.map_or(first, |deadline| Some(first.map_or(deadline, |first| first.min(deadline)))),
        );
        // A wake before this is kept by the signal.
        self.scheduler.switch(());
    }

    fn cooperative(&self) -> bool {
        true
    }
}

/// Runs each body in a greenlet of its own until all have ended.
pub(crate) fn on_greenlets<R: 'static, F: FnOnce() -> R + 'static>(
    bodies: impl Iterator<Item = F>,
) -> Vec<R> {
    let results = Rc::new(RefCell::new(Vec::new()));
    let mut greenlets: Vec<Greenlet<()>> = bodies
        .map(|body| {
            let results = Rc::clone(&results);
            Greenlet::new(move |()| {
                let result = body();
                results.borrow_mut().push(result);
            })
        })
        .collect();
    let shared =
        Rc::new(Shared { scheduler: Greenlet::current(), woken: Arc::default(), first: Cell::new(None) });
    while !greenlets.is_empty() {
        shared.first.set(None);
        for greenlet in &greenlets {
            let installed = park::install(Rc::<Shared>::clone(&shared));
            greenlet.switch(());
            drop(installed);
        }
        let before = greenlets.len();
        greenlets.retain(|greenlet| !greenlet.is_dead());
        if greenlets.len() == before {
            shared.woken.wait(shared.first.get());
        }
    }
    results.take()
}
