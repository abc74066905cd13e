//! What a workload may ask of a model.
//!
//! One trait covers models whose units wait by returning `Pending` (tokio) and models whose units wait by blocking
//! their thread (std). The second kind does its waiting before it returns a future that is ready at once; see
//! [`crate::blocking`]. All functions return futures that are `Send`, so that a unit may run on any worker.
//!
//! What a unit returns and what a channel carries is a `u64`: results are words, and a trait without type parameters is
//! one that a contestant implements in a page.

use compare::protocol::Uses;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;

/// A way to run things at the same time, by the idioms that its own project documents.
///
/// What a model cannot do, it leaves out here and names in [`Facts::cannot`]; the types that belong to it are `()`.
pub trait Model: Sized + Send + Sync + 'static {
    /// The handle of a spawned unit. It is only ever joined, never dropped before.
    type Task: Send + 'static;
    /// The sending end of a bounded channel; the channel ends when it is dropped.
    type Sender: Send + 'static;
    /// The receiving end.
    type Receiver: Send + 'static;
    /// Something that many units wait for, once. Clones are the same gate.
    type Gate: Clone + Send + Sync + 'static;

    /// Who this is and what it cannot do.
    fn facts() -> Facts;

    /// Starts the runtime or pool with `workers` workers. One-thread models ignore the number.
    ///
    /// # Errors
    /// If the machine refuses; it is reported as a limit.
    fn start(workers: usize) -> io::Result<Self>;

    /// Runs `root` as a unit of the model and waits for it; a panic of `root` becomes one of the caller.
    ///
    /// It must be a *spawned* unit: what a runtime polls on the calling thread is not on its workers, and every wake-up
    /// from there would cross threads.
    fn run<T: Send + 'static>(&self, root: impl Future<Output = T> + Send + 'static) -> T;

    /// Starts a unit. Called from within the root.
    fn spawn(&self, unit: impl Future<Output = u64> + Send + 'static) -> Self::Task;

    /// Waits for a unit: its result, or how it was lost.
    fn join(task: Self::Task) -> impl Future<Output = Result<u64, Lost>> + Send;

    /// Lets other units run.
    fn yield_now() -> impl Future<Output = ()> + Send {
        async { lacking(Capability::Switch) }
    }

    /// A channel that holds at most `capacity` words.
    fn channel(_capacity: usize) -> (Self::Sender, Self::Receiver) {
        lacking(Capability::Channel)
    }

    /// Waits for room and sends; `false` if the receiver is gone.
    fn send(_sender: &mut Self::Sender, _word: u64) -> impl Future<Output = bool> + Send {
        async { lacking(Capability::Channel) }
    }

    /// Waits for a word; `None` once the sender is gone and the channel is empty.
    fn receive(_receiver: &mut Self::Receiver) -> impl Future<Output = Option<u64>> + Send {
        async { lacking(Capability::Channel) }
    }

    /// A closed gate.
    fn gate() -> Self::Gate {
        lacking(Capability::Gate)
    }

    /// Waits until the gate is open.
    fn wait(_gate: &Self::Gate) -> impl Future<Output = ()> + Send {
        async { lacking(Capability::Gate) }
    }

    /// Opens the gate for good.
    fn open(_gate: &Self::Gate) {
        lacking(Capability::Gate)
    }

    /// Runs a job that computes or blocks for each item, at most as many at a time as there are workers, and returns
    /// the results in order of the items. A panic of a job becomes one of the caller.
    fn map<I, T>(
        &self,
        items: Vec<I>,
        job: impl Fn(I) -> T + Clone + Send + Sync + 'static,
    ) -> impl Future<Output = Vec<T>> + Send
    where
        I: Send + 'static,
        T: Send + 'static;

    /// Connects, sends `request` and reads until the other side closes.
    fn exchange(address: SocketAddr, request: Vec<u8>) -> impl Future<Output = io::Result<Vec<u8>>> + Send;

    /// The model's own form of a workload, for those that [`Facts::own_forms`] names: what its users would write where
    /// the generic form does not do it justice. One whole iteration; the results are the same.
    fn own_form(&self, workload: &str, _stage: &crate::Stage) -> impl Future<Output = Vec<u64>> + Send {
        let name = workload.to_owned();
        async move { panic!("this model has no form of its own of `{name}`") }
    }
}

/// What a model does when it is asked for something that [`Facts::cannot`] should have named.
fn lacking(capability: Capability) -> ! {
    panic!("the model has no {capability:?} of its own: implement it, or name it in `cannot`")
}

/// What a model says about itself.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Its name, such as `tokio-mt`.
    pub name: &'static str,
    /// What is measured and in which version; see [`crate::version!`].
    pub version: String,
    /// One line for people: what it is, and whose idiom it uses.
    pub about: &'static str,
    /// Where its work runs.
    pub uses: Uses,
    /// What it cannot do, each with a short reason that is shown to people.
    pub cannot: &'static [(Capability, &'static str)],
    /// How many units it can have alive at the same time, and why no more.
    pub most_units: Option<(u64, &'static str)>,
    /// The workloads that it has a form of its own of, see [`Model::own_form`].
    pub own_forms: &'static [&'static str],
    /// Environment variables that its runtime reads its number of workers from; the contestant starts itself again
    /// with them, where the engine has not set them already.
    pub worker_variables: &'static [&'static str],
}

impl Default for Facts {
    fn default() -> Self {
        Facts {
            name: "",
            version: String::new(),
            about: "",
            uses: Uses::Threads,
            cannot: &[],
            most_units: None,
            own_forms: &[],
            worker_variables: &[],
        }
    }
}

/// Something that a workload needs and a model may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Units that are started and joined.
    Spawn,
    /// A unit that lets others run and goes on later.
    Switch,
    /// Units that wait for each other's messages.
    Channel,
    /// Units that wait for an event.
    Gate,
    /// Jobs that compute or block.
    Map,
    /// TCP connections.
    Net,
}

/// A unit that will never give its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What the model's handle says, in one line.
    pub cause: String,
}

impl Lost {
    /// A loss for the reason that the model's own handle gives.
    #[must_use]
    pub fn new(cause: impl fmt::Display) -> Self {
        Lost { cause: cause.to_string().replace('\n', " ") }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lost: {}", self.cause)
    }
}

impl std::error::Error for Lost {}
