//! The channel: its bound, its ends, its travels, and processes that die.
#![cfg(target_os = "linux")]

mod common;

use common::{Alarm, Child, Toy, child_role, descriptors_open, stay};
use ipc::{Descriptor, Pipe, Receiver, Sender, channel, handoff, pipe};
use std::collections::BTreeMap;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Who sent it, and which of his it is.
type Pair = (u32, u32);

const SHORT: Duration = Duration::from_millis(30);

/// Not a test by itself: what the others start as another process.
#[test]
fn child() {
    let Some((role, parent)) = child_role() else { return };
    match role.as_str() {
        "count to" => {
            let (sender, who, end): (Sender<Pair>, u32, u32) = parent.hear();
            for number in 0..end {
                sender.send((who, number)).unwrap();
            }
        }
        "send and confirm" => {
            let (sender, who): (Sender<(u32, u32, String)>, u32) = parent.hear();
            for number in 0.. {
                let size = [10, 3_000, 100_000, 1][number as usize % 4];
                sender.send((who, number, "x".repeat(size))).unwrap();
                parent.tell(&number);
            }
        }
        "receive" => {
            let (receiver, results): (Receiver<Pair>, Pipe<Vec<Pair>, ()>) = parent.hear();
            results.send(receiver.iter().collect::<Result<_, _>>().unwrap()).unwrap();
        }
        "hold" => {
            let _held: (Sender<Pair>, Option<Receiver<Pair>>) = parent.hear();
            common::reached();
            stay();
        }
        "few descriptors" => few_descriptors(),
        other => panic!("no such role: {other}"),
    }
}

#[test]
fn exactly_as_many_messages_fit_as_the_channel_has_places() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    // 2,000 is more than a socket holds; so are 20 of 100 kB.
    for (capacity, size) in [(1, 0), (2, 100_000), (7, 10), (20, 100_000), (2_000, 20)] {
        let (sender, receiver) = channel::<(u32, String)>(capacity).unwrap();
        assert_eq!(receiver.capacity(), capacity);
        for round in 0..2 {
            for number in 0..capacity {
                sender
                    .try_send((number, "x".repeat(size)))
                    .unwrap_or_else(|error| panic!("{number}: {error}"));
            }
            let refused = sender.try_send((capacity, String::new())).unwrap_err();
            assert!(refused.is_full(), "{refused}");
            assert_eq!(refused.into_inner(), (capacity, String::new()));
            let refused = sender.send_timeout((capacity, String::new()), SHORT / (1 + round)).unwrap_err();
            assert!(refused.is_timeout(), "{refused}");
            for number in 0..capacity {
                assert_eq!(receiver.try_recv().unwrap(), (number, "x".repeat(size)));
            }
            assert!(receiver.try_recv().is_err_and(|error| error.is_empty()));
        }
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn who_waits_for_room_gets_it() {
    let _alarm = Alarm::new();
    let (sender, receiver) = channel(2).unwrap();
    std::thread::scope(|scope| {
        for who in 0..8 {
            let sender = sender.clone();
            scope.spawn(move || (0..50).for_each(|number| sender.send((who, number)).unwrap()));
        }
        drop(sender);
        let received = receiver.iter().collect::<Result<Vec<Pair>, _>>().unwrap();
        assert_in_order(&received, 8, 50);
    });
}

/// All of everyone, each one's in order.
fn assert_in_order(received: &[Pair], senders: u32, each: u32) {
    let mut by_sender = BTreeMap::<u32, Vec<u32>>::new();
    for (who, number) in received {
        by_sender.entry(*who).or_default().push(*number);
    }
    assert_eq!(by_sender.len(), senders as usize);
    for (who, numbers) in by_sender {
        assert!(numbers.iter().copied().eq(0..each), "{who}: {numbers:?}");
    }
}

#[test]
fn processes_send_and_one_receives_them_all() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    {
        let (sender, receiver) = channel(5).unwrap();
        let children: Vec<_> = (0..3)
            .map(|who| {
                let child = Child::start("child", "count to");
                child.tell(&(&sender, who, 300_u32));
                child
            })
            .collect();
        drop(sender);
        let received = receiver.iter().collect::<Result<Vec<_>, _>>().unwrap();
        assert_in_order(&received, 3, 300);
        children.into_iter().for_each(Child::join);
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn the_receiver_moves_to_another_process_with_what_waits_in_it() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    {
        let (sender, receiver) = channel::<Pair>(400).unwrap();
        for number in 0..350 {
            sender.send((0, number)).unwrap();
        }
        assert_eq!(receiver.recv().unwrap(), (0, 0));
        let (results, childs_results) = pipe::<(), Vec<Pair>>().unwrap();
        let child = Child::start("child", "receive");
        child.tell(&(&receiver, childs_results));
        assert!(receiver.recv().is_err_and(|error| error.is_moved()));
        assert!(receiver.try_recv().is_err_and(|error| error.is_moved()));
        assert!(receiver.poll(SHORT));
        assert_eq!(receiver.iter().count(), 1);
        assert!(handoff::encode(&receiver).is_err());
        drop(receiver);
        for number in 350..500 {
            sender.send((0, number)).unwrap();
        }
        drop(sender);
        let received: Vec<u32> = results.recv().unwrap().into_iter().map(|(_, number)| number).collect();
        assert!(received.iter().copied().eq(1..500), "{received:?}");
        child.join();
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_thread_that_waits_learns_that_the_receiver_has_moved() {
    let _alarm = Alarm::new();
    let (sender, receiver) = channel::<u32>(2).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| receiver.recv());
        std::thread::sleep(SHORT);
        let moved: Receiver<u32> = handoff::decode(handoff::encode(&receiver).unwrap()).unwrap();
        sender.send(7).unwrap();
        // Who waited finds out when there is something; it is for the one to whom the receiver has moved.
        assert!(waiting.join().unwrap().is_err_and(|error| error.is_moved()));
        assert_eq!(moved.recv().unwrap(), 7);
    });
}

#[test]
fn the_end_is_seen_on_both_sides_whoever_dies() {
    let _alarm = Alarm::new();
    // The last sender is killed.
    let (sender, receiver) = channel::<Pair>(2).unwrap();
    let child = Child::start("child", "hold");
    child.tell(&(&sender, None::<Receiver<Pair>>));
    child.wait_until_reached();
    sender.send((1, 2)).unwrap();
    drop(sender);
    let waiting = std::thread::spawn(move || (receiver.recv(), receiver.recv()));
    child.kill();
    let (first, second) = waiting.join().unwrap();
    assert_eq!(first.unwrap(), (1, 2));
    assert!(second.unwrap_err().is_disconnected());

    // The receiver is killed, while one waits for room.
    let (sender, receiver) = channel::<Pair>(1).unwrap();
    let child = Child::start("child", "hold");
    child.tell(&(&sender, Some(receiver)));
    child.wait_until_reached();
    sender.send((1, 2)).unwrap();
    let waiting = std::thread::spawn(move || sender.send((3, 4)));
    child.kill();
    let refused = waiting.join().unwrap().unwrap_err();
    assert!(refused.is_disconnected(), "{refused}");
    assert_eq!(refused.into_inner(), (3, 4));
}

#[test]
fn senders_killed_at_random_lose_nothing_that_was_sent() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    {
        let (sender, receiver) = channel(3).unwrap();
        let mut received: Vec<u32> = Vec::new();
        let mut note = |(who, number, text): (u32, u32, String)| {
            assert_eq!(text.len(), [10, 3_000, 100_000, 1][number as usize % 4]);
            received.resize(received.len().max(who as usize + 1), 0);
            assert_eq!(received[who as usize], number, "sender {who}: lost, doubled or out of order");
            received[who as usize] += 1;
        };
        let mut confirmed = Vec::new();
        for round in 0..6 {
            let children: Vec<_> = (2 * round..2 * round + 2)
                .map(|who: u32| {
                    let child = Child::start("child", "send and confirm");
                    child.tell(&(&sender, who));
                    child
                })
                .collect();
            // A different number each time, so that they die at different steps.
            for _ in 0..20 + 7 * round {
                note(receiver.recv().unwrap());
            }
            for child in children {
                let link = child.link.try_clone().unwrap();
                child.kill();
                let mut numbers = 0_u32;
                while let Ok(parcel) = link.receive(None) {
                    assert_eq!(handoff::decode::<u32>(parcel).unwrap(), numbers);
                    numbers += 1;
                }
                confirmed.push(numbers);
            }
            // What the dead have left is all there, and room for exactly as many as ever.
            while let Ok(message) = receiver.try_recv() {
                note(message);
            }
            for number in 0..3 {
                sender.try_send((u32::MAX, number, String::new())).unwrap();
            }
            assert!(sender.try_send((u32::MAX, 3, String::new())).is_err_and(|error| error.is_full()));
            for number in 0..3 {
                assert_eq!(receiver.recv().unwrap(), (u32::MAX, number, String::new()));
            }
        }
        for (received, confirmed) in received.iter().zip(&confirmed) {
            // One can have been sent and not yet confirmed.
            assert!(*received == *confirmed || *received == confirmed + 1, "{received} of {confirmed}");
        }
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_process_that_may_have_no_more_descriptors_loses_no_message_and_no_place() {
    let _alarm = Alarm::new();
    Child::start("child", "few descriptors").join();
}

/// Alone in its process, whose limit it changes.
fn few_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let unlimited = getrlimit(Resource::Nofile);
    let leave = |free: u64| {
        // The lowest free number is given next, and no other thread takes one meanwhile.
        let next = UnixStream::pair().unwrap().0.as_raw_fd() as u64;
        setrlimit(Resource::Nofile, rustix::process::Rlimit { current: Some(next + free), ..unlimited })
            .unwrap();
    };
    let (sender, receiver) = channel::<u32>(600).unwrap();
    let mut sent = 0;
    let mut send = |free| {
        leave(free);
        let result = (0..).try_for_each(|_| sender.try_send(sent).map(|()| sent += 1));
        setrlimit(Resource::Nofile, unlimited).unwrap();
        (sent, result.unwrap_err())
    };
    // One for the baton, none for another segment.
    let (first, error) = send(1);
    assert!(!error.is_full() && !error.is_disconnected() && (1..600).contains(&first), "{first}: {error}");
    let (all, error) = send(100);
    assert!(error.is_full() && all == 600, "{all}: {error}");

    // None for the next segment.
    leave(0);
    let received = (0..).map_while(|_| receiver.try_recv().ok()).collect::<Vec<_>>();
    assert!(received.iter().copied().eq(0..first));
    assert!(receiver.try_recv().is_err_and(|error| !error.is_empty() && !error.is_refused()));
    setrlimit(Resource::Nofile, unlimited).unwrap();
    for number in first..600 {
        assert_eq!(receiver.try_recv().unwrap(), number);
    }

    // None for the baton, which is lost.
    let (_, error) = send(0);
    assert!(!error.is_full() && !error.is_disconnected(), "{error}");
    assert!(receiver.try_recv().is_err_and(|error| error.is_empty()));
    let (all, error) = send(100);
    assert!(error.is_full() && all == 1200, "{all}: {error}");
}

#[test]
fn senders_and_descriptors_travel_inside_messages() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    {
        let (requests, server) = channel::<(u32, Sender<u32>, Descriptor)>(4).unwrap();
        let (mut ends, mut answers) = (Vec::new(), Vec::new());
        for number in 0..4 {
            let (answer, answered) = channel::<u32>(1).unwrap();
            let (end, given) = UnixStream::pair().unwrap();
            requests.send((number, answer, Descriptor(given.into()))).unwrap();
            ends.push(end);
            answers.push(answered);
        }
        // The receiver moves while messages with senders in them wait in it.
        let server: Receiver<(u32, Sender<u32>, Descriptor)> =
            handoff::decode(handoff::encode(&server).unwrap()).unwrap();
        drop(requests);
        for request in &server {
            let (number, answer, _closed) = request.unwrap();
            answer.send(10 * number).unwrap();
        }
        for (number, (mut end, answered)) in ends.into_iter().zip(answers).enumerate() {
            assert_eq!(end.read(&mut [0]).unwrap(), 0);
            assert_eq!(answered.recv().unwrap(), 10 * number as u32);
            assert!(answered.recv().is_err_and(|error| error.is_disconnected()));
        }
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_message_over_the_limit_is_refused_and_its_place_is_free() {
    let _alarm = Alarm::new();
    let (sender, receiver) = channel::<String>(1).unwrap();
    sender.set_bytes_max(50);
    let refused = sender.send("x".repeat(100)).unwrap_err();
    assert!(refused.is_too_large(), "{refused}");
    sender.set_bytes_max(1000);
    receiver.set_bytes_max(50);
    for _ in 0..3 {
        sender.try_send("x".repeat(100)).unwrap();
        assert!(receiver.try_recv().is_err_and(|error| error.is_refused()));
    }
    sender.try_send("x".into()).unwrap();
    assert_eq!(receiver.recv().unwrap(), "x");
}

#[test]
fn polling_tells_a_message_from_none() {
    let _alarm = Alarm::new();
    let (sender, receiver) = channel::<u32>(600).unwrap();
    let begin = Instant::now();
    assert!(!receiver.poll(SHORT));
    assert!(begin.elapsed() >= SHORT);
    for number in 0..600 {
        sender.send(number).unwrap();
    }
    for number in 0..600 {
        assert!(receiver.poll(Duration::ZERO));
        assert_eq!(receiver.try_recv().unwrap(), number);
    }
    // The segment has ended and another one begun, which is no message.
    assert!(!receiver.poll(Duration::ZERO));
    drop(sender);
    assert!(receiver.poll(SHORT), "the end is something to receive");
}

#[test]
fn a_coroutine_waits_without_stopping_its_thread() {
    let _alarm = Alarm::new();
    let (sender, receiver) = channel::<u32>(1).unwrap();
    let toy = Toy::install();
    toy.beside({
        let sender = sender.clone();
        move || sender.try_send(7).unwrap()
    });
    assert_eq!(receiver.recv().unwrap(), 7);
    sender.send(8).unwrap();
    let parks = toy.parks();
    toy.beside(move || {
        assert_eq!(receiver.try_recv().unwrap(), 8);
        std::mem::forget(receiver);
    });
    sender.send(9).unwrap();
    assert!(toy.parks() > parks);
}

#[test]
fn tasks_of_any_runtime_wait() {
    let _alarm = Alarm::new();
    async fn talk() {
        let (sender, receiver) = channel::<u32>(3).unwrap();
        assert!(receiver.recv_async_timeout(SHORT).await.is_err_and(|error| error.is_timeout()));
        let thread = std::thread::spawn({
            let sender = sender.clone();
            move || (0..100).for_each(|number| sender.send(number).unwrap())
        });
        for number in 0..100 {
            assert_eq!(receiver.recv_async().await.unwrap(), number);
        }
        thread.join().unwrap();
        let thread = std::thread::spawn(move || {
            (0..100).for_each(|number| assert_eq!(receiver.recv().unwrap(), number));
            receiver
        });
        for number in 0..100 {
            sender.send_async(number).await.unwrap();
        }
        let receiver = thread.join().unwrap();
        for number in 0..3 {
            sender.send_async_timeout(number, SHORT).await.unwrap();
        }
        let refused = sender.send_async_timeout(3, SHORT).await.unwrap_err();
        assert!(refused.is_timeout() && refused.into_inner() == 3);
        drop(receiver);
        assert!(sender.send_async(4).await.is_err_and(|error| error.is_disconnected()));
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(talk());
    smol::block_on(talk());
    sync::park::block_on(talk());
}

#[test]
fn a_send_that_is_given_up_has_sent_nothing() {
    let _alarm = Alarm::new();
    let (sender, receiver) = channel::<u32>(1).unwrap();
    sender.send(0).unwrap();
    for _ in 0..50 {
        let send = sync::timer::timeout(Duration::from_micros(100), sender.send_async(1));
        assert!(sync::park::block_on(send).is_err());
    }
    assert_eq!(receiver.recv().unwrap(), 0);
    assert!(receiver.try_recv().is_err_and(|error| error.is_empty()));
    sender.try_send(2).unwrap();
    assert_eq!(receiver.recv().unwrap(), 2);
}

#[test]
#[should_panic(expected = "capacity of at least 1")]
fn a_channel_without_places_is_a_mistake() {
    let _ = channel::<u32>(0);
}
