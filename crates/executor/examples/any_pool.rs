//! One function for every pool: it is written against the contract and told by the pool what to expect.
//!
//! `cargo run -p executor --example any_pool --features rayon,smol`

use executor::{Executor, JoinError, Shutdown};

/// Counts the words of each text, on whatever pool it is given.
fn count_words(pool: &impl Executor, texts: &[&str]) -> Result<Vec<usize>, JoinError> {
    let texts = texts.iter().map(ToString::to_string);
    pool.map(|text: String| text.split_whitespace().count(), texts).collect()
}

fn show(name: &str, pool: &impl Executor) -> Result<(), JoinError> {
    let counts = count_words(pool, &["one", "two words", "and three words"])?;
    assert_eq!(counts, [1, 2, 3]);
    println!("{name}: {counts:?}, at most {} at a time, {:?}", pool.workers(), pool.can());

    // A task that fails is an error in its place, and no more.
    let outcomes: Vec<bool> = pool
        .map(|number: u32| assert!(number != 1, "on purpose"), 0..3)
        .map(|result| result.is_ok())
        .collect();
    assert_eq!(outcomes, [true, false, true]);

    pool.shutdown(Shutdown::Finish);
    Ok(())
}

fn main() -> Result<(), JoinError> {
    show("inline", &inline::Inline::default())?;
    #[cfg(feature = "rayon")]
    show("rayon", &executor::rayon::Rayon::global())?;
    #[cfg(feature = "smol")]
    show("smol", &executor::smol::Smol::new())?;
    #[cfg(feature = "async-std")]
    show("async-std", &executor::async_std::AsyncStd::new())?;
    Ok(())
}

/// What a pool looks like that runs a task where it is submitted.
#[path = "../tests/common/inline.rs"]
mod inline;
