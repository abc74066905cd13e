//! Queues that cannot wait, among themselves: whoever finds one full or empty spins and leaves the CPU to others.
//!
//! Bounded and with one of each they are rings. They stand apart from the queues that block, which do more for each item.

use std::sync::Arc;

use peers_kit::{Contestant, Cpus, Measure, Row};
use sync::lockfree::{ArrayQueue, SegmentedQueue, spsc_ring};

use super::bodies::threads;
use super::contestants::{Candidate, Kind, all_by, concurrent_queue, each, rtrb, until};
use super::{Body, Case, Ends, Item, sample};

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (shape, producers, consumers) in [("spsc", 1, 1), ("mpsc", 2, 1), ("mpmc", 2, 2)] {
        for capacity in [Some(128), Some(1024), None] {
            for cpus in [Cpus::Two, Cpus::One] {
                let case = Case { producers, consumers, capacity, ends: Ends::Threads };
                rows.push(row::<u64>(shape, case, "u64", cpus));
                rows.push(row::<[u64; 8]>(shape, case, "64b", cpus));
            }
        }
    }
    rows
}

fn row<T: Item>(shape: &str, case: Case, item: &str, cpus: Cpus) -> Row {
    let capacity = case.capacity_word();
    Row {
        name: format!("ring/{shape}/{capacity}/{item}/{}", cpus.word()),
        about: format!(
            "{} to {}, thread to thread without waiting, capacity {capacity}, sync by {}; an item",
            case.producers,
            case.consumers,
            form(case)
        ),
        cpus,
        measures: vec![Measure::NS],
        contestants: all::<T>(case)
            .into_iter()
            .map(|Candidate { name, kind, body }| {
                let contestant = Contestant::new(name, move |order| sample(&body, order, false)).spinning();
                if kind == Kind::AlsoOurs { contestant.also_ours() } else { contestant }
            })
            .collect(),
    }
}

/// All contestants of a case of threads.
#[must_use]
pub fn all<T: Item>(case: Case) -> Vec<Candidate> {
    let shared = case.capacity.filter(|_| is_for_one_and_one(case));
    let all = [
        ("sync", Kind::Spins, ours::<T>(case)),
        // What anybody may use, as concurrent-queue, beside the ring.
        ("sync-shared", Kind::AlsoOurs, shared.map(|capacity| ours_shared::<T>(capacity, case))),
        ("concurrent-queue", Kind::Spins, concurrent_queue::<T>(case)),
        ("rtrb", Kind::Spins, rtrb::<T>(case)),
    ];
    all.into_iter().filter_map(|(name, kind, body)| Some(Candidate { name, kind, body: body? })).collect()
}

/// What ours is.
fn form(case: Case) -> &'static str {
    match case.capacity {
        Some(_) if is_for_one_and_one(case) => "`spsc_ring`, whose two ends are one thread's each",
        Some(_) => "`ArrayQueue`",
        None => "`SegmentedQueue`",
    }
}

fn is_for_one_and_one(case: Case) -> bool {
    case.producers + case.consumers == 2
}

/// The narrowest of ours that fits: a ring for one and one, an array or blocks for more.
fn ours<T: Item>(case: Case) -> Option<Body> {
    let Case { producers, consumers, .. } = case;
    Some(match case.capacity {
        Some(0) => return None,
        Some(capacity) if is_for_one_and_one(case) => Box::new(move |run| {
            let (mut producer, mut consumer) = spsc_ring(capacity);
            let push = move |item: T| until(|| producer.push(item).ok());
            let pop = move || until(|| consumer.pop());
            threads(run, vec![push], vec![pop])
        }),
        Some(capacity) => ours_shared::<T>(capacity, case),
        None => Box::new(move |run| {
            let queue = Arc::new(SegmentedQueue::new());
            let push = |queue: Arc<SegmentedQueue<T>>| move |item| queue.push(item);
            let pop = |queue: Arc<SegmentedQueue<T>>| move || until(|| queue.pop());
            threads(run, all_by(each(producers, &queue), push), all_by(each(consumers, &queue), pop))
        }),
    })
}

/// `ArrayQueue`.
fn ours_shared<T: Item>(capacity: usize, case: Case) -> Body {
    Box::new(move |run| {
        let queue = Arc::new(ArrayQueue::new(capacity));
        let push = |queue: Arc<ArrayQueue<T>>| move |item| until(|| queue.push(item).ok());
        let pop = |queue: Arc<ArrayQueue<T>>| move || until(|| queue.pop());
        threads(run, all_by(each(case.producers, &queue), push), all_by(each(case.consumers, &queue), pop))
    })
}

#[cfg(test)]
mod tests {
    use super::super::Run;
    use super::*;
    use peers_kit::Place;

    #[test]
    fn every_ring_brings_all_items() {
        for (producers, consumers) in [(1, 1), (2, 1), (2, 2)] {
            for capacity in [Some(1), Some(128), None] {
                let case = Case { producers, consumers, capacity, ends: Ends::Threads };
                for Candidate { name, body, .. } in all::<[u64; 8]>(case) {
                    let done = body(&Run { place: &Place::free(), count: 2_000, watched: false });
                    assert!(done.is_ok(), "{name} {case:?}: {done:?}");
                }
            }
        }
    }
}
