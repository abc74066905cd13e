//! Links and channels against plain queues.
#![cfg(target_os = "linux")]

mod common;

use common::parcel;
use ipc::{Link, Parcel, Receiver, Sender, channel, handoff};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

/// Sizes of every kind: none, small, around the border where a memory file is needed, large.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![0..40_usize, 60_000..70_000_usize, 65_530..65_545_usize, 100_000..300_000_usize]
}

#[derive(Clone, Debug)]
enum LinkStep {
    Send {
        from: bool,
        size: usize,
        descriptors: usize,
    },
    Receive {
        at: bool,
    },
    /// Goes to another process and comes back, as far as this end can tell.
    Travel {
        end: bool,
    },
}

fn link_step() -> impl Strategy<Value = LinkStep> {
    prop_oneof![
        4 => (any::<bool>(), size(), prop_oneof![6 => 0..3_usize, 1 => 195..205_usize])
            .prop_map(|(from, size, descriptors)| LinkStep::Send { from, size, descriptors }),
        4 => any::<bool>().prop_map(|at| LinkStep::Receive { at }),
        1 => any::<bool>().prop_map(|end| LinkStep::Travel { end }),
    ]
}

#[derive(Clone, Debug)]
enum ChannelStep {
    Send { sender: usize, size: usize },
    Receive,
    CloneSender { sender: usize },
    DropSender { sender: usize },
    SenderTravels { sender: usize },
    ReceiverTravels,
    Poll,
}

fn channel_step() -> impl Strategy<Value = ChannelStep> {
    let sender = || any::<usize>();
    prop_oneof![
        8 => (sender(), size()).prop_map(|(sender, size)| ChannelStep::Send { sender, size }),
        6 => Just(ChannelStep::Receive),
        1 => sender().prop_map(|sender| ChannelStep::CloneSender { sender }),
        1 => sender().prop_map(|sender| ChannelStep::DropSender { sender }),
        1 => sender().prop_map(|sender| ChannelStep::SenderTravels { sender }),
        1 => Just(ChannelStep::ReceiverTravels),
        1 => Just(ChannelStep::Poll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_link_is_two_queues(steps in prop::collection::vec(link_step(), 0..40)) {
        let (one, other) = Link::pair().unwrap();
        let mut ends = [one, other];
        // What waits at each end.
        let mut queues = [VecDeque::new(), VecDeque::new()];
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                LinkStep::Send { from, size, descriptors } => {
                    let end = &ends[usize::from(from)];
                    let copies = (0..descriptors).map(|_| end.as_fd().try_clone_to_owned().unwrap());
                    let sent = Parcel { descriptors: copies.collect(), ..parcel(number as u8, size) };
                    match end.try_send(&sent) {
                        Ok(()) => queues[usize::from(!from)].push_back((sent.bytes, descriptors)),
                        // Three full packets fit into a socket, whatever else.
                        Err(error) => {
                            prop_assert!(error.is_would_block(), "{error}");
                            prop_assert!(queues[usize::from(!from)].len() >= 3);
                        }
                    }
                }
                LinkStep::Receive { at } => match queues[usize::from(at)].pop_front() {
                    None => prop_assert!(ends[usize::from(at)].try_receive().is_err_and(|e| e.is_would_block())),
                    Some((bytes, descriptors)) => {
                        let received = ends[usize::from(at)].try_receive().unwrap();
                        prop_assert!(received.bytes == bytes, "bytes differ");
                        prop_assert_eq!(received.descriptors.len(), descriptors);
                    }
                },
                LinkStep::Travel { end } => {
                    let carried = OwnedFd::from(Link::pair().unwrap().0);
                    let old = std::mem::replace(&mut ends[usize::from(end)], Link::from_fd(carried).unwrap());
                    ends[usize::from(end)] = handoff::decode(handoff::encode(&old).unwrap()).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_channel_is_one_queue(
        capacity in prop_oneof![1..5_u32, 300..400_u32],
        steps in prop::collection::vec(channel_step(), 0..60),
    ) {
        let (sender, mut receiver) = channel::<(usize, Vec<u8>)>(capacity).unwrap();
        let mut senders: Vec<Sender<(usize, Vec<u8>)>> = vec![sender];
        let mut queue = VecDeque::new();
        for (number, step) in steps.into_iter().enumerate() {
            let pick = |sender: usize| (!senders.is_empty()).then(|| sender % senders.len());
            match step {
                ChannelStep::Send { sender, size } => {
                    let Some(sender) = pick(sender) else { continue };
                    // Written byte by byte, so not the largest here.
                    let bytes = parcel(number as u8, size % 70_000).bytes;
                    match senders[sender].try_send((number, bytes.clone())) {
                        Ok(()) => queue.push_back((number, bytes)),
                        Err(error) => prop_assert!(error.is_full(), "{error}"),
                    }
                    prop_assert!(queue.len() <= capacity as usize);
                    prop_assert!(queue.len() == capacity as usize || queue.back().unwrap().0 == number);
                }
                ChannelStep::Receive => match (receiver.try_recv(), queue.pop_front()) {
                    (Ok(received), Some(sent)) => prop_assert!(received == sent, "messages differ"),
                    (Err(error), None) => {
                        let over = senders.is_empty();
                        prop_assert_eq!((error.is_disconnected(), error.is_empty()), (over, !over));
                    }
                    (received, sent) => {
                        return Err(TestCaseError::fail(format!("{} {}", received.is_ok(), sent.is_some())));
                    }
                },
                ChannelStep::CloneSender { sender } => {
                    let Some(sender) = pick(sender).filter(|_| senders.len() < 5) else { continue };
                    let clone = senders[sender].clone();
                    senders.push(clone);
                }
                ChannelStep::DropSender { sender } => {
                    let Some(sender) = pick(sender) else { continue };
                    senders.swap_remove(sender);
                }
                ChannelStep::SenderTravels { sender } => {
                    let Some(sender) = pick(sender) else { continue };
                    let travelled = handoff::decode(handoff::encode(&senders[sender]).unwrap()).unwrap();
                    senders[sender] = travelled;
                }
                ChannelStep::ReceiverTravels => {
                    let travelled: Receiver<_> = handoff::decode(handoff::encode(&receiver).unwrap()).unwrap();
                    receiver = travelled;
                }
                ChannelStep::Poll => {
                    let expected = !queue.is_empty() || senders.is_empty();
                    prop_assert_eq!(receiver.poll(std::time::Duration::ZERO), expected);
                }
            }
        }
    }
}
