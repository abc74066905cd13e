//! What happens when descriptors run out. Alone in its program, because the limit is the program's.

#![cfg(target_os = "linux")]

use async_rt::{Backend, TcpListener, TcpStream, run, spawn, start_server};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};
use sync::Event;

fn set_limit(descriptors: u64) {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, descriptors, hard).unwrap();
}

/// Takes every descriptor that is left.
fn take_all() -> Vec<File> {
    std::iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

/// Every backend by turns, in one test: they share the limit.
#[test]
fn accepting_without_descriptors_pauses_and_goes_on() {
    let (before, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        run(backend, async move {
            listener_pauses(before).await.unwrap();
            server_goes_on(before).await.unwrap();
        })
        .unwrap();
    }
}

async fn listener_pauses(before: u64) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let failed = Arc::new(Event::new());
    let accepting = spawn({
        let failed = Arc::clone(&failed);
        async move {
            loop {
                let began = Instant::now();
                match listener.accept().await {
                    Ok((stream, _)) => return stream,
                    Err(why) => {
                        assert_eq!(why.raw_os_error(), Some(24), "{why}");
                        assert!(began.elapsed() >= Duration::from_millis(50), "it would spin");
                        failed.set();
                    }
                }
            }
        }
    });
    set_limit(200);
    // The client's own descriptor is there before they run out.
    let hold = take_all();
    set_limit(201);
    let client = TcpStream::connect(address).await?;
    failed.wait_async().await;
    assert!(!accepting.is_finished());
    drop(hold);
    let accepted = accepting.await.map_err(io::Error::other)?;
    assert_eq!(accepted.peer_addr()?, client.local_addr()?, "the connection that waited was not lost");
    set_limit(before);
    Ok(())
}

async fn server_goes_on(before: u64) -> io::Result<()> {
    let server = start_server("127.0.0.1:0", |mut stream, _| async move {
        stream.write_all(b"hello").await.unwrap();
    })
    .await?;
    set_limit(200);
    let hold = take_all();
    set_limit(201);
    let mut client = TcpStream::connect(server.local_addr()).await?;
    // The server has the time to try in vain, and to end if that were its end. Nothing tells that it has.
    async_rt::sleep(Duration::from_millis(20)).await;
    drop(hold);
    let mut greeting = [0; 5];
    client.read_exact(&mut greeting).await?;
    assert_eq!(&greeting, b"hello");
    set_limit(before);
    server.close().await
}
