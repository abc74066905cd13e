//! The event loop.

use crate::connection::{Connection, Next};
use crate::connections::Connections;
use crate::timers::Timers;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{Backlog, listen};
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// How many connections may wait to be accepted: a contestant may ask thousands of times at once. The kernel holds it
/// to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

/// How long a client may take to send its request, or to receive its answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Numbers that no connection can have, for what else is waited for.
const LISTENER: u64 = u64::MAX;
const TIMERS: u64 = u64::MAX - 1;
const END: u64 = u64::MAX - 2;

pub(crate) struct Server {
    listener: TcpListener,
    epoll: Epoll,
    connections: Connections,
    timers: Timers<(u64, Due)>,
    /// Whether the listener is watched; it is not while there is no descriptor for one more.
    accepting: bool,
}

/// Why a connection has a timer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The time of its answer.
    Answer,
    /// The end of our patience.
    Patience,
}

impl Server {
    pub(crate) fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        // Listening again only changes the backlog, which the standard library does not let us choose.
        listen(&listener, Backlog::new(BACKLOG)?)?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
        let timers = Timers::new()?;
        epoll.add(&timers, EpollEvent::new(EpollFlags::EPOLLIN, TIMERS))?;
        Ok(Server { listener, epoll, connections: Connections::default(), timers, accepting: true })
    }

    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `end`, a pipe, socket or terminal, is closed by its other side.
    pub(crate) fn run(mut self, mut end: impl AsFd + Read) -> io::Result<()> {
        self.epoll.add(&end, EpollEvent::new(EpollFlags::EPOLLIN, END)).map_err(|error| {
            io::Error::other(format!("cannot wait for the end of standard input: {error}; make it a pipe"))
        })?;
        let mut events = [EpollEvent::empty(); 256];
        loop {
            self.timers.arm(Instant::now())?;
            let count = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Ok(count) => count,
                Err(nix::Error::EINTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let now = Instant::now();
            for event in &events[..count] {
                match event.data() {
                    LISTENER => self.accept(now)?,
                    TIMERS => self.timers.fired()?,
                    END if end.read(&mut [0; 64])? == 0 => return Ok(()),
                    END => {}
                    number => self.wake(number, now)?,
                }
            }
            while let Some((number, due)) = self.timers.pop_due(Instant::now()) {
                self.fall_due(number, due)?;
            }
        }
    }

    fn accept(&mut self, now: Instant) -> io::Result<()> {
        loop {
            let stream = match self.listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if is_exhausted(&error) => {
                    eprintln!("fetch-server: accepting no more for now: {error}; raise `ulimit -n`");
                    self.accepting = false;
                    return Ok(self.epoll.delete(&self.listener)?);
                }
                // The client has gone before we came to it.
                Err(_) => continue,
            };
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            let number = self.connections.add(Connection::new(stream));
            let connection = self.connections.find(number).expect("it has just been added");
            self.epoll.add(&*connection, EpollEvent::new(EpollFlags::EPOLLIN, number))?;
            self.timers.add(now + PATIENCE, (number, Due::Patience));
        }
    }

    /// A socket is ready.
    fn wake(&mut self, number: u64, now: Instant) -> io::Result<()> {
        let Some(connection) = self.connections.find(number) else { return Ok(()) };
        match connection.go_on() {
            Next::Answer(delay) => {
                self.timers.add(now + delay, (number, Due::Answer));
                self.watch(number, EpollFlags::empty())
            }
            // Still the same is waited for.
            Next::Read | Next::Write => Ok(()),
            Next::Close => self.close(number),
        }
    }

    /// A timer has run out.
    fn fall_due(&mut self, number: u64, due: Due) -> io::Result<()> {
        let Some(connection) = self.connections.find(number) else { return Ok(()) };
        let next = match due {
            Due::Answer => connection.time_has_come(),
            // A delay may be longer than our patience, which then begins with the answer.
            Due::Patience if connection.is_waiting() => return Ok(()),
            Due::Patience => Next::Close,
        };
        match next {
            Next::Write => {
                self.timers.add(Instant::now() + PATIENCE, (number, Due::Patience));
                self.watch(number, EpollFlags::EPOLLOUT)
            }
            _ => self.close(number),
        }
    }

    fn watch(&mut self, number: u64, what: EpollFlags) -> io::Result<()> {
        let Some(connection) = self.connections.find(number) else { return Ok(()) };
        Ok(self.epoll.modify(&*connection, &mut EpollEvent::new(what, number))?)
    }

    /// Closing the descriptor takes it out of epoll, too.
    fn close(&mut self, number: u64) -> io::Result<()> {
        drop(self.connections.remove(number));
        if !self.accepting {
            self.epoll.add(&self.listener, EpollEvent::new(EpollFlags::EPOLLIN, LISTENER))?;
            self.accepting = true;
        }
        Ok(())
    }
}

/// Whether there are no more descriptors, or no memory for one: it may be better when a connection has ended.
fn is_exhausted(error: &io::Error) -> bool {
    let exhausted = [nix::Error::EMFILE, nix::Error::ENFILE, nix::Error::ENOBUFS, nix::Error::ENOMEM];
    exhausted.iter().any(|&known| error.raw_os_error() == Some(known as i32))
}

#[cfg(test)]
#[path = "server_tests.rs"]
mod tests;
