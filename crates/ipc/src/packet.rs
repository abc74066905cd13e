//! A parcel as one packet of a socket, and back.
//!
//! The system moves a packet in one step: it is in the receiver's queue whole, or not at all. So whatever happens to
//! the sender, be it `kill -9` in the middle of sending, nobody ever sees half a message, and two senders that share a
//! socket never mix theirs. Three things keep every parcel in **one** packet:
//!
//! ```text
//!   head: mark, form, number of descriptors, length of the bytes
//!   bytes                 up to [`INLINE_BYTES_MAX`]; the rest lies in a sealed memory file, which is attached
//!   attached descriptors  up to the system's limit for one packet; beyond that they wait in the queue of a socket of
//!                         their own, the bundle, and this one is attached
//! ```
//!
//! That the first part of long bytes is in the packet is what bounds the memory of those who send faster than others
//! receive: three or four such packets fill the socket.
//!
//! What arrives was written by another process and is checked before it is believed.

use crate::handoff::Parcel;
use crate::link::LinkError;
use crate::sys::{self, AsFd, BorrowedFd, OwnedFd};
use std::cell::RefCell;
use std::io;

/// A parcel that is ready to be sent, as often as it takes until there is room.
#[derive(Debug)]
pub(crate) struct Outgoing<'p> {
    parcel: &'p Parcel,
    /// How many bytes are in the packet itself.
    inline: usize,
    /// The others.
    memory: Option<OwnedFd>,
    bundle: Option<OwnedFd>,
}

/// Up to here, two copies through the socket's buffer are cheaper than making, filling and unmaking a file (some 10 µs).
/// Longer packets would be more than the system's buffers commonly hold at all (208 KiB), so that is the other side.
const INLINE_BYTES_MAX: usize = 64 << 10;

const HEAD_BYTES: usize = 20;
const MARK: [u8; 4] = *b"tri1";
/// The bytes that are not in the packet are in the first attached descriptor.
const IN_MEMORY_FILE: u32 = 1 << 0;
/// The descriptors are in the queue of the last attached one.
const IN_BUNDLE: u32 = 1 << 1;

impl<'p> Outgoing<'p> {
    pub(crate) fn new(parcel: &'p Parcel, bytes_max: u64) -> Result<Self, LinkError> {
        let length = parcel.bytes.len();
        if length as u64 > bytes_max {
            return Err(LinkError::TooLarge { length: length as u64, max: bytes_max });
        }
        let inline = length.min(INLINE_BYTES_MAX);
        let rest = &parcel.bytes[inline..];
        let memory = (!rest.is_empty()).then(|| sys::memory_file(rest)).transpose()?;
        // One place is kept for the memory file.
        let bundled = parcel.descriptors.len() >= sys::DESCRIPTORS_IN_PACKET;
        let bundle = bundled.then(|| bundle(&parcel.descriptors)).transpose()?;
        Ok(Outgoing { parcel, inline, memory, bundle })
    }

    /// Sends it, or does nothing and says `WouldBlock` or why not.
    pub(crate) fn send(&mut self, socket: BorrowedFd<'_>) -> io::Result<()> {
        match self.send_as_it_is(socket) {
            // The system's buffers are smaller than they commonly are.
            Err(error) if sys::is_too_long(&error) && self.inline > 0 => {
                self.inline = 0;
                self.memory = Some(sys::memory_file(&self.parcel.bytes)?);
                self.send_as_it_is(socket)
            }
            other => other,
        }
    }

    fn send_as_it_is(&self, socket: BorrowedFd<'_>) -> io::Result<()> {
        let body = &self.parcel.bytes[..self.inline];
        let mut attached: Vec<BorrowedFd<'_>> = self.memory.iter().map(OwnedFd::as_fd).collect();
        match &self.bundle {
            Some(bundle) => attached.push(bundle.as_fd()),
            None => attached.extend(self.parcel.descriptors.iter().map(OwnedFd::as_fd)),
        }
        sys::send_packet(socket, &self.head(), body, &attached)
    }

    fn head(&self) -> [u8; HEAD_BYTES] {
        let form = self.memory.as_ref().map_or(0, |_| IN_MEMORY_FILE)
            | self.bundle.as_ref().map_or(0, |_| IN_BUNDLE);
        let mut head = [0; HEAD_BYTES];
        head[..4].copy_from_slice(&MARK);
        head[4..8].copy_from_slice(&form.to_ne_bytes());
        // A process has far fewer descriptors than this could count.
        head[8..12].copy_from_slice(&(self.parcel.descriptors.len() as u32).to_ne_bytes());
        head[12..].copy_from_slice(&(self.parcel.bytes.len() as u64).to_ne_bytes());
        head
    }
}

/// A packet that was taken off a socket and not looked into.
#[derive(Debug)]
pub(crate) struct Incoming {
    head_and_body: Vec<u8>,
    attached: Vec<OwnedFd>,
    longer: bool,
    descriptors_lost: bool,
}

impl Incoming {
    /// Takes the next packet; `WouldBlock` if there is none, `Disconnected` if there will be none.
    pub(crate) fn take(socket: BorrowedFd<'_>) -> Result<Self, LinkError> {
        with_buffer(|buffer| {
            let packet = sys::receive_packet(socket, buffer)?;
            if packet.bytes == 0 {
                return Err(LinkError::Disconnected);
            }
            Ok(Incoming {
                head_and_body: buffer[..packet.bytes].to_vec(),
                attached: packet.descriptors,
                longer: packet.longer,
                descriptors_lost: packet.descriptors_lost,
            })
        })
    }

    /// The parcel that it is. One that is refused (too large, malformed) is gone.
    pub(crate) fn open(self, bytes_max: u64) -> Result<Parcel, LinkError> {
        if self.descriptors_lost {
            return Err(LinkError::DescriptorsLost);
        }
        let corrupt = LinkError::Corrupt;
        let head = self.head_and_body.first_chunk::<HEAD_BYTES>().filter(|_| !self.longer);
        let head = head.ok_or(corrupt("a packet has a length that no message has"))?;
        let head = Head::read(head).ok_or(corrupt("a packet does not begin like a message"))?;
        if head.length > bytes_max {
            return Err(LinkError::TooLarge { length: head.length, max: bytes_max });
        }
        let mut attached = self.attached.into_iter();
        let mut bytes = self.head_and_body;
        bytes.drain(..HEAD_BYTES);
        if head.form & IN_MEMORY_FILE != 0 {
            let file = attached.next().ok_or(corrupt("a message came without the file of its bytes"))?;
            read_file(file, head.length, &mut bytes)?;
        }
        let mut descriptors: Vec<OwnedFd> = attached.collect();
        if head.form & IN_BUNDLE != 0 {
            let bundle = descriptors.pop().filter(|_| descriptors.is_empty());
            let bundle = bundle.ok_or(corrupt("a message came without the bundle of its descriptors"))?;
            unbundle(bundle.as_fd(), head.descriptors, &mut descriptors)?;
        }
        if bytes.len() as u64 != head.length || descriptors.len() != head.descriptors as usize {
            return Err(corrupt("a message does not hold what its head announces"));
        }
        Ok(Parcel { bytes, descriptors })
    }
}

struct Head {
    form: u32,
    descriptors: u32,
    length: u64,
}

impl Head {
    fn read(head: &[u8; HEAD_BYTES]) -> Option<Self> {
        let (mark, rest) = head.split_first_chunk::<4>()?;
        let (form, rest) = rest.split_first_chunk::<4>()?;
        let (descriptors, rest) = rest.split_first_chunk::<4>()?;
        let head = Head {
            form: u32::from_ne_bytes(*form),
            descriptors: u32::from_ne_bytes(*descriptors),
            length: u64::from_ne_bytes(rest.try_into().ok()?),
        };
        (*mark == MARK && head.form & !(IN_MEMORY_FILE | IN_BUNDLE) == 0).then_some(head)
    }
}

fn read_file(file: OwnedFd, length: u64, bytes: &mut Vec<u8>) -> Result<(), LinkError> {
    let length = usize::try_from(length).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    sys::read_memory_file(file, length, bytes).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => LinkError::Corrupt("the file of a message's bytes is not one of ours"),
        _ => LinkError::Io(error),
    })
}

/// A socket in whose queue the descriptors wait.
fn bundle(descriptors: &[OwnedFd]) -> io::Result<OwnedFd> {
    let (filled, carried) = sys::packet_pair()?;
    for some in descriptors.chunks(sys::DESCRIPTORS_IN_PACKET) {
        let some: Vec<BorrowedFd<'_>> = some.iter().map(OwnedFd::as_fd).collect();
        sys::send_packet(filled.as_fd(), &[1], &[], &some).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} descriptors are more than one message can carry", descriptors.len()),
            ),
            _ => error,
        })?;
    }
    Ok(carried)
}

fn unbundle(bundle: BorrowedFd<'_>, number: u32, into: &mut Vec<OwnedFd>) -> Result<(), LinkError> {
    while into.len() < number as usize {
        let packet = sys::receive_packet(bundle, &mut [0; 1])
            .map_err(|_| LinkError::Corrupt("the bundle of a message's descriptors is not one of ours"))?;
        if packet.descriptors_lost {
            return Err(LinkError::DescriptorsLost);
        }
        if packet.descriptors.is_empty() {
            break;
        }
        into.extend(packet.descriptors);
    }
    Ok(())
}

/// Lends this thread's buffer for packets: their length is known only when they are there.
fn with_buffer<R>(act: impl FnOnce(&mut [u8]) -> R) -> R {
    thread_local! {
        static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    }
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(HEAD_BYTES + INLINE_BYTES_MAX, 0);
        act(buffer)
    })
}
