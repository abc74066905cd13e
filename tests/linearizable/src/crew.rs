//! The threads of a trial: they perform one scenario many times, each time on a fresh structure, and note when.
//!
//! All of them start each run together, at a gate. The notes carry readings of one clock, a counter that is taken before
//! and after each operation. An operation that was answered at a lower reading than that at which another was called did
//! therefore end before the other began. The counter orders memory, too, so what only a missing ordering would break is
//! not found here: models under loom are for that.

use crate::gate::{Crowd, Gate};
use crate::history::{History, Record};
use crate::pause::Pauses;
use crate::scenario::Scenario;
use std::any::Any;
use std::convert::Infallible;
use std::mem;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How an operation is performed on a structure.
pub(crate) type Perform<S, O, R> = dyn Fn(&S, &O) -> R + Send + Sync;

/// What a crew shares while it works.
struct Work<S, O, R> {
    scenario: Scenario<O>,
    /// One for each run.
    subjects: Vec<S>,
    perform: Arc<Perform<S, O, R>>,
    seed: u64,
    clock: AtomicU64,
    gate: Gate,
    crowd: Crowd,
    /// What an operation must not take, if that is asked for, and the first run in which one did.
    limit: Option<Duration>,
    late_in: AtomicUsize,
    /// A log for each thread, which has it for itself while all goes well.
    logs: Vec<Mutex<Vec<Note<R>>>>,
}

/// What a thread did in which run.
struct Note<R> {
    run: usize,
    record: Record<R>,
}

/// A crew did not come to its end.
#[derive(Debug)]
pub(crate) struct Trouble<O, R> {
    pub(crate) kind: TroubleKind,
    /// What had happened in that run by then.
    pub(crate) history: History<O, R>,
}

#[derive(Debug)]
pub(crate) enum TroubleKind {
    /// An operation panicked with this message.
    Panicked(String),
    /// The crew had not ended by this time.
    Hung(Duration),
    /// An operation took so long, though another had ended its wait by then.
    Late(Duration),
}

/// `late_in` when no operation was late.
const NEVER: usize = usize::MAX;

/// How patient one is with a crew.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// With all that it does.
    pub(crate) whole: Duration,
    /// With each operation, if there is such a limit.
    pub(crate) each: Option<Duration>,
}

/// Performs `scenario` on each of `subjects` and returns a history for each. Blocks; starts threads and ends them.
///
/// # Errors
/// [`Trouble`] if an operation panicked or was late, or if the crew had not ended after `patience`; its threads are left behind
/// then, for a thread cannot be ended from outside. Where the whole machine stood still, nobody was late.
pub(crate) fn perform_all<S, O, R>(
    scenario: &Scenario<O>,
    subjects: Vec<S>,
    perform: &Arc<Perform<S, O, R>>,
    seed: u64,
    patience: Patience,
) -> Result<Vec<History<O, R>>, Trouble<O, R>>
where
    S: Send + Sync + 'static,
    O: Clone + Send + Sync + 'static,
    R: Send + 'static,
{
    let runs = subjects.len();
    let work = Arc::new(Work {
        scenario: scenario.clone(),
        subjects,
        perform: Arc::clone(perform),
        seed,
        clock: AtomicU64::new(0),
        gate: Gate::new(scenario.threads()),
        crowd: Crowd::default(),
        limit: patience.each,
        late_in: AtomicUsize::new(NEVER),
        logs: (0..scenario.threads()).map(|_| Mutex::default()).collect(),
    });
    let (ended, all_ended) = mpsc::channel();
    let threads: Vec<_> = (0..scenario.threads()).map(|thread| start(thread, &work, ended.clone())).collect();
    drop(ended);
    let watch = have_ended(&all_ended, patience);
    if !watch.ended {
        work.gate.abandon();
        return Err(work.trouble(TroubleKind::Hung(patience.whole)));
    }
    let ends: Vec<_> = threads.into_iter().map(JoinHandle::join).collect();
    match ends.into_iter().find_map(Result::err) {
        Some(payload) => Err(work.trouble(TroubleKind::Panicked(message(&*payload)))),
        None => match patience.each.filter(|limit| watch.longest_gap < *limit / 4) {
            Some(limit) if work.late_run().is_some() => Err(work.trouble(TroubleKind::Late(limit))),
            _ => Ok(work.histories(runs)),
        },
    }
}

/// Starts a thread, which drops `ended` when it ends, be it by a panic.
fn start<S, O, R>(thread: usize, work: &Arc<Work<S, O, R>>, ended: Sender<Infallible>) -> JoinHandle<()>
where
    S: Send + Sync + 'static,
    O: Send + Sync + 'static,
    R: Send + 'static,
{
    let work = Arc::clone(work);
    thread::spawn(move || {
        let _ended = ended;
        let leaving = AbandonOnPanic(&work.gate);
        work.run_all(thread);
        mem::forget(leaving);
    })
}

/// What was seen from outside.
struct Watch {
    ended: bool,
    /// The longest time in which the one who watches had no CPU, and perhaps nobody had.
    longest_gap: Duration,
}

fn have_ended(all_ended: &Receiver<Infallible>, patience: Patience) -> Watch {
    let begin = Instant::now();
    let look = patience.each.map_or(patience.whole, |limit| limit / 20);
    let mut longest_gap = Duration::ZERO;
    loop {
        let before = Instant::now();
        match all_ended.recv_timeout(look) {
            Ok(never) => match never {},
            Err(RecvTimeoutError::Disconnected) => return Watch { ended: true, longest_gap },
            Err(RecvTimeoutError::Timeout) => longest_gap = longest_gap.max(before.elapsed()),
        }
        if begin.elapsed() >= patience.whole {
            return Watch { ended: false, longest_gap };
        }
    }
}

impl<S, O, R> Work<S, O, R> {
    /// What one thread does.
    fn run_all(&self, thread: usize) {
        for (run, subject) in self.subjects.iter().enumerate() {
            if !self.gate.pass(&self.crowd) {
                return;
            }
            self.run(run, subject, thread, thread);
            if !self.gate.pass(&self.crowd) {
                return;
            }
            // The ending is under the name of a thread of its own, which runs alone.
            if thread == 0 {
                self.run(run, subject, thread, self.scenario.threads());
            }
        }
    }

    /// Performs what the scenario has for thread `named`.
    fn run(&self, run: usize, subject: &S, thread: usize, named: usize) {
        let mut pauses = Pauses::new(self.seed, named, run);
        for (place, operation) in self.scenario.of_thread(named).iter().enumerate() {
            pauses.pause(&self.crowd);
            let called = self.tick();
            let record = Record { thread: named, place, called, answered: None };
            self.log(thread).push(Note { run, record });
            let begin = self.limit.map(|_| Instant::now());
            let response = (self.perform)(subject, operation);
            let answered = self.tick();
            if begin.map(|begin| begin.elapsed()) > self.limit {
                // Relaxed: it is read when all threads have ended.
                let _not_the_first =
                    self.late_in.compare_exchange(NEVER, run, Ordering::Relaxed, Ordering::Relaxed);
            }
            if let Some(note) = self.log(thread).last_mut() {
                note.record.answered = Some((answered, response));
            }
        }
    }

    /// The first run in which an operation was late.
    fn late_run(&self) -> Option<usize> {
        Some(self.late_in.load(Ordering::Relaxed)).filter(|run| *run != NEVER)
    }

    fn tick(&self) -> u64 {
        // SeqCst: a reading is neither moved into the operation that it stands before or after, nor past another one.
        self.clock.fetch_add(1, Ordering::SeqCst)
    }

    fn log(&self, thread: usize) -> MutexGuard<'_, Vec<Note<R>>> {
        // No foreign code runs under this lock, so what it guards is whole.
        self.logs[thread].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S, O: Clone, R> Work<S, O, R> {
    /// Takes the notes of all runs.
    fn histories(&self, runs: usize) -> Vec<History<O, R>> {
        let mut records: Vec<Vec<Record<R>>> = (0..runs).map(|_| Vec::new()).collect();
        for thread in 0..self.logs.len() {
            for Note { run, record } in mem::take(&mut *self.log(thread)) {
                records[run].push(record);
            }
        }
        records.into_iter().map(|records| History::from_records(&self.scenario, records)).collect()
    }

    /// Takes the notes of the run in which somebody has not been answered, or was late.
    fn trouble(&self, kind: TroubleKind) -> Trouble<O, R> {
        let unanswered = |thread| {
            let log = self.log(thread);
            log.last().filter(|note| note.record.answered.is_none()).map(|note| note.run)
        };
        let run = (0..self.logs.len()).find_map(unanswered).or(self.late_run()).unwrap_or(0);
        let mut histories = self.histories(self.subjects.len());
        Trouble { kind, history: histories.swap_remove(run) }
    }
}

/// Forgotten where all goes well; dropped by a panic, so that the others do not wait at the gate for ever.
struct AbandonOnPanic<'a>(&'a Gate);

impl Drop for AbandonOnPanic<'_> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no text".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    /// Counts when the thread that it belongs to ends.
    struct OnLeaving(Arc<AtomicUsize>);

    impl Drop for OnLeaving {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn within(whole: Duration) -> Patience {
        Patience { whole, each: None }
    }

    thread_local! {
        static LEAVING: std::cell::OnceCell<OnLeaving> = const { std::cell::OnceCell::new() };
    }

    #[test]
    fn each_run_is_noted_from_its_first_operation_to_its_ending() {
        let scenario = Scenario::new(vec![vec!["a", "b"], vec!["c"], vec![]], vec!["end"; 2]);
        let perform: Arc<Perform<AtomicUsize, &str, usize>> =
            Arc::new(|count, _| count.fetch_add(1, Ordering::SeqCst));
        let subjects = (0..20).map(|_| AtomicUsize::new(0)).collect();
        let histories =
            perform_all(&scenario, subjects, &perform, 7, within(Duration::from_secs(60))).unwrap();
        assert_eq!(histories.len(), 20);
        for history in histories {
            let of = |thread| {
                let performed = history.operations.iter().filter(move |performed| performed.thread == thread);
                performed.map(|performed| (performed.operation, performed.response)).collect::<Vec<_>>()
            };
            assert_eq!((of(0).len(), of(1).len(), of(2).len()), (2, 1, 0));
            assert_eq!(of(3), [("end", Some(3)), ("end", Some(4))]);
        }
    }

    #[test]
    fn who_waits_at_the_gate_leaves_when_another_hangs() {
        let scenario = Scenario::new(vec![vec!["hang"], vec!["work"]], vec![]);
        let (left, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(Barrier::new(2)));
        let perform: Arc<Perform<(), &str, ()>> = Arc::new({
            let (left, done) = (Arc::clone(&left), Arc::clone(&done));
            move |(), &operation| {
                LEAVING.with(|leaving| drop(leaving.set(OnLeaving(Arc::clone(&left)))));
                if operation == "hang" {
                    done.wait();
                }
            }
        });
        let trouble =
            perform_all(&scenario, vec![(), ()], &perform, 7, within(Duration::from_millis(50))).unwrap_err();
        assert!(matches!(trouble.kind, TroubleKind::Hung(_)), "{trouble:?}");
        wait_for(|| left.load(Ordering::SeqCst) == 1);
        done.wait();
        wait_for(|| left.load(Ordering::SeqCst) == 2);
    }

    #[track_caller]
    fn wait_for(happened: impl Fn() -> bool) {
        let begin = std::time::Instant::now();
        while !happened() {
            assert!(begin.elapsed() < Duration::from_secs(60), "it has not happened within a minute");
            thread::yield_now();
        }
    }
}
