//! One queue, used at once by a thread, a task of tokio, a task of smol and a task of the native loop.

use async_rt::{Backend, Runtime};
use std::sync::Arc;
use sync::{Queue, Task};

const EACH: u64 = 500;

/// Puts its numbers in and takes as many out, by turns, so that everybody waits for everybody: the queue holds two.
async fn trade(queue: Arc<Queue<u64>>, first: u64) -> Vec<u64> {
    let mut taken = Vec::new();
    for number in first..first + EACH {
        queue.put_async(number).await.unwrap();
        taken.push(queue.get_async().await.unwrap());
    }
    taken
}

fn trade_blocking(queue: &Queue<u64>, first: u64) -> Vec<u64> {
    let mut taken = Vec::new();
    for number in first..first + EACH {
        queue.put(number).unwrap();
        taken.push(queue.get().unwrap());
    }
    taken
}

#[test]
fn threads_and_tasks_of_three_runtimes_share_a_queue() {
    let queue = Arc::new(Queue::bounded(2));
    let native = Runtime::builder(Backend::Native).workers(2).build().unwrap();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();

    let thread = std::thread::spawn({
        let queue = Arc::clone(&queue);
        move || trade_blocking(&queue, 0)
    });
    let of_native = native.spawn(trade(Arc::clone(&queue), EACH));
    let of_tokio = tokio.spawn(trade(Arc::clone(&queue), 2 * EACH));
    let of_smol = smol::spawn(trade(Arc::clone(&queue), 3 * EACH));

    let mut all = thread.join().unwrap();
    all.extend(of_native.join().unwrap());
    all.extend(tokio.block_on(of_tokio).unwrap());
    all.extend(smol::block_on(of_smol));
    all.sort_unstable();
    assert_eq!(all, (0..4 * EACH).collect::<Vec<_>>(), "every number came out once");
    assert!(queue.is_empty());
}

#[test]
fn a_task_of_one_runtime_is_awaited_in_another() {
    let native = Runtime::builder(Backend::Native).workers(1).build().unwrap();
    let tokio = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let (promise, from_outside) = sync::promise::<u32>();
    let in_native: Task<u32> = native.spawn(async { from_outside.await.unwrap() + 1 });
    let in_tokio = tokio.spawn(async { in_native.await.unwrap() + 1 });
    let in_smol = smol::spawn(async { in_tokio.await.unwrap() + 1 });
    std::thread::spawn(move || promise.run(|| 39)).join().unwrap();
    assert_eq!(smol::block_on(in_smol), 42);
}
