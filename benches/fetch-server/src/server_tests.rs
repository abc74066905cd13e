//! The server over loopback, with clients good and bad.

use super::Server;
use kit::page::page;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A server that runs until this is dropped.
struct Running {
    address: SocketAddr,
    end: Option<UnixStream>,
    thread: Option<JoinHandle<std::io::Result<()>>>,
}

impl Running {
    fn start() -> Self {
        let server = Server::bind("127.0.0.1:0").unwrap();
        let address = server.address().unwrap();
        let (end, watched) = UnixStream::pair().unwrap();
        let thread = thread::spawn(move || server.run(watched));
        Running { address, end: Some(end), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    fn ask(&self, target: &str) -> TcpStream {
        let mut stream = self.connect();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        stream
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.end.take());
        let result = self.thread.take().unwrap().join();
        assert!(matches!(result, Ok(Ok(()))) || thread::panicking(), "the server ended with {result:?}");
    }
}

fn read(mut stream: TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn an_answer_comes_after_its_delay_and_not_before() {
    let server = Running::start();
    for delay_ms in [0, 1, 20, 60] {
        let start = Instant::now();
        let target = format!("/{delay_ms}/7");
        let answer = read(server.ask(&target));
        assert!(start.elapsed() >= Duration::from_millis(delay_ms));
        assert!(answer.starts_with(b"HTTP/1.1 200") && answer.ends_with(&page(&target)));
    }
}

#[test]
fn answers_come_in_order_of_their_time_not_of_the_requests() {
    let server = Running::start();
    let start = Instant::now();
    let late = server.ask("/300/1");
    read(server.ask("/10/2"));
    late.set_nonblocking(true).unwrap();
    let early = (&late).read(&mut [0]);
    assert!(early.is_err() || start.elapsed() >= Duration::from_millis(300), "the late answer came first");
    late.set_nonblocking(false).unwrap();
    assert!(read(late).ends_with(&page("/300/1")));
}

#[test]
fn hundreds_of_requests_are_in_flight_at_once() {
    let server = Running::start();
    let start = Instant::now();
    // Both ends are descriptors of this one program, which may often have no more than 1,024.
    let streams: Vec<(String, TcpStream)> =
        (0..300).map(|id| format!("/500/{id}")).map(|target| (target.clone(), server.ask(&target))).collect();
    // The last one is answered while the server holds all others. One after the other it would have to wait for them.
    assert!(read(server.ask("/1/300")).ends_with(&page("/1/300")));
    for (target, stream) in &streams {
        stream.set_nonblocking(true).unwrap();
        let early = stream.peek(&mut [0]);
        assert!(
            early.is_err() || start.elapsed() >= Duration::from_millis(500),
            "{target} was answered first"
        );
        stream.set_nonblocking(false).unwrap();
    }
    for (target, stream) in streams {
        assert!(read(stream).ends_with(&page(&target)));
    }
}

#[test]
fn requests_may_come_in_pieces_and_clients_may_stop_sending() {
    let server = Running::start();
    let mut stream = server.connect();
    for piece in ["GE", "T /5/9 HTTP", "/1.1\r\n", "\r", "\n"] {
        stream.write_all(piece.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(2));
    }
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(read(stream).ends_with(&page("/5/9")));
}

#[test]
fn broken_clients_disturb_nobody() {
    let server = Running::start();
    let silent: Vec<TcpStream> = (0..50).map(|_| server.connect()).collect();
    for id in 0..50 {
        // Gone before the answer, and gone in the middle of the request.
        drop(server.ask(&format!("/20/{id}")));
        server.connect().write_all(b"GET /20").unwrap();
    }
    let mut flood = server.connect();
    let flooded = flood.write_all(&[b'x'; 100_000]);
    assert!(read(server.ask("/10/1")).ends_with(&page("/10/1")));
    drop((silent, flood, flooded));
    assert!(read(server.ask("/10/2")).ends_with(&page("/10/2")));
}

#[test]
fn anything_else_is_not_found() {
    let server = Running::start();
    assert!(read(server.ask("/")).starts_with(b"HTTP/1.1 404"));
    let mut stream = server.connect();
    stream.write_all(&[b'x'; crate::request::HEAD_BYTES_MAX]).unwrap();
    assert!(read(stream).starts_with(b"HTTP/1.1 404"));
}
