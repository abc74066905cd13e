//! One function in one process.

mod common;

use common::eventually;
use procs::{JoinError, Process, Task, When, as_completed, wait};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn sleep_for(millis: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(millis));
    millis
}

fn for_ever(_: ()) {
    loop {
        std::thread::park();
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    name: String,
    items: Vec<(u32, Option<f64>)>,
}

#[test]
fn a_function_and_a_closure_run_in_another_process() -> Result {
    fn double(number: u64) -> (u64, u32) {
        (number * 2, std::process::id())
    }
    let process = Process::spawn(double, 21)?;
    let pid = process.pid();
    assert_ne!(pid, std::process::id());
    assert_eq!(process.join()?, (42, pid));

    let order = Order { name: "pears".into(), items: vec![(3, Some(0.5)), (4, None)] };
    let process = Process::spawn(
        |mut order: Order| {
            order.items.reverse();
            order
        },
        order,
    )?;
    let back = process.join()?;
    assert_eq!(back, Order { name: "pears".into(), items: vec![(4, None), (3, Some(0.5))] });
    Ok(())
}

#[test]
fn generic_functions_are_told_apart_by_their_types() -> Result {
    fn size_of_it<T: Send + 'static>(_: ()) -> usize {
        size_of::<T>()
    }
    let sizes = [
        Process::spawn(size_of_it::<u8>, ())?,
        Process::spawn(size_of_it::<u64>, ())?,
        Process::spawn(size_of_it::<[u64; 9]>, ())?,
    ];
    let sizes: std::result::Result<Vec<usize>, _> = sizes.into_iter().map(Process::join).collect();
    assert_eq!(sizes?, [1, 8, 72]);
    Ok(())
}

#[test]
fn nothing_is_left_of_a_process_that_was_joined() -> Result {
    let process = Process::spawn(sleep_for, 0)?;
    let pid = process.pid();
    process.join()?;
    assert!(!common::exists(pid), "neither as a process nor as a zombie");
    Ok(())
}

#[test]
fn waiting_with_a_limit_gives_the_process_back() -> Result {
    let process = Process::spawn(for_ever, ())?;
    let start = Instant::now();
    let process = process.join_timeout(Duration::from_millis(30)).unwrap_err().into_inner();
    assert!(start.elapsed() >= Duration::from_millis(30));
    let process = process.try_join().unwrap_err().into_inner();
    assert!(process.is_alive() && !process.is_finished());
    process.kill()?;
    let pid = process.pid();
    let error = process.join().unwrap_err();
    assert!(matches!(error, JoinError::Killed { pid: killed, signal: 9 } if killed == pid), "{error}");
    Ok(())
}

#[test]
fn terminate_asks_and_cancel_kills() -> Result {
    let process = Process::spawn(for_ever, ())?;
    process.terminate()?;
    assert!(matches!(process.join(), Err(JoinError::Killed { signal: 15, .. })));

    let process = Process::spawn(for_ever, ())?;
    process.cancel();
    assert!(process.join().unwrap_err().is_cancelled());

    let task: Task<()> = Process::spawn(for_ever, ())?.into();
    task.cancel();
    assert!(task.join().unwrap_err().is_cancelled());

    // What has ended is not cancelled any more, and a signal to it reaches nobody.
    let process = Process::spawn(sleep_for, 0)?;
    eventually("the process has ended", || process.is_finished());
    process.cancel();
    process.kill()?;
    process.terminate()?;
    assert_eq!(process.join()?, 0);
    Ok(())
}

#[test]
fn a_signal_in_the_moment_after_the_start_is_not_lost() -> Result {
    for _ in 0..200 {
        let process = Process::spawn(for_ever, ())?;
        process.terminate()?;
        assert!(matches!(process.join(), Err(JoinError::Killed { signal: 15, .. })));
    }
    Ok(())
}

#[test]
fn a_dropped_handle_detaches() -> Result {
    let (mut reader, writer) = io::pipe()?;
    let process = Process::spawn(
        |writer: ipc::Descriptor| {
            std::thread::sleep(Duration::from_millis(20));
            io::Write::write_all(&mut std::fs::File::from(writer.into_inner()), b"still here")
                .map_err(|error| error.to_string())
        },
        ipc::Descriptor::from(std::os::fd::OwnedFd::from(writer)),
    )?;
    drop(process);
    let mut heard = String::new();
    io::Read::read_to_string(&mut reader, &mut heard)?;
    assert_eq!(heard, "still here");
    Ok(())
}

#[test]
fn a_panic_tells_message_and_place() -> Result {
    let process = Process::spawn(|_: ()| -> u32 { panic!("no such thing as {}", 7) }, ())?;
    let line = line!() - 1;
    let error = process.join().unwrap_err();
    let panic = error.panic().ok_or("not a panic")?;
    assert_eq!(panic.message(), "no such thing as 7");
    let place = panic.place().ok_or("no place")?;
    assert!(place.contains("process.rs") && place.contains(&format!(":{line}:")), "{place}");
    Ok(())
}

#[test]
fn what_cannot_be_carried_is_an_error_with_the_types_name() -> Result {
    #[derive(Serialize, Deserialize)]
    struct Unwritable(#[serde(serialize_with = "refuse")] u8);
    fn refuse<S: serde::Serializer>(_: &u8, _: S) -> std::result::Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it is not to be written"))
    }
    let error = Process::spawn(|_: Unwritable| (), Unwritable(1)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("Unwritable"), "{error}");

    let error = Process::spawn(|_: ()| Unwritable(1), ())?.join().map(|_| ()).unwrap_err();
    assert!(matches!(&error, JoinError::Failed(why) if why.contains("Unwritable")), "{error}");

    // Written, but not to be read again.
    #[derive(Serialize, Deserialize)]
    struct Unreadable(#[serde(deserialize_with = "refuse_to_read")] u8);
    fn refuse_to_read<'de, D: serde::Deserializer<'de>>(_: D) -> std::result::Result<u8, D::Error> {
        Err(serde::de::Error::custom("it is not to be read"))
    }
    let error = Process::spawn(|_: Unreadable| (), Unreadable(1))?.join().unwrap_err();
    assert!(matches!(&error, JoinError::Failed(why) if why.contains("Unreadable")), "{error}");
    let error = Process::spawn(|_: ()| Unreadable(1), ())?.join().map(|_| ()).unwrap_err();
    assert!(matches!(&error, JoinError::Failed(why) if why.contains("Unreadable")), "{error}");
    Ok(())
}

#[test]
fn large_arguments_and_results_travel() -> Result {
    const BYTES: usize = 64 << 20;
    let process = Process::spawn(
        |mut text: String| {
            text.push('!');
            text
        },
        "a".repeat(BYTES),
    )?;
    let back = process.join()?;
    assert_eq!(back.len(), BYTES + 1);
    assert!(back.starts_with("aaa") && back.ends_with("aa!"));
    Ok(())
}

#[test]
fn ends_of_ipc_are_passed_and_returned() -> Result {
    let (here, there) = ipc::Link::pair()?;
    let process = Process::spawn(
        |link: ipc::Link| {
            let parcel = link.receive(None).map_err(|error| error.to_string())?;
            link.send(&parcel, None).map_err(|error| error.to_string())?;
            Ok::<ipc::Link, String>(link)
        },
        there,
    )?;
    let parcel = ipc::Parcel { bytes: b"there and back".to_vec(), descriptors: Vec::new() };
    here.send(&parcel, None)?;
    assert_eq!(here.receive(None)?.bytes, b"there and back");
    let back = process.join()??;
    back.send(&parcel, None)?;
    assert_eq!(here.receive(None)?.bytes, b"there and back");
    drop(back);
    assert!(
        here.receive(None).is_err_and(|error| error.is_disconnected()),
        "nobody else holds the other end"
    );
    Ok(())
}

#[test]
fn processes_are_started_from_many_threads_at_once() -> Result {
    let sums: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8_u64)
            .map(|thread| {
                scope.spawn(move || -> u64 {
                    (0..4)
                        .map(|n| Process::spawn(|(a, b): (u64, u64)| a * 10 + b, (thread, n)))
                        .map(|process| process.expect("a process").join().expect("a result"))
                        .sum()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let expected: Vec<u64> = (0..8).map(|thread| thread * 40 + 6).collect();
    assert_eq!(sums, expected);
    Ok(())
}

#[test]
fn processes_and_tasks_are_waited_for_together() -> Result {
    let mut slow = Process::spawn(for_ever, ())?;
    let mut quick = Process::spawn(sleep_for, 1)?;
    let finished = wait(&mut [&mut slow, &mut quick], When::FirstCompleted);
    assert_eq!((finished.done, finished.pending), (vec![1], vec![0]));
    slow.kill()?;

    let (promise, task) = procs::sync::promise();
    std::thread::spawn(move || promise.run(|| 5));
    let all = [(1, task), (2, quick.into_task()), (3, Process::spawn(sleep_for, 2)?.into_task())];
    let mut results: Vec<(i32, u64)> = as_completed(all)
        .map(|(key, result)| result.map(|value| (key, value)))
        .collect::<std::result::Result<_, _>>()?;
    results.sort_unstable();
    assert_eq!(results, [(1, 5), (2, 1), (3, 2)]);
    Ok(())
}

#[test]
fn a_process_is_a_future() -> Result {
    let task = async {
        let mut process = Process::spawn(sleep_for, 3)?;
        let first = (&mut process).await;
        Ok::<_, io::Error>(first)
    };
    assert_eq!(procs::sync::park::block_on(task)??, 3);
    Ok(())
}

#[test]
fn the_descriptor_of_a_process_can_be_read_when_it_has_ended() -> Result {
    use std::os::fd::AsFd;
    let process = Process::spawn(for_ever, ())?;
    let soon = Some(Instant::now() + Duration::from_millis(10));
    assert!(!ipc::ready::wait(process.as_fd(), ipc::ready::Interest::Read, soon)?);
    process.kill()?;
    assert!(ipc::ready::wait(process.as_fd(), ipc::ready::Interest::Read, None)?);
    Ok(())
}

#[test]
fn a_process_starts_processes_of_its_own() -> Result {
    let process = Process::spawn(
        |n: u64| {
            let inner = Process::spawn(|n: u64| n + 1, n).map_err(|error| error.to_string())?;
            inner.join().map_err(|error| error.to_string())
        },
        41,
    )?;
    assert_eq!(process.join()?, Ok(42));
    Ok(())
}

fn variables() -> BTreeSet<String> {
    std::env::vars_os().map(|(key, _)| key.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_worker_sees_the_program_as_it_was_started_and_nothing_of_how() -> Result {
    let seen = Process::spawn(
        |_: ()| {
            let name = std::fs::read_to_string("/proc/self/comm").unwrap_or_default();
            let arguments: Vec<String> = std::env::args().collect();
            let input = std::fs::read_link("/proc/self/fd/0").unwrap_or_default();
            (name, arguments, variables(), input)
        },
        (),
    )?
    .join()?;
    assert_eq!(seen.1, std::env::args().collect::<Vec<_>>());
    assert_eq!(seen.2, variables(), "the variable that makes a zygote is gone");
    assert_eq!(seen.3, std::path::Path::new("/dev/null"));

    let named = Process::builder().name("fruit-counter-of-the-farm");
    let name = named.spawn(|_: ()| std::fs::read_to_string("/proc/self/comm").unwrap_or_default(), ())?;
    assert_eq!(name.join()?, "fruit-counter-o\n");
    Ok(())
}

#[test]
fn a_callback_on_the_managers_thread_is_refused_a_process() -> Result {
    let (here, there) = ipc::Link::pair()?;
    let until_let = |link: ipc::Link| {
        let ended = link.receive(None);
        drop((ended, link));
    };
    let (promise, told) = procs::sync::promise();
    Process::spawn(until_let, there)?.into_task().on_done(move |_| {
        promise.finish(Ok(Process::spawn(sleep_for, 0).map(|_| ()).map_err(|error| error.kind())));
    });
    // Only now does it end, and the callback is there before.
    drop(here);
    let kind = told.join_timeout(Duration::from_secs(30)).map_err(|_| "the callback waits for itself")??;
    assert_eq!(kind, Err(io::ErrorKind::Deadlock));
    Ok(())
}
