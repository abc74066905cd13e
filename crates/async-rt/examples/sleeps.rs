//! A thousand sleeps at the same time take as long as the longest.
//!
//! `cargo run -p async-rt --example sleeps`

use async_rt::{Backend, gather, gather_all, run, sleep, timeout};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    let (slept, cut) = run(Backend::Native, async {
        let many = (0..1000_u64).map(|number| async move {
            sleep(Duration::from_millis(number % 50)).await;
            number
        });
        let too_long = timeout(Duration::from_millis(20), sleep(Duration::from_secs(60)));
        gather((gather_all(many), too_long)).await
    })?;
    assert_eq!(slept, (0..1000).collect::<Vec<_>>(), "results are in order, whoever woke first");
    assert!(cut.is_err());
    assert!(began.elapsed() >= Duration::from_millis(49));
    println!("1000 sleeps of up to 49 ms took {:?}", began.elapsed());
    Ok(())
}
