//! The heap against a plain list of times, its own order after each step, and what a step costs.

use super::*;
use proptest::prelude::*;
use std::time::Duration;

const NAMES: usize = 40;

#[derive(Clone, Debug)]
enum Step {
    /// Puts a node in, or takes it out if it is in.
    Turn {
        name: usize,
        at: u64,
    },
    TakeDue {
        now: u64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let turn = (0..NAMES, 0..64_u64).prop_map(|(name, at)| Step::Turn { name, at });
    let take = (0..80_u64).prop_map(|now| Step::TakeDue { now });
    prop::collection::vec(prop_oneof![3 => turn, 1 => take], 0..200)
}

fn nodes(count: usize) -> Vec<Node> {
    (0..count).map(|_| Node::new()).collect()
}

/// How many nodes are below `link`, which must be in order and know `parent`.
fn checked(link: Link, parent: Link) -> usize {
    // Not by itself for each child: the way down by the left may be as long as there are nodes.
    let mut open = vec![(link, parent)];
    let mut count = 0;
    while let Some((link, parent)) = open.pop() {
        let Some(place) = link else { continue };
        let (left, right) = place.inner(|inner| (inner.left, inner.right));
        assert!(place.inner(|inner| inner.parent) == parent, "a node that does not know its parent");
        assert!(parent.is_none_or(|parent| parent.at() <= place.at()), "a child that is earlier");
        assert!(Place::rank(left) >= Place::rank(right), "the shortest way is not on the right");
        assert_eq!(Place::rank(link), Place::rank(right) + 1);
        open.extend([(left, link), (right, link)]);
        count += 1;
    }
    count
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 512 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_is_always_the_earliest(steps in steps()) {
        let begin = Instant::now();
        let time = |ms: u64| begin + Duration::from_millis(ms);
        let nodes = nodes(NAMES);
        let mut model: Vec<Option<Instant>> = vec![None; NAMES];
        let mut heap = Heap::new();
        for step in steps {
            match step {
                Step::Turn { name, .. } if model[name].is_some() => {
                    // SAFETY: it is in this heap.
                    let waker = unsafe { heap.remove(&nodes[name]) };
                    prop_assert!(waker.is_some());
                    model[name] = None;
                }
                Step::Turn { name, at } => {
                    // SAFETY: it is in no heap, and `nodes` outlives the heap's use and is not moved.
                    unsafe { heap.insert(&nodes[name], time(at), Waker::noop().clone()) };
                    model[name] = Some(time(at));
                }
                Step::TakeDue { now } => {
                    let earliest = model.iter().flatten().min().copied().filter(|at| *at <= time(now));
                    prop_assert_eq!(heap.take_due(time(now)).is_some(), earliest.is_some());
                    if earliest.is_some() {
                        let gone = (0..NAMES).find(|name| model[*name].is_some() && !nodes[*name].is_in());
                        prop_assert_eq!(model[gone.expect("one is out")].take(), earliest);
                    }
                }
            }
            prop_assert_eq!(heap.first(), model.iter().flatten().min().copied());
            prop_assert_eq!(checked(heap.root, None), model.iter().flatten().count());
            prop_assert!(model.iter().zip(&nodes).all(|(at, node)| at.is_some() == node.is_in()));
        }
    }
}

/// The order in which numbers below `count` come when they are drawn from a seed.
fn drawn(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for place in (1..count).rev() {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        order.swap(place, (random % (place as u64 + 1)) as usize);
    }
    order
}

#[test]
fn no_operation_takes_more_than_some_logarithms_of_steps() {
    let count = if cfg!(miri) { 30 } else { 100_000 };
    let (forwards, backwards): (Vec<_>, Vec<_>) = ((0..count).collect(), (0..count).rev().collect());
    let orders = [&forwards, &backwards, &drawn(count)];
    let begin = Instant::now();
    let nodes = nodes(count);
    let most = 4 * (count.ilog2() + 1);
    let mut heap = Heap::new();
    let mut counted = |work: &mut dyn FnMut(&mut Heap)| {
        STEPS.set(0);
        work(&mut heap);
        assert!(STEPS.get() <= most, "{} steps for one of {count}", STEPS.get());
    };
    for times in orders {
        for leaving in orders.map(Some).into_iter().chain([None]) {
            for (node, ms) in nodes.iter().zip(times) {
                let at = begin + Duration::from_millis(*ms as u64);
                // SAFETY: it is in no heap, and `nodes` outlives the heap's use and is not moved.
                counted(&mut |heap| unsafe { heap.insert(node, at, Waker::noop().clone()) });
            }
            for place in 0..count {
                counted(&mut |heap| {
                    let gone = match leaving {
                        // SAFETY: it is in this heap.
                        Some(leaving) => unsafe { heap.remove(&nodes[leaving[place]]) },
                        // The time of the last is reached.
                        None => heap.take_due(begin + Duration::from_millis(count as u64)),
                    };
                    assert!(gone.is_some());
                });
            }
            counted(&mut |heap| assert!(heap.root.is_none()));
        }
    }
}
