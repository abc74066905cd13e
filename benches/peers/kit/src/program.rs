//! The program of an area: its command line and its answers.

use std::ffi::OsString;
use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::prelude::*;
use nix::sys::signal::Signal;
use serde_json::{Map, Value, json};

use crate::row::{Area, Contestant, Order, Row, Sample};

const HELP: &str = "\
One sample of one contestant, for `cargo xtask compare peers`.

Usage:
  --list                               print all rows with their contestants and measures, as JSON
  --row ROW --contestant NAME          run one sample and print its values, as JSON
    --seconds-min SECONDS              time at least so much of it [default: 0.03]
    --seed N                           from which all that is random follows [default: 1]

Exit codes: 0 an answer was printed, also that the work was wrong; 2 no such row or contestant.
";

enum Ask {
    Help,
    List,
    Sample { row: String, contestant: String, least: Duration, seed: u64 },
}

/// The program: reads its command line, answers, and returns the exit code.
#[must_use]
pub fn main(area: &Area) -> ExitCode {
    // Whoever is ended while a sample runs takes it along. It fails for a wrong signal only.
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).ok();
    match read(std::env::args_os().skip(1))
        .map_err(|error| error.to_string())
        .and_then(|ask| answer(area, &ask))
    {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("peers-{}: {why}; `--list` shows what there is", area.name);
            ExitCode::from(2)
        }
    }
}

fn read(args: impl Iterator<Item = OsString>) -> Result<Ask, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(args);
    let (mut list, mut row, mut contestant, mut least, mut seed) = (false, None, None, 0.03, 1);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("help") | Short('h') => return Ok(Ask::Help),
            Long("list") => list = true,
            Long("row") => row = Some(parser.value()?.string()?),
            Long("contestant") => contestant = Some(parser.value()?.string()?),
            Long("seconds-min") => least = parser.value()?.parse()?,
            Long("seed") => seed = parser.value()?.parse()?,
            other => return Err(other.unexpected()),
        }
    }
    let least =
        Duration::try_from_secs_f64(least).map_err(|error| format!("--seconds-min {least}: {error}"))?;
    match (list, row, contestant) {
        (true, ..) => Ok(Ask::List),
        (_, Some(row), Some(contestant)) => Ok(Ask::Sample { row, contestant, least, seed }),
        _ => Err("--row and --contestant are both needed".into()),
    }
}

fn answer(area: &Area, ask: &Ask) -> Result<String, String> {
    match ask {
        Ask::Help => Ok(HELP.trim_end().to_owned()),
        Ask::List => Ok(list(area).to_string()),
        Ask::Sample { row, contestant, least, seed } => {
            let found = area
                .rows
                .iter()
                .find(|it| it.name == *row)
                .ok_or_else(|| format!("no row is called {row:?}"))?;
            let by = found.contestants.iter().find(|it| it.name == contestant);
            let by = by.ok_or_else(|| format!("no contestant of {row} is called {contestant:?}"))?;
            sample(found, by, *least, *seed).map(|answer| answer.to_string())
        }
    }
}

fn list(area: &Area) -> Value {
    let rows: Vec<Value> = area
        .rows
        .iter()
        .map(|row| {
            let contestants: Vec<Value> = row
                .contestants
                .iter()
                .map(|it| json!({ "name": it.name, "blocks": it.blocks, "also_ours": it.also_ours }))
                .collect();
            let better = |less| if less { "less" } else { "more" };
            let measures: Vec<Value> = row
                .measures
                .iter()
                .map(|it| json!({ "name": it.name, "unit": it.unit, "better": better(it.less_is_better) }))
                .collect();
            json!({ "row": row.name, "about": row.about, "contestants": contestants, "measures": measures })
        })
        .collect();
    let facts: Map<String, Value> =
        area.facts.iter().map(|&(fact, holds)| (fact.to_owned(), holds.into())).collect();
    json!({ "area": area.name, "ours": area.ours, "facts": facts, "rows": rows })
}

fn sample(row: &Row, contestant: &Contestant, least: Duration, seed: u64) -> Result<Value, String> {
    shuffle_the_heap(seed);
    let place = row.cpus.settle()?;
    let hogs = row.cpus.hogs()?;
    let outcome = (contestant.run)(&Order { least, seed, place });
    drop(hogs);
    let mut answer = json!({ "row": row.name, "contestant": contestant.name });
    match outcome.and_then(|sample| checked(row, sample)) {
        Ok(sample) => {
            let values: Map<String, Value> =
                sample.values.iter().map(|&(name, value)| (name.to_owned(), json!(value))).collect();
            answer["values"] = values.into();
            answer["timed_ns"] =
                json!(sample.timed.map(|time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)));
        }
        Err(why) => answer["wrong"] = why.into(),
    }
    Ok(answer)
}

/// Whatever is allocated from now on lies elsewhere with each seed.
///
/// Where the objects of a contestant come to lie, and so which of their fields share a cache line, follows from all that was
/// allocated and freed before, down to the length of this program's path. Each round has another seed, so no contestant keeps the luck,
/// good or bad, of one place.
fn shuffle_the_heap(seed: u64) {
    const STEP: usize = 16;
    // More than what was freed so far, of any size that allocators keep apart: what comes next is new memory.
    const SMALL: usize = 1024;
    const OF_EACH_SIZE: usize = 16;
    let leak = |bytes| std::mem::forget(black_box(Vec::<u8>::with_capacity(bytes)));
    (STEP..=SMALL).step_by(STEP).for_each(|bytes| (0..OF_EACH_SIZE).for_each(|_| leak(bytes)));
    leak(SMALL + shift(seed));
}

/// So many bytes, less than a page.
fn shift(seed: u64) -> usize {
    const STEP: u64 = 16;
    const PAGE: u64 = 4096;
    (seed % (PAGE / STEP) * STEP) as usize
}

/// A sample has every measure that its row promises.
fn checked(row: &Row, sample: Sample) -> Result<Sample, String> {
    let lacking = row
        .measures
        .iter()
        .find(|it| !sample.values.iter().any(|(name, value)| *name == it.name && value.is_finite()));
    match lacking {
        Some(measure) => Err(format!("the sample has no finite value of {:?}", measure.name)),
        None => Ok(sample),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Cpus, Measure};
    use std::collections::BTreeSet;

    fn area() -> Area {
        let contestants = vec![
            Contestant::timed("sync", 1, |_, count| Ok(Duration::from_micros(count))),
            Contestant::new("liar", |_| Err("2 and 2 came to 5".into())),
            Contestant::new("silent", |_| Ok(Sample::default())).spinning(),
            Contestant::new("sync-too", |_| Ok(Sample::default())).also_ours(),
        ];
        let row = Row {
            name: "a/b".into(),
            about: "nothing".into(),
            cpus: Cpus::One,
            measures: vec![Measure::NS],
            contestants,
        };
        Area {
            name: "sync",
            ours: "sync",
            facts: vec![("membarrier", true), ("no-membarrier", false)],
            rows: vec![row],
        }
    }

    fn said(line: &str) -> Result<Value, String> {
        let ask = read(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())?;
        answer(&area(), &ask).map(|text| serde_json::from_str(&text).expect("it is JSON"))
    }

    #[test]
    fn seeds_shift_the_heap_to_every_place_in_a_cache_line() {
        let shifts: Vec<usize> = (0..256).map(shift).collect();
        assert!(shifts.iter().all(|shift| *shift < 4096 && shift % 16 == 0));
        let so_often = |place: usize| shifts.iter().filter(|shift| **shift % 64 == place).count();
        assert_eq!([0, 16, 32, 48].map(so_often), [64; 4]);
    }

    #[test]
    fn samples_of_other_seeds_find_another_heap() {
        let address = |_: &Order| {
            let object = Box::new([0_u8; 56]);
            let values = vec![("ns", black_box(object.as_ptr()) as usize as f64)];
            Ok(Sample { values, ..Sample::default() })
        };
        let (by, mut area) = (Contestant::new("address", address), area());
        let row = &mut area.rows[0];
        row.cpus = Cpus::Free;
        let found = |seed| {
            let answer = sample(row, &by, Duration::ZERO, seed).expect("it settles");
            answer["values"]["ns"].as_f64().expect("an address") as usize
        };
        let places: BTreeSet<usize> = (0..16).map(found).collect();
        assert_eq!(places.len(), 16, "{places:x?}");
        let in_lines: BTreeSet<usize> = places.iter().map(|place| place % 64).collect();
        assert_eq!(in_lines.len(), 4, "{places:x?}");
    }

    #[test]
    fn the_list_has_rows_contestants_and_measures() {
        let list = said("--list").expect("it is valid");
        assert_eq!(list["facts"], json!({ "membarrier": true, "no-membarrier": false }));
        let contestants = &list["rows"][0]["contestants"];
        assert_eq!(contestants[2], json!({ "name": "silent", "blocks": false, "also_ours": false }));
        assert_eq!(contestants[3], json!({ "name": "sync-too", "blocks": true, "also_ours": true }));
        assert_eq!(list["rows"][0]["measures"][0], json!({ "name": "ns", "unit": "ns", "better": "less" }));
    }

    #[test]
    fn a_sample_is_values_or_what_was_wrong() {
        let good = said("--row a/b --contestant sync --seconds-min 0.02").expect("it is valid");
        assert_eq!(good["values"]["ns"], 1000.0);
        assert!(good["timed_ns"].as_u64().expect("a number") >= 20_000_000);
        let wrong =
            |name| said(&format!("--row a/b --contestant {name}")).expect("it is valid")["wrong"].clone();
        assert_eq!(wrong("liar"), "2 and 2 came to 5");
        assert!(wrong("silent").as_str().is_some_and(|why| why.contains("\"ns\"")));
    }

    #[test]
    fn what_is_not_there_is_named() {
        for (line, named) in [
            ("--row x --contestant sync", "\"x\""),
            ("--row a/b --contestant y", "\"y\""),
            ("--row a/b", "--contestant"),
            ("--lsit", "lsit"),
            ("--row a/b --contestant sync --seconds-min -1", "--seconds-min"),
        ] {
            assert!(said(line).expect_err(line).contains(named), "{line}");
        }
    }
}
