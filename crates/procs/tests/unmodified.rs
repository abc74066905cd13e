//! A program with a `main` of its own that knows nothing of workers: no call, no macro, no test harness. It is built
//! with this crate as an ordinary dependency, and checks that `main` runs once.

use procs::{Executor, JoinError, Pool, Process};
use std::sync::atomic::{AtomicU64, Ordering};

static MAIN_RUNS: AtomicU64 = AtomicU64::new(0);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var_os(ONLY_EXIT).is_some() {
        return how_a_process_ended_is_known();
    }
    assert_eq!(MAIN_RUNS.fetch_add(1, Ordering::Relaxed), 0);
    let in_worker = Process::spawn(|()| MAIN_RUNS.load(Ordering::Relaxed), ())?;
    assert_eq!(in_worker.join()?, 0, "a worker never reaches `main`");

    let pool = Pool::new(2)?;
    let squares: Result<Vec<u64>, _> = pool.map(|n: u64| n * n, 0..10).collect();
    assert_eq!(squares?, (0..10).map(|n| n * n).collect::<Vec<_>>());

    where_children_are_reaped_by_the_system_it_is_known_all_the_same()?;
    a_stray_variable_does_not_make_a_zygote()
}

/// Makes this program a shorter one.
const ONLY_EXIT: &str = "PROCS_TEST_ONLY_EXIT";

fn how_a_process_ended_is_known() -> Result<(), Box<dyn std::error::Error>> {
    let lost: Result<(), JoinError> = Process::spawn(|()| std::process::exit(3), ())?.join();
    assert!(matches!(lost, Err(JoinError::Exited { code: 3, .. })), "{lost:?}");
    let ignored = |()| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:\t"));
        // Signals 32 and 33 are the C library's own, and change with each start.
        line.and_then(|bits| u64::from_str_radix(bits, 16).ok()).map(|bits| bits & !(3 << 31))
    };
    let here = ignored(());
    assert_eq!(Process::spawn(ignored, ())?.join()?, here, "workers ignore what the program ignores");
    // Bit 16 is signal 17, that of children.
    assert!(here.is_some_and(|bits| bits & (1 << 16) != 0), "{here:x?}: it should be ignored here");
    Ok(())
}

/// Whoever starts a program may have told the system to forget its children; that is inherited.
fn where_children_are_reaped_by_the_system_it_is_known_all_the_same() -> Result<(), Box<dyn std::error::Error>>
{
    let status = std::process::Command::new("env")
        .arg("--ignore-signal=CHLD")
        .arg(std::env::current_exe()?)
        .env(ONLY_EXIT, "1")
        .status()?;
    assert!(status.success(), "{status}");
    Ok(())
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
