//! More processes are asked for at once than the connection to the zygote holds requests and reports.

use procs::{Pool, Process};
use std::time::Duration;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

const LIMIT: Duration = Duration::from_secs(120);

/// Some 250 requests fit into the connection, and as many reports.
const WORKERS: usize = 700;

/// While the callback runs, nobody reads what the zygote reports, and the zygote, once it cannot report, reads no requests.
#[test]
fn a_callback_on_the_managers_thread_has_more_workers_started_than_requests_and_reports_fit() -> Result {
    let (here, there) = ipc::Link::pair()?;
    let process = Process::spawn(
        |link: ipc::Link| {
            let ended = link.receive(None);
            drop((ended, link));
        },
        there,
    )?;
    let (promise, told) = procs::sync::promise();
    process.into_task().on_done(move |_| {
        promise.run(|| {
            let pool = Pool::new(WORKERS).expect("a pool");
            let tasks: Vec<_> = (0..WORKERS).map(|n| pool.submit(|n: usize| n, n)).collect();
            (pool, tasks)
        });
    });
    drop(here);
    let submitted =
        told.join_timeout(LIMIT).map_err(|_| "the callback and the zygote wait for each other")?;
    let (pool, tasks) = submitted?;
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.join_timeout(LIMIT).map_err(|_| format!("task {n} does not end"))??, n);
    }
    drop(pool);
    Ok(())
}
