//! Every workload of one model, verified in this very process.

use crate::contestant::batch;
use crate::describe::{GENERIC, ability};
use crate::page::page;
use crate::workloads::{self, Entry};
use crate::{Model, Stage};
use compare::protocol::{Case, Metric, Need, Scale};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Runs each workload that the model can do, in each of its forms, once at its smallest scale, and compares the results
/// with the oracle's: the test that every contestant ends with.
///
/// `crash` is asked for a panic only, and the task that panics must be the only one that is lost. A model that takes part in
/// `switch` by its generic form must have a yield that lets another unit run, which no result would tell.
///
/// # Panics
/// If a result is wrong, or if a unit yields in vain.
pub fn check<M: Model>() {
    let workers = 2;
    let model = Arc::new(M::start(workers).expect("the model starts with two workers"));
    for entry in workloads::ALL {
        let ability = ability(&M::facts(), entry);
        let scale = entry.workload().scales.into_iter().next().expect("a workload has a scale");
        let case = case(entry, &scale);
        let input = (entry.input)(&case).expect("the case is complete");
        let mut expected = (entry.expected)(&input, scale.n);
        if entry.workload().metric == Metric::Outcome {
            expected.remove(usize::try_from(input.numbers[0]).expect("the victim's index fits"));
        }
        let stage = Arc::new(Stage { input, scale: scale.label, n: scale.n, workers });
        for form in ability.forms {
            let batch = batch(&model, &stage, entry.name, &form, 2);
            assert_eq!(batch.results, [&expected[..]; 2], "{} ({form}) gave a wrong result", entry.name);
            if entry.name == "switch" && form == GENERIC {
                assert!(
                    yields_reach_all(&model, 4 * workers),
                    "units yield, and those that are queued never run"
                );
            }
        }
    }
}

/// Whether units, more than there are workers, meet by nothing but yields.
fn yields_reach_all<M: Model>(model: &Arc<M>, units: usize) -> bool {
    let (own_model, arrived) = (Arc::clone(model), Arc::new(AtomicUsize::new(0)));
    // Where they do, it takes microseconds; where they do not, they would never end.
    let deadline = Instant::now() + Duration::from_secs(20);
    model.run(async move {
        let unit = |arrived: Arc<AtomicUsize>| async move {
            arrived.fetch_add(1, Ordering::Relaxed);
            while arrived.load(Ordering::Relaxed) < units && Instant::now() < deadline {
                M::yield_now().await;
            }
            u64::from(arrived.load(Ordering::Relaxed) == units)
        };
        let tasks: Vec<M::Task> = (0..units).map(|_| own_model.spawn(unit(Arc::clone(&arrived)))).collect();
        let mut met = 0;
        for task in tasks {
            met += M::join(task).await.expect("a unit that yields is not lost");
        }
        met == units as u64
    })
}

fn case(entry: &Entry, scale: &Scale) -> Case {
    let needs = entry.workload().needs;
    Case {
        workload: entry.name.to_owned(),
        scale: scale.label.clone(),
        n: scale.n,
        seed: 1,
        dir: needs.contains(&Need::Dir).then(|| concat!(env!("CARGO_MANIFEST_DIR"), "/src").to_owned()),
        server: needs.contains(&Need::Server).then(serve),
    }
}

/// A server for `fetch` that is just good enough for this: one thread per connection. Returns its address; it ends with
/// the process.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("a bound socket has an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> Option<()> {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    while !head.ends_with("\r\n\r\n") {
        reader.read_line(&mut head).ok().filter(|count| *count > 0)?;
    }
    let target = head.split(' ').nth(1)?;
    let delay_ms = target.split('/').nth(1)?.parse().ok()?;
    thread::sleep(Duration::from_millis(delay_ms));
    stream.write_all(&[b"HTTP/1.1 200 OK\r\n\r\n", &page(target)[..]].concat()).ok()
}
