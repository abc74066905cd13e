//! Two locks, taken in two orders: a deadlock, which ends here because each waits for a limited time, and two repairs.
//!
//! Nothing is wrong with either thread alone, and mostly both together go well: each has to take its first lock before the
//! other takes its second. Here they are made to.
//!
//! `cargo run -p sync --example two_locks`

use std::thread;
use std::time::Duration;
use sync::{Barrier, Mutex, TimedOut};

/// An account, and how much is on it.
struct Account {
    number: u32,
    money: Mutex<i64>,
}

const LIMIT: Duration = Duration::from_millis(50);

fn main() {
    let (mine, yours) = (Account::new(1), Account::new(2));

    let both = at_once(
        |first_is_held| transfer_as_it_comes(&mine, &yours, first_is_held),
        |first_is_held| transfer_as_it_comes(&yours, &mine, first_is_held),
    );
    println!("each its own order:  {both:?}");
    // One may get through when the other has given up; never both.
    assert!(both.contains(&Err(TimedOut)), "without a limit, they would wait for each other to this day");
    mine.put_back();
    yours.put_back();

    let both = at_once(|_| transfer_in_order(&mine, &yours), |_| transfer_in_order(&yours, &mine));
    println!("one order for all:   {both:?}");
    assert_eq!(both, [Ok(()); 2]);

    let both = at_once(
        |first_is_held| transfer_or_let_go(&mine, &yours, first_is_held),
        |first_is_held| transfer_or_let_go(&yours, &mine, first_is_held),
    );
    println!("all locks or none:   {both:?}");
    assert_eq!(both, [Ok(()); 2]);

    assert_eq!(
        [mine.money.into_inner(), yours.money.into_inner()],
        [100, 100],
        "each gave 1 to the other, twice"
    );
}

/// The mistake: whoever sends is locked first. A limit makes it an error instead of the end.
fn transfer_as_it_comes(from: &Account, to: &Account, first_is_held: &Barrier) -> Result<(), TimedOut> {
    let mut source = from.money.lock();
    first_is_held.wait().expect("nobody breaks it");
    let mut target = to.money.lock_timeout(LIMIT)?;
    *source -= 1;
    *target += 1;
    Ok(())
}

/// First repair: an order in which everybody takes locks, here by the number of the account. Nobody can wait in a circle,
/// for whoever has the highest one waits for none.
fn transfer_in_order(from: &Account, to: &Account) -> Result<(), TimedOut> {
    let (mut source, mut target);
    if from.number < to.number {
        source = from.money.lock();
        target = to.money.lock_timeout(LIMIT)?;
    } else {
        target = to.money.lock();
        source = from.money.lock_timeout(LIMIT)?;
    }
    *source -= 1;
    *target += 1;
    Ok(())
}

/// Second repair, where there is no order: whoever cannot have the second lock gives the first one back and begins anew with
/// the lock that was missing. So nobody waits for one while he holds another.
fn transfer_or_let_go(from: &Account, to: &Account, first_is_held: &Barrier) -> Result<(), TimedOut> {
    let mut source = from.money.lock();
    first_is_held.wait().expect("nobody breaks it");
    let mut target = loop {
        if let Some(target) = to.money.try_lock() {
            break target;
        }
        drop(source);
        let target = to.money.lock();
        match from.money.try_lock() {
            Some(again) => {
                source = again;
                break target;
            }
            None => drop(target),
        }
        source = from.money.lock();
    };
    *source -= 1;
    *target += 1;
    Ok(())
}

impl Account {
    fn new(number: u32) -> Self {
        Account { number, money: Mutex::new(100) }
    }

    /// As at the beginning.
    fn put_back(&self) {
        *self.money.lock() = 100;
    }
}

/// Runs both on threads of their own; each is told when both have begun by the barrier that it is given.
fn at_once<R: Send>(
    first: impl FnOnce(&Barrier) -> R + Send,
    second: impl FnOnce(&Barrier) -> R + Send,
) -> [R; 2] {
    let both = Barrier::new(2);
    thread::scope(|scope| {
        let second = scope.spawn(|| second(&both));
        let first = first(&both);
        [first, second.join().expect("it does not panic")]
    })
}
