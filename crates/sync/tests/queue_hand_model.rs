//! A queue with one place or none against a plain model, in which producers that wait stand with their items in their hands.

mod common;

use common::ByHand;
use proptest::prelude::*;
use std::collections::VecDeque;
use sync::Queue;
use sync::queue::{GetError, PutError};

#[derive(Clone, Debug)]
enum Step {
    TryPut,
    TryGet,
    /// A future; it stays if it waits.
    StartPut,
    StartGet,
    /// One of the futures, chosen by the number.
    PollPut(usize),
    PollGet(usize),
    DropPut(usize),
    DropGet(usize),
    /// A future that keeps its item until it is polled and there is room.
    StartOffer,
    PollOffer(usize),
    DropOffer(usize),
    Close,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::TryPut),
        4 => Just(Step::TryGet),
        4 => Just(Step::StartPut),
        5 => Just(Step::StartGet),
        4 => (0..8_usize).prop_map(Step::PollPut),
        4 => (0..8_usize).prop_map(Step::PollGet),
        2 => (0..8_usize).prop_map(Step::DropPut),
        2 => (0..8_usize).prop_map(Step::DropGet),
        3 => Just(Step::StartOffer),
        3 => (0..8_usize).prop_map(Step::PollOffer),
        2 => (0..8_usize).prop_map(Step::DropOffer),
        1 => Just(Step::Close),
    ];
    proptest::collection::vec(step, 0..80)
}

struct Model {
    has_place: bool,
    slot: Option<u32>,
    /// The items of producers that wait.
    held: VecDeque<u32>,
    closed: bool,
}

/// How a producer's wait ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sent {
    Yes,
    /// It would wait.
    NotNow,
    Closed,
}

impl Model {
    /// `reaches_a_task`: it does not wait, and a task does.
    fn put(&mut self, item: u32, reaches_a_task: bool) -> Sent {
        match () {
            () if self.closed => Sent::Closed,
            () if !self.has_opening(reaches_a_task) => Sent::NotNow,
            () => {
                self.slot = Some(item);
                Sent::Yes
            }
        }
    }

    fn get(&mut self) -> Result<u32, GetError> {
        let oldest = self.slot.take().or_else(|| self.held.pop_front());
        if self.has_place && self.slot.is_none() {
            self.slot = self.held.pop_front();
        }
        oldest.ok_or(if self.closed { GetError::Closed } else { GetError::Empty })
    }

    /// What somebody with this item who has waited learns now.
    fn ask(&self, item: u32, refused: &[u32]) -> Sent {
        match () {
            () if self.held.contains(&item) => Sent::NotNow,
            () if refused.contains(&item) => Sent::Closed,
            () => Sent::Yes,
        }
    }

    fn has_opening(&self, a_task_waits: bool) -> bool {
        self.items() == 0 && (self.has_place || a_task_waits)
    }

    fn items(&self) -> usize {
        usize::from(self.slot.is_some()) + self.held.len()
    }
}

fn sent(answer: Option<Result<(), PutError<u32>>>, item: u32) -> Result<Sent, TestCaseError> {
    Ok(match answer {
        None => Sent::NotNow,
        Some(Ok(())) => Sent::Yes,
        Some(Err(refused)) => {
            let why = if refused.is_closed() { Sent::Closed } else { Sent::NotNow };
            prop_assert_eq!(refused.into_inner(), item, "what is refused is given back");
            why
        }
    })
}

/// Puts `item`, which comes back if it was refused.
async fn put_from(queue: &Queue<u32>, item: u32) -> Result<(), PutError<u32>> {
    let mut own = Some(item);
    let done = queue.put_from_async(&mut own).await;
    assert_eq!(own.is_none(), done.is_ok());
    match own {
        Some(own) if done.is_err_and(|refused| refused.is_closed()) => queue.try_put(own),
        _ => Ok(()),
    }
}

proptest! {
    #[test]
    fn does_what_a_plain_model_does(has_place: bool, steps in steps()) {
        let queue = Queue::bounded(usize::from(has_place));
        let mut model = Model { has_place, slot: None, held: VecDeque::new(), closed: false };
        let (mut putting, mut getting): (Vec<(u32, ByHand<'_, _>)>, Vec<ByHand<'_, _>>) = Default::default();
        let mut offering: Vec<(u32, ByHand<'_, _>)> = Vec::new();
        let (mut refused, mut next) = (Vec::new(), 0..);
        for step in steps {
            match step {
                Step::TryPut => {
                    let item = next.next().unwrap();
                    let a_task_waits = getting.iter().any(|task| !task.is_told());
                    prop_assert_eq!(sent(Some(queue.try_put(item)), item)?, model.put(item, a_task_waits));
                }
                Step::TryGet => prop_assert_eq!(queue.try_get(), model.get()),
                Step::StartPut => {
                    let item = next.next().unwrap();
                    let mut future = ByHand::new(queue.put_async(item));
                    let expected = model.put(item, false);
                    prop_assert_eq!(sent(future.poll(), item)?, expected);
                    if expected == Sent::NotNow {
                        model.held.push_back(item);
                        putting.push((item, future));
                    }
                }
                Step::PollPut(index) if !putting.is_empty() => {
                    let index = index % putting.len();
                    let (item, future) = &mut putting[index];
                    let expected = model.ask(*item, &refused);
                    prop_assert_eq!(sent(future.poll(), *item)?, expected);
                    if expected != Sent::NotNow {
                        putting.remove(index);
                    }
                }
                Step::StartGet => {
                    let mut future = ByHand::new(queue.get_async());
                    let real = future.poll();
                    prop_assert_eq!(real.unwrap_or(Err(GetError::Empty)), model.get());
                    if real.is_none() {
                        getting.push(future);
                    }
                }
                Step::PollGet(index) if !getting.is_empty() => {
                    let index = index % getting.len();
                    let real = getting[index].poll();
                    prop_assert_eq!(real.unwrap_or(Err(GetError::Empty)), model.get());
                    if real.is_some() {
                        getting.remove(index);
                    }
                }
                Step::DropPut(index) if !putting.is_empty() => {
                    let (item, future) = putting.remove(index % putting.len());
                    drop(future);
                    model.held.retain(|held| *held != item);
                }
                Step::DropGet(index) if !getting.is_empty() => drop(getting.remove(index % getting.len())),
                Step::StartOffer => {
                    let item = next.next().unwrap();
                    let a_task_waits = getting.iter().any(|task| !task.is_told());
                    let mut future = ByHand::new(put_from(&queue, item));
                    let expected = model.put(item, a_task_waits);
                    prop_assert_eq!(sent(future.poll(), item)?, expected);
                    if expected == Sent::NotNow {
                        offering.push((item, future));
                    }
                }
                Step::PollOffer(index) if !offering.is_empty() => {
                    let index = index % offering.len();
                    let (item, future) = &mut offering[index];
                    let a_task_waits = getting.iter().any(|task| !task.is_told());
                    let expected = model.put(*item, a_task_waits);
                    prop_assert_eq!(sent(future.poll(), *item)?, expected);
                    if expected != Sent::NotNow {
                        offering.remove(index);
                    }
                }
                // Nothing comes of it: the model knew nothing of the item.
                Step::DropOffer(index) if !offering.is_empty() => drop(offering.remove(index % offering.len())),
                Step::PollPut(_) | Step::PollGet(_) | Step::DropPut(_) | Step::DropGet(_) => {}
                Step::PollOffer(_) | Step::DropOffer(_) => {}
                Step::Close => {
                    queue.close();
                    model.closed = true;
                    refused.extend(model.held.drain(..));
                }
            }
            prop_assert_eq!(queue.len(), usize::from(model.slot.is_some()));
            prop_assert_eq!(queue.is_closed(), model.closed);
            // No wake-up is lost: as many have been told to look as could take something, and who has an answer knows.
            let told = getting.iter().filter(|future| future.is_told()).count();
            prop_assert!(told >= getting.len().min(model.items()), "{} consumers were told", told);
            for (item, future) in &putting {
                prop_assert_eq!(future.is_told(), model.ask(*item, &refused) != Sent::NotNow);
            }
            let a_task_waits = getting.iter().any(|task| !task.is_told());
            let told = offering.iter().filter(|(_, future)| future.is_told()).count();
            let openings = usize::from(model.has_opening(a_task_waits));
            prop_assert!(told >= offering.len().min(openings), "{} who offer were told", told);
            prop_assert!(!model.closed || getting.iter().all(ByHand::is_told));
            prop_assert!(!model.closed || offering.iter().all(|(_, future)| future.is_told()));
        }
    }
}
