//! How long a queue without locks is while others put and take: never as it was at no moment.
//!
//! Loom would not try what is between two looks of one thread here: of each word, it notes the last look alone.

use super::{explore, join};
use crate::lockfree::ArrayQueue;
use shuttle::thread;
use std::ops::RangeInclusive;
use std::sync::Arc;

#[test]
fn an_array_that_is_never_empty() {
    lengths(1..=2, |queue| {
        queue.push(1).unwrap();
        assert!(queue.pop().is_some());
    });
}

#[test]
fn an_array_that_is_never_full() {
    lengths(0..=1, |queue| {
        assert!(queue.pop().is_some());
        queue.push(1).unwrap();
    });
}

/// Of a queue with one item, which is as before after each turn.
fn lengths(possible: RangeInclusive<usize>, turn: fn(&ArrayQueue<u8>)) {
    explore(move || {
        let queue = Arc::new(ArrayQueue::new(2));
        queue.push(0).unwrap();
        let (changed, measured, possible) = (Arc::clone(&queue), queue, possible.clone());
        let change = thread::spawn(move || (0..6).for_each(|_| turn(&changed)));
        let measure = thread::spawn(move || {
            for _ in 0..3 {
                let length = measured.len();
                assert!(possible.contains(&length), "{length} items at no moment");
            }
        });
        join([change, measure]);
    });
}
