//! The workloads for units in other processes, tried with units that only pretend to be far away: everything that goes
//! to them and comes back is written down and read again.

#![forbid(unsafe_code)]

use kit::forms::OwnForms;
use kit::remote::{Apart, Argument, Jobs, Remote};
use kit::{Capability, Facts, Lost, Model, blocking, unwind};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::{self, JoinHandle};

struct Pretended;

/// What cannot be written down, by the number that is written down in its place.
struct Ends<T>(LazyLock<Mutex<HashMap<u64, T>>>);

static SENDERS: Ends<SyncSender<u64>> = Ends(LazyLock::new(Mutex::default));
static RECEIVERS: Ends<Receiver<u64>> = Ends(LazyLock::new(Mutex::default));
static GATES: Ends<blocking::Gate> = Ends(LazyLock::new(Mutex::default));

impl<T> Ends<T> {
    fn put(&self, end: T) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.0.lock().unwrap().insert(number, end);
        number
    }

    fn take(&self, number: u64) -> T {
        self.0.lock().unwrap().remove(&number).expect("what was written down is read once")
    }
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "u64", from = "u64")]
struct Sender(SyncSender<u64>);

#[derive(Clone, Serialize, Deserialize)]
#[serde(into = "u64", from = "u64")]
struct Gate(blocking::Gate);

#[derive(Serialize, Deserialize)]
#[serde(from = "u64")]
struct Receiving(#[serde(serialize_with = "hand_over")] Arc<Mutex<Option<Receiver<u64>>>>);

impl From<Sender> for u64 {
    fn from(sender: Sender) -> u64 {
        SENDERS.put(sender.0)
    }
}

impl From<u64> for Sender {
    fn from(number: u64) -> Self {
        Sender(SENDERS.take(number))
    }
}

impl From<Gate> for u64 {
    fn from(gate: Gate) -> u64 {
        GATES.put(gate.0)
    }
}

impl From<u64> for Gate {
    fn from(number: u64) -> Self {
        Gate(GATES.take(number))
    }
}

impl From<u64> for Receiving {
    fn from(number: u64) -> Self {
        Receiving(Arc::new(Mutex::new(Some(RECEIVERS.take(number)))))
    }
}

fn hand_over<S: serde::Serializer>(
    receiver: &Arc<Mutex<Option<Receiver<u64>>>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let receiver = receiver.lock().unwrap().take().expect("a receiver is handed over once");
    serializer.serialize_u64(RECEIVERS.put(receiver))
}

struct Keeper(blocking::Gate);

impl Drop for Keeper {
    fn drop(&mut self) {
        self.0.open();
    }
}

fn there<T: Argument>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

impl Remote for Pretended {
    type Task<T: Argument> = JoinHandle<T>;
    type Sender = Sender;
    type Receiver = Receiving;
    type Gate = Gate;
    type Keeper = Keeper;

    fn facts() -> Facts {
        Facts { name: "pretended", cannot: &[(Capability::Net, "it has no network")], ..Facts::default() }
    }

    fn start(_: usize) -> io::Result<Self> {
        Ok(Pretended)
    }

    fn spawn<A: Argument, T: Argument>(
        &self,
        unit: impl Fn(A) -> T + Copy + Send + 'static,
        argument: A,
    ) -> JoinHandle<T> {
        let written = serde_json::to_string(&argument).unwrap();
        drop(argument);
        thread::spawn(move || unit(serde_json::from_str(&written).unwrap()))
    }

    fn join<T: Argument>(task: JoinHandle<T>) -> Result<T, Lost> {
        task.join().map_err(|payload| unwind::lost(&*payload))
    }

    fn channel(capacity: usize) -> (Sender, Receiving) {
        let (sender, receiver) = sync_channel(capacity);
        (Sender(sender), Receiving(Arc::new(Mutex::new(Some(receiver)))))
    }

    fn send(sender: &mut Sender, word: u64) -> bool {
        sender.0.send(word).is_ok()
    }

    fn receive(receiver: &mut Receiving) -> Option<u64> {
        receiver.0.lock().unwrap().as_ref().expect("it was not handed over").recv().ok()
    }

    fn gate() -> (Keeper, Gate) {
        let gate = blocking::Gate::default();
        (Keeper(gate.clone()), Gate(gate))
    }

    fn share(gate: &Gate) -> Gate {
        gate.clone()
    }

    fn wait(gate: &Gate) {
        gate.0.wait();
    }
}

impl Jobs for Pretended {
    fn map<A: Argument, T: Argument>(
        &self,
        job: impl Fn(A) -> T + Copy + Send + 'static,
        items: Vec<A>,
    ) -> Vec<T> {
        items.iter().map(|item| there(&job(there(item)))).collect()
    }
}

#[test]
fn every_workload_gives_the_results_of_the_oracle() {
    kit::check::<OwnForms<Apart<Pretended>>>();
}

#[test]
fn what_the_model_cannot_do_it_says_and_all_else_is_a_form_of_its_own() {
    let facts = OwnForms::<Apart<Pretended>>::facts();
    assert!(!facts.own_forms.contains(&"fetch"));
    for workload in ["spawn", "switch", "pingpong", "pipeline", "primes", "files", "sleepers", "crash"] {
        assert!(facts.own_forms.contains(&workload), "{workload}");
    }
    let why = facts.cannot.iter().find(|(capability, _)| *capability == Capability::Net);
    assert_eq!(why.map(|(_, why)| *why), Some("it has no network"));
}
