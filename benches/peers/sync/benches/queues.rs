//! The bodies of the rows on queues, for criterion: `cargo bench --manifest-path benches/peers/Cargo.toml`.

use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use peers_kit::Place;
use peers_sync::queues::contestants::Candidate;
use peers_sync::queues::{Case, Ends, Run, STEP, contestants};

fn queues(criterion: &mut Criterion) {
    for (shape, producers, consumers) in [("spsc", 1, 1), ("mpsc", 2, 1), ("mpmc", 2, 2)] {
        for capacity in [Some(0), Some(1), Some(128), Some(1024), None] {
            let name = capacity.map_or_else(|| "unbounded".into(), |capacity| capacity.to_string());
            let case = Case { producers, consumers, capacity, ends: Ends::Threads };
            let mut group = criterion.benchmark_group(format!("queue/{shape}/{name}"));
            // A row has rounds of fresh processes for what differs from run to run; this is for a look.
            group
                .sample_size(10)
                .warm_up_time(Duration::from_millis(300))
                .measurement_time(Duration::from_secs(1));
            for Candidate { name, body, .. } in contestants::all::<u64>(case) {
                group.bench_function(name, |bencher| {
                    bencher.iter_custom(|count| {
                        let rounded = count.next_multiple_of(STEP);
                        let run = Run { place: &Place::free(), count: rounded, watched: false };
                        let took = body(&run).expect("every item comes through").took;
                        took.mul_f64(count as f64 / rounded as f64)
                    });
                });
            }
        }
    }
}

criterion_group!(benches, queues);
criterion_main!(benches);
