//! A program with a `main` of its own that knows nothing of workers: no call, no macro, no test harness. It is built
//! with this crate as an ordinary dependency, and checks that `main` runs once.

use procs::{Executor, Pool, Process};
use std::sync::atomic::{AtomicU64, Ordering};

static MAIN_RUNS: AtomicU64 = AtomicU64::new(0);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    assert_eq!(MAIN_RUNS.fetch_add(1, Ordering::Relaxed), 0);
    let in_worker = Process::spawn(|()| MAIN_RUNS.load(Ordering::Relaxed), ())?;
    assert_eq!(in_worker.join()?, 0, "a worker never reaches `main`");

    let pool = Pool::new(2)?;
    let squares: Result<Vec<u64>, _> = pool.map(|n: u64| n * n, 0..10).collect();
    assert_eq!(squares?, (0..10).map(|n| n * n).collect::<Vec<_>>());

    a_stray_variable_does_not_make_a_zygote()
}

/// Whoever sets the variable by hand gets neither `main` twice nor a process that obeys him.
fn a_stray_variable_does_not_make_a_zygote() -> Result<(), Box<dyn std::error::Error>> {
    let me = std::env::current_exe()?;
    for parent in [std::process::id().to_string(), "1".into(), String::new(), "text".into()] {
        let output = std::process::Command::new(&me)
            .env("TREFOIL_PROCS_ZYGOTE_OF", &parent)
            .stdin(std::process::Stdio::null())
            .output()?;
        assert_eq!(output.status.code(), Some(127), "{output:?}");
        let said = String::from_utf8(output.stderr)?;
        assert!(said.contains("TREFOIL_PROCS_ZYGOTE_OF") && said.contains("cannot serve"), "{said}");
    }
    Ok(())
}
