//! A service that calls a library it cannot trust: crashes cost the task and nothing else.
//!
//! ```text
//! cargo run -p procs --example crash
//! ```

use procs::{Executor, JoinError, Pool};

/// Stands for a library in C.
#[expect(clippy::needless_pass_by_value, reason = "a task owns its argument")]
fn parse(input: String) -> Result<usize, String> {
    match input.as_str() {
        "poison" => std::process::abort(),
        "" => Err("nothing to parse".into()),
        text => Ok(text.split_whitespace().count()),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = Pool::builder().workers(2).name("parser").build()?;
    let inputs = ["one two three", "poison", "", "four"].map(String::from);
    let mut report = Vec::new();
    for (input, result) in inputs.clone().into_iter().zip(pool.map(parse, inputs)) {
        report.push(match result {
            Ok(Ok(words)) => format!("{input:?}: {words} words"),
            Ok(Err(why)) => format!("{input:?}: refused, {why}"),
            Err(JoinError::Killed { signal, .. }) => format!("{input:?}: killed the parser, signal {signal}"),
            Err(other) => return Err(other.into()),
        });
    }
    println!("{}", report.join("\n"));
    assert_eq!(
        report,
        [
            r#""one two three": 3 words"#,
            r#""poison": killed the parser, signal 6"#,
            r#""": refused, nothing to parse"#,
            r#""four": 1 words"#,
        ]
    );
    Ok(())
}
