//! What a task may leave behind at the worst.

use std::panic::panic_any;

/// Panics when it is dropped.
pub(crate) enum Sharp {
    /// With a text.
    Once,
    /// With a payload that panics when it is dropped.
    Twice,
}

impl Drop for Sharp {
    fn drop(&mut self) {
        match self {
            // A test that fails shall end alone.
            _ if std::thread::panicking() => {}
            Sharp::Once => panic!("on purpose"),
            Sharp::Twice => panic_any(Sharp::Once),
        }
    }
}
