//! What the programs of the tutorials share: a story that is told and remembered.
//!
//! Each program in `src/bin` stands for one listing of the documents that this project comes from. It says what happens
//! while it happens, and at its end asserts what must have happened, whatever the order in which it did. Its first lines
//! are read by `cargo xtask tour`, and by the test that runs them all:
//!
//! ```text
//! //! 12. Six large numbers on a pool of processes
//! //!
//! //! Shows: ...
//! ```

#![forbid(unsafe_code)]

/// The examples of the project's README, so that they are tests.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
pub struct Readme;

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What has been said so far, in order. Any thread or task of the program may say something; other processes have
/// stories of their own.
#[derive(Debug, Default)]
pub struct Story {
    lines: Mutex<Vec<String>>,
}

impl Story {
    /// Nothing has been said.
    #[must_use]
    pub const fn new() -> Self {
        Story { lines: Mutex::new(Vec::new()) }
    }

    /// Prints a line and remembers it.
    pub fn say(&self, line: impl fmt::Display) {
        let line = line.to_string();
        let mut lines = self.lines();
        // Under the lock, so that what is printed has the order of what is remembered.
        println!("{line}");
        lines.push(line);
    }

    /// All that has been said.
    pub fn told(&self) -> Vec<String> {
        self.lines().clone()
    }

    /// The place of a line.
    ///
    /// # Panics
    /// If nobody said it.
    #[track_caller]
    pub fn place_of(&self, line: &str) -> usize {
        let lines = self.lines();
        match lines.iter().position(|said| said == line) {
            Some(place) => place,
            None => panic!("nobody said `{line}`, only {lines:?}"),
        }
    }

    /// Asserts that these lines were said, in this order, with whatever else in between.
    ///
    /// # Panics
    /// If not.
    #[track_caller]
    pub fn assert_order(&self, lines: &[&str]) {
        let places: Vec<usize> = lines.iter().map(|line| self.place_of(line)).collect();
        assert!(places.is_sorted(), "{lines:?} were not said in this order: {:?}", self.told());
    }

    /// Asserts that all lines with `before` were said before any with `after`.
    ///
    /// # Panics
    /// If not, or if nobody said one or the other.
    #[track_caller]
    pub fn assert_all_before(&self, before: &str, after: &str) {
        let told = self.told();
        let last = told.iter().rposition(|line| line.contains(before));
        let first = told.iter().position(|line| line.contains(after));
        assert!(last.is_some() && last < first, "not all `{before}` before all `{after}`: {told:?}");
    }

    fn lines(&self) -> MutexGuard<'_, Vec<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
