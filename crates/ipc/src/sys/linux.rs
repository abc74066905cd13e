//! Packets between sockets, counters, memory files and waiting, as Linux has them.
//!
//! Nothing here blocks but [`poll`] and [`Epoll::wait`], nothing raises `SIGPIPE`, and every descriptor is closed on exec.

pub use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use super::Packet;
use crate::ready::Interest;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll};
use rustix::fs::{MemfdFlags, SealFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, Shutdown, SocketFlags, SocketType,
};
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

/// How many descriptors go with one packet; the system's own limit is 253.
pub(crate) const DESCRIPTORS_IN_PACKET: usize = 200;

/// Two connected sockets that carry packets: each arrives whole or not at all, in order.
pub(crate) fn packet_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

/// Whether `fd` is a socket that carries packets.
pub(crate) fn is_packet_socket(fd: BorrowedFd<'_>) -> bool {
    rustix::net::sockopt::socket_type(fd) == Ok(SocketType::SEQPACKET)
}

pub(crate) fn close_on_exec(fd: BorrowedFd<'_>) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::CLOEXEC)?)
}

/// Sends `head` and `body` as one packet with `descriptors` attached, or nothing. `WouldBlock` if there is no room.
pub(crate) fn send_packet(
    socket: BorrowedFd<'_>,
    head: &[u8],
    body: &[u8],
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_IN_PACKET))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
        return Err(Errno::INVAL.into());
    }
    let parts = [IoSlice::new(head), IoSlice::new(body)];
    let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
    uninterrupted(|| rustix::net::sendmsg(socket, &parts, &mut control, flags))?;
    Ok(())
}

/// Takes the next packet into `buffer`. 0 bytes: the other side is closed. `WouldBlock` if there is none.
pub(crate) fn receive_packet(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Packet> {
    receive_packet_with(socket, buffer, RecvFlags::empty())
}

/// Whether a packet waits; `WouldBlock` if there is none now, `false` if there will be none.
pub(crate) fn packet_waits(socket: BorrowedFd<'_>) -> io::Result<bool> {
    let mut buffer = [0; 1];
    let flags = RecvFlags::DONTWAIT | RecvFlags::PEEK;
    let (_, bytes) = uninterrupted(|| match rustix::net::recv(socket, &mut buffer, flags) {
        Err(Errno::CONNRESET) => Err(Errno::INTR),
        other => other,
    })?;
    Ok(bytes > 0)
}

/// As [`receive_packet`], with duplicates of its descriptors, and leaves the packet where it is.
pub(crate) fn look_at_packet(socket: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<Packet> {
    receive_packet_with(socket, buffer, RecvFlags::PEEK)
}

fn receive_packet_with(socket: BorrowedFd<'_>, buffer: &mut [u8], how: RecvFlags) -> io::Result<Packet> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_IN_PACKET))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let flags = how | RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
    let received = uninterrupted(|| {
        // A peer that closed with unread packets of ours leaves this error once, in front of what it sent itself.
        match rustix::net::recvmsg(socket, &mut [IoSliceMut::new(buffer)], &mut control, flags) {
            Err(Errno::CONNRESET) => Err(Errno::INTR),
            other => other,
        }
    })?;
    let mut descriptors = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(arrived) = message {
            descriptors.extend(arrived);
        }
    }
    Ok(Packet {
        bytes: received.bytes,
        descriptors,
        longer: received.flags.contains(ReturnFlags::TRUNC),
        descriptors_lost: received.flags.contains(ReturnFlags::CTRUNC),
    })
}

/// Ends one direction of a connection, for all who hold this end.
pub(crate) fn shut_down(socket: BorrowedFd<'_>, interest: Interest) -> io::Result<()> {
    let how = match interest {
        Interest::Read => Shutdown::Read,
        Interest::Write => Shutdown::Write,
    };
    Ok(rustix::net::shutdown(socket, how)?)
}

/// Whether `error` of a send says that nobody is there to receive.
pub(crate) fn nobody_receives(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::PIPE | Errno::CONNRESET | Errno::NOTCONN))
}

/// The error of a process that may not have another descriptor.
pub(crate) fn too_many_descriptors() -> io::Error {
    Errno::MFILE.into()
}

/// Whether `error` says that this process has too many descriptors, or its user too many on their way: one limit for both.
pub(crate) fn is_for_want_of_descriptors(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::TOOMANYREFS))
}

/// Whether `error` of a send says that the packet is longer than the system's buffers.
pub(crate) fn is_too_long(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::MSGSIZE)
}

/// An anonymous file in memory with this content, whose length nobody can change any more.
pub(crate) fn memory_file(content: &[u8]) -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let made = match rustix::fs::memfd_create("trefoil-ipc", flags | MemfdFlags::NOEXEC_SEAL) {
        // Linux before 6.3 does not know the flag.
        Err(Errno::INVAL) => rustix::fs::memfd_create("trefoil-ipc", flags),
        other => other,
    };
    let mut file = File::from(made?);
    file.write_all(content)?;
    rustix::fs::fcntl_add_seals(&file, SEALS)?;
    Ok(file.into())
}

/// Appends the content of a file of [`memory_file`] to `bytes`, which then have this length, or it is none.
pub(crate) fn read_memory_file(fd: OwnedFd, length: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    // Another kind of file could block for ever, or have no end.
    let sealed = rustix::fs::fcntl_get_seals(&fd).is_ok_and(|seals| seals.contains(SEALS));
    let mut file = File::from(fd);
    let rest = length.checked_sub(bytes.len()).filter(|_| sealed);
    if rest.map(|rest| rest as u64) != Some(file.metadata()?.len()) {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    file.seek(SeekFrom::Start(0))?;
    // Reserves all of it at once. A file with holes claims a length that costs its maker nothing; the system gives memory
    // only to what is read, and the caller has a limit.
    file.read_to_end(bytes)?;
    Ok(())
}

/// Not against writing: the system would wait some milliseconds for pages that it has just written to settle. Who changes
/// a message after sending it has sent another one, no more.
const SEALS: SealFlags = SealFlags::GROW.union(SealFlags::SHRINK).union(SealFlags::SEAL);

/// A number of permits that processes share. Readable while it is not 0.
pub(crate) fn permits() -> io::Result<OwnedFd> {
    let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE;
    Ok(rustix::event::eventfd(0, flags)?)
}

/// Adds permits, and wakes who waits for some.
pub(crate) fn give_permits(permits: BorrowedFd<'_>, number: u64) -> io::Result<()> {
    uninterrupted(|| rustix::io::write(permits, &number.to_ne_bytes()))?;
    Ok(())
}

/// Takes one permit; `false` if there is none.
pub(crate) fn take_permit(permits: BorrowedFd<'_>) -> io::Result<bool> {
    match uninterrupted(|| rustix::io::read(permits, &mut [0; 8])) {
        Ok(_) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Waits for the first of some descriptors, at most until `deadline`. Blocks the thread. Its place, or `None`.
pub(crate) fn poll(
    waits: &[(BorrowedFd<'_>, Interest)],
    deadline: Option<Instant>,
) -> io::Result<Option<usize>> {
    let mut list: Vec<PollFd<'_>> = waits.iter().map(|(fd, interest)| poll_for(fd, *interest)).collect();
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        match rustix::event::poll(&mut list, left.map(timespec).as_ref()) {
            Ok(0) => return Ok(None),
            Ok(_) => return Ok(list.iter().position(|one| !one.revents().is_empty())),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn poll_for<'fd>(fd: &'fd BorrowedFd<'fd>, interest: Interest) -> PollFd<'fd> {
    let flags = match interest {
        Interest::Read => PollFlags::IN,
        Interest::Write => PollFlags::OUT,
    };
    PollFd::new(fd, flags)
}

fn timespec(limit: Duration) -> Timespec {
    // A limit that does not fit is of 292 thousand million years.
    Timespec::try_from(limit).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 })
}

/// Tells of descriptors that have become ready, each once, by the key they were added with.
#[derive(Debug)]
pub(crate) struct Epoll {
    fd: OwnedFd,
}

impl Epoll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Epoll { fd: epoll::create(epoll::CreateFlags::CLOEXEC)? })
    }

    /// Tells of `fd` once, now if it is ready already.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, key: u64, interest: Interest) -> io::Result<()> {
        let flags = match interest {
            Interest::Read => epoll::EventFlags::IN,
            Interest::Write => epoll::EventFlags::OUT,
        };
        let once = flags | epoll::EventFlags::ONESHOT;
        Ok(epoll::add(&self.fd, fd, epoll::EventData::new_u64(key), once)?)
    }

    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) {
        // It was added by the only one who removes it, so there is nothing that could fail.
        let _ = epoll::delete(&self.fd, fd);
    }

    /// Waits for the next ones and hands their keys to `each`; `false` if there were none for so long. Blocks.
    pub(crate) fn wait(&self, limit: Duration, mut each: impl FnMut(u64)) -> io::Result<bool> {
        let mut events = [MaybeUninit::<epoll::Event>::uninit(); 64];
        match epoll::wait(&self.fd, &mut events, Some(&timespec(limit))) {
            Ok((events, _)) => {
                let any = !events.is_empty();
                events.iter().for_each(|event| each(event.data.u64()));
                Ok(any)
            }
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

fn uninterrupted<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> rustix::io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            other => return other,
        }
    }
}
