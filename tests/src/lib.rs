//! What crosses crates. The library itself is empty; the package's programs and tests are what it is for.
//!
//! The comparison is an instrument, and it is trusted when it finds what was put there. Its tests start the real engine
//! as a program, in a project of its own for each test, among contestants that are honest and contestants that are not:
//!
//! - `src/bin/engine.rs` is the engine;
//! - `src/bin/planted.rs` is a contestant that misbehaves in the way that its first argument names;
//! - `src/bin/skeleton.rs` is what `cargo xtask compare new` writes, proven to compile, to run and to be right;
//! - `src/bin/fake-peers.rs` is a program of peers, some of whom fail;
//! - `kit-seq`, `kit-threads` and `kit-server` are the oracle, the honest contestant and the server of `fetch`;
//! - `tests/compare/` holds the tests, a file for each kind of behaviour, in one program: those that
//!   judge times have the machine to themselves, because a second engine would be the noise that the first one reports.
//!
//! `tests/everywhere/` is a stress of `sync` from all sides at once: threads, greenlets, and tasks of three runtimes share
//! its objects. It stands here because `sync` itself must know no runtime. So does `tests/checked.rs`, which asks `sync`'s deadlock
//! checker about a runtime's blocking threads, with the feature `check`.
//!
//! Tests that measure in earnest take minutes and want a quiet machine. They run with `cargo xtask test --full` (which
//! sets `TREFOIL_FULL=1`) and say that they are skipped otherwise.

#![forbid(unsafe_code)]
