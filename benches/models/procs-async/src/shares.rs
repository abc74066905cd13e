//! What runs in the processes: a share of the units, as tasks of the process's own event loop.

use async_rt::sync::{Event, Queue};
use async_rt::{Backend, Runtime, Task, TcpStream};
use kit::workloads::crash::Failure;
use kit::workloads::{fetch as requests, pingpong as pairs, pipeline as line, switch as turns};
use procs::ipc::{Descriptor, Interest, Sender, ready};
use std::net::SocketAddr;
use std::ops::Range;
use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};

/// Starts this process's event loop, and keeps the process until the others have theirs.
pub(crate) fn start_loop((arrive, gate): (Sender<u64>, Descriptor)) {
    event_loop().run(wait_at_gate(1, arrive, gate));
}

/// On one thread, as one process has one core to itself. It lives as long as the process.
fn event_loop() -> &'static Runtime {
    static LOOP: OnceLock<Runtime> = OnceLock::new();
    LOOP.get_or_init(|| {
        let runtime = Runtime::builder(Backend::Native).workers(1).build();
        runtime.unwrap_or_else(|why| panic!("this process has no event loop: {why}"))
    })
}

pub(crate) fn spawn((salt, units): (u64, Range<u64>)) -> Vec<u64> {
    event_loop().run(async move {
        let tasks: Vec<_> = units.map(|i| async_rt::spawn(async move { salt + i })).collect();
        join_all(tasks).await
    })
}

pub(crate) fn switch((salt, units): (u64, Range<u64>)) -> Vec<u64> {
    let unit = move |i: u64| async move {
        let mut sum = salt + i;
        for step in 0..turns::YIELDS {
            async_rt::yield_now().await;
            sum = turns::after_step(sum, salt, step);
        }
        sum
    };
    event_loop().run(async move {
        let tasks: Vec<_> = units.map(|i| async_rt::spawn(unit(i))).collect();
        join_all(tasks).await
    })
}

pub(crate) fn pingpong((salt, units): (u64, Range<u64>)) -> Vec<u64> {
    event_loop().run(async move {
        let (mut clients, mut servers) = (Vec::new(), Vec::new());
        for pair in units {
            let (questions, answers) = (channel(1), channel(1));
            servers.push(async_rt::spawn(serve(Arc::clone(&questions), Arc::clone(&answers))));
            clients.push(async_rt::spawn(ask(salt + pair, questions, answers)));
        }
        let results = join_all(clients).await;
        let served = join_all(servers).await;
        assert!(
            served.iter().all(|&count| count == pairs::ROUND_TRIPS),
            "a server answered {served:?} questions"
        );
        results
    })
}

async fn ask(first: u64, questions: Arc<Queue<u64>>, answers: Arc<Queue<u64>>) -> u64 {
    let (mut question, mut answer) = (first, 0);
    for _ in 0..pairs::ROUND_TRIPS {
        questions.put_async(question).await.expect("the server waits for questions");
        answer = answers.get_async().await.expect("the server answers every question");
        assert_eq!(answer, question + 1, "the server answered something else");
        question = answer + 1;
    }
    questions.close();
    answer
}

async fn serve(questions: Arc<Queue<u64>>, answers: Arc<Queue<u64>>) -> u64 {
    let mut served = 0;
    while let Ok(question) = questions.get_async().await {
        answers.put_async(question + 1).await.expect("the client waits for the answer");
        served += 1;
    }
    served
}

pub(crate) fn pipeline((salt, n): (u64, u64)) -> Vec<u64> {
    event_loop().run(async move {
        let first = channel(line::CAPACITY);
        let mut tasks = vec![async_rt::spawn(source(salt, n, Arc::clone(&first)))];
        let mut items = first;
        for stage in 1..=line::STAGES {
            let next = channel(line::CAPACITY);
            tasks.push(async_rt::spawn(work(stage, salt, items, Arc::clone(&next))));
            items = next;
        }
        let mut results = Vec::with_capacity(usize::try_from(n).expect("a number of items fits"));
        while let Ok(item) = items.get_async().await {
            results.push(item);
        }
        let passed = join_all(tasks).await;
        assert!(passed.iter().all(|&count| count == n), "stages passed on {passed:?} of {n} items");
        results
    })
}

async fn source(salt: u64, n: u64, first: Arc<Queue<u64>>) -> u64 {
    for i in 0..n {
        first.put_async(line::item(salt, i)).await.expect("the first stage waits for items");
    }
    first.close();
    n
}

async fn work(stage: u64, salt: u64, items: Arc<Queue<u64>>, next: Arc<Queue<u64>>) -> u64 {
    let mut passed = 0;
    while let Ok(item) = items.get_async().await {
        next.put_async(line::after_stage(item, stage, salt)).await.expect("the next stage waits for items");
        passed += 1;
    }
    next.close();
    passed
}

pub(crate) fn fetch((salt, address, targets): (u64, String, Vec<String>)) -> Vec<u64> {
    let address: SocketAddr = address.parse().expect("the oracle has checked the address");
    let unit = move |target: String| async move {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&requests::request(address, &target)).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(requests::result_of(salt, &answer))
    };
    event_loop().run(async move {
        let tasks: Vec<_> = targets.into_iter().map(|target| async_rt::spawn(unit(target))).collect();
        let results = join_all(tasks).await;
        results
            .into_iter()
            .map(|result| result.unwrap_or_else(|error| panic!("cannot ask {address}: {error}")))
            .collect()
    })
}

pub(crate) fn sleep((salt, units, arrive, gate): (u64, Range<u64>, Sender<u64>, Descriptor)) -> Vec<u64> {
    event_loop().run(async move {
        let count = units.end - units.start;
        let open = Arc::new(Event::new());
        let arrived = Arc::new(Queue::unbounded());
        let unit = |i: u64| {
            let (open, arrived) = (Arc::clone(&open), Arc::clone(&arrived));
            async move {
                arrived.put_async(()).await.expect("the root counts the units in");
                drop(arrived);
                open.wait_async().await;
                salt + i
            }
        };
        let tasks: Vec<_> = units.map(|i| async_rt::spawn(unit(i))).collect();
        for _ in 0..count {
            arrived.get_async().await.expect("the queue is never closed");
        }
        wait_at_gate(count, arrive, gate).await;
        open.set();
        join_all(tasks).await
    })
}

pub(crate) fn crash(
    (salt, units, victim, scale): (u64, Range<u64>, u64, String),
) -> Vec<Result<u64, String>> {
    let failure = Failure::named(&scale);
    let unit = move |i: u64| async move {
        if i == victim {
            failure.happen();
        }
        salt + i
    };
    event_loop().run(async move {
        let tasks: Vec<_> = units.map(|i| async_rt::spawn(unit(i))).collect();
        let mut results = Vec::with_capacity(tasks.len());
        for task in tasks {
            results.push(task.await.map_err(|why| why.to_string()));
        }
        results
    })
}

/// Says how many have come here, and waits for the gate.
async fn wait_at_gate(count: u64, arrive: Sender<u64>, gate: Descriptor) {
    arrive.send_async(count).await.expect("the parent counts them in");
    drop(arrive);
    // Readable without a byte: the other end is closed.
    ready::wait_async(gate.as_fd(), Interest::Read).await.expect("a socket of our own can be waited for");
}

fn channel(capacity: usize) -> Arc<Queue<u64>> {
    Arc::new(Queue::bounded(capacity))
}

async fn join_all<T>(tasks: Vec<Task<T>>) -> Vec<T> {
    let mut results = Vec::with_capacity(tasks.len());
    for task in tasks {
        results.push(task.await.unwrap_or_else(|why| panic!("a unit was lost: {}", why.resume_panic())));
    }
    results
}
