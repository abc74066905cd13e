//! What the receiver does.

use super::sending::put_baton;
use crate::error::{NotReceived, RecvError};
use crate::handoff::{self, Descriptor, Lent, Parcel};
use crate::link::{Link, LinkError};
use crate::packet::Incoming;
use crate::ready::{self, Interest};
use crate::sys::{self, AsFd, BorrowedFd, OwnedFd};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// The receiver's descriptors; see the [module](super).
#[derive(Debug)]
pub(super) struct Receiving {
    pub(super) capacity: u32,
    pub(super) bytes_max: AtomicU64,
    /// It was sent to another process. Set and read under the lock of the segment, so that nothing is received here after
    /// it was written down for there.
    moved: Arc<AtomicBool>,
    /// The reading end of the current segment. Threads that receive at the same time take turns under the lock, in which
    /// nothing waits; those that wait hold the segment without it, and look again when they wake.
    segment: Mutex<Arc<OwnedFd>>,
    baton_in: OwnedFd,
    line: OwnedFd,
    permits: OwnedFd,
}

impl Receiving {
    /// With a first segment, whose baton is in its place, and all permits given.
    pub(super) fn new(capacity: u32, baton_in: OwnedFd, line: OwnedFd, permits: OwnedFd) -> io::Result<Self> {
        let (written, read) = sys::packet_pair()?;
        put_baton(baton_in.as_fd(), written.as_fd())?;
        sys::give_permits(permits.as_fd(), capacity.into())?;
        let bytes_max = AtomicU64::new(Link::BYTES_MAX);
        let segment = Mutex::new(Arc::new(read));
        Ok(Receiving { capacity, bytes_max, moved: Arc::default(), segment, baton_in, line, permits })
    }

    /// Receives, waiting until `deadline`. Blocks.
    pub(super) fn receive(&self, deadline: Option<Instant>) -> Result<Parcel, RecvError> {
        loop {
            match self.try_receive() {
                Err(error) if error.is_empty() => {}
                done => return done,
            }
            if !self.wait(deadline)? {
                return Err(LinkError::TimedOut.into());
            }
        }
    }

    /// Receives if a message is there.
    pub(super) fn try_receive(&self) -> Result<Parcel, RecvError> {
        let incoming = self.at_the_front(|segment| {
            let incoming = Incoming::take(segment)?;
            // Under the lock: see `renew`.
            sys::give_permits(self.permits.as_fd(), 1)?;
            Ok(incoming)
        })?;
        // Relaxed: the number guards no other data.
        Ok(incoming.open(self.bytes_max.load(Ordering::Relaxed))?)
    }

    /// Receives, waiting. A message is taken in the poll that returns it.
    pub(super) async fn receive_async(&self) -> Result<Parcel, RecvError> {
        loop {
            match self.try_receive() {
                Err(error) if error.is_empty() => {}
                done => return done,
            }
            let segment = Arc::clone(&self.segment());
            ready::wait_async(segment.as_fd(), Interest::Read).await.map_err(LinkError::from)?;
        }
    }

    /// Waits until there is a message or there will be none. Blocks.
    pub(super) fn poll(&self, deadline: Option<Instant>) -> bool {
        loop {
            let waits = self.at_the_front(|segment| match sys::packet_waits(segment)? {
                true => Ok(()),
                false => Err(LinkError::Disconnected),
            });
            match waits {
                Err(error) if error.is_empty() => {}
                // Any other error is what receiving would report.
                Ok(()) | Err(_) => return true,
            }
            match self.wait(deadline) {
                Ok(true) => {}
                Ok(false) => return false,
                Err(_) => return true,
            }
        }
    }

    /// Waits until the segment holds something or has ended. Blocks.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool, LinkError> {
        let segment = Arc::clone(&self.segment());
        Ok(ready::wait(segment.as_fd(), Interest::Read, deadline)?)
    }

    /// Acts on the first segment that has not ended, under the lock.
    fn at_the_front<R>(&self, act: impl Fn(BorrowedFd<'_>) -> Result<R, LinkError>) -> Result<R, RecvError> {
        let mut segment = self.segment();
        // Relaxed: the lock orders it.
        if self.moved.load(Ordering::Relaxed) {
            return Err(NotReceived::Moved.into());
        }
        loop {
            match act(segment.as_fd()) {
                Err(LinkError::Disconnected) => *segment = Arc::new(self.next_segment()?),
                other => return Ok(other?),
            }
        }
    }

    /// The segment behind one that has ended. `Disconnected` if there will be none.
    fn next_segment(&self) -> Result<OwnedFd, LinkError> {
        // Looked at before it is taken: if this process may not have another descriptor just now, the segment and all
        // messages in it stay where they are.
        let mut seen = match sys::look_at_packet(self.line.as_fd(), &mut [0; 1]) {
            Ok(packet) => packet,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(self.renew()?),
            Err(error) => return Err(error.into()),
        };
        if seen.bytes == 0 {
            return Err(LinkError::Disconnected);
        }
        match seen.descriptors.pop() {
            Some(segment) => {
                sys::receive_packet(self.line.as_fd(), &mut [0; 1])?;
                Ok(segment)
            }
            None if seen.descriptors_lost => Err(LinkError::Io(sys::too_many_descriptors())),
            None => Err(LinkError::Corrupt("what came along the channel's line is no segment")),
        }
    }

    /// Sets right what a dead sender has left behind: the baton is lost, everything that was sent has been taken, and no
    /// permit is on its way, for this is under the lock. If it fails half way, the next call begins anew.
    fn renew(&self) -> io::Result<OwnedFd> {
        while sys::take_permit(self.permits.as_fd())? {}
        let (written, read) = sys::packet_pair()?;
        match put_baton(self.baton_in.as_fd(), written.as_fd()) {
            // The last sender has gone meanwhile. The new segment ends at once, and behind it is the end of the line.
            Err(error) if sys::nobody_receives(&error) => {}
            done => done?,
        }
        sys::give_permits(self.permits.as_fd(), self.capacity.into())?;
        Ok(read)
    }

    fn segment(&self) -> MutexGuard<'_, Arc<OwnedFd>> {
        // What is replaced under the lock is replaced in one step.
        self.segment.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// It moves: what has been written down here is received there alone, unless it could not be sent after all.
impl Serialize for Receiving {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let segment = self.segment();
        if !handoff::moves(&self.moved) {
            return Err(serde::ser::Error::custom("this receiver was sent to another process before"));
        }
        let bytes_max = self.bytes_max.load(Ordering::Relaxed);
        let descriptors = [&**segment, &self.baton_in, &self.line, &self.permits];
        (self.capacity, bytes_max, descriptors.map(|fd| Lent(fd.as_fd()))).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Receiving {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (capacity, bytes_max, descriptors) = <(u32, u64, [Descriptor; 4])>::deserialize(deserializer)?;
        let [segment, baton_in, line, permits] = descriptors.map(Descriptor::into_inner);
        let bytes_max = AtomicU64::new(bytes_max);
        let segment = Mutex::new(Arc::new(segment));
        Ok(Receiving { capacity, bytes_max, moved: Arc::default(), segment, baton_in, line, permits })
    }
}
