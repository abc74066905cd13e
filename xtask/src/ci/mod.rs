//! `cargo xtask ci`: every check, in the same order here and on the machine that guards the main branch.
//!
//! A check whose tool is missing is skipped and says so; it never counts as passed.

mod import;
mod output;
mod own_checks;
mod steps;
mod targets;

use std::ffi::OsString;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lexopt::prelude::*;

use crate::project::{Project, print};
use crate::{Stop, unexpected};
use steps::{STEPS, Step};

/// How a check ended.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Passed,
    /// Why, in the first line; below it the end of what the check said.
    Failed(String),
    /// What is missing.
    Skipped(String),
}

/// `cargo xtask ci [--list] [--keep-going] [STEP]...`
pub(crate) fn run(project: &Project, args: Vec<OsString>) -> Result<(), Stop> {
    let mut keep_going = false;
    let mut wanted = Vec::new();
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("list") => {
                return print(&listing());
            }
            Long("keep-going") => keep_going = true,
            Value(name) => wanted.push(name.string()?),
            other => return Err(unexpected("ci", other)),
        }
    }
    let steps = choose(&wanted)?;

    let mut ended = Vec::new();
    for step in &steps {
        println!("\n==> {}: {}", step.name, step.shown());
        let start = Instant::now();
        let outcome = step.run(project);
        let time = start.elapsed();
        match &outcome {
            Outcome::Passed => println!("<== {} passed in {}", step.name, minutes(time)),
            Outcome::Skipped(why) => println!("<== {} skipped: {why}", step.name),
            Outcome::Failed(why) => {
                let why = first_line(why);
                println!("<== {} failed after {}: {why}\n    {}", step.name, minutes(time), step.remedy);
            }
        }
        let failed = matches!(outcome, Outcome::Failed(_));
        ended.push((step.name, outcome, time));
        if failed && !keep_going {
            break;
        }
    }

    print!("\n{}{}", table(&ended, steps.len()), last_words(&ended));
    if ended.iter().any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_))) {
        return Err(Stop::Code(1));
    }
    Ok(())
}

/// The named steps in the order of the list; all of them if none is named.
fn choose(wanted: &[String]) -> Result<Vec<&'static Step>, Stop> {
    if let Some(unknown) = wanted.iter().find(|name| STEPS.iter().all(|step| step.name != *name)) {
        let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(Stop::Usage(format!("no check is called `{unknown}`; there are {}", names.join(", "))));
    }
    Ok(STEPS.iter().filter(|step| wanted.is_empty() || wanted.iter().any(|name| name == step.name)).collect())
}

fn listing() -> String {
    let mut text = String::new();
    for step in STEPS {
        let _ = writeln!(text, "{:<12} {}\n{:<12} {}", step.name, step.about, "", step.shown());
    }
    text
}

fn table(ended: &[(&str, Outcome, Duration)], planned: usize) -> String {
    let mut text = format!("{:<12} {:>8}  result\n", "step", "time");
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let mut total = Duration::ZERO;
    for (name, outcome, time) in ended {
        let result = match outcome {
            Outcome::Passed => "passed".to_owned(),
            Outcome::Failed(why) => format!("FAILED: {}", first_line(why)),
            Outcome::Skipped(why) => format!("skipped: {why}"),
        };
        let counter = match outcome {
            Outcome::Passed => &mut passed,
            Outcome::Failed(_) => &mut failed,
            Outcome::Skipped(_) => &mut skipped,
        };
        *counter += 1;
        total += *time;
        let _ = writeln!(text, "{name:<12} {:>8}  {result}", minutes(*time));
    }
    let _ = writeln!(text, "{:<12} {:>8}", "all", minutes(total));
    let _ = write!(text, "\n{passed} passed, {failed} failed, {skipped} skipped");
    let never_begun = planned - ended.len();
    let _ = match never_begun {
        0 => writeln!(text),
        _ => writeln!(text, ", {never_begun} not begun (--keep-going runs them)"),
    };
    text
}

/// What failed, once more: between a failure and the table there may be thousands of lines.
fn last_words(ended: &[(&str, Outcome, Duration)]) -> String {
    let mut text = String::new();
    for (name, outcome, _) in ended {
        if let Outcome::Failed(why) = outcome {
            let _ = writeln!(text, "\nthe end of what {name} said, which failed:\n{}", why.trim_end());
        }
    }
    text
}

fn first_line(why: &str) -> &str {
    why.lines().next().unwrap_or_default()
}

fn minutes(time: Duration) -> String {
    format!("{:.1} min", time.as_secs_f64() / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_and_never_calls_a_skip_a_pass() {
        let ended = [
            ("test", Outcome::Passed, Duration::from_secs(90)),
            ("deny", Outcome::Skipped("cargo-deny is not installed".into()), Duration::ZERO),
            ("fmt", Outcome::Failed("exit status: 1\nDiff in a.rs\n".into()), Duration::from_secs(6)),
        ];
        assert!(last_words(&ended).contains("fmt said, which failed:\nexit status: 1\nDiff in a.rs\n"));
        let text = table(&ended, 5);
        assert!(text.contains("test          1.5 min  passed\n"), "{text}");
        assert!(text.contains("deny          0.0 min  skipped: cargo-deny is not installed\n"), "{text}");
        assert!(text.contains("fmt           0.1 min  FAILED: exit status: 1\n"), "{text}");
        assert!(text.contains("\n1 passed, 1 failed, 1 skipped, 2 not begun"), "{text}");
    }

    #[test]
    fn steps_keep_their_order_and_unknown_ones_are_refused() {
        let names = |steps: Vec<&Step>| steps.iter().map(|step| step.name).collect::<Vec<_>>();
        let chosen = choose(&["fmt".to_owned(), "test".to_owned()]).ok().map(names);
        assert_eq!(chosen, Some(vec!["test", "fmt"]));
        assert!(
            matches!(choose(&["nothing".to_owned()]), Err(Stop::Usage(why)) if why.contains("xtask-size"))
        );
    }

    #[test]
    fn every_step_says_what_to_do_when_it_fails() {
        for step in STEPS {
            assert!(step.remedy.len() > 20, "{} has no remedy", step.name);
            assert!(listing().contains(step.about));
        }
    }
}
