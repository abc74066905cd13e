//! Values as bytes and descriptors, so that they can go to another process.
//!
//! Most of a value is bytes, which serde describes and postcard writes. A descriptor is not: its number means nothing in
//! another process. So a type that holds one puts a duplicate aside while it is being serialized and writes down which one
//! it was; [`encode`] hands bytes and descriptors over together as a [`Parcel`], and [`decode`] gives the descriptors back
//! to the types that ask for them. [`Descriptor`] is the type to build on.
//!
//! This works within `encode` and `decode` alone. Anywhere else (writing a `Sender` to a file as JSON, say) serializing
//! such a type is an error whose text says so.

use crate::sys::{AsFd, BorrowedFd, OwnedFd};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::RefCell;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A value on its way to another process.
#[derive(Debug, Default)]
pub struct Parcel {
    /// What postcard wrote.
    pub bytes: Vec<u8>,
    /// Duplicates of the descriptors inside the value, in the order in which the bytes name them.
    pub descriptors: Vec<OwnedFd>,
}

/// Writes a value down.
///
/// The descriptors in the parcel are duplicates: the value keeps its own, and the parcel closes what it holds when it is
/// dropped. One allocation or more, as the bytes grow.
///
/// # Errors
/// [`HandoffError`]: the value's own `Serialize` failed, or a descriptor could not be duplicated.
///
/// # Examples
/// ```
/// let parcel = ipc::handoff::encode(&("seven", 7_u32))?;
/// let (word, number): (String, u32) = ipc::handoff::decode(parcel)?;
/// assert_eq!((word.as_str(), number), ("seven", 7));
/// # Ok::<(), ipc::HandoffError>(())
/// ```
pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Parcel, HandoffError> {
    let (parcel, moves) = encode_moving(value)?;
    moves.done();
    Ok(parcel)
}

/// As [`encode`]; what the value holds that can be in one process only is marked as moved once the parcel has gone.
pub(crate) fn encode_moving<T: Serialize + ?Sized>(value: &T) -> Result<(Parcel, Moves), HandoffError> {
    let table = Table::open(Side::Out, Vec::new());
    let written = postcard::to_allocvec(value);
    let entries = table.close();
    match (written, entries.failed) {
        (Ok(bytes), None) => {
            let descriptors = entries.descriptors.into_iter().flatten().collect();
            Ok((Parcel { bytes, descriptors }, entries.moves))
        }
        // A type may swallow the error of a part; the parcel is incomplete all the same.
        (_, Some(error)) => Err(HandoffError { why: Why::Descriptor(error) }),
        (Err(error), None) => Err(HandoffError { why: Why::Write(error) }),
    }
}

/// Reads a value from what [`encode`] made of it, here or in another process of the same program.
///
/// Descriptors that the value does not ask for are closed.
///
/// # Errors
/// [`HandoffError`]: the bytes are not those of a `T`, some are left over, or the value asks for a descriptor that is not
/// in the parcel.
pub fn decode<T: DeserializeOwned>(parcel: Parcel) -> Result<T, HandoffError> {
    let table = Table::open(Side::In, parcel.descriptors);
    let read = postcard::take_from_bytes::<T>(&parcel.bytes);
    match (read, table.close().failed) {
        (Ok((value, [])), None) => Ok(value),
        (_, Some(error)) => Err(HandoffError { why: Why::Descriptor(error) }),
        (Ok((_, rest)), None) => Err(HandoffError { why: Why::LeftOver(rest.len()) }),
        (Err(error), None) => Err(HandoffError { why: Why::Read(error) }),
    }
}

/// A descriptor that can be part of a value that goes to another process.
///
/// The other process gets a duplicate: what it opens, reads and seeks is the same open file, pipe or socket. Dropping
/// closes this one alone.
///
/// # Examples
/// ```
/// # #[cfg(target_os = "linux")] {
/// use ipc::{Descriptor, handoff};
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// let (mut reader, writer) = UnixStream::pair()?;
/// let parcel = handoff::encode(&("the writing end", Descriptor(writer.into())))?;
/// // `parcel` could travel now.
/// let (_, writer): (String, Descriptor) = handoff::decode(parcel)?;
/// std::fs::File::from(writer.into_inner()).write_all(b"hello")?;
/// let mut heard = String::new();
/// reader.read_to_string(&mut heard)?;
/// assert_eq!(heard, "hello");
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Descriptor(pub OwnedFd);

impl Descriptor {
    /// The descriptor itself.
    #[must_use]
    pub fn into_inner(self) -> OwnedFd {
        self.0
    }
}

impl From<OwnedFd> for Descriptor {
    fn from(fd: OwnedFd) -> Self {
        Descriptor(fd)
    }
}

impl From<Descriptor> for OwnedFd {
    fn from(descriptor: Descriptor) -> Self {
        descriptor.0
    }
}

impl AsFd for Descriptor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Serialize for Descriptor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Lent(self.0.as_fd()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Descriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_fd(deserializer).map(Descriptor)
    }
}

/// A descriptor that is written as a [`Descriptor`] is.
pub(crate) struct Lent<'fd>(pub(crate) BorrowedFd<'fd>);

impl Serialize for Lent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let place = with_table(|table| match table {
            Some(table) if matches!(table.side, Side::Out) => table.put(self.0),
            _ => Err(ONLY_HERE),
        });
        place.map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// Has `moved` set if the value that is being encoded reaches its parcel, and says whether it was not yet.
pub(crate) fn moves(moved: &Arc<AtomicBool>) -> bool {
    // Relaxed: the flag guards no data.
    let first = !moved.swap(true, Ordering::Relaxed);
    if first {
        with_table(|table| match table {
            Some(table) => table.moves.0.push(Arc::clone(moved)),
            // No descriptor can be written either, so the value goes nowhere.
            None => moved.store(false, Ordering::Relaxed),
        });
    }
    first
}

/// What has left this process with a parcel. Dropping it before that is [`done`](Moves::done) takes it all back.
#[derive(Debug, Default)]
pub(crate) struct Moves(Vec<Arc<AtomicBool>>);

impl Moves {
    pub(crate) fn done(mut self) {
        self.0.clear();
    }
}

impl Drop for Moves {
    fn drop(&mut self) {
        self.0.iter().for_each(|moved| moved.store(false, Ordering::Relaxed));
    }
}

/// Takes the descriptor that the bytes name.
pub(crate) fn deserialize_fd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OwnedFd, D::Error> {
    // Asked first: outside of `decode` whatever follows is no number of ours.
    let inside = with_table(|table| table.is_some_and(|table| matches!(table.side, Side::In)));
    if !inside {
        return Err(serde::de::Error::custom(ONLY_HERE));
    }
    let place = u32::deserialize(deserializer)?;
    let taken = with_table(|table| table.ok_or(ONLY_HERE)?.take(place));
    taken.map_err(serde::de::Error::custom)
}

const ONLY_HERE: &str = "a descriptor is not data: it can only travel through ipc or procs (send it over a pipe or a \
                         channel, or pass it to a process as an argument)";

/// The descriptors of the `encode` or `decode` that runs on this thread.
struct Tables {
    /// A `Serialize` may call `encode` itself; the innermost call is the last.
    open: Vec<Entries>,
}

struct Entries {
    side: Side,
    descriptors: Vec<Option<OwnedFd>>,
    /// What went wrong with a descriptor. postcard's own errors carry no text.
    failed: Option<io::Error>,
    moves: Moves,
}

#[derive(Clone, Copy)]
enum Side {
    Out,
    In,
}

thread_local! {
    static TABLES: RefCell<Tables> = const { RefCell::new(Tables { open: Vec::new() }) };
}

/// Takes the innermost table away, be it by a panic, and with it every descriptor that nobody has taken.
struct Table {
    closed: bool,
}

impl Table {
    fn open(side: Side, descriptors: Vec<OwnedFd>) -> Self {
        let descriptors = descriptors.into_iter().map(Some).collect();
        let entries = Entries { side, descriptors, failed: None, moves: Moves::default() };
        TABLES.with_borrow_mut(|tables| tables.open.push(entries));
        Table { closed: false }
    }

    fn close(mut self) -> Entries {
        self.closed = true;
        match TABLES.with_borrow_mut(|tables| tables.open.pop()) {
            Some(entries) => entries,
            None => unreachable!("each guard takes away the table that it has opened"),
        }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        if !self.closed {
            let entries = TABLES.with_borrow_mut(|tables| tables.open.pop());
            drop(entries);
        }
    }
}

impl Entries {
    fn put(&mut self, fd: BorrowedFd<'_>) -> Result<u32, &'static str> {
        let Ok(place) = u32::try_from(self.descriptors.len()) else {
            return Err("a value holds more than four thousand million descriptors");
        };
        match fd.try_clone_to_owned() {
            Ok(duplicate) => {
                self.descriptors.push(Some(duplicate));
                Ok(place)
            }
            Err(error) => {
                self.failed.get_or_insert(error);
                Err("a descriptor could not be duplicated")
            }
        }
    }

    fn take(&mut self, place: u32) -> Result<OwnedFd, &'static str> {
        const MISSING: &str = "the value names a descriptor that did not come with it, or names one twice";
        let taken = usize::try_from(place).ok().and_then(|place| self.descriptors.get_mut(place)?.take());
        if taken.is_none() {
            self.failed.get_or_insert(io::Error::new(io::ErrorKind::InvalidData, MISSING));
        }
        taken.ok_or(MISSING)
    }
}

fn with_table<R>(act: impl FnOnce(Option<&mut Entries>) -> R) -> R {
    TABLES.with_borrow_mut(|tables| act(tables.open.last_mut()))
}

/// A value could not be written down or read.
#[derive(Debug)]
pub struct HandoffError {
    why: Why,
}

#[derive(Debug)]
enum Why {
    Write(postcard::Error),
    Read(postcard::Error),
    LeftOver(usize),
    Descriptor(io::Error),
}

impl HandoffError {
    /// Whether it was about a descriptor: it could not be duplicated, or did not come with the bytes.
    #[must_use]
    pub fn is_descriptor(&self) -> bool {
        matches!(self.why, Why::Descriptor(_))
    }

    /// Whether the bytes were not those of the type that was asked for.
    #[must_use]
    pub fn is_wrong_type(&self) -> bool {
        matches!(self.why, Why::Read(_) | Why::LeftOver(_))
    }
}

impl fmt::Display for HandoffError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why {
            Why::Write(error) => write!(
                f,
                "the value could not be written down ({error}); types that work with every format of serde do, those \
                 that describe themselves, such as untagged enums, do not"
            ),
            Why::Read(error) => write!(
                f,
                "the bytes are not those of the type that was asked for ({error}); both sides must name the same type"
            ),
            Why::LeftOver(bytes) => {
                write!(f, "{bytes} bytes are left behind the value; both sides must name the same type")
            }
            Why::Descriptor(error) => write!(f, "a descriptor in the value could not be carried: {error}"),
        }
    }
}

impl std::error::Error for HandoffError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.why {
            Why::Write(error) | Why::Read(error) => Some(error),
            Why::LeftOver(_) => None,
            Why::Descriptor(error) => Some(error),
        }
    }
}
