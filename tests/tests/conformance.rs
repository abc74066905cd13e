//! What every executor promises, as one suite that is stamped onto each implementation.
//!
//! Tasks may run in another process. So they tell what they do by results and by files in a folder they are given, never
//! by variables of this program; see [`conformance::gate`].
//!
//! To add an implementation: a `Subject` in `conformance/subjects.rs`, and its line at the end of this file. To add a
//! promise: a function in one of the other files of that folder, and its line in the list below.

mod conformance {
    pub(crate) mod gate;
    pub(crate) mod subjects;

    pub(crate) mod cancelling;
    pub(crate) mod crashes;
    pub(crate) mod ending;
    pub(crate) mod maps;
    pub(crate) mod tasks;
}

/// The suite for one subject, as a module of tests.
macro_rules! conformance {
    ($name:ident: $Subject:ty) => {
        mod $name {
            use super::conformance::{cancelling, crashes, ending, maps, subjects, tasks};

            conformance! { @ $Subject:
                tasks::a_task_gives_its_result,
                tasks::many_tasks_give_their_results,
                tasks::arguments_and_results_are_of_all_kinds,
                tasks::a_mebibyte_goes_there_and_back,
                tasks::a_panic_reaches_the_handle_and_the_pool_goes_on,
                tasks::a_task_can_be_awaited,
                tasks::a_limit_gives_the_handle_back,
                tasks::wait_tells_which_has_ended,
                tasks::results_come_as_they_are_there,
                tasks::hooks_run_around_each_task,
                tasks::tasks_may_submit_to_their_own_pool,
                tasks::as_many_run_at_a_time_as_there_are_workers,
                maps::a_map_keeps_the_order_of_its_items,
                maps::a_map_takes_no_more_items_than_its_window,
                maps::an_endless_input_works,
                maps::a_failed_item_is_an_error_in_its_place,
                maps::an_unordered_map_yields_what_is_there_with_its_index,
                maps::dropping_a_map_takes_back_what_has_not_begun,
                cancelling::a_queued_task_is_taken_back,
                cancelling::a_running_task_is_stopped_or_goes_on,
                cancelling::cancelling_what_has_ended_does_nothing,
                ending::a_pool_that_was_shut_down_refuses_tasks,
                ending::a_closed_pool_refuses_tasks_and_goes_on,
                ending::finish_runs_everything,
                ending::cancel_pending_runs_nothing_more,
                ending::a_limit_passes_and_tasks_go_on,
                ending::a_second_shutdown_only_waits,
                ending::a_pool_dropped_in_the_middle_leaves_nobody_waiting,
                crashes::a_crash_ends_its_own_task_alone,
            }
        }
    };
    (@ $Subject:ty: $($module:ident::$case:ident),+ $(,)?) => {
        $(
            #[test]
            fn $case() {
                let _alone = <$Subject as subjects::Subject>::alone();
                $module::$case::<$Subject>();
            }
        )+
    };
}

conformance!(inline_hooked: subjects::InlineHooked);
conformance!(threads_pool: threads::Pool);
conformance!(rayon: executor::rayon::Rayon);
conformance!(tokio: executor::tokio::Tokio);
conformance!(smol: executor::smol::Smol);
conformance!(async_std: executor::async_std::AsyncStd);
conformance!(procs_pool: procs::Pool);
conformance!(async_rt_runtime: async_rt::Runtime);
