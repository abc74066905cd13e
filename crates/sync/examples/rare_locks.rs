//! What a lock is seldom asked for, and then badly: its owner takes it again, a panic under it is remembered, no more permits come
//! back than were taken, a signal is for whoever has waited longest, and what is dear to make is made once.
//!
//! ```console
//! $ cargo run -p sync --example rare_locks
//! ```

use std::cell::{Cell, RefCell};
use std::error::Error;
use std::thread;
use std::time::Duration;
use sync::extra::{BoundedSemaphore, Notify, OnceCell, PoisonMutex, RLock};
use sync::{Mutex, park};

fn main() -> Result<(), Box<dyn Error>> {
    let lines = outline();
    println!("an outline by functions that call themselves: {lines:?}");
    assert_eq!(lines, ["book", "  part", "    chapter", "  index"]);

    let (left, right) = transfer()?;
    println!("after a transfer that failed half way and was made good: {left} and {right}");
    assert_eq!((left, right), (100, 100));

    let refused = lend()?;
    println!("a connection that was given back twice: {refused}");

    let served = serve(5);
    println!("jobs served by one who sleeps in between: {served:?}");
    assert_eq!(served, [0, 1, 2, 3, 4]);

    let made = connect();
    println!("three tasks asked for a connection, {made} made one");
    assert_eq!(made, 1);
    Ok(())
}

/// A tree is written by a function that takes the lock and calls itself, so its owner takes it again. Another thread that writes
/// comes before or after all of it, and never in between.
fn outline() -> Vec<String> {
    struct Writer(RLock<RefCell<Vec<String>>>);
    impl Writer {
        fn write(&self, depth: usize, title: &str, parts: &[&str]) {
            let lines = self.0.lock();
            lines.borrow_mut().push(format!("{:depth$}{title}", ""));
            if let [first, rest @ ..] = parts {
                self.write(depth + 2, first, rest);
            }
        }
    }
    let writer = Writer(RLock::new(RefCell::default()));
    let whole = writer.0.lock();
    thread::scope(|scope| {
        let index = scope.spawn(|| writer.write(2, "index", &[]));
        writer.write(0, "book", &["part", "chapter"]);
        drop(whole);
        drop(index);
    });
    writer.0.into_inner().into_inner()
}

/// Half of a transfer has been made when it panics: the next one is told, and makes it good.
fn transfer() -> Result<(i64, i64), Box<dyn Error>> {
    let accounts = PoisonMutex::new((130, 70));
    let failed = sync::catch(|| {
        let mut accounts = accounts.lock().expect("nobody has panicked yet");
        accounts.0 -= 30;
        let to = "nobody".parse::<usize>().expect("the number of an account");
        accounts.1 += [30][to];
    });
    assert!(failed.is_err());
    match accounts.lock() {
        Ok(_) => return Err("the panic was forgotten".into()),
        Err(half_done) => half_done.into_inner().1 += 30,
    }
    accounts.clear_poison();
    let after = *accounts.lock().map_err(|_| "it is in order again")?;
    Ok(after)
}

/// Connections are lent without a guard. One that is given back twice would be one too many from then on; so it is an error.
fn lend() -> Result<String, Box<dyn Error>> {
    let connections = BoundedSemaphore::new(2);
    connections.acquire()?.keep();
    connections.release(1)?;
    match connections.release(1) {
        Ok(()) => Err("there are three connections now".into()),
        Err(refused) => Ok(refused.to_string()),
    }
}

/// The jobs are under a lock, and who serves them sleeps until he is told of one. A notification that finds nobody waiting is kept.
fn serve(jobs: u32) -> Vec<u32> {
    let (waiting, is_there) = (Mutex::new(Vec::new()), Notify::new());
    thread::scope(|scope| {
        let server = scope.spawn(|| {
            let mut served = Vec::new();
            while served.len() < jobs as usize {
                is_there.wait();
                served.append(&mut waiting.lock());
            }
            served
        });
        for job in 0..jobs {
            waiting.lock().push(job);
            is_there.notify_one();
        }
        server.join().unwrap_or_default()
    })
}

/// Three tasks need a connection at once. One makes it, and awaits for that; the others wait for him.
fn connect() -> u32 {
    let (connection, made) = (OnceCell::new(), Mutex::new(Cell::new(0)));
    let one_more = async || {
        let made = made.lock_async().await;
        made.set(made.get() + 1);
        sync::timer::sleep(Duration::from_millis(5)).await;
        "connected"
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope
                .spawn(|| assert_eq!(*park::block_on(connection.get_or_init_async(one_more())), "connected"));
        }
    });
    made.into_inner().get()
}
