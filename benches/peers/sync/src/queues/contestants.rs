//! The contestants: each opens its channel for a case, and says by `None` that it has none such.
//!
//! An end that finds the channel closed panics, which the engine reports: no end closes it before all items are through.

use std::sync::{Arc, Once};
use std::time::Duration;

use concurrent_queue::ConcurrentQueue;
use crossbeam_utils::Backoff;

use super::bodies::{tasks, threads, threads_to_tasks};
use super::{Body, Case, Ends, Item};

/// One who takes part in a case.
#[expect(missing_debug_implementations, reason = "a body is code")]
pub struct Candidate {
    /// Its name.
    pub name: &'static str,
    /// What it is to ours.
    pub kind: Kind,
    /// How it does it.
    pub body: Body,
}

/// What a candidate is to ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours, or a peer whose waiters sleep as ours do.
    Sleeps,
    /// One whose waiters spin.
    Spins,
    /// Ours in another form.
    AlsoOurs,
}

/// All contestants of a case.
#[must_use]
pub fn all<T: Item>(case: Case) -> Vec<Candidate> {
    let sleeping: [(&'static str, Option<Body>); 8] = [
        ("sync", Some(ours::<T>(case))),
        ("std", std::<T>(case)),
        ("crossbeam-channel", crossbeam::<T>(case)),
        ("kanal", kanal::<T>(case)),
        ("flume", flume::<T>(case)),
        ("crossfire", crossfire::<T>(case)),
        ("async-channel", async_channel::<T>(case)),
        ("tokio", tokio::<T>(case)),
    ];
    let spinning = [("concurrent-queue", concurrent_queue::<T>(case)), ("rtrb", rtrb::<T>(case))];
    // Most peers let anybody use their ends; ours that does so stands beside ours for a lone end.
    let shared = [("sync-shared", (Form::of(case) != Form::Shared).then(|| ours_shared::<T>(case)))];
    let sleeping = sleeping.into_iter().map(|(name, body)| (name, Kind::Sleeps, body));
    let shared = shared.into_iter().map(|(name, body)| (name, Kind::AlsoOurs, body));
    let spinning = spinning.into_iter().map(|(name, body)| (name, Kind::Spins, body));
    sleeping
        .chain(shared)
        .chain(spinning)
        .filter_map(|(name, kind, body)| Some(Candidate { name, kind, body: body? }))
        .collect()
}

/// Which queue of ours takes part as `sync`: where there is more than one place, an end that is the only one says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Spsc,
    Mpsc,
    Shared,
}

impl Form {
    pub(super) fn of(case: Case) -> Self {
        match (case.capacity, case.producers, case.consumers) {
            (Some(0 | 1), _, _) => Self::Shared,
            (_, 1, 1) => Self::Spsc,
            (_, _, 1) => Self::Mpsc,
            _ => Self::Shared,
        }
    }

    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Spsc => "sync by `queue::spsc`, whose two ends are one thread's or task's each",
            Self::Mpsc => "sync by `queue::mpsc`, whose receiver is one thread's or task's",
            Self::Shared => "sync by its shared `Queue`",
        }
    }
}

/// The best of ours that fits.
#[must_use]
pub fn ours<T: Item>(case: Case) -> Body {
    match Form::of(case) {
        Form::Spsc => ours_spsc::<T>(case),
        Form::Mpsc => ours_mpsc::<T>(case),
        Form::Shared => ours_shared::<T>(case),
    }
}

/// `sync::Queue`.
fn ours_shared<T: Item>(case: Case) -> Body {
    let open = move || {
        let queue = Arc::new(case.capacity.map_or_else(sync::Queue::unbounded, sync::Queue::bounded));
        (each(case.producers, &queue), each(case.consumers, &queue))
    };
    let put = |queue: Arc<sync::Queue<T>>| move |item| queue.put(item).expect(OPEN);
    let get = |queue: Arc<sync::Queue<T>>| move || queue.get().expect(OPEN);
    let put_async = |queue: Arc<sync::Queue<T>>| async move |item| queue.put_async(item).await.expect(OPEN);
    let get_async = |queue: Arc<sync::Queue<T>>| async move || queue.get_async().await.expect(OPEN);
    match case.ends {
        Ends::Threads => Box::new(move |run| {
            let (senders, receivers) = open();
            threads(run, all_by(senders, put), all_by(receivers, get))
        }),
        Ends::ThreadsToTasks => Box::new(move |run| {
            let (senders, receivers) = open();
            threads_to_tasks(run, all_by(senders, put), all_by(receivers, get_async))
        }),
        Ends::Tasks => Box::new(move |run| {
            let (senders, receivers) = open();
            tasks(run, all_by(senders, put_async), all_by(receivers, get_async))
        }),
    }
}

/// `sync::queue::mpsc`.
fn ours_mpsc<T: Item>(case: Case) -> Body {
    use sync::queue::mpsc::{Receiver, Sender, bounded, unbounded};
    let open = move || {
        let (sender, receiver) = case.capacity.map_or_else(unbounded::<T>, bounded);
        (several(case.producers, sender), alone(case.consumers, receiver))
    };
    let put = |it: Sender<T>| move |item| it.put(item).expect(OPEN);
    let get = |mut it: Receiver<T>| move || it.get().expect(OPEN);
    let put_async = |it: Sender<T>| async move |item| it.put_async(item).await.expect(OPEN);
    let get_async = |mut it: Receiver<T>| async move || it.get_async().await.expect(OPEN);
    match case.ends {
        Ends::Threads => Box::new(move |run| {
            let (senders, receivers) = open();
            threads(run, all_by(senders, put), all_by(receivers, get))
        }),
        Ends::ThreadsToTasks => Box::new(move |run| {
            let (senders, receivers) = open();
            threads_to_tasks(run, all_by(senders, put), all_by(receivers, get_async))
        }),
        Ends::Tasks => Box::new(move |run| {
            let (senders, receivers) = open();
            tasks(run, all_by(senders, put_async), all_by(receivers, get_async))
        }),
    }
}

/// `sync::queue::spsc`.
fn ours_spsc<T: Item>(case: Case) -> Body {
    use sync::queue::spsc::{Receiver, Sender, bounded, unbounded};
    let open = move || {
        let (sender, receiver) = case.capacity.map_or_else(unbounded::<T>, bounded);
        (alone(case.producers, sender), alone(case.consumers, receiver))
    };
    let put = |mut it: Sender<T>| move |item| it.put(item).expect(OPEN);
    let get = |mut it: Receiver<T>| move || it.get().expect(OPEN);
    let put_async = |mut it: Sender<T>| async move |item| it.put_async(item).await.expect(OPEN);
    let get_async = |mut it: Receiver<T>| async move || it.get_async().await.expect(OPEN);
    match case.ends {
        Ends::Threads => Box::new(move |run| {
            let (senders, receivers) = open();
            threads(run, all_by(senders, put), all_by(receivers, get))
        }),
        Ends::ThreadsToTasks => Box::new(move |run| {
            let (senders, receivers) = open();
            threads_to_tasks(run, all_by(senders, put), all_by(receivers, get_async))
        }),
        Ends::Tasks => Box::new(move |run| {
            let (senders, receivers) = open();
            tasks(run, all_by(senders, put_async), all_by(receivers, get_async))
        }),
    }
}

/// `std::sync::mpsc`: threads alone, one consumer.
#[must_use]
pub fn std<T: Item>(case: Case) -> Option<Body> {
    use std::sync::mpsc;
    if case.ends != Ends::Threads || case.consumers > 1 {
        return None;
    }
    Some(match case.capacity {
        Some(capacity) => Box::new(move |run| {
            let (sender, receiver) = mpsc::sync_channel::<T>(capacity);
            let senders = all_by(each(case.producers, &sender), |it| move |item| it.send(item).expect(OPEN));
            threads(run, senders, vec![move || receiver.recv().expect(OPEN)])
        }),
        None => Box::new(move |run| {
            let (sender, receiver) = mpsc::channel::<T>();
            let senders = all_by(each(case.producers, &sender), |it| move |item| it.send(item).expect(OPEN));
            threads(run, senders, vec![move || receiver.recv().expect(OPEN)])
        }),
    })
}

/// crossbeam-channel: threads alone.
#[must_use]
pub fn crossbeam<T: Item>(case: Case) -> Option<Body> {
    use crossbeam_channel::{bounded, unbounded};
    (case.ends == Ends::Threads).then(|| -> Body {
        Box::new(move |run| {
            let (sender, receiver) = case.capacity.map_or_else(unbounded::<T>, bounded);
            let senders = all_by(each(case.producers, &sender), |it| move |item| it.send(item).expect(OPEN));
            let receivers = all_by(each(case.consumers, &receiver), |it| move || it.recv().expect(OPEN));
            threads(run, senders, receivers)
        })
    })
}

/// kanal.
#[must_use]
pub fn kanal<T: Item>(case: Case) -> Option<Body> {
    let open = move || {
        let (sender, receiver) = case.capacity.map_or_else(kanal::unbounded::<T>, kanal::bounded);
        (each(case.producers, &sender), each(case.consumers, &receiver))
    };
    let send = |it: kanal::Sender<T>| move |item| it.send(item).expect(OPEN);
    let send_async = |it: kanal::Sender<T>| {
        let it = it.to_async();
        async move |item| it.send(item).await.expect(OPEN)
    };
    let receive = |it: kanal::Receiver<T>| move || it.recv().expect(OPEN);
    let receive_async = |it: kanal::Receiver<T>| {
        let it = it.to_async();
        async move || it.recv().await.expect(OPEN)
    };
    Some(tuned(
        kanal_counts_cpus,
        match case.ends {
            Ends::Threads => Box::new(move |run| {
                let (senders, receivers) = open();
                threads(run, all_by(senders, send), all_by(receivers, receive))
            }),
            Ends::ThreadsToTasks => Box::new(move |run| {
                let (senders, receivers) = open();
                threads_to_tasks(run, all_by(senders, send), all_by(receivers, receive_async))
            }),
            Ends::Tasks => Box::new(move |run| {
                let (senders, receivers) = open();
                tasks(run, all_by(senders, send_async), all_by(receivers, receive_async))
            }),
        },
    ))
}

/// kanal counts the CPUs once, in the first wait that has a limit or finds its short lock taken.
fn kanal_counts_cpus() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let (_sender, receiver) = kanal::bounded::<()>(0);
        assert!(receiver.recv_timeout(Duration::from_millis(1)).is_err(), "nobody sends");
    });
}

/// flume.
#[must_use]
pub fn flume<T: Item>(case: Case) -> Option<Body> {
    let open = move || {
        let (sender, receiver) = case.capacity.map_or_else(flume::unbounded::<T>, flume::bounded);
        (each(case.producers, &sender), each(case.consumers, &receiver))
    };
    let send = |it: flume::Sender<T>| move |item| it.send(item).expect(OPEN);
    let send_async = |it: flume::Sender<T>| async move |item| it.send_async(item).await.expect(OPEN);
    let receive = |it: flume::Receiver<T>| move || it.recv().expect(OPEN);
    let receive_async = |it: flume::Receiver<T>| async move || it.recv_async().await.expect(OPEN);
    Some(match case.ends {
        Ends::Threads => Box::new(move |run| {
            let (senders, receivers) = open();
            threads(run, all_by(senders, send), all_by(receivers, receive))
        }),
        Ends::ThreadsToTasks => Box::new(move |run| {
            let (senders, receivers) = open();
            threads_to_tasks(run, all_by(senders, send), all_by(receivers, receive_async))
        }),
        Ends::Tasks => Box::new(move |run| {
            let (senders, receivers) = open();
            tasks(run, all_by(senders, send_async), all_by(receivers, receive_async))
        }),
    })
}

/// async-channel, which has no capacity of 0.
#[must_use]
pub fn async_channel<T: Item>(case: Case) -> Option<Body> {
    use async_channel::{Receiver, Sender, bounded, unbounded};
    if case.capacity == Some(0) {
        return None;
    }
    let open = move || {
        let (sender, receiver) = case.capacity.map_or_else(unbounded::<T>, bounded);
        (each(case.producers, &sender), each(case.consumers, &receiver))
    };
    let send = |it: Sender<T>| move |item| it.send_blocking(item).expect(OPEN);
    let send_async = |it: Sender<T>| async move |item| it.send(item).await.expect(OPEN);
    let receive = |it: Receiver<T>| move || it.recv_blocking().expect(OPEN);
    let receive_async = |it: Receiver<T>| async move || it.recv().await.expect(OPEN);
    Some(match case.ends {
        Ends::Threads => Box::new(move |run| {
            let (senders, receivers) = open();
            threads(run, all_by(senders, send), all_by(receivers, receive))
        }),
        Ends::ThreadsToTasks => Box::new(move |run| {
            let (senders, receivers) = open();
            threads_to_tasks(run, all_by(senders, send), all_by(receivers, receive_async))
        }),
        Ends::Tasks => Box::new(move |run| {
            let (senders, receivers) = open();
            tasks(run, all_by(senders, send_async), all_by(receivers, receive_async))
        }),
    })
}

/// tokio's mpsc: one consumer, no capacity of 0.
#[must_use]
pub fn tokio<T: Item>(case: Case) -> Option<Body> {
    use tokio::sync::mpsc;
    if case.consumers > 1 || case.capacity == Some(0) {
        return None;
    }
    let count = case.producers;
    Some(match (case.capacity, case.ends) {
        (Some(capacity), Ends::Threads) => Box::new(move |run| {
            let (sender, mut receiver) = mpsc::channel::<T>(capacity);
            let send = |it: mpsc::Sender<T>| move |item| it.blocking_send(item).expect(OPEN);
            threads(
                run,
                all_by(each(count, &sender), send),
                vec![move || receiver.blocking_recv().expect(OPEN)],
            )
        }),
        (Some(capacity), Ends::ThreadsToTasks) => Box::new(move |run| {
            let (sender, mut receiver) = mpsc::channel::<T>(capacity);
            let send = |it: mpsc::Sender<T>| move |item| it.blocking_send(item).expect(OPEN);
            let receive = vec![async move || receiver.recv().await.expect(OPEN)];
            threads_to_tasks(run, all_by(each(count, &sender), send), receive)
        }),
        (Some(capacity), Ends::Tasks) => Box::new(move |run| {
            let (sender, mut receiver) = mpsc::channel::<T>(capacity);
            let send = |it: mpsc::Sender<T>| async move |item| it.send(item).await.expect(OPEN);
            tasks(
                run,
                all_by(each(count, &sender), send),
                vec![async move || receiver.recv().await.expect(OPEN)],
            )
        }),
        (None, Ends::Threads) => Box::new(move |run| {
            let (sender, mut receiver) = mpsc::unbounded_channel::<T>();
            let send = |it: mpsc::UnboundedSender<T>| move |item| it.send(item).expect(OPEN);
            threads(
                run,
                all_by(each(count, &sender), send),
                vec![move || receiver.blocking_recv().expect(OPEN)],
            )
        }),
        (None, Ends::ThreadsToTasks) => Box::new(move |run| {
            let (sender, mut receiver) = mpsc::unbounded_channel::<T>();
            let send = |it: mpsc::UnboundedSender<T>| move |item| it.send(item).expect(OPEN);
            let receive = vec![async move || receiver.recv().await.expect(OPEN)];
            threads_to_tasks(run, all_by(each(count, &sender), send), receive)
        }),
        (None, Ends::Tasks) => Box::new(move |run| {
            let (sender, mut receiver) = mpsc::unbounded_channel::<T>();
            let send = |it: mpsc::UnboundedSender<T>| async move |item| it.send(item).expect(OPEN);
            tasks(
                run,
                all_by(each(count, &sender), send),
                vec![async move || receiver.recv().await.expect(OPEN)],
            )
        }),
    })
}

/// crossfire has a module for each shape, whose ends are types of their own.
macro_rules! crossfire {
    ($case:ident, $module:ident, $senders:ident, $receivers:ident) => {
        Some(match ($case.capacity, $case.ends) {
            (Some(capacity), Ends::Threads) => Box::new(move |run| {
                let (sender, receiver) = crossfire::$module::bounded_blocking::<T>(capacity);
                let senders =
                    all_by($senders($case.producers, sender), |it| move |item| it.send(item).expect(OPEN));
                let receivers =
                    all_by($receivers($case.consumers, receiver), |it| move || it.recv().expect(OPEN));
                threads(run, senders, receivers)
            }),
            (Some(capacity), Ends::ThreadsToTasks) => Box::new(move |run| {
                let (sender, receiver) = crossfire::$module::bounded_blocking_async::<T>(capacity);
                let senders =
                    all_by($senders($case.producers, sender), |it| move |item| it.send(item).expect(OPEN));
                let receivers = all_by($receivers($case.consumers, receiver), |it| {
                    async move || it.recv().await.expect(OPEN)
                });
                threads_to_tasks(run, senders, receivers)
            }),
            (Some(capacity), Ends::Tasks) => Box::new(move |run| {
                let (sender, receiver) = crossfire::$module::bounded_async::<T>(capacity);
                let senders = all_by($senders($case.producers, sender), |it| {
                    async move |item| it.send(item).await.expect(OPEN)
                });
                let receivers = all_by($receivers($case.consumers, receiver), |it| {
                    async move || it.recv().await.expect(OPEN)
                });
                tasks(run, senders, receivers)
            }),
            (None, Ends::Threads) => Box::new(move |run| {
                let (sender, receiver) = crossfire::$module::unbounded_blocking::<T>();
                let senders =
                    all_by($senders($case.producers, sender), |it| move |item| it.send(item).expect(OPEN));
                let receivers =
                    all_by($receivers($case.consumers, receiver), |it| move || it.recv().expect(OPEN));
                threads(run, senders, receivers)
            }),
            (None, Ends::ThreadsToTasks) => Box::new(move |run| {
                let (sender, receiver) = crossfire::$module::unbounded_async::<T>();
                let senders =
                    all_by($senders($case.producers, sender), |it| move |item| it.send(item).expect(OPEN));
                let receivers = all_by($receivers($case.consumers, receiver), |it| {
                    async move || it.recv().await.expect(OPEN)
                });
                threads_to_tasks(run, senders, receivers)
            }),
            (None, Ends::Tasks) => Box::new(move |run| {
                let (sender, receiver) = crossfire::$module::unbounded_async::<T>();
                let senders = all_by($senders($case.producers, sender), |it| {
                    async move |item| it.send(item).expect(OPEN)
                });
                let receivers = all_by($receivers($case.consumers, receiver), |it| {
                    async move || it.recv().await.expect(OPEN)
                });
                tasks(run, senders, receivers)
            }),
        })
    };
}

/// crossfire, which has no capacity of 0; tuned to the machine, as its documentation asks.
#[must_use]
pub fn crossfire<T: Item>(case: Case) -> Option<Body> {
    if case.capacity == Some(0) {
        return None;
    }
    let body: Option<Body> = match (case.producers, case.consumers) {
        (1, 1) => crossfire!(case, spsc, alone, alone),
        (_, 1) => crossfire!(case, mpsc, several, alone),
        _ => crossfire!(case, mpmc, several, several),
    };
    // It looks once, however often it is told to.
    body.map(|body| tuned(crossfire::detect_backoff_cfg, body))
}

/// A body of a library that finds out once how many CPUs there are: it does so when the body is run, in the thread that
/// runs it. That one is bound to all CPUs of the row. Earlier, where contestants are listed, no process is bound yet; later,
/// in a thread that the body starts, one that is bound to a single CPU would speak for all.
fn tuned(counts_cpus: fn(), body: Body) -> Body {
    Box::new(move |run| {
        counts_cpus();
        body(run)
    })
}

/// concurrent-queue, whose ends spin and yield: it cannot wait.
#[must_use]
pub fn concurrent_queue<T: Item>(case: Case) -> Option<Body> {
    if case.ends != Ends::Threads || case.capacity == Some(0) {
        return None;
    }
    Some(Box::new(move |run| {
        let queue = case.capacity.map_or_else(ConcurrentQueue::unbounded, ConcurrentQueue::bounded);
        let queue = Arc::new(queue);
        let push = |queue: Arc<ConcurrentQueue<T>>| move |item| until(|| queue.push(item).ok());
        let pop = |queue: Arc<ConcurrentQueue<T>>| move || until(|| queue.pop().ok());
        threads(run, all_by(each(case.producers, &queue), push), all_by(each(case.consumers, &queue), pop))
    }))
}

/// rtrb, a ring for one producer and one consumer, whose ends spin and yield.
#[must_use]
pub fn rtrb<T: Item>(case: Case) -> Option<Body> {
    let capacity = case.capacity.filter(|capacity| *capacity > 0)?;
    if case.ends != Ends::Threads || case.producers + case.consumers > 2 {
        return None;
    }
    Some(Box::new(move |run| {
        let (mut producer, mut consumer) = rtrb::RingBuffer::new(capacity);
        let push = move |item: T| until(|| producer.push(item).ok());
        let pop = move || until(|| consumer.pop().ok());
        threads(run, vec![push], vec![pop])
    }))
}

/// Tries until it works, and leaves the CPU to others between attempts.
#[inline]
pub(super) fn until<R>(mut attempt: impl FnMut() -> Option<R>) -> R {
    let backoff = Backoff::new();
    loop {
        match attempt() {
            Some(result) => return result,
            None => backoff.snooze(),
        }
    }
}

pub(super) fn each<E: Clone>(count: usize, end: &E) -> Vec<E> {
    vec![end.clone(); count]
}

fn several<E: Clone>(count: usize, end: E) -> Vec<E> {
    vec![end; count]
}

/// An end that there is only one of.
fn alone<E>(_count: usize, end: E) -> Vec<E> {
    vec![end]
}

pub(super) fn all_by<E, F>(ends: Vec<E>, by: impl FnMut(E) -> F) -> Vec<F> {
    ends.into_iter().map(by).collect()
}

const OPEN: &str = "the channel is open until all items are through";

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use peers_kit::Place;

    use super::*;
    use crate::queues::{Done, Ends, Run};

    thread_local! {
        static COUNTED: Cell<bool> = const { Cell::new(false) };
    }

    #[test]
    fn cpus_are_counted_when_the_body_is_run_and_by_the_thread_that_runs_it() {
        let body: Body = Box::new(|_| match COUNTED.get() {
            true => Ok(Done::default()),
            false => Err("nobody has counted".into()),
        });
        let body = tuned(|| COUNTED.set(true), body);
        assert!(!COUNTED.get(), "the process may not be bound yet");
        let done = body(&Run { place: &Place::free(), count: 0, watched: false });
        assert!(done.is_ok(), "{done:?}");
    }
    #[test]
    fn ours_for_a_lone_end_stands_beside_ours_for_all() {
        for (producers, consumers, capacity, shared_too) in
            [(1, 1, Some(128), true), (2, 1, None, true), (2, 2, None, false), (1, 1, Some(1), false)]
        {
            let case = Case { producers, consumers, capacity, ends: Ends::Threads };
            let ours: Vec<_> =
                all::<u64>(case).into_iter().filter(|it| it.name.starts_with("sync")).collect();
            let found: Vec<_> = ours.iter().map(|it| (it.name, it.kind)).collect();
            let both = [("sync", Kind::Sleeps), ("sync-shared", Kind::AlsoOurs)];
            assert_eq!(found, both[..if shared_too { 2 } else { 1 }], "{case:?}");
        }
    }
}
