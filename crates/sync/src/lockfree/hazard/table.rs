//! Where the hazards are: in chunks that are added when all are in use.

use crate::lockfree::lane::lane;
use crate::primitive::{AtomicPtr, Ordering, const_but_for_loom};
use crossbeam_utils::CachePadded;
use std::ptr::{self, NonNull};

/// Null: free. Otherwise the node that its owner looks at, or is about to.
///
/// On a line of its own: readers on several processors write to theirs all the time.
pub(super) struct Hazard<N>(CachePadded<AtomicPtr<N>>);

/// All hazards of a domain. It only grows.
pub(super) struct Table<N> {
    first: AtomicPtr<Chunk<N>>,
}

struct Chunk<N> {
    hazards: [Hazard<N>; HAZARDS],
    next: AtomicPtr<Chunk<N>>,
}

/// How many hazards are made at a time. More of them keep more threads apart and fewer make retiring cheaper, which
/// looks at each.
const HAZARDS: usize = if crate::primitive::IS_MODEL { 2 } else { 8 };

impl<N> Hazard<N> {
    /// Takes a free hazard for `node`.
    #[inline]
    fn try_claim(&self, node: *mut N) -> bool {
        // Relaxed, in both loads: only success counts, and it orders everything.
        self.0.load(Ordering::Relaxed).is_null()
            && self.0.compare_exchange(ptr::null_mut(), node, Ordering::SeqCst, Ordering::Relaxed).is_ok()
    }

    /// The owner looks at another node.
    #[inline]
    pub(super) fn change(&self, node: *mut N) {
        self.0.swap(node, Ordering::SeqCst);
    }

    /// The owner looks at nothing and gives the hazard back.
    #[inline]
    pub(super) fn release(&self) {
        // Release: what was done with the node comes before it is freed by who reads this.
        self.0.store(ptr::null_mut(), Ordering::Release);
    }
}

impl<N> Table<N> {
    const_but_for_loom! {
        pub(super) fn new() -> Self {
            Table { first: AtomicPtr::new(ptr::null_mut()) }
        }
    }

    /// A hazard that holds `node`. Each thread begins with another one, so that they seldom meet.
    #[inline]
    pub(super) fn claim(&self, node: *mut N) -> &Hazard<N> {
        let lane = lane();
        if let Some(chunk) = chunk_behind(&self.first) {
            let hazard = &chunk.hazards[lane % HAZARDS];
            if hazard.try_claim(node) {
                return hazard;
            }
        }
        self.claim_any(node, lane)
    }

    #[cold]
    fn claim_any(&self, node: *mut N, lane: usize) -> &Hazard<N> {
        let mut link = &self.first;
        loop {
            let chunk = chunk_behind(link).unwrap_or_else(|| append(link));
            for step in 0..HAZARDS {
                let hazard = &chunk.hazards[lane.wrapping_add(step) % HAZARDS];
                if hazard.try_claim(node) {
                    return hazard;
                }
            }
            link = &chunk.next;
        }
    }

    /// Whether one of the hazards holds `node`.
    pub(super) fn contains(&self, node: *mut N) -> bool {
        let mut link = &self.first;
        while let Some(chunk) = chunk_behind(link) {
            // Acquire, too: pairs with `release`, if that is what it reads.
            if chunk.hazards.iter().any(|hazard| hazard.0.load(Ordering::SeqCst) == node) {
                return true;
            }
            link = &chunk.next;
        }
        false
    }
}

impl<N> Drop for Table<N> {
    fn drop(&mut self) {
        // Relaxed: `&mut self` says that all others have gone.
        let mut next = self.first.load(Ordering::Relaxed);
        while let Some(chunk) = NonNull::new(next) {
            // SAFETY: chunks are made by `Box` in `append`, each is in one link, and nobody else is left.
            let chunk = unsafe { Box::from_raw(chunk.as_ptr()) };
            next = chunk.next.load(Ordering::Relaxed);
        }
    }
}

#[inline]
fn chunk_behind<N>(link: &AtomicPtr<Chunk<N>>) -> Option<&Chunk<N>> {
    // SeqCst: pairs with `append`. A chunk is in its link before any of its hazards is claimed, and so the argument for
    // hazards holds for those in a new chunk, too.
    let chunk = link.load(Ordering::SeqCst);
    // SAFETY: a link is null or holds a chunk that was published whole, and chunks are freed with the table alone, which
    // the link's borrow keeps.
    unsafe { chunk.as_ref() }
}

/// Adds a chunk at the end, or finds the one that somebody else has just added.
fn append<N>(link: &AtomicPtr<Chunk<N>>) -> &Chunk<N> {
    let chunk = Box::into_raw(Box::new(Chunk {
        hazards: std::array::from_fn(|_| Hazard(CachePadded::new(AtomicPtr::new(ptr::null_mut())))),
        next: AtomicPtr::new(ptr::null_mut()),
    }));
    match link.compare_exchange(ptr::null_mut(), chunk, Ordering::SeqCst, Ordering::SeqCst) {
        // SAFETY: it has just been published, and is freed with the table alone.
        Ok(_) => unsafe { &*chunk },
        Err(other) => {
            // SAFETY: it was not published, so it is still ours alone.
            drop(unsafe { Box::from_raw(chunk) });
            // SAFETY: it is another thread's, published whole and freed with the table alone.
            unsafe { &*other }
        }
    }
}
