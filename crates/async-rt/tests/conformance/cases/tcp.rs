//! Sockets, on loopback.

use super::runtime;
use async_rt::{
    Backend, TcpListener, TcpStream, gather, gather_all, run, spawn, start_server, timeout, yield_now,
};
use futures_io::{AsyncRead, AsyncWrite};
use std::future::poll_fn;
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;
use sync::Queue;

const ANY: &str = "127.0.0.1:0";

/// Any port of an address that no other test uses: a port that is free again stays so.
fn alone() -> (Ipv4Addr, u16) {
    static LAST: AtomicU8 = AtomicU8::new(1);
    let [.., high, low] = std::process::id().to_be_bytes();
    (Ipv4Addr::new(127, high, low, LAST.fetch_add(1, Ordering::Relaxed) + 1), 0)
}

async fn echo(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            count => stream.write_all(&buffer[..count]).await?,
        }
    }
}

/// Bytes that differ from place to place.
fn pattern(length: usize, seed: usize) -> Vec<u8> {
    (0..length).map(|index| ((index * 31 + index / 251 + seed) % 256) as u8).collect()
}

/// A connection and its other end.
async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(ANY).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (here, there) = gather((TcpStream::connect(address), listener.accept())).await;
    (here.unwrap(), there.unwrap().0)
}

pub(crate) fn echo_to_a_hundred(backend: Backend) {
    run(backend, async {
        let server = start_server(ANY, |stream, _| async { echo(stream).await.unwrap() }).await.unwrap();
        let address = server.local_addr();
        let clients = (0..100_usize).map(|number| {
            spawn(async move {
                let mut stream = TcpStream::connect(address).await.unwrap();
                for round in 0..5 {
                    let sent = pattern(128, number + round);
                    stream.write_all(&sent).await.unwrap();
                    let mut answer = vec![0; sent.len()];
                    stream.read_exact(&mut answer).await.unwrap();
                    assert_eq!(answer, sent);
                }
            })
        });
        for client in gather_all(clients.collect::<Vec<_>>()).await {
            client.unwrap();
        }
        server.close().await.unwrap();
    })
    .unwrap();
}

pub(crate) fn refused(backend: Backend) {
    let error = run(backend, async {
        let listener = TcpListener::bind(alone()).await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        TcpStream::connect(address).await.unwrap_err()
    });
    assert_eq!(error.unwrap().kind(), io::ErrorKind::ConnectionRefused);
}

pub(crate) fn end_of_stream(backend: Backend) {
    run(backend, async {
        let (mut here, mut there) = pair().await;
        here.write_all(b"last words").await.unwrap();
        here.close().await.unwrap();
        here.close().await.unwrap();
        let mut bytes = b"so: ".to_vec();
        assert_eq!(there.read_to_end(&mut bytes).await.unwrap(), 10);
        assert_eq!(bytes, b"so: last words");
        assert_eq!(there.read(&mut [0; 8]).await.unwrap(), 0, "the end stays the end");
        // The other direction is still open.
        there.write_all(b"answer").await.unwrap();
        drop(there);
        let mut buffer = [0; 10];
        let missing = here.read_exact(&mut buffer).await.unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(&buffer[..6], b"answer");
    })
    .unwrap();
}

pub(crate) fn large_both_ways(backend: Backend) {
    const LENGTH: usize = 4 << 20;
    run(backend, async {
        let (here, there) = pair().await;
        // More than the system's buffers hold: whoever only writes before reading would stand still.
        let ends = [(here, 1, 2), (there, 2, 1)].map(|(stream, mine, theirs)| {
            let (mut reader, mut writer) = stream.into_split();
            let writing = spawn(async move {
                writer.write_all(&pattern(LENGTH, mine)).await.unwrap();
                writer.close().await.unwrap();
                writer
            });
            let reading = spawn(async move {
                let mut bytes = Vec::new();
                assert_eq!(reader.read_to_end(&mut bytes).await.unwrap(), LENGTH);
                assert!(bytes == pattern(LENGTH, theirs));
            });
            async move { gather((writing, reading)).await }
        });
        for (writing, reading) in gather_all(ends).await {
            writing.unwrap();
            reading.unwrap();
        }
    })
    .unwrap();
}

pub(crate) fn halves_in_two_tasks(backend: Backend) {
    run(backend, async {
        let (here, there) = pair().await;
        let echo = spawn(echo(there));
        let (mut reader, mut writer) = here.into_split();
        let reading = spawn(async move {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes).await.unwrap();
            bytes
        });
        for part in pattern(10_000, 3).chunks(77) {
            writer.write_all(part).await.unwrap();
            yield_now().await;
        }
        writer.close().await.unwrap();
        echo.await.unwrap().unwrap();
        assert_eq!(reading.await.unwrap(), pattern(10_000, 3));
    })
    .unwrap();
}

pub(crate) fn dropping_the_write_half_ends_the_stream(backend: Backend) {
    run(backend, async {
        let (here, mut there) = pair().await;
        let (mut reader, writer) = here.into_split();
        drop(writer);
        assert_eq!(there.read(&mut [0; 8]).await.unwrap(), 0);
        there.write_all(b"still").await.unwrap();
        let mut buffer = [0; 5];
        reader.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"still");
    })
    .unwrap();
}

pub(crate) fn a_read_can_be_cancelled(backend: Backend) {
    run(backend, async {
        let (mut here, mut there) = pair().await;
        let mut buffer = [0; 4];
        for _ in 0..3 {
            assert!(timeout(Duration::from_millis(2), here.read(&mut buffer)).await.is_err());
        }
        there.write_all(b"kept").await.unwrap();
        here.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"kept");
    })
    .unwrap();
}

pub(crate) fn by_name(backend: Backend) {
    run(backend, async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // The name may stand for an IPv6 address first, where nobody listens.
        let (here, there) = gather((TcpStream::connect(("localhost", port)), listener.accept())).await;
        assert_eq!(here.unwrap().local_addr().unwrap(), there.unwrap().1);
    })
    .unwrap();
}

pub(crate) fn unknown_name(backend: Backend) {
    let error = run(backend, TcpStream::connect("no port in this text"));
    let error = error.unwrap().unwrap_err().to_string();
    assert!(error.contains("no port in this text"), "{error}");
}

pub(crate) fn futures_io_traits(backend: Backend) {
    async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<usize> {
        let count = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, bytes)).await?;
        poll_fn(|cx| Pin::new(&mut *stream).poll_flush(cx)).await?;
        poll_fn(|cx| Pin::new(&mut *stream).poll_close(cx)).await?;
        Ok(count)
    }
    async fn receive(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut buffer = [0; 3];
        loop {
            match poll_fn(|cx| Pin::new(&mut *stream).poll_read(cx, &mut buffer)).await? {
                0 => return Ok(bytes),
                count => bytes.extend_from_slice(&buffer[..count]),
            }
        }
    }
    run(backend, async {
        let (mut here, there) = pair().await;
        assert_eq!(send(&mut here, b"by traits").await.unwrap(), 9);
        let (mut reader, mut writer) = there.into_split();
        assert_eq!(receive(&mut reader).await.unwrap(), b"by traits");
        assert_eq!(send(&mut writer, b"and back").await.unwrap(), 8);
        assert_eq!(receive(&mut here).await.unwrap(), b"and back");
    })
    .unwrap();
}

pub(crate) fn server_closes(backend: Backend) {
    run(backend, async {
        let server = start_server(alone(), |stream, _| async { echo(stream).await.unwrap() }).await.unwrap();
        let address = server.local_addr();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"a").await.unwrap();
        stream.read_exact(&mut [0]).await.unwrap();
        server.close().await.unwrap();
        assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        // A connection that came in before goes on.
        stream.write_all(b"b").await.unwrap();
        stream.read_exact(&mut [0]).await.unwrap();
    })
    .unwrap();
}

pub(crate) fn two_accept_at_once(backend: Backend) {
    run(backend, async {
        let listener = Arc::new(TcpListener::bind(ANY).await.unwrap());
        let address = listener.local_addr().unwrap();
        let accepted = Arc::new(Queue::unbounded());
        let [first, second] = [(); 2].map(|()| {
            let (listener, accepted) = (Arc::clone(&listener), Arc::clone(&accepted));
            spawn(async move {
                loop {
                    accepted.try_put(listener.accept().await.unwrap().1).unwrap();
                }
            })
        });
        for _ in 0..20 {
            let stream = TcpStream::connect(address).await.unwrap();
            assert_eq!(accepted.get_async().await.unwrap(), stream.local_addr().unwrap());
        }
        // One of the two goes away while it waits; the other is still told.
        first.cancel();
        let first: Result<(), _> = first.await;
        assert!(first.unwrap_err().is_cancelled());
        let stream = TcpStream::connect(address).await.unwrap();
        assert_eq!(accepted.get_async().await.unwrap(), stream.local_addr().unwrap());
        second.cancel();
    })
    .unwrap();
}

pub(crate) fn addresses_and_options(backend: Backend) {
    let runtime = runtime(backend);
    runtime.block_on(async {
        let (here, there) = pair().await;
        assert_eq!(here.peer_addr().unwrap(), there.local_addr().unwrap());
        assert_eq!(there.peer_addr().unwrap(), here.local_addr().unwrap());
        here.set_nodelay(true).unwrap();
        assert!(here.nodelay().unwrap());
        let listener = TcpListener::bind(ANY).await.unwrap();
        let taken = TcpListener::bind(listener.local_addr().unwrap()).await.unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
    });
}
