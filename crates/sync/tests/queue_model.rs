//! A queue against a plain `VecDeque`.

mod common;

use common::ByHand;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use sync::Queue;
use sync::queue::{GetError, PutError};

#[derive(Clone, Debug)]
enum Step {
    TryPut,
    TryGet,
    /// A future that waits to put; it stays.
    StartPut,
    StartGet,
    /// One of the futures is polled, chosen by the number.
    PollPut(usize),
    PollGet(usize),
    /// One of the futures is dropped.
    DropPut(usize),
    DropGet(usize),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::TryPut),
        6 => Just(Step::TryGet),
        4 => Just(Step::StartPut),
        4 => Just(Step::StartGet),
        4 => (0..8_usize).prop_map(Step::PollPut),
        4 => (0..8_usize).prop_map(Step::PollGet),
        2 => (0..8_usize).prop_map(Step::DropPut),
        2 => (0..8_usize).prop_map(Step::DropGet),
        1 => Just(Step::Close),
    ];
    proptest::collection::vec(step, 0..60)
}

type Putting<'a> = ByHand<'a, Result<(), PutError<u32>>>;
type Getting<'a> = ByHand<'a, Result<u32, GetError>>;

/// A plain queue that nobody waits for.
struct Model {
    items: VecDeque<u32>,
    capacity: Option<usize>,
    closed: bool,
}

impl Model {
    fn has_room(&self) -> bool {
        self.capacity.is_none_or(|capacity| self.items.len() < capacity)
    }

    /// `None`: it would wait.
    fn put(&mut self, item: u32) -> Option<bool> {
        if self.closed {
            return Some(false);
        }
        self.has_room().then(|| {
            self.items.push_back(item);
            true
        })
    }

    /// `None`: it would wait; an inner `None`: the queue is closed.
    fn get(&mut self) -> Option<Option<u32>> {
        match self.items.pop_front() {
            Some(item) => Some(Some(item)),
            None => self.closed.then_some(None),
        }
    }
}

fn same_get(real: Option<Result<u32, GetError>>, model: Option<Option<u32>>) -> Result<(), TestCaseError> {
    match model {
        None => prop_assert!(real.is_none() || real == Some(Err(GetError::Empty))),
        Some(None) => prop_assert_eq!(real, Some(Err(GetError::Closed))),
        Some(Some(item)) => prop_assert_eq!(real, Some(Ok(item))),
    }
    Ok(())
}

fn same_put(
    real: Option<Result<(), PutError<u32>>>,
    model: Option<bool>,
    item: u32,
) -> Result<(), TestCaseError> {
    match (real, model) {
        (None, None) | (Some(Ok(())), Some(true)) => {}
        (Some(Err(refused)), model) => {
            prop_assert_eq!(refused.is_full(), model.is_none());
            prop_assert_eq!(refused.is_closed(), model == Some(false));
            prop_assert_eq!(refused.into_inner(), item, "what is refused is given back");
        }
        (real, model) => prop_assert!(false, "{real:?} instead of {model:?}"),
    }
    Ok(())
}

proptest! {
    #[test]
    fn does_what_a_plain_queue_does(capacity in proptest::option::of(2..5_usize), steps in steps()) {
        let queue = capacity.map_or_else(Queue::unbounded, Queue::bounded);
        let mut model = Model { items: VecDeque::new(), capacity, closed: false };
        let (mut putting, mut getting): (Vec<(u32, Putting<'_>)>, Vec<Getting<'_>>) = Default::default();
        let mut next = 0..;
        for step in steps {
            match step {
                Step::TryPut => {
                    let item = next.next().unwrap();
                    same_put(Some(queue.try_put(item)), model.put(item), item)?;
                }
                Step::TryGet => same_get(Some(queue.try_get()), model.get())?,
                Step::StartPut => {
                    let item = next.next().unwrap();
                    let mut future = ByHand::new(queue.put_async(item));
                    let (real, model) = (future.poll(), model.put(item));
                    if real.is_none() {
                        putting.push((item, future));
                    }
                    same_put(real, model, item)?;
                }
                Step::StartGet => {
                    let mut future = ByHand::new(queue.get_async());
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
                Step::Close => {
                    queue.close();
                    model.closed = true;
                }
            }
            prop_assert_eq!(queue.len(), model.items.len());
            prop_assert_eq!(queue.is_empty(), model.items.is_empty());
            prop_assert_eq!(queue.is_closed(), model.closed);
            // No wake-up is lost: where one could go on, at least as many have been told to look as can go on.
            let told = getting.iter().filter(|future| future.is_told()).count();
            prop_assert!(told >= getting.len().min(model.items.len()), "{} consumers were told", told);
            let told = putting.iter().filter(|(_, future)| future.is_told()).count();
            let room = model.capacity.map_or(0, |capacity| capacity - model.items.len());
            prop_assert!(told >= putting.len().min(room), "{} producers were told", told);
        }
    }
}

#[test]
fn every_item_arrives_once_and_in_its_producer_s_order() {
    const PRODUCERS: usize = 3;
    const CONSUMERS: usize = 3;
    const ITEMS: usize = 500;
    for queue in [Queue::unbounded(), Queue::bounded(1), Queue::bounded(7)] {
        let left = AtomicUsize::new(PRODUCERS);
        let taken = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let (queue, left) = (&queue, &left);
                scope.spawn(move || {
                    for item in 0..ITEMS {
                        if item % 2 == 0 {
                            queue.put((producer, item)).unwrap();
                        } else {
                            sync::park::block_on(queue.put_async((producer, item))).unwrap();
                        }
                    }
                    if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                        queue.close();
                    }
                });
            }
            for _ in 0..CONSUMERS {
                scope.spawn(|| {
                    let mine: Vec<_> = queue.iter().collect();
                    for producer in 0..PRODUCERS {
                        let of_one = mine.iter().filter(|(from, _)| *from == producer);
                        assert!(of_one.is_sorted(), "a consumer sees a producer's items in order");
                    }
                    taken.lock().unwrap().extend(mine);
                });
            }
        });
        let mut taken = taken.into_inner().unwrap();
        taken.sort_unstable();
        let all = (0..PRODUCERS).flat_map(|producer| (0..ITEMS).map(move |item| (producer, item)));
        assert!(taken.into_iter().eq(all));
    }
}
