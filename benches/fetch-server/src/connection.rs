//! What one client is at: it sends its request, waits for the time of its answer, receives it.

use crate::request::{self, HEAD_BYTES_MAX};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

pub(crate) struct Connection {
    stream: TcpStream,
    state: State,
}

enum State {
    /// The head of the request is not complete.
    Asking { arrived: Vec<u8> },
    /// The answer is made, its time has not come.
    Waiting { answer: Vec<u8> },
    /// `sent` bytes of the answer are on their way.
    Answering { answer: Vec<u8>, sent: usize },
}

/// What the loop has to do next for a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Next {
    /// Wait until more can be read.
    Read,
    /// Call [`Connection::time_has_come`] after this time.
    Answer(Duration),
    /// Wait until more can be written.
    Write,
    /// Drop it.
    Close,
}

impl Connection {
    /// `stream` must not block.
    pub(crate) fn new(stream: TcpStream) -> Self {
        Connection { stream, state: State::Asking { arrived: Vec::new() } }
    }

    /// Goes on after the kernel has said that the socket can be read or written.
    pub(crate) fn go_on(&mut self) -> Next {
        let next = match self.state {
            State::Asking { .. } => self.read(),
            // Nothing was asked for: only an error or a client that has gone away comes here.
            State::Waiting { .. } => Ok(Next::Close),
            State::Answering { .. } => self.write(),
        };
        next.unwrap_or(Next::Close)
    }

    /// Sends the answer, as far as the socket takes it.
    pub(crate) fn time_has_come(&mut self) -> Next {
        if let State::Waiting { answer } = &mut self.state {
            self.state = State::Answering { answer: std::mem::take(answer), sent: 0 };
        }
        self.write().unwrap_or(Next::Close)
    }

    /// Whether it has asked and waits for the time of its answer.
    pub(crate) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting { .. })
    }

    fn read(&mut self) -> io::Result<Next> {
        let State::Asking { arrived } = &mut self.state else { return Ok(Next::Close) };
        let mut piece = [0; HEAD_BYTES_MAX];
        match self.stream.read(&mut piece) {
            Ok(0) => return Ok(Next::Close),
            Ok(count) => arrived.extend_from_slice(&piece[..count]),
            Err(error) if is_temporary(&error) => return Ok(Next::Read),
            Err(error) => return Err(error),
        }
        let Some(answer) = request::answer(arrived) else { return Ok(Next::Read) };
        self.state = State::Waiting { answer: answer.bytes };
        Ok(Next::Answer(answer.delay))
    }

    fn write(&mut self) -> io::Result<Next> {
        let State::Answering { answer, sent } = &mut self.state else { return Ok(Next::Close) };
        while *sent < answer.len() {
            match self.stream.write(&answer[*sent..]) {
                Ok(count) => *sent += count,
                Err(error) if is_temporary(&error) => return Ok(Next::Write),
                Err(error) => return Err(error),
            }
        }
        // Says goodbye even if the client has sent more than was read, where closing alone would reset the connection.
        self.stream.shutdown(Shutdown::Write)?;
        Ok(Next::Close)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Level-triggered readiness tells us again, so that nothing is lost by going back to wait.
fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
