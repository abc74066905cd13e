//! 12. Six large numbers on a pool of processes
//!
//! Shows: a test of six numbers is spread over processes, and its answers come in the order of the numbers, whichever is
//! done first.
//!
//! `map` yields in the order of its input; `map_unordered` yields what is ready, with its index. The document says that
//! results of `submit` have no order: they have the one in which you ask the handles for them.
//!
//! That work on the CPU needs processes is Python's rule. In Rust threads do it as well: `threads::Pool` is one word
//! away, as both pools are an `Executor`. Processes are for what may crash, leak or have to be killed.

#![forbid(unsafe_code)]

use procs::{Executor, JoinError, Pool};
use std::error::Error;
use tutorials::Story;

static STORY: Story = Story::new();

const NUMBERS: [u64; 6] = [
    112_272_535_095_293,
    112_582_705_942_171,
    112_272_535_095_293,
    115_280_095_190_773,
    115_797_848_077_099,
    1_099_726_899_285_419,
];

/// Tries the odd divisors up to the square root.
fn is_prime(number: u64) -> bool {
    match number {
        0 | 1 => false,
        2 => true,
        _ if number % 2 == 0 => false,
        _ => (3..=number.isqrt()).step_by(2).all(|divisor| number % divisor != 0),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let pool = Pool::builder().build()?;
    let answers = primes(&pool)?;
    for (number, prime) in NUMBERS.iter().zip(&answers) {
        STORY.say(format_args!("{number} is prime: {prime}"));
    }
    assert_eq!(answers, [true, true, true, true, true, false]);
    assert!((0..50).filter(|n| is_prime(*n)).eq([2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47]));

    // The same on threads.
    assert_eq!(primes(&threads::Pool::default())?, answers);
    STORY.say("threads give the same answers");
    Ok(())
}

fn primes(pool: &impl Executor) -> Result<Vec<bool>, JoinError> {
    pool.map(is_prime, NUMBERS).collect()
}
