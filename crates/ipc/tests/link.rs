//! Parcels between two ends: whole, in order, of any size, with their descriptors.
#![cfg(target_os = "linux")]

mod common;

use common::{Alarm, descriptors_open, parcel};
use ipc::{Interest, Link, LinkError, Parcel};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

fn soon() -> Option<Instant> {
    Some(Instant::now() + Duration::from_millis(30))
}

#[test]
fn parcels_arrive_whole_and_in_order() {
    let _alarm = Alarm::new();
    let (here, there) = Link::pair().unwrap();
    let sizes = [0, 1, 20, 4096, 65_535, 65_536, 65_537, 1 << 20, 0];
    let sender = std::thread::spawn(move || {
        for (number, size) in sizes.into_iter().enumerate() {
            here.send(&parcel(number as u8, size), None).unwrap();
        }
    });
    for (number, size) in sizes.into_iter().enumerate() {
        assert_eq!(there.receive(None).unwrap().bytes, parcel(number as u8, size).bytes);
    }
    sender.join().unwrap();
    assert!(there.receive(None).is_err_and(|error| error.is_disconnected()));
}

#[test]
fn any_number_of_descriptors_travels_with_a_parcel() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    for (number, size) in [(1, 5), (199, 100_000), (200, 5), (200, 100_000), (333, 100_000)] {
        let (here, there) = Link::pair().unwrap();
        let pipes: Vec<_> = (0..number).map(|_| UnixStream::pair().unwrap()).collect();
        let (readers, writers): (Vec<_>, Vec<_>) = pipes.into_iter().unzip();
        let descriptors = writers.into_iter().map(OwnedFd::from).collect();
        here.send(&Parcel { bytes: vec![7; size], descriptors }, None).unwrap();
        let arrived = there.receive(None).unwrap();
        assert_eq!(arrived.bytes, vec![7; size]);
        assert_eq!(arrived.descriptors.len(), number);
        for (number, (writer, mut reader)) in arrived.descriptors.into_iter().zip(readers).enumerate() {
            std::fs::File::from(writer).write_all(&number.to_ne_bytes()).unwrap();
            let mut heard = Vec::new();
            reader.read_to_end(&mut heard).unwrap();
            assert_eq!(heard, number.to_ne_bytes());
        }
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn descriptors_that_nobody_receives_are_closed() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let (here, there) = Link::pair().unwrap();
    here.send(&Parcel { bytes: Vec::new(), descriptors: vec![writer.into()] }, None).unwrap();
    drop(here);
    drop(there);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the writing end must be closed");
    drop(reader);
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_full_link_makes_the_sender_wait_and_stays_usable() {
    let _alarm = Alarm::new();
    let (here, there) = Link::pair().unwrap();
    let large = parcel(1, 60_000);
    let mut sent = 0;
    while here.try_send(&large).is_ok() {
        sent += 1;
    }
    assert!(here.try_send(&large).is_err_and(|error| error.is_would_block()));
    let begin = Instant::now();
    assert!(here.send(&large, soon()).is_err_and(|error| error.is_timeout()));
    assert!(begin.elapsed() >= Duration::from_millis(25));

    std::thread::scope(|scope| {
        scope.spawn(|| here.send(&parcel(2, 70_000), None).unwrap());
        for _ in 0..sent {
            assert_eq!(there.receive(None).unwrap().bytes, large.bytes);
        }
        assert_eq!(there.receive(None).unwrap().bytes, parcel(2, 70_000).bytes);
    });
    assert!(there.try_receive().is_err_and(|error| error.is_would_block()));
    assert!(there.receive(soon()).is_err_and(|error| error.is_timeout()));
}

#[test]
fn what_was_sent_before_the_end_is_received() {
    let _alarm = Alarm::new();
    let (here, there) = Link::pair().unwrap();
    here.send(&parcel(1, 10), None).unwrap();
    // Unread by `here`: the system reports that as an error, which must not hide the parcel.
    there.send(&parcel(2, 10), None).unwrap();
    drop(here);
    assert_eq!(there.receive(None).unwrap().bytes, parcel(1, 10).bytes);
    assert!(there.receive(None).is_err_and(|error| error.is_disconnected()));
    assert!(there.send(&parcel(3, 10), None).is_err_and(|error| error.is_disconnected()));
}

#[test]
fn one_direction_can_end_before_the_other() {
    let _alarm = Alarm::new();
    let (here, there) = Link::pair().unwrap();
    here.send(&parcel(1, 10), None).unwrap();
    here.shut_down(Interest::Write).unwrap();
    assert_eq!(there.receive(None).unwrap().bytes, parcel(1, 10).bytes);
    assert!(there.receive(None).is_err_and(|error| error.is_disconnected()));
    there.send(&parcel(2, 10), None).unwrap();
    assert_eq!(here.receive(None).unwrap().bytes, parcel(2, 10).bytes);
    here.shut_down(Interest::Read).unwrap();
    assert!(there.send(&parcel(3, 10), None).is_err_and(|error| error.is_disconnected()));
    drop(there);
    here.shut_down(Interest::Write).unwrap();
}

#[test]
fn a_want_of_descriptors_comes_with_its_remedy() {
    const OPEN: i32 = 24;
    const ON_THEIR_WAY: i32 = 109;
    const NO_MEMORY: i32 = 12;
    for (errno, helps) in [(OPEN, true), (ON_THEIR_WAY, true), (NO_MEMORY, false)] {
        let text = LinkError::from(std::io::Error::from_raw_os_error(errno)).to_string();
        assert!(text.contains(&format!("os error {errno}")), "{text}");
        assert_eq!(text.contains("`ulimit -n`"), helps, "{text}");
    }
}

#[test]
fn a_parcel_over_the_limit_is_refused_on_both_sides() {
    let _alarm = Alarm::new();
    let (here, there) = Link::pair().unwrap();
    here.set_bytes_max(100);
    let refused = here.send(&parcel(1, 101), None).unwrap_err();
    assert!(matches!(refused, LinkError::TooLarge { length: 101, max: 100 }), "{refused:?}");
    here.set_bytes_max(200_000);
    there.set_bytes_max(100);
    for size in [101, 200_000] {
        here.send(&parcel(1, size), None).unwrap();
        here.send(&parcel(2, 100), None).unwrap();
        let refused = there.receive(None).unwrap_err();
        assert!(matches!(refused, LinkError::TooLarge { max: 100, .. }), "{refused:?}");
        assert_eq!(there.receive(None).unwrap().bytes, parcel(2, 100).bytes);
    }
}

#[test]
fn what_no_link_has_sent_is_reported_and_harms_nothing() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::mem::MaybeUninit;
    use std::os::fd::AsFd;
    let _alarm = Alarm::new();
    let before = descriptors_open();
    {
        let (here, there) = Link::pair().unwrap();
        let head = |form: u32, descriptors: u32, length: u64| {
            let mut head = b"tri1".to_vec();
            head.extend(form.to_ne_bytes());
            head.extend(descriptors.to_ne_bytes());
            head.extend(length.to_ne_bytes());
            head
        };
        let (pipe, _writer) = UnixStream::pair().unwrap();
        let unsealed = rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&unsealed, 1 << 20).unwrap();
        let lies = [
            (b"x".to_vec(), None),
            (b"tri2aaaabbbbccccdddd".to_vec(), None),
            (vec![0; 80_000], None),
            (head(0, 0, 5), None),
            (head(0, 1, 0), None),
            (head(0, 0, 0), Some(pipe.as_fd())),
            (head(4, 0, 0), None),
            (head(1, 0, u64::MAX), Some(unsealed.as_fd())),
            (head(1, 0, 1 << 20), None),
            // A pipe would block for ever, and the other file could shrink.
            (head(1, 0, 1 << 20), Some(pipe.as_fd())),
            (head(1, 0, 1 << 20), Some(unsealed.as_fd())),
            (head(2, 300, 0), Some(pipe.as_fd())),
            (head(2, u32::MAX, 0), Some(here.as_fd())),
        ];
        for (bytes, descriptor) in lies {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let attached = descriptor.as_slice();
            if !attached.is_empty() {
                assert!(control.push(SendAncillaryMessage::ScmRights(attached)));
            }
            let part = std::io::IoSlice::new(&bytes);
            sendmsg(here.as_fd(), &[part], &mut control, SendFlags::NOSIGNAL).unwrap();
            let error = there.receive(None).unwrap_err();
            assert!(matches!(error, LinkError::Corrupt(_) | LinkError::TooLarge { .. }), "{error:?}");
        }
        here.send(&parcel(1, 10), None).unwrap();
        assert_eq!(there.receive(None).unwrap().bytes, parcel(1, 10).bytes);
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_link_travels_over_a_link() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    {
        let (here, there) = Link::pair().unwrap();
        let (inner_here, inner_there) = Link::pair().unwrap();
        inner_there.set_bytes_max(12);
        here.send(&ipc::handoff::encode(&inner_there).unwrap(), None).unwrap();
        drop(inner_there);
        let arrived: Link = ipc::handoff::decode(there.receive(None).unwrap()).unwrap();
        assert_eq!(arrived.bytes_max(), 12);
        inner_here.send(&parcel(1, 5), None).unwrap();
        assert_eq!(arrived.receive(None).unwrap().bytes, parcel(1, 5).bytes);
        drop(arrived);
        assert!(inner_here.receive(None).is_err_and(|error| error.is_disconnected()));
        let (pipe, _writer) = UnixStream::pair().unwrap();
        assert_eq!(Link::from_fd(pipe.into()).unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    }
    common::until(|| descriptors_open() <= before);
}
