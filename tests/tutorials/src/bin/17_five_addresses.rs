//! 17. Five addresses on a pool of five threads
//!
//! Shows: pages are loaded at the same time and reported as they come, each under its address; a host that does not answer
//! is an error of its own address and nothing else.
//!
//! The five addresses are in this program, on the loopback device: four pages of one small server, and a port at which
//! nobody ever answers. For that one nobody waits the listing's whole minute. The server answers nobody before all four
//! have asked, so who loaded one page after the other would get none.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use threads::{Pool, Thread, as_completed};
use tutorials::Story;

static STORY: Story = Story::new();

const PATIENCE: Duration = Duration::from_secs(60);
const LITTLE_PATIENCE: Duration = Duration::from_millis(200);

/// What the server has, and how long each page is.
const PAGES: [(&str, usize); 4] =
    [("/news", 1000), ("/sports", 20_000), ("/europe", 300_000), ("/weather", 7)];

fn main() -> Result<(), Box<dyn Error>> {
    let server = TcpListener::bind("127.0.0.1:0")?;
    let alive = server.local_addr()?;
    let serving = Thread::builder().name("server").spawn(move || serve(&server))?;
    // It is bound and so nobody else's, and nobody accepts.
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let dead = silent.local_addr()?;

    let pool = Pool::new(5);
    let pages = PAGES.map(|(path, _)| (alive, path, PATIENCE));
    let tasks = pages.into_iter().chain([(dead, "/", LITTLE_PATIENCE)]).map(|(host, path, limit)| {
        let task = pool.spawn(move || load(host, path, limit));
        ((host, path), task)
    });
    let mut lengths = BTreeMap::new();
    let mut failed = BTreeMap::new();
    for ((host, path), result) in as_completed(tasks) {
        // The outer error would be a panic of the task, the inner one is the network's.
        match result? {
            Ok(body) => {
                STORY.say(format_args!("http://{host}{path} has {} bytes", body.len()));
                assert!(body.bytes().all(|byte| byte == letter(path)), "a page is answered with itself");
                lengths.insert(path, body.len());
            }
            Err(error) => {
                STORY.say(format_args!("http://{host}{path} failed: {error}"));
                failed.insert((host, path), error.kind());
            }
        }
    }

    assert_eq!(lengths, BTreeMap::from(PAGES));
    let failed: Vec<_> = failed.into_iter().collect();
    assert_eq!(failed, [((dead, "/"), io::ErrorKind::TimedOut)]);
    assert_eq!(serving.join()??, PAGES.len());
    Ok(())
}

/// Asks for a page and returns its body. No step may take longer than `limit`.
fn load(host: SocketAddr, path: &str, limit: Duration) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&host, limit)?;
    stream.set_read_timeout(Some(limit))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| match error.kind() {
        // What Unix calls a time limit that has passed.
        io::ErrorKind::WouldBlock => io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
        _ => error,
    })?;
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.0 200 ") => Ok(body.to_owned()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("not a page: {answer}"))),
    }
}

/// Waits for as many requests as there are pages, then answers them all, and returns how many pages that were.
fn serve(server: &TcpListener) -> io::Result<usize> {
    let mut asked = Vec::new();
    for _ in PAGES {
        let (stream, _) = server.accept()?;
        asked.push((request(&stream)?, stream));
    }
    let mut served = 0;
    for (request, mut stream) in asked {
        let page = PAGES.iter().find(|(path, _)| request == format!("GET {path} HTTP/1.0"));
        match page {
            Some((path, length)) => {
                write!(stream, "HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n")?;
                stream.write_all(&vec![letter(path); *length])?;
                served += 1;
            }
            None => write!(stream, "HTTP/1.0 404 Not Found\r\n\r\n")?,
        }
    }
    Ok(served)
}

/// The first line of a request. The headers are read too: what is left unread would break the connection at its end.
fn request(stream: &TcpStream) -> io::Result<String> {
    let mut lines = BufReader::new(stream).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    for line in lines {
        if line?.is_empty() {
            break;
        }
    }
    Ok(request)
}

/// What the page consists of.
fn letter(path: &str) -> u8 {
    path.as_bytes().get(1).copied().unwrap_or(b'?')
}
