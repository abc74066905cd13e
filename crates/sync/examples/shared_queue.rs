//! One queue, used at once by threads and by futures: whoever waits, waits in its own way.
//!
//! `cargo run -p sync --example shared_queue`

use std::error::Error;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::thread;
use std::time::Duration;
use sync::queue::GetError;
use sync::{Queue, park};

/// How many numbers each producer puts in.
const EACH: u64 = 1_000;

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    // Small on purpose: producers have to wait, too.
    let queue = Arc::new(Queue::bounded(4));

    let threads: Vec<_> = (0..2)
        .map(|_| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || (1..=EACH).try_for_each(|number| queue.put(number)))
        })
        .collect();

    let futures = thread::spawn({
        let queue = Arc::clone(&queue);
        move || park::block_on(two_producers(&queue))
    });

    // Each consumer takes what it can until the queue is closed. Who gets how much is a matter of luck: no share is promised.
    let blocking = thread::spawn({
        let queue = Arc::clone(&queue);
        move || queue.iter().sum::<u64>()
    });
    let awaiting = thread::spawn({
        let queue = Arc::clone(&queue);
        move || park::block_on(consumer_with_a_limit(&queue))
    });

    for thread in threads {
        thread.join().map_err(|_| "a producer panicked")??;
    }
    futures.join().map_err(|_| "a future panicked")?;
    // Nothing more comes: consumers take what is left and end.
    queue.close();
    let sum = blocking.join().map_err(|_| "a consumer panicked")?
        + awaiting.join().map_err(|_| "a consumer panicked")??;

    assert_eq!(sum, 4 * EACH * (EACH + 1) / 2);
    println!("4 producers of two kinds put in {sum} in all, and 2 consumers of two kinds took it out");
    Ok(())
}

/// A consumer that is awaited, with a limit and without a runtime.
async fn consumer_with_a_limit(queue: &Queue<u64>) -> Result<u64, GetError> {
    let mut sum = 0;
    loop {
        match queue.get_async_timeout(Duration::from_secs(60)).await {
            Ok(number) => sum += number,
            Err(GetError::Closed) => return Ok(sum),
            Err(late) => return Err(late),
        }
    }
}

/// Two futures on one thread. Any runtime would do; this is the smallest one: it polls both whenever one is woken.
async fn two_producers(queue: &Queue<u64>) {
    let mut producers: Vec<_> = (0..2)
        .map(|_| {
            Box::pin(async {
                for number in 1..=EACH {
                    queue
                        .put_async(number)
                        .await
                        .expect("the queue is closed after the producers have ended");
                }
            })
        })
        .collect();
    poll_fn(|cx| {
        producers.retain_mut(|producer| producer.as_mut().poll(cx).is_pending());
        if producers.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}
