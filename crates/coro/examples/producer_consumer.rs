//! A producer sends items to a consumer that takes them by yielding: no queue, no thread, no lock.

use coro::{Generator, Step, Yielder};

/// Says what it did with the item before, and returns how many it took.
type Consumer = Generator<String, u32, u32>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut consumer: Consumer = Generator::new(consume);
    let mut answers = Vec::new();
    answers.extend(consumer.start()?.yielded());
    for item in 1..=3 {
        println!("[producer] makes {item}");
        if let Step::Yielded(answer) = consumer.send(item)? {
            println!("[consumer] {answer}");
            answers.push(answer);
        }
    }
    assert_eq!(answers, ["waiting", "ate 1", "ate 2", "ate 3"]);

    // An error from outside comes up where the consumer waits, and it lives on.
    assert_eq!(consumer.throw("item 4 is spoilt")?, Step::Yielded("threw away: item 4 is spoilt".to_owned()));

    // Asked to end, it tidies up and says what came of it.
    let total = consumer.close()?;
    println!("[producer] the consumer ate {total:?}");
    assert_eq!(total, Some(3));
    Ok(())
}

fn consume(y: &Yielder<String, u32>) -> u32 {
    let mut eaten = 0;
    let mut answer = "waiting".to_owned();
    loop {
        answer = match y.try_yield(answer) {
            Ok(item) => {
                eaten += 1;
                format!("ate {item}")
            }
            Err(thrown) if thrown.is_exit() => return eaten,
            Err(thrown) => format!("threw away: {thrown}"),
        };
    }
}
