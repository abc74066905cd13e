//! What the native loop costs: tasks, turns, timers and sockets. Ours alone; beside others it stands in `cargo xtask
//! compare`.

use async_rt::{Backend, Runtime, TcpStream, sleep, start_server, timeout, yield_now};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;

/// Whatever is measured runs in a task, as programs do it, and not in the root on the caller's thread.
fn tasks(criterion: &mut Criterion) {
    let runtime = Runtime::builder(Backend::Native).workers(1).build().expect("the system lends a thread");
    criterion.bench_function("spawn and join, one by one", |bencher| {
        bencher.iter_custom(|rounds| {
            runtime.run(async move {
                let began = std::time::Instant::now();
                for number in 0..rounds {
                    let task = async_rt::spawn(async move { black_box(number) });
                    assert_eq!(task.await.ok(), Some(number));
                }
                began.elapsed()
            })
        });
    });
    criterion.bench_function("spawn and join, 1000 at a time", |bencher| {
        bencher.iter_custom(|rounds| {
            runtime.run(async move {
                let began = std::time::Instant::now();
                for _ in 0..rounds {
                    let tasks: Vec<_> = (0..1000_u64)
                        .map(|number| async_rt::spawn(async move { black_box(number) }))
                        .collect();
                    for task in tasks {
                        assert!(task.await.is_ok());
                    }
                }
                began.elapsed()
            })
        });
    });
    criterion.bench_function("yield", |bencher| {
        bencher.iter_custom(|rounds| {
            runtime.run(async move {
                let began = std::time::Instant::now();
                for _ in 0..rounds {
                    yield_now().await;
                }
                began.elapsed()
            })
        });
    });
}

fn timers(criterion: &mut Criterion) {
    let runtime = Runtime::builder(Backend::Native).workers(1).build().expect("the system lends a thread");
    criterion.bench_function("timer put in and taken back", |bencher| {
        bencher.iter_custom(|rounds| {
            runtime.run(async move {
                let began = std::time::Instant::now();
                for _ in 0..rounds {
                    let cut = timeout(Duration::ZERO, sleep(Duration::from_secs(60))).await;
                    assert!(cut.is_err());
                }
                began.elapsed()
            })
        });
    });
}

fn sockets(criterion: &mut Criterion) {
    let runtime = Runtime::builder(Backend::Native).workers(1).build().expect("the system lends a thread");
    criterion.bench_function("echo of 128 bytes", |bencher| {
        bencher.iter_custom(|rounds| {
            let echoed = runtime.run(async move {
                let server = start_server("127.0.0.1:0", |mut stream: TcpStream, _| async move {
                    let mut buffer = [0; 128];
                    while stream.read_exact(&mut buffer).await.is_ok() {
                        if stream.write_all(&buffer).await.is_err() {
                            return;
                        }
                    }
                })
                .await?;
                let mut stream = TcpStream::connect(server.local_addr()).await?;
                stream.set_nodelay(true)?;
                let mut buffer = [7; 128];
                let began = std::time::Instant::now();
                for _ in 0..rounds {
                    stream.write_all(&buffer).await?;
                    stream.read_exact(&mut buffer).await?;
                }
                let took = began.elapsed();
                server.close().await?;
                Ok::<_, std::io::Error>(took)
            });
            echoed.expect("loopback works")
        });
    });
}

criterion_group!(benches, tasks, timers, sockets);
criterion_main!(benches);
