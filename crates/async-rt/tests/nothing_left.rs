//! A runtime leaves nothing behind: no thread, no descriptor, no processor time while it is idle. Alone in its program,
//! because threads and descriptors are counted for the whole program; and in one test, because tests run at once.

#![cfg(target_os = "linux")]

use async_rt::{Backend, Executor, Runtime, Shutdown, TcpListener, TcpStream, gather, sleep};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use std::fs;
use std::future::pending;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

fn entries(of: &str) -> usize {
    fs::read_dir(of).unwrap().count()
}

fn threads() -> usize {
    entries("/proc/self/task")
}

/// Waits until there are as many threads as `before`: one that was joined may still be in the list for a moment.
fn await_threads(before: usize) {
    for _ in 0..10_000 {
        if threads() == before {
            return;
        }
        thread::sleep(Duration::from_millis(1));
    }
    panic!("there are {} threads, and there were {before}", threads());
}

fn descriptors() -> usize {
    entries("/proc/self/fd")
}

/// Processor time of the whole program.
fn processor_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
    let micros = (usage.user_time() + usage.system_time()).num_microseconds();
    Duration::from_micros(u64::try_from(micros).unwrap())
}

fn busy_life() -> Runtime {
    let runtime = Runtime::builder(Backend::Native).workers(2).build().unwrap();
    runtime.run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = gather((TcpStream::connect(address), listener.accept())).await;
        let (mut client, (mut server, _)) = (client.unwrap(), server.unwrap());
        client.write_all(b"x").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        // A task that keeps a socket and waits for ever.
        drop(async_rt::spawn(async move {
            let _kept = (listener, server, client.read(&mut [0]).await);
            pending::<()>().await;
        }));
        async_rt::spawn_blocking(|| ()).await.unwrap();
        sleep(Duration::from_millis(1)).await;
    });
    runtime
}

#[test]
fn nothing_is_left_and_idling_is_free() {
    let (threads_before, descriptors_before) = (threads(), descriptors());

    for _ in 0..10 {
        let runtime = busy_life();
        assert!(threads() > threads_before);
        runtime.shutdown(Shutdown::CancelPending);
        drop(runtime);
    }
    await_threads(threads_before);
    assert_eq!(descriptors(), descriptors_before);

    // Dropped inside one of its own tasks, it goes when the last one inside has left.
    for _ in 0..10 {
        let runtime = busy_life();
        let (lend, lent) = mpsc::channel::<Runtime>();
        let drops = runtime.spawn(async move { drop(lent.recv()) });
        lend.send(runtime).unwrap();
        drops.join().unwrap();
    }
    await_threads(threads_before);
    assert_eq!(descriptors(), descriptors_before);

    // A socket that outlives its runtime is an error and not a hang, and closes when it is dropped.
    let (mut kept, listener) = {
        let runtime = Runtime::new(Backend::Native).unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            (TcpStream::connect(listener.local_addr().unwrap()).await.unwrap(), listener)
        })
    };
    let error = sync::park::block_on(kept.read(&mut [0])).unwrap_err();
    assert!(error.to_string().contains("is closed"), "{error}");
    assert!(sync::park::block_on(listener.accept()).is_err());
    drop((kept, listener));
    assert_eq!(descriptors(), descriptors_before);

    // Timers, sockets and tasks that wait cost nothing: a loop that looked again and again would use all of this time.
    let runtime = busy_life();
    for seconds in 100..200 {
        drop(runtime.spawn(sleep(Duration::from_secs(seconds))));
    }
    thread::sleep(Duration::from_millis(50));
    let before = processor_time();
    thread::sleep(Duration::from_millis(500));
    let used = processor_time() - before;
    assert!(used < Duration::from_millis(250), "an idle runtime used {used:?} of 500 ms");
    drop(runtime);
    await_threads(threads_before);
}
