//! Help for models that have a form of their own of every workload, and no generic one.
//!
//! A unit of [`Model`] is a future that may go from thread to thread with whatever it has captured. Coroutines that stay
//! on their thread are no such thing, nor are functions in other processes. Such a model implements [`Forms`], and
//! [`OwnForms`] makes a contestant of it.

use crate::{Facts, Lost, Model, Stage, blocking};
use std::future::{Future, ready};
use std::io;
use std::net::SocketAddr;

/// A model with forms of its own. They block.
pub trait Forms: Sized + Send + Sync + 'static {
    /// Who this is: [`Facts::own_forms`] names what [`form`](Forms::form) has, and [`Facts::cannot`] every capability,
    /// with the reason why there is no generic form.
    fn facts() -> Facts;

    /// Starts what there is to start with `workers` workers.
    ///
    /// # Errors
    /// If the machine refuses; it is reported as a limit.
    fn start(workers: usize) -> io::Result<Self>;

    /// One whole iteration of a workload.
    fn form(&self, workload: &str, stage: &Stage) -> Vec<u64>;
}

/// A contestant that has forms of its own.
#[derive(Debug)]
pub struct OwnForms<F>(F);

impl<F: Forms> Model for OwnForms<F> {
    type Task = ();
    type Sender = ();
    type Receiver = ();
    type Gate = ();

    fn facts() -> Facts {
        F::facts()
    }

    fn start(workers: usize) -> io::Result<Self> {
        F::start(workers).map(OwnForms)
    }

    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T {
        blocking::finish(root)
    }

    fn own_form(&self, workload: &str, stage: &Stage) -> impl Future<Output = Vec<u64>> + Send {
        ready(self.0.form(workload, stage))
    }

    fn spawn(&self, _: impl Future<Output = u64> + Send + 'static) {
        no_generic_form()
    }

    async fn join((): ()) -> Result<u64, Lost> {
        no_generic_form()
    }

    async fn map<I, T>(&self, _: Vec<I>, _: impl Fn(I) -> T + Clone + Send + Sync + 'static) -> Vec<T>
    where
        I: Send + 'static,
        T: Send + 'static,
    {
        no_generic_form()
    }

    async fn exchange(_: SocketAddr, _: Vec<u8>) -> io::Result<Vec<u8>> {
        no_generic_form()
    }
}

fn no_generic_form() -> ! {
    panic!("a model of own forms has no generic ones: name every capability in `cannot`")
}
