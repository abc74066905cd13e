//! The queues with an order of their own against plain collections that nobody waits for.

mod common;

use common::ByHand;
use proptest::prelude::*;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use sync::queue::{
    Buffer, DelayQueue, Delayed, GetError, LifoQueue, Order, Overflow, Prioritized, PriorityQueue, PutError,
    QueueOf,
};

#[derive(Clone, Debug)]
enum Step {
    /// With a key by which the queue may order.
    TryPut(u32),
    TryGet,
    /// A future that waits to put; it stays.
    StartPut(u32),
    StartGet,
    /// One of the futures is polled, chosen by the number.
    PollPut(usize),
    PollGet(usize),
    /// One of the futures is dropped.
    DropPut(usize),
    DropGet(usize),
    Drain,
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..5_u32).prop_map(Step::TryPut),
        6 => Just(Step::TryGet),
        4 => (0..5_u32).prop_map(Step::StartPut),
        4 => Just(Step::StartGet),
        4 => (0..8_usize).prop_map(Step::PollPut),
        4 => (0..8_usize).prop_map(Step::PollGet),
        2 => (0..8_usize).prop_map(Step::DropPut),
        2 => (0..8_usize).prop_map(Step::DropGet),
        1 => Just(Step::Drain),
        1 => Just(Step::Close),
    ];
    proptest::collection::vec(step, 0..80)
}

/// A key, and a number that no other item has.
type Item = (u32, u32);

/// Whether there was no room, and the item.
type Refused = (bool, Item);

/// A plain collection.
trait Plain: Default {
    fn push(&mut self, item: Item);
    fn pop(&mut self) -> Option<Item>;
    fn len(&self) -> usize;
}

#[derive(Default)]
struct Stack(Vec<Item>);

impl Plain for Stack {
    fn push(&mut self, item: Item) {
        self.0.push(item);
    }
    fn pop(&mut self) -> Option<Item> {
        self.0.pop()
    }
    fn len(&self) -> usize {
        self.0.len()
    }
}

/// One line for each key.
#[derive(Default)]
struct Lines(BTreeMap<u32, VecDeque<Item>>);

impl Plain for Lines {
    fn push(&mut self, item: Item) {
        self.0.entry(item.0).or_default().push_back(item);
    }
    fn pop(&mut self) -> Option<Item> {
        self.0.values_mut().find_map(VecDeque::pop_front)
    }
    fn len(&self) -> usize {
        self.0.values().map(VecDeque::len).sum()
    }
}

struct Model<P> {
    items: P,
    capacity: Option<usize>,
    closed: bool,
}

impl<P: Plain> Model<P> {
    /// `None`: it would wait.
    fn put(&mut self, item: Item) -> Option<bool> {
        if self.closed {
            return Some(false);
        }
        self.capacity.is_none_or(|capacity| self.items.len() < capacity).then(|| {
            self.items.push(item);
            true
        })
    }

    /// `None`: it would wait; an inner `None`: the queue is closed.
    fn get(&mut self) -> Option<Option<Item>> {
        match self.items.pop() {
            Some(item) => Some(Some(item)),
            None => self.closed.then_some(None),
        }
    }
}

fn same_get(real: Option<Result<Item, GetError>>, model: Option<Option<Item>>) -> Result<(), TestCaseError> {
    match model {
        None => prop_assert!(real.is_none() || real == Some(Err(GetError::Empty))),
        Some(None) => prop_assert_eq!(real, Some(Err(GetError::Closed))),
        Some(Some(item)) => prop_assert_eq!(real, Some(Ok(item))),
    }
    Ok(())
}

fn same_put(real: Option<Result<(), Refused>>, model: Option<bool>, item: Item) -> Result<(), TestCaseError> {
    match (real, model) {
        (None, None) | (Some(Ok(())), Some(true)) => {}
        (Some(refused), Some(false)) => prop_assert_eq!(refused, Err((false, item))),
        (real, model) => prop_assert!(false, "{real:?} instead of {model:?}"),
    }
    Ok(())
}

fn check<O: Order, P: Plain>(
    queue: &QueueOf<O>,
    steps: Vec<Step>,
    into: impl Fn(Item) -> O::Item + Copy,
    from: impl Fn(O::Item) -> Item + Copy,
) -> Result<(), TestCaseError> {
    let mut model = Model { items: P::default(), capacity: queue.capacity(), closed: false };
    let mut putting: Vec<(Item, ByHand<'_, Result<(), Refused>>)> = Vec::new();
    let mut getting: Vec<ByHand<'_, Result<Item, GetError>>> = Vec::new();
    let refused = |refused: PutError<O::Item>| (refused.is_full(), from(refused.into_inner()));
    let mut number = 0;
    let mut next = |key| {
        number += 1;
        (key, number)
    };
    for step in steps {
        match step {
            Step::TryPut(key) => {
                let item = next(key);
                let real = queue.try_put(into(item)).map_err(refused);
                match model.put(item) {
                    Some(true) => prop_assert_eq!(real, Ok(())),
                    other => prop_assert_eq!(real, Err((other.is_none(), item))),
                }
            }
            Step::TryGet => same_get(Some(queue.try_get().map(from)), model.get())?,
            Step::StartPut(key) => {
                let item = next(key);
                let mut future =
                    ByHand::new(async move { queue.put_async(into(item)).await.map_err(refused) });
                let (real, model) = (future.poll(), model.put(item));
                if real.is_none() {
                    putting.push((item, future));
                }
                same_put(real, model, item)?;
            }
            Step::StartGet => {
                let mut future = ByHand::new(async move { queue.get_async().await.map(from) });
                let (real, model) = (future.poll(), model.get());
                if real.is_none() {
                    getting.push(future);
                }
                same_get(real, model)?;
            }
            Step::PollPut(index) if !putting.is_empty() => {
                let index = index % putting.len();
                let (item, future) = &mut putting[index];
                let (item, real) = (*item, future.poll());
                if real.is_some() {
                    putting.remove(index);
                }
                same_put(real, model.put(item), item)?;
            }
            Step::PollGet(index) if !getting.is_empty() => {
                let index = index % getting.len();
                let real = getting[index].poll();
                if real.is_some() {
                    getting.remove(index);
                }
                same_get(real, model.get())?;
            }
            Step::DropPut(index) if !putting.is_empty() => drop(putting.remove(index % putting.len())),
            Step::DropGet(index) if !getting.is_empty() => drop(getting.remove(index % getting.len())),
            Step::PollPut(_) | Step::PollGet(_) | Step::DropPut(_) | Step::DropGet(_) => {}
            Step::Drain => {
                let real: Vec<_> = queue.drain().map(from).collect();
                let plain: Vec<_> = std::iter::from_fn(|| model.items.pop()).collect();
                prop_assert_eq!(real, plain);
            }
            Step::Close => {
                queue.close();
                model.closed = true;
            }
        }
        prop_assert_eq!(queue.len(), model.items.len());
        prop_assert_eq!(queue.is_closed(), model.closed);
        // No wake-up is lost: where one could go on, at least as many have been told to look as can go on.
        let told = getting.iter().filter(|future| future.is_told()).count();
        prop_assert!(told >= getting.len().min(model.items.len()), "{} consumers were told", told);
        let told = putting.iter().filter(|(_, future)| future.is_told()).count();
        let room = model.capacity.map_or(0, |capacity| capacity - model.items.len());
        prop_assert!(told >= putting.len().min(room), "{} producers were told", told);
    }
    Ok(())
}

fn queue<O: Order>(capacity: Option<usize>) -> QueueOf<O> {
    capacity.map_or_else(QueueOf::unbounded, QueueOf::bounded)
}

proptest! {
    #![proptest_config(common::property())]

    #[test]
    fn a_stack(capacity in proptest::option::of(1..4_usize), steps in steps()) {
        let queue: LifoQueue<Item> = queue(capacity);
        check::<_, Stack>(&queue, steps, |item| item, |item| item)?;
    }

    #[test]
    fn a_line_for_each_priority(capacity in proptest::option::of(1..10_usize), steps in steps()) {
        let queue: PriorityQueue<Prioritized<u32, Item>> = queue(capacity);
        check::<_, Lines>(&queue, steps, |item| Prioritized::new(item.0, item), |entry| entry.item)?;
    }

    #[test]
    fn a_line_for_each_time(capacity in proptest::option::of(1..10_usize), steps in steps()) {
        let queue: DelayQueue<Item> = queue(capacity);
        // All are due already.
        let start = Instant::now() - Duration::from_secs(60);
        let due = |item: Item| Delayed::until(start + Duration::from_secs(item.0.into()), item);
        check::<_, Lines>(&queue, steps, due, |delayed| delayed.item)?;
    }

    #[test]
    fn a_buffer(
        capacity in 1..4_usize,
        overflow in prop_oneof![
            Just(Overflow::Block), Just(Overflow::DropOldest), Just(Overflow::DropNewest), Just(Overflow::Error)
        ],
        puts in proptest::collection::vec(any::<bool>(), 0..40),
    ) {
        let buffer = Buffer::new(capacity, overflow);
        let mut plain = VecDeque::new();
        for (number, put) in puts.into_iter().enumerate() {
            if !put {
                prop_assert_eq!(buffer.try_get().ok(), plain.pop_front());
                continue;
            }
            let real = buffer.try_put(number).map_err(|refused| (refused.is_full(), refused.into_inner()));
            let full = plain.len() == capacity;
            let expected = match overflow {
                _ if !full => Ok(None),
                Overflow::DropOldest => Ok(plain.pop_front()),
                Overflow::DropNewest => Ok(Some(number)),
                Overflow::Block | Overflow::Error => Err((true, number)),
            };
            if expected.is_ok() && expected != Ok(Some(number)) {
                plain.push_back(number);
            }
            prop_assert_eq!(real, expected);
            prop_assert_eq!(buffer.len(), plain.len());
        }
        prop_assert!(buffer.drain().eq(plain));
    }
}
