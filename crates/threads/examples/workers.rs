//! A tutorial in one file: threads with names, one that is told to stop, a timer, and what is left at the end.
//!
//! `cargo run -p threads --example workers`

use std::sync::Arc;
use std::time::Duration;
use threads::sync::Queue;
use threads::{JoinError, Thread, Timer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // First of all: ordinary threads are waited for when `main` ends, as in Python.
    let _exit = threads::join_all_at_exit();

    // A result comes back by the handle.
    let sum = Thread::builder().name("adder").spawn(|| (1..=100).sum::<u32>())?;
    assert_eq!(sum.join()?, 5050);

    // A panic comes back the same way, and ends nothing else.
    let doomed = Thread::builder().name("doomed").spawn(|| -> u32 { panic!("on purpose") })?;
    match doomed.join() {
        Err(JoinError::Panicked(panic)) => println!("doomed: {panic}"),
        other => unreachable!("{other:?}"),
    }

    // Threads that pass things on to each other.
    let queue = Arc::new(Queue::bounded(2));
    let producer = Thread::builder().name("producer").spawn({
        let queue = Arc::clone(&queue);
        move || {
            for number in 1..=5 {
                if queue.put(number).is_err() {
                    break;
                }
            }
            queue.close();
        }
    })?;
    let consumer = Thread::builder()
        .name("consumer")
        .spawn(move || queue.iter().map(|number| number * number).sum::<u32>())?;
    producer.join()?;
    assert_eq!(consumer.join()?, 55);

    // One that works until it is told to stop.
    let ticking = threads::spawn(|| {
        let stop = threads::cancel_token();
        let mut ticks = 0_u32;
        while stop.wait_timeout(Duration::from_millis(1)).is_err() {
            ticks += 1;
        }
        ticks
    })?;
    let ticking = match ticking.join_timeout(Duration::from_millis(20)) {
        Err(goes_on) => goes_on.into_inner(),
        Ok(result) => unreachable!("nobody has told it to stop: {result:?}"),
    };
    ticking.cancel();
    println!("ticks until it was told to stop: {}", ticking.join()?);

    // Something later, unless it is taken back.
    let soon = Timer::start(Duration::from_millis(5), || "five milliseconds later")?;
    let never = Timer::start(Duration::from_secs(3600), || "an hour later")?;
    never.cancel();
    assert!(never.join().is_err_and(|error| error.is_cancelled()));
    println!("{}", soon.join()?);

    // A daemon ends with the program, whatever it does.
    drop(Thread::builder().name("daemon").daemon(true).spawn(|| threads::sync::CancelToken::new().wait())?);
    assert_eq!(threads::enumerate().iter().filter(|thread| thread.is_daemon()).count(), 1);
    Ok(())
}
