//! What a sender does.

use super::crash;
use crate::handoff::Parcel;
use crate::link::LinkError;
use crate::packet::Outgoing;
use crate::ready::{self, Interest};
use crate::sys::{self, AsFd, BorrowedFd, OwnedFd};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A sender's descriptors; see the [module](super).
#[derive(Debug)]
pub(super) struct Sending {
    pub(super) baton_in: OwnedFd,
    pub(super) baton_out: OwnedFd,
    pub(super) line: OwnedFd,
    pub(super) permits: OwnedFd,
    pub(super) bytes_max: AtomicU64,
}

/// The writing end of the current segment, while it is in this sender's hand. Dropped without having been put back, it is
/// lost, and the receiver makes another one.
struct Baton {
    segment: OwnedFd,
}

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Sent,
    /// Somebody else has the baton, or it is lost.
    NoBaton,
    /// All places are taken.
    NoPermit,
    /// The segment is full, and so is the line that would carry another one.
    NoRoomInLine,
}

/// How long `try_send` waits for others who are at it. Each has the baton for some microseconds, unless the system
/// suspends him just then. Too short, and a channel with room seems full on a busy machine; too long, and a `try_` blocks.
const OTHERS_ARE_AT_IT: Duration = Duration::from_millis(10);

impl Sending {
    /// Sends, waiting for room until `deadline`. Blocks.
    pub(super) fn send(&self, parcel: &Parcel, deadline: Option<Instant>) -> Result<(), LinkError> {
        let mut outgoing = self.outgoing(parcel)?;
        loop {
            let waits = match self.attempt(&mut outgoing)? {
                Attempt::Sent => return Ok(()),
                in_vain => self.waits(in_vain),
            };
            self.check(ready::wait_any(&waits, deadline)?.ok_or(LinkError::TimedOut)?)?;
        }
    }

    /// Sends if there is room.
    pub(super) fn try_send(&self, parcel: &Parcel) -> Result<(), LinkError> {
        let mut outgoing = self.outgoing(parcel)?;
        let deadline = Instant::now() + OTHERS_ARE_AT_IT;
        loop {
            match self.attempt(&mut outgoing)? {
                Attempt::Sent => return Ok(()),
                Attempt::NoBaton => {
                    let waits = self.waits(Attempt::NoBaton);
                    self.check(ready::wait_any(&waits, Some(deadline))?.ok_or(LinkError::WouldBlock)?)?;
                }
                Attempt::NoPermit | Attempt::NoRoomInLine => return Err(LinkError::WouldBlock),
            }
        }
    }

    /// Sends, waiting for room. Dropping the future between two attempts leaves nothing in hand.
    pub(super) async fn send_async(&self, parcel: &Parcel) -> Result<(), LinkError> {
        let mut outgoing = self.outgoing(parcel)?;
        loop {
            let waits = match self.attempt(&mut outgoing)? {
                Attempt::Sent => return Ok(()),
                in_vain => self.waits(in_vain),
            };
            self.check(ready::wait_any_async(&waits).await?)?;
        }
    }

    fn outgoing<'p>(&self, parcel: &'p Parcel) -> Result<Outgoing<'p>, LinkError> {
        // Relaxed: the number guards no other data.
        Outgoing::new(parcel, self.bytes_max.load(Ordering::Relaxed))
    }

    /// What to wait for after an attempt in vain. The last is the receiver's end: nothing else ever comes along the line.
    fn waits(&self, in_vain: Attempt) -> [(BorrowedFd<'_>, Interest); 2] {
        let first = match in_vain {
            Attempt::NoBaton => (self.baton_out.as_fd(), Interest::Read),
            Attempt::NoPermit => (self.permits.as_fd(), Interest::Read),
            Attempt::NoRoomInLine => (self.line.as_fd(), Interest::Write),
            Attempt::Sent => unreachable!("who has sent does not wait"),
        };
        [first, (self.line.as_fd(), Interest::Read)]
    }

    fn check(&self, ready: usize) -> Result<(), LinkError> {
        if ready == 1 { Err(LinkError::Disconnected) } else { Ok(()) }
    }

    /// Takes the baton, sends, and puts it back, without waiting.
    fn attempt(&self, outgoing: &mut Outgoing<'_>) -> Result<Attempt, LinkError> {
        crash::point("before the baton");
        let Some(mut baton) = self.take_baton()? else { return Ok(Attempt::NoBaton) };
        crash::point("with the baton");
        let result = self.send_with(&mut baton, outgoing);
        // Whatever came of it. If it cannot be put back, it is dropped here, and the receiver makes another one.
        let _ = put_baton(self.baton_in.as_fd(), baton.segment.as_fd());
        crash::point("baton put back, in hand too");
        drop(baton);
        result
    }

    fn take_baton(&self) -> Result<Option<Baton>, LinkError> {
        let mut packet = match sys::receive_packet(self.baton_out.as_fd(), &mut [0; 1]) {
            Ok(packet) => packet,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match packet.descriptors.pop() {
            Some(segment) => Ok(Some(Baton { segment })),
            None if packet.descriptors_lost => Err(LinkError::DescriptorsLost),
            None => Err(LinkError::Corrupt("the channel's baton is not one of ours")),
        }
    }

    fn send_with(&self, baton: &mut Baton, outgoing: &mut Outgoing<'_>) -> Result<Attempt, LinkError> {
        if !sys::take_permit(self.permits.as_fd())? {
            return Ok(Attempt::NoPermit);
        }
        crash::point("with the baton and a permit");
        let result = self.send_on(baton, outgoing);
        crash::point("after sending");
        if !matches!(result, Ok(Attempt::Sent)) {
            // The permit was for a message that there is not.
            sys::give_permits(self.permits.as_fd(), 1)?;
        }
        result
    }

    fn send_on(&self, baton: &mut Baton, outgoing: &mut Outgoing<'_>) -> Result<Attempt, LinkError> {
        match outgoing.send(baton.segment.as_fd()) {
            Ok(()) => return Ok(Attempt::Sent),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(LinkError::of_send(error)),
        }
        let (segment, read) = sys::packet_pair()?;
        match sys::send_packet(self.line.as_fd(), &[0], &[], &[read.as_fd()]) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Attempt::NoRoomInLine),
            Err(error) => return Err(LinkError::of_send(error)),
        }
        crash::point("after the new segment");
        baton.segment = segment;
        drop(read);
        outgoing.send(baton.segment.as_fd()).map_err(LinkError::of_send)?;
        Ok(Attempt::Sent)
    }
}

/// Puts a baton where the next sender takes it.
pub(super) fn put_baton(baton_in: BorrowedFd<'_>, segment: BorrowedFd<'_>) -> io::Result<()> {
    sys::send_packet(baton_in, &[0], &[], &[segment])
}
