//! A meter that must never wait: it samples, and hands on what it can, whatever the other threads are doing.
//!
//! `cargo run -p sync --example never_wait`

use std::thread;
use sync::lockfree::{Counter, RcuCell, SeqLock, spsc_ring};

/// What the meter is told; replaced as a whole while it runs.
struct Settings {
    name: &'static str,
    /// Every how many-th sample is handed on.
    every: u64,
}

const SAMPLES: u64 = 10_000;

fn main() {
    let settings = RcuCell::new(Settings { name: "coarse", every: 100 });
    let (mut out, mut received) = spsc_ring(16);
    // Number and value of the last sample, which belong together.
    let last = SeqLock::new((0_u64, 0.0_f64));
    let lost = Counter::new();

    let (fine, sum) = thread::scope(|scope| {
        let meter = scope.spawn(|| {
            let mut handed_on = 0;
            for number in 1..=SAMPLES {
                let value = f64::from(u32::try_from(number % 10).expect("a digit"));
                last.write((number, value));
                if number % settings.load().every == 0 {
                    match out.push(number) {
                        Ok(()) => handed_on += number,
                        Err(_) => lost.add(1),
                    }
                }
            }
            drop(out);
            handed_on
        });
        let (mut fine, mut sum) = (false, 0);
        loop {
            // In this order: nothing comes after the end was seen.
            let over = received.is_abandoned();
            let (mut count, before) = (0, settings.load());
            for number in received.drain() {
                count += 1;
                sum += number;
            }
            if count > 0 && !fine {
                settings.store(Settings { name: "fine", every: 7 });
                // The guard still has the old ones.
                assert_eq!((before.name, before.every), ("coarse", 100));
                fine = true;
            }
            let (number, value) = last.read();
            assert_eq!(value, f64::from(u32::try_from(number % 10).expect("a digit")), "never half a sample");
            if over && count == 0 {
                break;
            }
        }
        let handed_on = meter.join().expect("the meter does not panic");
        assert_eq!(sum, handed_on, "what was handed on has come");
        (fine, sum)
    });

    assert!(fine && sum > 0);
    assert_eq!(last.read().0, SAMPLES);
    println!("{}: the numbers that came make {sum}; {} found no room", settings.load().name, lost.sum());
}
