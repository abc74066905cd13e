//! Hazard pointers: how memory is freed that another thread may be looking at.
//!
//! M. M. Michael, "Hazard Pointers: Safe Memory Reclamation for Lock-Free Objects", IEEE Transactions on Parallel and
//! Distributed Systems 15(6), 2004, [doi:10.1109/TPDS.2004.8](https://doi.org/10.1109/TPDS.2004.8). We differ in three ways:
//!
//! - hazards belong to a structure and not to threads. A reader claims any free one, by the very instruction that writes
//!   into it what it looks at, so a reader may be a coroutine that moves between threads;
//! - who retires a node looks at all hazards at once and frees the node if it is in none. Only a node that somebody looks
//!   at is kept, so there are about as many kept nodes as hazards in use, and no garbage waits for a full list;
//! - what is kept hangs in one list, which every later `retire` looks through.
//!
//! ```text
//!   reader                                        who frees
//!   ──────                                        ─────────
//!   node = source.load()
//!   hazard: null ── node        (1, SeqCst)       source: node ── other       (3, SeqCst)
//!   source.load() == node ?     (2, SeqCst)       hazard.load() == node ?     (4, SeqCst)
//!      yes: the node is safe to look at              no: the node is freed
//! ```
//!
//! Invariants:
//!
//! 1. A node is retired once, after it can be reached from no source, and freed by nothing else.
//! 2. A node whose address is in a hazard, and that was read from its source afterwards, is not freed before the hazard
//!    lets it go. For if (2) reads the node, it comes before (3) in the one order of all `SeqCst` operations. Then (1)
//!    comes before (4), and (4) reads the node's address. The node is the one that (2) reads: the guess before (1) may
//!    point to one that was freed meanwhile and whose address has come back, and such a pointer must not be followed.
//! 3. A hazard that is not null belongs to whoever made it so, until he makes it null. Making it null releases, (4)
//!    acquires: whatever was done with the node comes before its end.
//!
//! The fences between (1) and (2) and between (3) and (4) say the same once more. By the standard's one order of `SeqCst`
//! operations they could go; without them Miri finds a race between a reader and the end of a node, in 7 of 37 orders of a
//! test, and with them in none of 39. We have not found which of the two is wrong, and keep them.
//!
//! A node's address cannot come back while a hazard holds it, so a `compare_exchange` that expects a protected node cannot
//! mistake another for it (the ABA problem).

mod table;

use super::drop_all::drop_all;
use crate::primitive::{AtomicPtr, Ordering, UnsafeCell, const_but_for_loom, fence};
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use table::{Hazard, Table};

/// The hazards of one structure, and the nodes that it has retired and could not free. Nodes are made by `Box`.
///
/// Cost: an operation claims a hazard, usually by one atomic instruction, and retiring looks at each hazard. There are as
/// many as there were guards at one time, rounded up to a multiple of 8, at 128 bytes each; the first 8 are made when the
/// first is needed, and they are freed with the domain.
pub(super) struct Domain<N> {
    hazards: Table<N>,
    kept: AtomicPtr<Kept<N>>,
    /// Neither `Send` nor `Sync` by itself: the structure knows what its nodes are.
    nodes: PhantomData<*mut N>,
}

/// A retired node that somebody looked at. An entry of its own, so that nodes need no room for a link.
struct Kept<N> {
    node: NonNull<N>,
    /// The address of the next entry, or 0. Not a pointer: `keep` does not protect the entry that it finds on top, which may
    /// be freed before the exchange succeeds because another has come to its address. A pointer to the first must not be
    /// followed to the second; from an address, `List::pop` makes one to whichever is there.
    ///
    /// In a cell so that loom sees who looks at an entry without having received it.
    next: UnsafeCell<usize>,
}

/// A node that is not freed while this exists.
pub(super) struct Protected<'a, N> {
    domain: &'a Domain<N>,
    hazard: &'a Hazard<N>,
    node: NonNull<N>,
}

impl<N> Domain<N> {
    const_but_for_loom! {
        pub(super) fn new() -> Self {
            Domain { hazards: Table::new(), kept: AtomicPtr::new(ptr::null_mut()), nodes: PhantomData }
        }
    }

    /// Protects the node that `source` points to; `None` if it points to none. Lock-free: it tries again only if `source`
    /// has been changed in between.
    ///
    /// # Safety
    /// Every node that `source` ever points to is retired in this domain after `source` points to it no more, and freed in
    /// no other way while the domain lives. `source` is changed by `SeqCst` operations that release.
    #[inline]
    pub(super) unsafe fn protect(&self, source: &AtomicPtr<N>) -> Option<Protected<'_, N>> {
        // A node is a guess, which is looked at again below. None is an answer, so SeqCst: as the changes of `source`, so that
        // there was none when it was read, in the one order of all.
        let mut node = NonNull::new(source.load(Ordering::SeqCst))?;
        let hazard = self.hazards.claim(node.as_ptr());
        loop {
            // Between (1) and (2), as the one between (3) and (4).
            fence(Ordering::SeqCst);
            // Acquire, too: the node's content was published with it.
            let Some(now) = NonNull::new(source.load(Ordering::SeqCst)) else {
                hazard.release();
                return None;
            };
            if now == node {
                // What was read now, not the guess: that may point to a freed node of the same address (invariant 2).
                return Some(Protected { domain: self, hazard, node: now });
            }
            node = now;
            hazard.change(now.as_ptr());
        }
    }

    /// Frees the node as soon as nobody looks at it: now, or in a later call, or with the domain.
    ///
    /// Runs the node's destructor, and those of nodes that had been kept. Allocates if somebody looks at it.
    ///
    /// # Safety
    /// The node was made by `Box`, can be reached from no source any more by a `SeqCst` operation that comes before, and
    /// is retired once. Whoever may call this may drop an `N` on this thread.
    pub(super) unsafe fn retire(&self, node: NonNull<N>) {
        if self.is_protected(node) {
            self.keep(Box::new(Kept { node, next: UnsafeCell::new(0) }));
        } else {
            // SAFETY: the caller made the node unreachable, and nobody protects it (invariant 2).
            drop(unsafe { Box::from_raw(node.as_ptr()) });
        }
        self.collect();
    }

    /// Frees what was kept and is no longer looked at.
    #[inline]
    pub(super) fn collect(&self) {
        // Relaxed: whoever puts something in looks himself, and so will the next.
        if !self.kept.load(Ordering::Relaxed).is_null() {
            self.collect_kept();
        }
    }

    #[cold]
    fn collect_kept(&self) {
        // Acquire: pairs with the release in `keep`. Who takes the list has it for himself.
        let mut list = List(self.kept.swap(ptr::null_mut(), Ordering::Acquire));
        drop_all(|| {
            loop {
                let entry = list.pop()?;
                if !self.is_protected(entry.node) {
                    // SAFETY: it was unreachable when it was kept, and nobody protects it (invariant 2).
                    return Some(unsafe { Box::from_raw(entry.node.as_ptr()) });
                }
                self.keep(entry);
            }
        });
    }

    fn keep(&self, entry: Box<Kept<N>>) {
        let entry = Box::into_raw(entry);
        // For `List::pop`, which comes to this entry by its address.
        entry.expose_provenance();
        // Relaxed: the entries behind are not looked at here.
        let mut first = self.kept.load(Ordering::Relaxed);
        loop {
            // SAFETY: the entry was made by `Box`.
            let next = unsafe { &(*entry).next };
            // SAFETY: the entry is not in the list yet, so it is ours alone.
            next.with_mut(|next| unsafe { *next = first.addr() });
            // Release: publishes the entry to the swap in `collect_kept`. The others behind it stay published, because
            // every change of `kept` is one step of reading and writing.
            match self.kept.compare_exchange_weak(first, entry, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }

    fn is_protected(&self, node: NonNull<N>) -> bool {
        fence(Ordering::SeqCst);
        self.hazards.contains(node.as_ptr())
    }
}

impl<N> Drop for Domain<N> {
    fn drop(&mut self) {
        // Relaxed: `&mut self` says that all others have gone, and whoever made it so has synchronized with them.
        let mut list = List(self.kept.load(Ordering::Relaxed));
        drop_all(|| {
            let entry = list.pop()?;
            // SAFETY: a guard borrows the domain, so there is none; and a kept node is freed once, by its only entry.
            Some(unsafe { Box::from_raw(entry.node.as_ptr()) })
        });
    }
}

/// Entries that nobody else can reach.
struct List<N>(*mut Kept<N>);

impl<N> List<N> {
    fn pop(&mut self) -> Option<Box<Kept<N>>> {
        let first = NonNull::new(self.0)?;
        // SAFETY: entries are made by `Box` in `retire`, and the whole list is ours.
        let entry = unsafe { Box::from_raw(first.as_ptr()) };
        // SAFETY: nobody else has the entry.
        self.0 = ptr::with_exposed_provenance_mut(entry.next.with(|next| unsafe { *next }));
        Some(entry)
    }
}

impl<N> Protected<'_, N> {
    pub(super) fn as_ptr(&self) -> *mut N {
        self.node.as_ptr()
    }

    /// Looks at the node no more, and retires it.
    ///
    /// # Safety
    /// As [`Domain::retire`].
    pub(super) unsafe fn retire(self) {
        let (domain, node) = (self.domain, self.node);
        drop(self);
        // SAFETY: promised by the caller.
        unsafe { domain.retire(node) };
    }
}

impl<N> Deref for Protected<'_, N> {
    type Target = N;

    #[inline(always)]
    fn deref(&self) -> &N {
        // SAFETY: the node is not freed while the hazard holds it (invariant 2), and whoever shares nodes changes them
        // through cells alone.
        unsafe { self.node.as_ref() }
    }
}

impl<N> Drop for Protected<'_, N> {
    #[inline(always)]
    fn drop(&mut self) {
        self.hazard.release();
    }
}
