//! Three worker processes send results into one bounded channel. One of them is killed in the middle; what it had sent is
//! received, and the others go on.

#[cfg(target_os = "linux")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    use ipc::fd::{AsFd, OwnedFd};
    use ipc::{Pipe, Sender, channel, pipe};
    use std::process::{Command, Stdio};

    /// Who, and which square of which number.
    type Square = (u32, u64, u64);

    if std::env::args().nth(1).as_deref() == Some("worker") {
        let orders: Pipe<(), (Sender<Square>, u32)> =
            Pipe::from_fd(std::io::stdin().as_fd().try_clone_to_owned()?)?;
        let (results, who) = orders.recv()?;
        for number in 0..1_000 {
            results.send((who, number, number * number))?;
        }
        return Ok(());
    }

    let (sender, results) = channel::<Square>(8)?;
    let mut workers = Vec::new();
    for who in 0..3 {
        let (orders, workers_end) = pipe::<(Sender<Square>, u32), ()>()?;
        let worker = Command::new(std::env::current_exe()?)
            .arg("worker")
            .stdin(Stdio::from(OwnedFd::from(workers_end)))
            .spawn()?;
        orders.send((sender.clone(), who))?;
        workers.push(worker);
    }
    // Only the workers can send now: when they have gone, the channel has ended.
    drop(sender);

    let mut received = [0; 3];
    for result in &results {
        let (who, number, square) = result?;
        assert_eq!(square, number * number);
        assert_eq!(number, received[who as usize], "nothing is lost, doubled or out of order");
        received[who as usize] += 1;
        if who == 0 && number == 100 {
            workers[0].kill()?;
        }
    }
    println!("results of each worker: {received:?}");
    assert!((101..1_000).contains(&received[0]));
    assert_eq!(received[1..], [1_000, 1_000]);
    for mut worker in workers {
        worker.wait()?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn main() {
    let unsupported = ipc::channel::<u64>(8).expect_err("ipc works on Linux alone so far");
    assert_eq!(unsupported.kind(), std::io::ErrorKind::Unsupported);
}
