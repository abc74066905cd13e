//! The cases, by subject, and the macro that stamps them.

#[path = "cases/closing.rs"]
pub(crate) mod closing;
#[path = "cases/functions.rs"]
pub(crate) mod functions;
#[path = "cases/tasks.rs"]
pub(crate) mod tasks;
#[path = "cases/tcp.rs"]
pub(crate) mod tcp;
#[path = "cases/time.rs"]
pub(crate) mod time;

use async_rt::{Backend, Runtime};
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use sync::Event;

/// A runtime as people make it.
pub(crate) fn runtime(backend: Backend) -> Runtime {
    Runtime::new(backend).unwrap()
}

/// A runtime with one worker, where it has workers of its own: if that one ends, nothing runs any more.
pub(crate) fn runtime_of_one(backend: Backend) -> Runtime {
    let builder = Runtime::builder(backend).blocking_threads(1);
    if backend == Backend::AsyncStd { builder.build() } else { builder.workers(1).build() }.unwrap()
}

/// Counts how many of its clones were dropped.
#[derive(Clone, Default)]
pub(crate) struct Drops {
    count: Arc<AtomicUsize>,
}

/// Counts itself when dropped.
pub(crate) struct Dropped(Drops);

impl Drops {
    pub(crate) fn guard(&self) -> Dropped {
        Dropped(self.clone())
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.count.fetch_add(1, Ordering::SeqCst);
    }
}

/// Panics when dropped, with a payload that does the same, and so on. Sets the event before.
pub(crate) struct Bomb(pub(crate) Arc<Event>);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.set();
        panic_any(Fuse { left: 4 });
    }
}

struct Fuse {
    left: u32,
}

impl Drop for Fuse {
    fn drop(&mut self) {
        if let Some(left) = self.left.checked_sub(1) {
            panic_any(Fuse { left });
        }
    }
}

/// One test for each case, in a module for the backend.
macro_rules! conformance {
    ($name:ident, $backend:expr) => {
        mod $name {
            use async_rt::Backend;

            conformance!(@cases $backend;
                tasks: spawn_and_join, nested_spawn, a_panic_is_an_error_of_its_task, cancel_drops_at_the_await,
                    cancel_before_the_first_poll, dropping_the_handle_detaches, gather_keeps_order, gather_polls_all,
                    gathered_futures_may_be_woken_by_threads, ten_thousand_tasks, woken_from_another_thread,
                    woken_while_running, yield_lets_others_run, a_root_that_is_not_send, spawn_from_outside,
                    current_backend, a_panicking_destructor_is_an_error_of_its_task, run_passes_the_panic_on,
                    a_result_that_nobody_wants_may_panic, who_awaits_may_panic;
                time: sleeps_at_least, sleeps_end_in_order, timeout_passes_and_cuts, dropped_sleeps_are_taken_back,
                    sync_deadlines_work, an_endless_sleep_can_be_dropped;
                tcp: echo_to_a_hundred, refused, end_of_stream, large_both_ways, halves_in_two_tasks,
                    dropping_the_write_half_ends_the_stream, a_read_can_be_cancelled, by_name, futures_io_traits,
                    server_closes, two_accept_at_once, addresses_and_options, unknown_name;
                functions: blocking_goes_on_beside_the_loop, a_function_panics, a_result_that_nobody_wants_may_panic, at_most_as_many_as_asked_for,
                    a_function_that_has_not_begun_is_taken_back, functions_know_their_runtime, executor_basics,
                    submit_takes_closures;
                closing: refuses_after_shutdown, finish_waits_for_tasks, cancel_pending_stops_tasks,
                    shutdown_can_time_out, drop_runs_destructors, drop_waits_for_functions_that_run,
                    dropped_inside_its_own_task, dropped_by_a_callback_of_its_own_task,
                    dropped_by_a_callback_of_its_own_function, dropped_with_the_result_of_its_own_task,
                    dropped_by_who_awaits_its_own_task, dropped_with_a_function_that_is_taken_back,
                    dropped_by_a_callback_of_a_function_that_is_taken_back,
                    dropped_inside_another_runtime_inside_its_own_function, waits_in_its_own_task_are_refused,
                    closed_inside_its_own_task, its_own_functions_wait_for_the_others, many_runtimes;
            );
        }
    };
    (@cases $backend:expr; $($subject:ident: $($case:ident),+;)+) => {
        $(
            mod $subject {
                use super::*;
                $(
                    #[test]
                    fn $case() {
                        crate::suite::$subject::$case($backend);
                    }
                )+
            }
        )+
    };
}
