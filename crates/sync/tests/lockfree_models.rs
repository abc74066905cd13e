//! Each structure without a lock, used by one thread, against the plain collection that it ought to be.

use proptest::prelude::*;
#[cfg(feature = "map")]
use std::collections::BTreeMap;
use std::collections::VecDeque;
use sync::lockfree::{ArrayQueue, Counter, RcuCell, SegmentedQueue, SeqLock, Stack, spsc_ring};

/// Few cases under Miri, which takes a thousand times as long, and no file for what failed: its folder cannot be read there.
fn config() -> ProptestConfig {
    if cfg!(miri) {
        ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() }
    } else {
        ProptestConfig::default()
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push,
    Pop,
    /// Several at once, of which the structure takes or gives what it can.
    PushMany(usize),
    PopMany(usize),
}

fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Push),
        3 => Just(Step::Pop),
        1 => (0..9_usize).prop_map(Step::PushMany),
        1 => (0..9_usize).prop_map(Step::PopMany),
    ];
    proptest::collection::vec(step, 0..most)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_ring_is_a_bounded_queue(capacity in 1..7_usize, slices: bool, steps in steps(60)) {
        let (mut producer, mut consumer) = spsc_ring(capacity);
        let mut model = VecDeque::new();
        let mut next = 0_u32..;
        for step in steps {
            let room = capacity - model.len();
            prop_assert_eq!((producer.room(), consumer.len()), (room, model.len()));
            match step {
                Step::Push => {
                    let item = next.next().unwrap();
                    match producer.push(item) {
                        Ok(()) => {
                            prop_assert!(room > 0);
                            model.push_back(item);
                        }
                        Err(full) => {
                            prop_assert_eq!((room, full.capacity()), (0, capacity));
                            prop_assert_eq!(full.into_inner(), item);
                        }
                    }
                }
                Step::Pop => prop_assert_eq!(consumer.pop(), model.pop_front()),
                Step::PushMany(count) => {
                    let items: Vec<_> = next.by_ref().take(count).collect();
                    let put = if slices {
                        producer.push_slice(&items)
                    } else {
                        let mut left = items.iter().copied();
                        let put = producer.push_iter(&mut left);
                        prop_assert_eq!(left.len(), count - put, "nothing was taken that was not put in");
                        put
                    };
                    // At least the room that is known of is used, and all of it if that is not enough.
                    prop_assert_eq!(put, count.min(room));
                    model.extend(&items[..put]);
                }
                Step::PopMany(count) => {
                    let expected: Vec<_> = model.drain(..count.min(model.len())).collect();
                    let got = if slices {
                        let mut block = vec![u32::MAX; count];
                        let got = consumer.pop_slice(&mut block);
                        prop_assert!(block[got..].iter().all(|&rest| rest == u32::MAX), "the rest is untouched");
                        block.truncate(got);
                        block
                    } else {
                        consumer.drain().take(count).collect()
                    };
                    prop_assert_eq!(got, expected);
                }
            }
        }
    }

    #[test]
    fn an_array_queue_is_a_bounded_queue(capacity in 1..7_usize, steps in steps(60)) {
        let queue = ArrayQueue::new(capacity);
        let mut model = VecDeque::new();
        let mut next = 0_u32..;
        for step in steps {
            let (pushes, pops) = match step {
                Step::Push => (1, 0),
                Step::Pop => (0, 1),
                Step::PushMany(count) => (count, 0),
                Step::PopMany(count) => (0, count),
            };
            for item in next.by_ref().take(pushes) {
                match queue.push(item) {
                    Ok(()) => model.push_back(item),
                    Err(full) => {
                        prop_assert_eq!((model.len(), full.capacity()), (capacity, capacity));
                        prop_assert_eq!(full.into_inner(), item);
                    }
                }
                prop_assert!(model.len() <= capacity);
            }
            for _ in 0..pops {
                prop_assert_eq!(queue.pop(), model.pop_front());
            }
            prop_assert_eq!(queue.len(), model.len());
            prop_assert_eq!((queue.is_empty(), queue.is_full()), (model.is_empty(), model.len() == capacity));
        }
    }

    #[test]
    fn a_segmented_queue_is_a_queue(steps in proptest::collection::vec((0..200_usize, 0..200_usize), 0..8)) {
        let queue = SegmentedQueue::new();
        let mut model = VecDeque::new();
        let mut next = 0_u32..;
        // Blocks have 64 places, so most steps cross their borders.
        for (pushes, pops) in steps {
            for item in next.by_ref().take(pushes) {
                queue.push(item);
                model.push_back(item);
            }
            for _ in 0..pops {
                prop_assert_eq!(queue.pop(), model.pop_front());
            }
            prop_assert_eq!(queue.is_empty(), model.is_empty());
        }
    }

    #[test]
    fn a_stack_is_a_stack(steps in steps(60)) {
        let stack = Stack::new();
        let mut model = Vec::new();
        let mut next = 0_u32..;
        for step in steps {
            match step {
                Step::Push => {
                    let item = next.next().unwrap();
                    stack.push(item);
                    model.push(item);
                }
                Step::Pop => prop_assert_eq!(stack.pop(), model.pop()),
                Step::PushMany(count) => {
                    for item in next.by_ref().take(count) {
                        stack.push(item);
                        model.push(item);
                    }
                }
                // Takes all, and drops those that are not asked for.
                Step::PopMany(count) => {
                    let got: Vec<_> = stack.take_all().take(count).collect();
                    let expected: Vec<_> = std::mem::take(&mut model).into_iter().rev().take(count).collect();
                    prop_assert_eq!(got, expected);
                }
            }
            prop_assert_eq!(stack.is_empty(), model.is_empty());
        }
    }

    #[test]
    fn a_guard_keeps_the_value_that_it_was_given(steps in proptest::collection::vec((0..4_u8, 0..8_usize), 0..40)) {
        let cell = RcuCell::new(String::from("0"));
        let mut current = String::from("0");
        let mut guards = Vec::new();
        for (step, (kind, at)) in steps.into_iter().enumerate() {
            match kind {
                0 => guards.push((cell.load(), current.clone())),
                1 if !guards.is_empty() => drop(guards.swap_remove(at % guards.len())),
                2 => {
                    cell.update(|value| format!("{value} {step}"));
                    current = format!("{current} {step}");
                }
                _ => {
                    current = step.to_string();
                    cell.store(current.clone());
                }
            }
            prop_assert_eq!(&*cell.load(), &current);
            for (guard, expected) in &guards {
                prop_assert_eq!(&**guard, expected);
            }
        }
    }

    #[test]
    fn plain_values_come_back_as_they_were(
        numbers: (u8, i16, i64, u32), floats: (f32, f64), others: (bool, char), array: [i8; 5], wide: [usize; 2],
    ) {
        prop_assert_eq!(SeqLock::new(numbers).read(), numbers);
        let (single, double) = SeqLock::new(floats).read();
        prop_assert_eq!((single.to_bits(), double.to_bits()), (floats.0.to_bits(), floats.1.to_bits()));
        prop_assert_eq!(SeqLock::new(others).read(), others);
        prop_assert_eq!(SeqLock::new(wide).try_read(), Some(wide));

        let lock = SeqLock::<[i8; 5]>::default();
        prop_assert_eq!(lock.read(), [0; 5]);
        lock.write(array);
        prop_assert_eq!(lock.read(), array);
        lock.update(|array| array.map(i8::reverse_bits));
        prop_assert_eq!(lock.read(), array.map(i8::reverse_bits));
    }

    #[test]
    fn a_counter_is_a_number(amounts: Vec<i64>, places in 0..9_usize, every in 1..20_usize) {
        let counter = Counter::with_places(places);
        let (mut total, mut taken) = (0_i64, 0_i64);
        for (step, amount) in amounts.into_iter().enumerate() {
            counter.add(amount);
            total = total.wrapping_add(amount);
            if step % every == 0 {
                taken = taken.wrapping_add(counter.take());
                prop_assert_eq!(counter.sum(), 0);
            }
            prop_assert_eq!(taken.wrapping_add(counter.sum()), total);
        }
    }
}

#[cfg(feature = "map")]
proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_map_is_a_map(steps in proptest::collection::vec((0..7_u8, 0..20_u32, 0..100_u32), 0..200)) {
        let map = sync::lockfree::Map::new();
        let mut model = BTreeMap::new();
        for (kind, key, value) in steps {
            match kind {
                0 => prop_assert_eq!(map.insert(key, value), model.insert(key, value).is_none()),
                1 => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                2 => {
                    map.update_or_insert(key, |old| old + 1, || value);
                    model.entry(key).and_modify(|old| *old += 1).or_insert(value);
                }
                3 => {
                    let vacant = !model.contains_key(&key);
                    prop_assert_eq!(map.try_insert(key, value), if vacant { Ok(()) } else { Err(value) });
                    model.entry(key).or_insert(value);
                }
                4 => {
                    let removed = model.get(&key).is_some_and(|old| old % 2 == 0);
                    prop_assert_eq!(map.remove_if(key, |old| old % 2 == 0), removed);
                    if removed {
                        model.remove(&key);
                    }
                }
                5 => prop_assert_eq!(map.read(&key, |old| old * 2), model.get(&key).map(|old| old * 2)),
                _ => prop_assert_eq!(map.contains_key(&key), model.contains_key(&key)),
            }
            prop_assert_eq!((map.len(), map.is_empty()), (model.len(), model.is_empty()));
        }
        let mut all = BTreeMap::new();
        map.for_each(|key, value| {
            all.insert(*key, *value);
        });
        prop_assert_eq!(&all, &model);
        map.clear();
        prop_assert!(map.is_empty());
    }
}
