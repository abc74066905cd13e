//! Values with descriptors in them, as bytes and back.
#![cfg(target_os = "linux")]

mod common;

use common::{Alarm, descriptors_open};
use ipc::{Descriptor, handoff};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

fn pipe() -> (UnixStream, Descriptor) {
    let (reader, writer) = UnixStream::pair().unwrap();
    (reader, Descriptor(writer.into()))
}

fn say(descriptor: Descriptor, what: &str) {
    std::fs::File::from(descriptor.into_inner()).write_all(what.as_bytes()).unwrap();
}

fn hear(mut reader: UnixStream) -> String {
    let mut heard = String::new();
    reader.read_to_string(&mut heard).unwrap();
    heard
}

#[test]
fn descriptors_keep_their_places() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    let (readers, writers): (Vec<_>, Vec<_>) = (0..3).map(|_| pipe()).unzip();
    let parcel = handoff::encode(&(1_u8, &writers, "end")).unwrap();
    assert_eq!(parcel.descriptors.len(), 3);
    drop(writers);
    let (one, mut writers, end): (u8, Vec<Descriptor>, String) = handoff::decode(parcel).unwrap();
    assert_eq!((one, end.as_str()), (1, "end"));
    for (place, writer) in writers.drain(..).enumerate() {
        say(writer, &place.to_string());
    }
    for (place, reader) in readers.into_iter().enumerate() {
        assert_eq!(hear(reader), place.to_string());
    }
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_descriptor_cannot_travel_any_other_way() {
    let _alarm = Alarm::new();
    let (_reader, writer) = pipe();
    let error = serde_json::to_string(&writer).unwrap_err().to_string();
    assert!(error.contains("can only travel through ipc or procs"), "{error}");
    let error = serde_json::from_str::<Descriptor>("0").unwrap_err().to_string();
    assert!(error.contains("can only travel through ipc or procs"), "{error}");
}

/// Its `Serialize` encodes another value, fails, or panics half way.
struct Odd(Descriptor, Oddity);

#[derive(Clone, Copy)]
enum Oddity {
    Nests,
    Fails,
    Panics,
    Swallows,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error, SerializeTuple};
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&self.0)?;
        match self.1 {
            Oddity::Nests => {
                let inner = handoff::encode(&(&self.0, &self.0)).map_err(S::Error::custom)?;
                assert_eq!(inner.descriptors.len(), 2);
                assert!(handoff::decode::<(Descriptor, Descriptor)>(inner).is_ok());
            }
            Oddity::Fails => return Err(S::Error::custom("no")),
            Oddity::Panics => panic!("no"),
            Oddity::Swallows => {}
        }
        tuple.serialize_element(&self.0)?;
        tuple.end()
    }
}

#[test]
fn nested_calls_and_failures_half_way_leak_nothing() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    let (reader, writer) = pipe();
    let mut odd = Odd(writer, Oddity::Nests);
    let parcel = handoff::encode(&(&odd.0, &odd)).unwrap();
    assert_eq!(parcel.descriptors.len(), 3);
    drop(parcel);
    odd.1 = Oddity::Fails;
    let error = handoff::encode(&(&odd.0, &odd)).unwrap_err();
    assert!(!error.is_descriptor() && !error.is_wrong_type(), "{error}");
    odd.1 = Oddity::Panics;
    let panicked =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| handoff::encode(&(&odd.0, &odd))));
    assert!(panicked.is_err());
    odd.1 = Oddity::Swallows;
    // The failures have left no table behind: descriptors are again refused outside.
    assert!(serde_json::to_string(&odd.0).is_err());
    assert_eq!(handoff::encode(&odd).unwrap().descriptors.len(), 2);
    drop(odd);
    assert_eq!(hear(reader), "");
    common::until(|| descriptors_open() <= before);
}

#[test]
fn parcels_that_do_not_fit_are_refused() {
    let _alarm = Alarm::new();
    let before = descriptors_open();
    let (_reader, writer) = pipe();
    let again = || handoff::encode(&(7_u8, &writer)).unwrap();

    assert!(handoff::decode::<(u8, Descriptor, u8)>(again()).is_err_and(|error| error.is_wrong_type()));
    assert!(handoff::decode::<u8>(again()).is_err_and(|error| error.is_wrong_type()));
    // One that nobody asks for is closed.
    assert_eq!(handoff::decode::<(u8, u8)>(again()).unwrap(), (7, 0));

    let mut forged = again();
    forged.bytes[1] = 5;
    assert!(handoff::decode::<(u8, Descriptor)>(forged).is_err_and(|error| error.is_descriptor()));
    let mut twice = again();
    twice.bytes.push(0);
    assert!(handoff::decode::<(u8, Descriptor, Descriptor)>(twice).is_err_and(|error| error.is_descriptor()));
    drop((_reader, writer));
    common::until(|| descriptors_open() <= before);
}

#[test]
fn a_type_may_have_descriptors_and_borrow_nothing() {
    let _alarm = Alarm::new();
    #[derive(Serialize, Deserialize)]
    struct Job {
        name: String,
        output: Option<Descriptor>,
    }
    let (reader, writer) = pipe();
    let parcel = handoff::encode(&Job { name: "a".into(), output: Some(writer) }).unwrap();
    let job: Job = handoff::decode(parcel).unwrap();
    say(job.output.unwrap(), &job.name);
    assert_eq!(hear(reader), "a");
}

#[test]
fn reading_half_a_value_is_no_value() {
    struct Never;
    impl<'de> Deserialize<'de> for Never {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let _taken = Descriptor::deserialize(deserializer)?;
            Err(serde::de::Error::custom("changed its mind"))
        }
    }
    let _alarm = Alarm::new();
    let before = descriptors_open();
    let (reader, writer) = pipe();
    let parcel = handoff::encode(&writer).unwrap();
    drop(writer);
    assert!(handoff::decode::<Never>(parcel).is_err());
    assert_eq!(hear(reader), "");
    common::until(|| descriptors_open() <= before);
}
