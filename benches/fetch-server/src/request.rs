//! What was asked, and the answer.

use kit::page::{PAGE_BYTES, page};
use std::time::Duration;

/// How long a head may be. Ours have about 70 bytes; browsers send one kilobyte or two.
pub(crate) const HEAD_BYTES_MAX: usize = 8 * 1024;

/// The longest delay that is served: longer than any workload asks for, short enough that nothing stays for ever.
const DELAY_MAX: Duration = Duration::from_secs(60);

/// When to answer, counted from the arrival, and with what.
#[derive(Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) delay: Duration,
    pub(crate) bytes: Vec<u8>,
}

/// Reads what has arrived so far: `None` if the head is not complete yet, otherwise what to answer.
pub(crate) fn answer(arrived: &[u8]) -> Option<Answer> {
    let complete = arrived.windows(4).any(|bytes| bytes == b"\r\n\r\n");
    if !complete && arrived.len() < HEAD_BYTES_MAX {
        return None;
    }
    let asked = if complete { asked(arrived) } else { None };
    Some(asked.map_or_else(not_found, |(delay, target)| found(delay, target)))
}

/// The delay and the target of a request line such as `GET /20/123 HTTP/1.1`.
fn asked(head: &[u8]) -> Option<(Duration, &str)> {
    let line = head.split(|&byte| byte == b'\r').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if method != "GET" || !version.starts_with("HTTP/1.") || words.next().is_some() {
        return None;
    }
    let (delay, id) = target.strip_prefix('/')?.split_once('/')?;
    let delay = Duration::from_millis(number(delay)?);
    number(id)?;
    (delay <= DELAY_MAX).then_some((delay, target))
}

/// Digits only: `parse` would take a sign, too.
fn number(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn found(delay: Duration, target: &str) -> Answer {
    let mut bytes = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {PAGE_BYTES}\r\nConnection: close\r\n\r\n"
    )
    .into_bytes();
    bytes.extend_from_slice(&page(target));
    Answer { delay, bytes }
}

fn not_found() -> Answer {
    let bytes = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_vec();
    Answer { delay: Duration::ZERO, bytes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_page_is_asked_for_by_delay_and_id() {
        let answer = answer(b"GET /20/123456 HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert_eq!(answer.delay, Duration::from_millis(20));
        assert!(answer.bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
        assert!(answer.bytes.ends_with(&page("/20/123456")));
    }

    #[test]
    fn an_unfinished_head_is_waited_for_up_to_its_limit() {
        assert_eq!(answer(b"GET /20/1 HTTP/1.1\r\n\r"), None);
        assert_eq!(answer(&[b'x'; HEAD_BYTES_MAX - 1]), None);
        assert_eq!(answer(&[b'x'; HEAD_BYTES_MAX]), Some(not_found()));
    }

    #[test]
    fn anything_else_is_not_found() {
        let lines = [
            "POST /20/1 HTTP/1.1",
            "GET / HTTP/1.1",
            "GET /20 HTTP/1.1",
            "GET /20/x HTTP/1.1",
            "GET /x/1 HTTP/1.1",
            "GET /-1/1 HTTP/1.1",
            "GET /+1/1 HTTP/1.1",
            "GET //1 HTTP/1.1",
            "GET /60001/1 HTTP/1.1",
            "GET /99999999999999999999/1 HTTP/1.1",
            "GET 20/1 HTTP/1.1",
            "GET /20/1",
            "GET /20/1 HTTP/1.1 x",
            "",
            "GET /20/1 FTP/1.1",
        ];
        for line in lines {
            assert_eq!(answer(format!("{line}\r\n\r\n").as_bytes()), Some(not_found()), "{line}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_arrives_is_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let answered = answer(&[&bytes[..], b"\r\n\r\n"].concat()).unwrap();
            prop_assert!(answered.delay <= DELAY_MAX && answered.bytes.starts_with(b"HTTP/1.1 "));
        }
    }
}
