//! Backends that are not there, and what cannot be done without a runtime.

use async_rt::{Backend, Runtime, StartError, TcpListener, TcpStream, run, sleep, timeout};
use std::error::Error;
use std::time::{Duration, Instant};

#[test]
fn a_backend_without_its_feature_names_it() {
    for backend in Backend::ALL {
        match Runtime::new(backend) {
            Ok(runtime) => {
                assert!(backend.is_available());
                assert_eq!(runtime.backend(), backend);
            }
            Err(why) => {
                assert!(!backend.is_available());
                assert!(why.is_feature_off());
                assert!(matches!(&why, StartError::FeatureOff { feature, .. } if *feature == backend.name()));
                let text = why.to_string();
                assert!(text.contains(&format!("\"{}\"", backend.name())), "{text}");
                assert!(why.source().is_none());
            }
        }
    }
    assert!(Backend::Native.is_available());
}

#[test]
fn names_and_backends_are_one_to_one() {
    for backend in Backend::ALL {
        assert_eq!(backend.to_string().parse(), Ok(backend));
    }
    let unknown = "Tokio2".parse::<Backend>().unwrap_err();
    assert_eq!(unknown.name(), "Tokio2");
    assert!(unknown.to_string().contains("async-std"));
    assert_eq!(format!("{:>8}", Backend::Smol), "    smol");
}

#[cfg(feature = "async-std")]
#[test]
fn async_std_refuses_what_it_cannot_set() {
    let refused = Runtime::builder(Backend::AsyncStd).workers(2).build().unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("workers") && text.contains("ASYNC_STD_THREAD_COUNT"), "{text}");
}

#[test]
fn sleeps_need_no_runtime() {
    let began = Instant::now();
    sync::park::block_on(async {
        sleep(Duration::from_millis(5)).await;
        assert!(timeout(Duration::from_millis(5), std::future::pending::<()>()).await.is_err());
    });
    assert!(began.elapsed() >= Duration::from_millis(10));
}

#[test]
fn sockets_say_that_they_need_one() {
    let error = sync::park::block_on(TcpStream::connect("127.0.0.1:1")).unwrap_err();
    assert!(error.to_string().contains("async_rt::run"), "{error}");
    assert!(sync::park::block_on(TcpListener::bind("127.0.0.1:0")).is_err());
}

#[test]
#[should_panic(expected = "`spawn` needs a runtime")]
fn spawn_says_that_it_needs_one() {
    drop(async_rt::spawn(async {}));
}

#[test]
fn public_types_are_send_and_sync_where_promised() {
    fn send_sync<T: Send + Sync>() {}
    fn send<T: Send>(_: &T) {}
    send_sync::<Runtime>();
    send_sync::<TcpStream>();
    send_sync::<TcpListener>();
    send_sync::<async_rt::ReadHalf>();
    send_sync::<async_rt::WriteHalf>();
    send_sync::<async_rt::Server>();
    send_sync::<async_rt::Builder>();
    send_sync::<StartError>();
    send(&async_rt::gather((async { 1 }, async { 2 })));
    send(&async_rt::gather_all([async { 1 }]));
    send(&sleep(Duration::ZERO));
    send(&TcpStream::connect("localhost:1"));
    assert!(run(Backend::Native, async {}).is_ok());
}
