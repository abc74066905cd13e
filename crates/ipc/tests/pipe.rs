//! Typed pipes: within a process, into another one, and what happens when one side dies.
#![cfg(target_os = "linux")]

mod common;

use common::{Alarm, Child, Toy, child_role, descriptors_open, stay};
use ipc::{Descriptor, Pipe, Receiver, pipe};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(30);

/// Not a test by itself: what the others start as another process.
#[test]
fn child() {
    let Some((role, parent)) = child_role() else { return };
    match role.as_str() {
        "echo" => {
            let end: Pipe<String, String> = parent.hear();
            while let Ok(text) = end.recv() {
                end.send(text).unwrap();
            }
        }
        "send for ever" => {
            let end: Pipe<Vec<u64>, ()> = parent.hear();
            for number in 0.. {
                let length = [3, 200_000, 9_000][number as usize % 3];
                end.send(vec![number; length]).unwrap();
            }
        }
        "never receive" => {
            let _end: Pipe<(), String> = parent.hear();
            parent.tell(&());
            stay();
        }
        other => panic!("no such role: {other}"),
    }
}

#[test]
fn values_go_both_ways() {
    let _alarm = Alarm::new();
    let (here, there) = pipe::<(u8, String), Option<f64>>().unwrap();
    here.send((1, "one".into())).unwrap();
    there.send(Some(0.5)).unwrap();
    there.try_send(None).unwrap();
    assert_eq!(there.try_recv().unwrap(), (1, "one".into()));
    assert_eq!(here.recv().unwrap(), Some(0.5));
    assert_eq!(here.recv_timeout(SHORT).unwrap(), None);
    assert!(here.try_recv().is_err_and(|error| error.is_empty()));
}

#[test]
fn time_limits_are_kept_and_lose_nothing() {
    let _alarm = Alarm::new();
    let (here, there) = pipe::<Vec<u8>, ()>().unwrap();
    let begin = Instant::now();
    assert!(!there.poll(SHORT));
    assert!(there.recv_timeout(SHORT).is_err_and(|error| error.is_timeout()));
    assert!(begin.elapsed() >= 2 * SHORT);
    let mut sent = 0;
    let refused = loop {
        match here.send_timeout(vec![sent; 30_000], SHORT) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(refused.is_timeout(), "{refused}");
    assert_eq!(refused.into_inner(), vec![sent; 30_000]);
    assert!(here.try_send(vec![9]).is_err_and(|error| error.is_full()));
    assert!(there.poll(Duration::ZERO));
    for number in 0..sent {
        assert_eq!(there.recv().unwrap(), vec![number; 30_000]);
    }
    assert!(there.try_recv().is_err_and(|error| error.is_empty()));
}

#[test]
fn each_direction_closes_by_itself() {
    let _alarm = Alarm::new();
    let (here, there) = pipe::<u32, u32>().unwrap();
    here.send(1).unwrap();
    here.close_sending().unwrap();
    assert!(here.send(2).is_err_and(|error| error.is_disconnected() && error.into_inner() == 2));
    assert_eq!(there.recv().unwrap(), 1);
    assert!(there.poll(Duration::ZERO), "the end is something to receive");
    assert!(there.recv().is_err_and(|error| error.is_disconnected()));
    there.send(3).unwrap();
    here.close_receiving().unwrap();
    assert!(there.send(4).is_err_and(|error| error.is_disconnected()));
    assert_eq!(here.recv().unwrap(), 3);
}

#[test]
fn a_value_of_another_type_is_refused_and_the_next_one_received() {
    let _alarm = Alarm::new();
    let (here, there) = pipe::<String, ()>().unwrap();
    // Both sides must agree; here the types are made to disagree on the way.
    let other: Pipe<(), (u8, u8)> = ipc::handoff::decode(ipc::handoff::encode(&there).unwrap()).unwrap();
    here.send("much longer".into()).unwrap();
    here.send("ok".into()).unwrap();
    assert!(other.recv().is_err_and(|error| error.is_refused() && !error.is_disconnected()));
    assert_eq!(there.recv().unwrap(), "ok");
    here.set_bytes_max(10);
    let refused = here.send("eleven or so".into()).unwrap_err();
    assert!(refused.is_too_large(), "{refused}");
    assert!(refused.to_string().contains("set_bytes_max"), "{refused}");
}

#[test]
fn a_value_that_cannot_be_written_down_is_given_back() {
    #[derive(Debug)]
    struct Never;
    impl serde::Serialize for Never {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("never"))
        }
    }
    let _alarm = Alarm::new();
    let (here, _there) = pipe::<Never, ()>().unwrap();
    let refused = here.send(Never).unwrap_err();
    assert!(refused.is_encode() && !refused.is_disconnected(), "{refused}");
    let Never = refused.into_inner();
}

#[test]
fn what_could_not_be_sent_still_works() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    {
        let (sender, receiver) = ipc::channel::<u32>(1).unwrap();
        sender.send(7).unwrap();
        let (here, there) = pipe::<(Receiver<u32>, Descriptor), ()>().unwrap();
        drop(there);
        let (mut reader, writer) = UnixStream::pair().unwrap();
        let (receiver, writer) = here.send((receiver, Descriptor(writer.into()))).unwrap_err().into_inner();
        assert_eq!(receiver.recv().unwrap(), 7);
        std::fs::File::from(writer.into_inner()).write_all(b"x").unwrap();
        let mut heard = Vec::new();
        reader.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"x");
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn sixty_four_mebibytes_go_to_another_process_and_back() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    let child = Child::start("child", "echo");
    let (here, there) = pipe::<String, String>().unwrap();
    child.tell(&there);
    drop(there);
    for size in [0, 1, 70_000, 64 << 20] {
        let text: String = "0123456789abcdef".chars().cycle().take(size.min(1 << 16)).collect();
        let text = text.repeat(size.div_ceil(1 << 16).max(1));
        here.send(text.clone()).unwrap();
        assert!(here.recv().unwrap() == text, "{size} bytes came back changed");
    }
    drop(here);
    child.join();
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_writer_killed_at_any_time_leaves_whole_messages_and_an_end() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    for round in 0..8 {
        let child = Child::start("child", "send for ever");
        let (here, there) = pipe::<(), Vec<u64>>().unwrap();
        child.tell(&there);
        drop(there);
        let mut next = 0;
        let mut check = |message: Vec<u64>| {
            assert_eq!(message.len(), [3, 200_000, 9_000][next as usize % 3]);
            assert!(message.iter().all(|number| *number == next));
            next += 1;
        };
        for _ in 0..round {
            check(here.recv().unwrap());
        }
        child.kill();
        let last = loop {
            match here.recv() {
                Ok(message) => check(message),
                Err(error) => break error,
            }
        };
        assert!(last.is_disconnected(), "{last}");
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_reader_that_is_killed_ends_the_senders_wait() {
    let _alarm = Alarm::new();
    let child = Child::start("child", "never receive");
    let (here, there) = pipe::<String, ()>().unwrap();
    child.tell(&there);
    drop(there);
    child.wait_until_reached();
    while here.try_send("x".repeat(100_000)).is_ok() {}
    let waiting = std::thread::spawn(move || here.send("y".repeat(10)));
    child.kill();
    let refused = waiting.join().unwrap().unwrap_err();
    assert!(refused.is_disconnected());
    assert_eq!(refused.into_inner(), "y".repeat(10));
}

#[test]
fn a_coroutine_waits_without_stopping_its_thread() {
    let _alarm = Alarm::new();
    let (here, there) = pipe::<u32, u32>().unwrap();
    let toy = Toy::install();
    toy.beside(move || {
        assert!(there.try_recv().is_err_and(|error| error.is_empty()));
        there.send(7).unwrap();
    });
    assert_eq!(here.recv().unwrap(), 7);
    assert!(toy.parks() >= 1);
    // `there` was dropped beside.
    assert!(here.recv().is_err_and(|error| error.is_disconnected()));
}

#[test]
fn tasks_of_any_runtime_wait() {
    let _alarm = Alarm::new();
    async fn talk() {
        let (here, there) = pipe::<String, usize>().unwrap();
        assert!(here.recv_async_timeout(SHORT).await.is_err_and(|error| error.is_timeout()));
        let other = std::thread::spawn(move || {
            while let Ok(text) = there.recv() {
                there.send(text.len()).unwrap();
            }
        });
        for size in [1, 100, 500_000] {
            here.send_async("x".repeat(size)).await.unwrap();
            assert_eq!(here.recv_async().await.unwrap(), size);
        }
        here.close_sending().unwrap();
        assert!(here.recv_async().await.is_err_and(|error| error.is_disconnected()));
        other.join().unwrap();

        let (full, _kept) = pipe::<String, ()>().unwrap();
        while full.try_send("x".repeat(60_000)).is_ok() {}
        let refused = full.send_async_timeout("y".into(), SHORT).await.unwrap_err();
        assert!(refused.is_timeout());
        assert_eq!(refused.into_inner(), "y");
    }
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(talk());
    smol::block_on(talk());
    sync::park::block_on(talk());
}
