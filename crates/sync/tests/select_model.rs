//! A select over queues against a plain model: it does one thing that could be done, and nothing else.

use proptest::prelude::*;
use std::collections::VecDeque;
use sync::Queue;
use sync::park::block_on;
use sync::select::Select;
use sync::{select, select_async};

const QUEUES: usize = 3;
const CAPACITY: usize = 2;

#[derive(Clone, Copy, Debug)]
enum Arm {
    Put(usize),
    Get(usize),
}

#[derive(Clone, Debug)]
enum Step {
    Select { arms: Vec<Arm>, how: How },
    Put(usize),
    Get(usize),
    Close(usize),
}

#[derive(Clone, Copy, Debug)]
enum How {
    AtRunTime,
    AtRunTimeBiased,
    /// Two of the arms, in the macros.
    Blocking,
    Awaited,
}

/// What became of an arm: the item that came, if one should.
type Outcome = (usize, Option<u32>);

#[derive(Default)]
struct Model {
    items: VecDeque<u32>,
    closed: bool,
}

impl Model {
    fn is_ready(&self, arm: Arm) -> bool {
        match arm {
            Arm::Put(_) => self.closed || self.items.len() < CAPACITY,
            Arm::Get(_) => self.closed || !self.items.is_empty(),
        }
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let arm = || prop_oneof![(0..QUEUES).prop_map(Arm::Put), (0..QUEUES).prop_map(Arm::Get)];
    let how = prop_oneof![
        Just(How::AtRunTime),
        Just(How::AtRunTimeBiased),
        Just(How::Blocking),
        Just(How::Awaited)
    ];
    let select = (proptest::collection::vec(arm(), 2..6), how);
    let step = prop_oneof![
        8 => select.prop_map(|(arms, how)| Step::Select { arms, how }),
        3 => (0..QUEUES).prop_map(Step::Put),
        2 => (0..QUEUES).prop_map(Step::Get),
        1 => (0..QUEUES).prop_map(Step::Close),
    ];
    proptest::collection::vec(step, 0..50)
}

/// The arm's future: what it got. Its item is taken out of `item` if it is put.
async fn future(queues: &[Queue<u32>], arm: Arm, item: &mut Option<u32>) -> Option<u32> {
    match arm {
        Arm::Put(queue) => {
            let _closed = queues[queue].put_from_async(item).await;
            None
        }
        Arm::Get(queue) => queues[queue].get_async().await.ok(),
    }
}

/// Selects over `arms` without waiting. What is left in `items` was not put.
fn select_now(queues: &[Queue<u32>], arms: &[Arm], items: &mut [Option<u32>], how: How) -> Option<Outcome> {
    let mut futures: Vec<_> =
        arms.iter().zip(items).map(|(arm, item)| Box::pin(future(queues, *arm, item))).collect();
    match how {
        How::AtRunTime => futures.into_iter().collect::<Select<'_, _>>().try_wait(),
        How::AtRunTimeBiased => futures.into_iter().collect::<Select<'_, _>>().biased().try_wait(),
        How::Blocking => {
            let (first, second) = futures.split_at_mut(1);
            select! {
                got = &mut first[0] => Some((0, got)),
                got = &mut second[0] => Some((1, got)),
                default => None,
            }
        }
        How::Awaited => {
            let (first, second) = futures.split_at_mut(1);
            block_on(async {
                select_async! {
                    biased;
                    got = &mut first[0] => Some((0, got)),
                    got = &mut second[0] => Some((1, got)),
                    default => None,
                }
            })
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 400 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_thing_that_could_be_done_is_done(steps in steps()) {
        let queues: Vec<Queue<u32>> = (0..QUEUES).map(|_| Queue::bounded(CAPACITY)).collect();
        let mut models: Vec<Model> = (0..QUEUES).map(|_| Model::default()).collect();
        let mut next = 0;
        for step in steps {
            match step {
                Step::Put(queue) => {
                    next += 1;
                    let fits = models[queue].items.len() < CAPACITY && !models[queue].closed;
                    prop_assert_eq!(queues[queue].try_put(next).is_ok(), fits);
                    models[queue].items.extend(fits.then_some(next));
                }
                Step::Get(queue) => prop_assert_eq!(queues[queue].try_get().ok(), models[queue].items.pop_front()),
                Step::Close(queue) => {
                    queues[queue].close();
                    models[queue].closed = true;
                }
                Step::Select { mut arms, how } => {
                    if matches!(how, How::Blocking | How::Awaited) {
                        arms.truncate(2);
                    }
                    let own = next;
                    next += u32::try_from(arms.len()).expect("a few");
                    let mut items: Vec<Option<u32>> = (own + 1..=next).map(Some).collect();
                    let before = items.clone();
                    let won = select_now(&queues, &arms, &mut items, how);

                    let of = |arm: Arm| match arm { Arm::Put(queue) | Arm::Get(queue) => queue };
                    let ready: Vec<usize> =
                        (0..arms.len()).filter(|&arm| models[of(arms[arm])].is_ready(arms[arm])).collect();
                    prop_assert_eq!(won.is_some(), !ready.is_empty());
                    let mut expected = before;
                    if let Some((number, got)) = won {
                        prop_assert!(ready.contains(&number));
                        if matches!(how, How::AtRunTimeBiased | How::Awaited) {
                            prop_assert_eq!(number, ready[0]);
                        }
                        let model = &mut models[of(arms[number])];
                        match arms[number] {
                            Arm::Get(_) => prop_assert_eq!(got, model.items.pop_front()),
                            Arm::Put(_) if model.closed => {}
                            Arm::Put(_) => model.items.extend(expected[number].take()),
                        }
                    }
                    prop_assert_eq!(items, expected, "an item is in its queue or still here");
                }
            }
            for (queue, model) in queues.iter().zip(&models) {
                prop_assert_eq!(queue.len(), model.items.len());
                prop_assert!(format!("{queue:?}").contains("waiting: 0"), "a loser is still in the queue");
            }
        }
    }
}
