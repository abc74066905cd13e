//! Dropping many things of which one may panic.

/// Drops whatever `next` gives, until it gives nothing.
///
/// A destructor that panics does not keep the others from running: its panic goes on when all are done. A second panic
/// ends the process, as a panic inside a panic does.
pub(crate) fn drop_all<T>(next: impl FnMut() -> Option<T>) {
    let mut rest = Rest(next);
    while let Some(item) = (rest.0)() {
        drop(item);
    }
}

struct Rest<T, F: FnMut() -> Option<T>>(F);

impl<T, F: FnMut() -> Option<T>> Drop for Rest<T, F> {
    fn drop(&mut self) {
        while let Some(item) = (self.0)() {
            drop(item);
        }
    }
}
