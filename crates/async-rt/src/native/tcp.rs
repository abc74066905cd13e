//! TCP on the native loop: sockets of the standard library, without blocking, watched by the poller.

use super::Poller;
use super::readiness::{Readiness, WaiterKey, Which};
use crate::drivers::{self, Halves};
use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, Backlog, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6,
};
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::task::{Context, Poll};

/// A socket and its registration. Dropping it ends both.
#[derive(Debug)]
struct Watched<S: AsFd> {
    socket: S,
    readiness: Arc<Readiness>,
    poller: Arc<Poller>,
    index: usize,
}

#[derive(Debug)]
pub(crate) struct Stream {
    watched: Arc<Watched<TcpStream>>,
}

#[derive(Debug)]
pub(crate) struct ReadHalf {
    watched: Arc<Watched<TcpStream>>,
}

#[derive(Debug)]
pub(crate) struct WriteHalf {
    watched: Arc<Watched<TcpStream>>,
}

#[derive(Debug)]
pub(crate) struct Listener {
    watched: Watched<TcpListener>,
}

pub(super) async fn connect(poller: &Arc<Poller>, address: SocketAddr) -> io::Result<Stream> {
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let socket = TcpStream::from(socket::socket(family, SockType::Stream, flags, SockProtocol::Tcp)?);
    let begun = match address {
        SocketAddr::V4(address) => socket::connect(socket.as_raw_fd(), &SockaddrIn::from(address)),
        SocketAddr::V6(address) => socket::connect(socket.as_raw_fd(), &SockaddrIn6::from(address)),
    };
    match begun {
        // Interrupted or not, it goes on by itself.
        Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => {}
        Err(why) => return Err(why.into()),
    }
    // Only now: epoll reports a socket that nobody has connected as hung up.
    let watched = Watched::new(socket, poller)?;
    let mut key = Some(WaiterKey::ONLY);
    let socket = &watched.socket;
    let connected = || match socket.take_error()? {
        Some(why) => Err(why),
        None => match socket.peer_addr() {
            Err(why) if why.kind() == io::ErrorKind::NotConnected => Err(io::ErrorKind::WouldBlock.into()),
            answer => answer.map(drop),
        },
    };
    poll_fn(|cx| watched.readiness.poll_io(Which::Write, &mut key, cx, connected, |()| false)).await?;
    Ok(Stream { watched: Arc::new(watched) })
}

pub(super) fn bind(poller: &Arc<Poller>, address: SocketAddr) -> io::Result<Listener> {
    let socket = TcpListener::bind(address)?;
    // The standard library lets 128 connections wait to be accepted; of a thousand that come at once most would be reset.
    // Listening once more only changes that number, to as many as the system allows.
    socket::listen(&socket, Backlog::MAXCONN)?;
    socket.set_nonblocking(true)?;
    Ok(Listener { watched: Watched::new(socket, poller)? })
}

impl drivers::Stream for Stream {
    type Read = ReadHalf;
    type Write = WriteHalf;

    fn split(self) -> Halves<Self> {
        (ReadHalf { watched: Arc::clone(&self.watched) }, WriteHalf { watched: self.watched })
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.watched.socket.local_addr()
    }

    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.watched.socket.peer_addr()
    }

    fn nodelay(&self) -> io::Result<bool> {
        self.watched.socket.nodelay()
    }

    fn set_nodelay(&self, on: bool) -> io::Result<()> {
        self.watched.socket.set_nodelay(on)
    }
}

impl drivers::Read for Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.watched.poll_read(cx, buffer)
    }
}

impl drivers::Write for Stream {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.watched.poll_write(cx, bytes)
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.watched.shut_down())
    }
}

impl drivers::Read for ReadHalf {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.watched.poll_read(cx, buffer)
    }
}

impl drivers::Write for WriteHalf {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.watched.poll_write(cx, bytes)
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.watched.shut_down())
    }
}

impl Drop for WriteHalf {
    fn drop(&mut self) {
        // The reading half may keep the socket open. It fails where the peer has gone already.
        let _ = self.watched.shut_down();
    }
}

impl drivers::Listener for Listener {
    type Stream = Stream;

    async fn accept(&self) -> io::Result<(Stream, SocketAddr)> {
        let mut turn = Turn { readiness: &self.watched.readiness, key: None };
        let accept = || self.watched.socket.accept();
        let (socket, peer) =
            poll_fn(|cx| turn.readiness.poll_io(Which::Read, &mut turn.key, cx, accept, |_| false)).await?;
        socket.set_nonblocking(true)?;
        let watched = Watched::new(socket, &self.watched.poller)?;
        Ok((Stream { watched: Arc::new(watched) }, peer))
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.watched.socket.local_addr()
    }
}

/// One of those who accept from the same listener. Gives up its place when dropped.
struct Turn<'a> {
    readiness: &'a Readiness,
    key: Option<WaiterKey>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.readiness.leave(Which::Read, key);
        }
    }
}

impl<S: AsFd> Watched<S> {
    fn new(socket: S, poller: &Arc<Poller>) -> io::Result<Self> {
        let readiness = Arc::new(Readiness::new());
        let index = poller.watch(&socket, &readiness)?;
        Ok(Watched { socket, readiness, poller: Arc::clone(poller), index })
    }
}

impl Watched<TcpStream> {
    fn poll_read(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let room = buffer.len();
        let mut key = Some(WaiterKey::ONLY);
        let read = || (&self.socket).read(buffer);
        // Less than there was room for, and not the end: the socket is empty.
        self.readiness.poll_io(Which::Read, &mut key, cx, read, |&count| 0 < count && count < room)
    }

    fn poll_write(&self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let mut key = Some(WaiterKey::ONLY);
        let write = || (&self.socket).write(bytes);
        // Less than was given: the socket's buffer is full.
        self.readiness.poll_io(Which::Write, &mut key, cx, write, |&count| 0 < count && count < bytes.len())
    }

    /// Ends the writing direction. The second time, nothing happens.
    fn shut_down(&self) -> io::Result<()> {
        match self.socket.shutdown(Shutdown::Write) {
            Err(why) if why.kind() == io::ErrorKind::NotConnected => Ok(()),
            done => done,
        }
    }
}

impl<S: AsFd> Drop for Watched<S> {
    fn drop(&mut self) {
        self.poller.forget(&self.socket, self.index);
    }
}
