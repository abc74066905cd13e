//! A process that is talked to while it runs, one that is stopped, and a command of the system.
//!
//! ```text
//! cargo run -p procs --example talk
//! ```

use procs::ipc::{Link, handoff};
use procs::{JoinError, Limits, Process, communicate};
use std::process::Command;
use std::time::Duration;

/// Adds what comes until the other side is closed.
#[expect(clippy::needless_pass_by_value, reason = "a process owns its argument")]
fn adder(link: Link) -> Result<u64, String> {
    let mut sum = 0;
    while let Ok(parcel) = link.receive(None) {
        sum += handoff::decode::<u64>(parcel).map_err(|error| error.to_string())?;
        let answer = handoff::encode(&sum).map_err(|error| error.to_string())?;
        link.send(&answer, None).map_err(|error| error.to_string())?;
    }
    Ok(sum)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (here, there) = Link::pair()?;
    let process = Process::builder().name("adder").spawn(adder, there)?;
    for number in [30_u64, 12] {
        here.send(&handoff::encode(&number)?, None)?;
        println!("process {} has {}", process.pid(), handoff::decode::<u64>(here.receive(None)?)?);
    }
    drop(here);
    assert_eq!(process.join()?, Ok(42));

    let patient = Process::spawn(|()| std::thread::sleep(Duration::from_secs(3600)), ())?;
    let patient = patient.join_timeout(Duration::from_millis(10)).unwrap_err().into_inner();
    patient.kill()?;
    assert!(matches!(patient.join(), Err(JoinError::Killed { signal: 9, .. })));

    let limits = Limits::none().timeout(Duration::from_secs(30)).output_bytes_max(1 << 16);
    let sorted = communicate(&mut Command::new("sort"), "pear\napple\n", limits)?;
    assert_eq!(sorted.stdout, b"apple\npear\n");
    Ok(())
}
