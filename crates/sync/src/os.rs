//! What the waiter core asks of the machine: to sleep on a word, to make other CPUs' stores visible, the time in a few
//! nanoseconds, and how many CPUs there are for us.

#[cfg(all(target_os = "linux", not(any(trefoil_loom, trefoil_shuttle))))]
mod linux;
#[cfg(any(trefoil_loom, trefoil_shuttle))]
mod modelled;
#[cfg(not(any(target_os = "linux", trefoil_loom, trefoil_shuttle)))]
mod portable;

pub(crate) mod clock;

#[cfg(all(test, target_os = "linux", not(any(miri, trefoil_loom, trefoil_shuttle))))]
pub(crate) use linux::tests::is_on_one_cpu;

#[cfg(all(target_os = "linux", not(any(trefoil_loom, trefoil_shuttle))))]
pub(crate) use linux::{
    Rouse, Sleeper, ask_for_the_barrier, cpus, heavy_barrier, is_asymmetric, runs_where_the_first_does,
};
#[cfg(all(test, trefoil_shuttle))]
pub(crate) use modelled::another_machine;
#[cfg(all(test, trefoil_loom))]
pub(crate) use modelled::nobody_sleeps;
#[cfg(any(trefoil_loom, trefoil_shuttle))]
pub(crate) use modelled::{
    Rouse, Sleeper, ask_for_the_barrier, cpus, heavy_barrier, is_asymmetric, runs_where_the_first_does,
};
#[cfg(not(any(target_os = "linux", trefoil_loom, trefoil_shuttle)))]
pub(crate) use portable::{
    Rouse, Sleeper, ask_for_the_barrier, cpus, heavy_barrier, is_asymmetric, runs_where_the_first_does,
};
