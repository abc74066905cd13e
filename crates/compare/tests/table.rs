//! What a run looks like in a terminal, and in the formats that programs read.

mod data;

use compare::summary::{Cell, Status, Summary, Verdict};
use compare::table::{self, Format, Options};
use serde_json::Value;

#[test]
fn no_line_is_wider_than_the_screen() {
    for summary in [data::run(12), data::run(6), data::small::run(true)] {
        for width in [200, 140, 100, 80, 72, 60, 59, 40, 30] {
            for unicode in [true, false] {
                let options = Options { width, unicode, ..Options::default() };
                for line in table::render(&summary, &options).lines() {
                    assert!(line.chars().count() <= width, "{width} columns: {line:?}");
                    assert_eq!(line.trim_end(), line, "blanks at the end");
                }
            }
        }
    }
}

#[test]
fn a_small_run_looks_like_this() {
    let options = Options { width: 120, ..Options::default() };
    let text = table::render(&data::small::run(false), &options);
    assert_eq!(text, WIDE, "\n{text}");
}

#[test]
fn at_40_columns_each_model_has_a_card() {
    let options = Options { width: 40, unicode: false, ..Options::default() };
    let text = table::render(&data::small::run(true), &options);
    assert_eq!(text, NARROW, "\n{text}");
}

#[test]
fn in_markdown_it_looks_like_this() {
    let options = Options { format: Format::Md, ..Options::default() };
    let text = table::render(&data::small::run(true), &options);
    assert_eq!(text, MARKDOWN, "\n{text}");
}

#[test]
fn colours_are_only_on_top() {
    let summary = data::run(12);
    for width in [120, 40] {
        let plain = Options { width, ..Options::default() };
        let coloured = table::render(&summary, &Options { colour: true, ..plain });
        assert!(coloured.contains("\u{1b}[32m"));
        assert_eq!(without_colours(&coloured), table::render(&summary, &plain));
    }
}

#[test]
fn a_winner_stands_out_only_if_it_is_one() {
    let options = Options { colour: true, ..Options::default() };
    let bold = "\u{1b}[1mfast (1 worker)";
    assert!(table::render(&data::small::run(false), &options).contains(bold));
    assert!(!table::render(&data::small::run(true), &options).contains(bold));
    let mut unstable = data::small::run(false);
    unstable.noise_floor[0].stable = false;
    assert!(!table::render(&unstable, &options).contains(bold));
}

#[test]
fn an_unstable_group_has_no_verdicts() {
    let mut summary = data::small::run(false);
    summary.noise_floor[0].stable = false;
    let text = table::render(&summary, &Options::default());
    assert!(text.starts_with("spawn 100: UNSTABLE: no verdicts"), "{text}");
    assert!(!text.contains("faster") && !text.contains("rank"), "{text}");
}

#[test]
fn what_must_be_known_first_is_said_first() {
    let mut summary = data::run(6);
    summary.run.interrupted = true;
    let text = table::render(&summary, &Options::default());
    let mut lines = text.lines();
    assert!(lines.next().unwrap().starts_with("Interrupted"));
    assert!(lines.next().unwrap().starts_with("Exploratory: 6 rounds"));
}

#[test]
fn every_hole_has_its_reason_and_every_flag_its_remedy() {
    let summary = data::run(12);
    let text = table::render(&summary, &Options { width: 2000, ..Options::default() });
    for why in summary.cells.iter().filter_map(|cell| cell.why.as_ref()) {
        let why = why.replace("\u{1b}[31m", "").replace("\u{1b}[0m", "");
        assert!(text.contains(&why), "{why:?} is missing");
    }
    assert!(text.contains("node: untested: not run yet"));
    assert!(text.contains("remedy: close it"));
    assert!(!text.contains('\u{1b}'), "an escape of a crashed program came through");
}

#[test]
fn what_was_left_out_is_one_sentence() {
    let mut summary = data::small::run(false);
    for cell in &mut summary.cells {
        *cell = Cell {
            status: Status::Untested,
            why: Some("not in quick".to_owned()),
            value: None,
            ..cell.clone()
        };
    }
    assert_eq!(table::render(&summary, &Options::default()), "Not in this run (not in quick): spawn 100\n");
    assert!(compare::report::html(&summary).contains("Not in this run (not in quick): spawn 100"));
}

#[test]
fn cells_that_were_only_verified_are_not_called_missing() {
    let mut summary = data::small::run(false);
    summary.cells.iter_mut().for_each(|cell| cell.value = None);
    let text = table::render(&summary, &Options::default());
    assert!(text.starts_with("spawn 100: verified, not timed"), "{text}");
    assert!(text.contains("threads, fast, quick: ok: verified, not timed"), "{text}");
}

#[test]
fn the_baseline_is_1_even_if_nobody_says_so() {
    let mut summary = data::small::run(false);
    let baseline = &mut summary.cells[0];
    (baseline.ratio, baseline.lo, baseline.hi) = (None, None, None);
    assert_eq!(table::render(&summary, &Options { width: 120, ..Options::default() }), WIDE);
}

#[test]
fn unclear_rows_say_what_would_decide_them() {
    let mut summary = data::small::run(false);
    (summary.cells[1].verdict, summary.cells[1].rounds_needed) = (Some(Verdict::Unclear), Some(40));
    let text = table::render(&summary, &Options::default());
    assert!(text.contains("note: unclear; about this many rounds would tell: fast 40"), "{text}");
}

#[test]
fn sweeps_and_speed_ups_are_told() {
    let text = table::block(&data::run(12), "primes", &Options::default());
    assert!(text.contains("tokio-mt: 2, tied with 4"), "{text}");
    assert!(text.contains("1.93× [1.90, 1.96] on 2 CPUs, parallel part 96 %"), "{text}");
    assert_eq!(table::block(&data::run(12), "nothing of this name", &Options::default()), "");
}

#[test]
fn an_accident_is_a_strip_of_capabilities() {
    let text = table::block(&data::run(12), "crash", &Options { unicode: false, ..Options::default() });
    let line = |model: &str| {
        let line = text.lines().find(|line| line.starts_with(model)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("tokio-mt"), "tokio-mt + task lost - program lost - program lost");
    assert_eq!(line("py-processpool"), "py-processpool + task lost o worker lost o worker lost");
    assert!(text.contains("  seq: unsupported: one task at a time has nobody to talk to"));
    assert!(
        text.contains("abort, worker lost: BrokenProcessPool: a process ended abruptly (py-processpool)")
    );
}

#[test]
fn programs_can_read_it_back() {
    let summary = data::run(12);
    let render = |format| table::render(&summary, &Options { format, ..Options::default() });

    let json: Summary = serde_json::from_str(&render(Format::Json)).unwrap();
    assert_same(&serde_json::to_value(&json).unwrap(), &serde_json::to_value(&summary).unwrap());

    let cells: Vec<Cell> =
        render(Format::Jsonl).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_same(&serde_json::to_value(&cells).unwrap(), &serde_json::to_value(&summary.cells).unwrap());

    let rows = csv(&render(Format::Csv));
    assert_eq!(rows.len(), summary.cells.len() + 1);
    let column = |name: &str| rows[0].iter().position(|known| known == name).unwrap();
    for (row, cell) in rows[1..].iter().zip(&summary.cells) {
        assert_eq!(row.len(), rows[0].len());
        assert_eq!(row[column("model")], cell.model);
        assert_eq!(row[column("why")], cell.why.clone().unwrap_or_default());
        assert_eq!(row[column("value")].parse().ok(), cell.value);
        assert_eq!(row[column("hi")].parse().ok(), cell.hi);
        assert_eq!(row[column("status")], serde_json::to_value(cell.status).unwrap().as_str().unwrap());
    }
}

/// The same but for the last bit of a number, which the parser may get wrong.
fn assert_same(a: &Value, b: &Value) {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            assert_eq!(a.len(), b.len());
            a.iter().zip(b).for_each(|(a, b)| assert_same(a, b));
        }
        (Value::Object(a), Value::Object(b)) => {
            assert!(a.keys().eq(b.keys()));
            a.values().zip(b.values()).for_each(|(a, b)| assert_same(a, b));
        }
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= b.abs() * 1e-15, "{a} is not {b}");
        }
        _ => assert_eq!(a, b),
    }
}

fn without_colours(text: &str) -> String {
    let mut plain = text.to_owned();
    for code in ["0", "1", "2", "31", "32"] {
        plain = plain.replace(&format!("\u{1b}[{code}m"), "");
    }
    plain
}

/// As RFC 4180 has it.
fn csv(text: &str) -> Vec<Vec<String>> {
    let mut rows = vec![vec![String::new()]];
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let row = rows.last_mut().unwrap();
        match character {
            '"' if is_quoted && characters.next_if_eq(&'"').is_some() => row.last_mut().unwrap().push('"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => row.push(String::new()),
            '\r' if !is_quoted => {
                assert_eq!(characters.next(), Some('\n'));
                rows.push(vec![String::new()]);
            }
            _ => row.last_mut().unwrap().push(character),
        }
    }
    assert_eq!(rows.pop(), Some(vec![String::new()]), "the last line does not end");
    rows
}

#[test]
fn above_a_tenth_no_margin_calls_anything_the_same() {
    let mut summary = data::small::run(true);
    summary.noise_floor[0].margin = 0.5;
    for format in [Format::Table, Format::Md] {
        let text = table::render(&summary, &Options { format, width: 200, ..Options::default() });
        assert!(
            text.contains("differences below 50 % cannot be told, nothing is called the same."),
            "{text}"
        );
        assert!(!text.contains("are called the same"), "{text}");
    }
}

#[test]
fn a_control_that_stands_in_for_the_baseline_is_named() {
    let mut summary = data::small::run(true);
    summary.noise_floor[0].model = "quick".to_owned();
    let text = table::render(&summary, &Options { width: 200, ..Options::default() });
    assert!(text.contains("control quick against itself 1.00× [0.992, 1.02]"), "{text}");
}

#[test]
fn what_may_be_luck_is_said_once_for_each_group() {
    let mut summary = data::small::run(true);
    let all = |summary: &Summary| {
        let shown = |format| table::render(summary, &Options { format, width: 200, ..Options::default() });
        [shown(Format::Table), shown(Format::Md), compare::report::html(summary)]
    };
    let said = |summary: &Summary, text: &str| all(summary).map(|page| page.matches(text).count());
    assert_eq!(said(&summary, "nadjusted"), [0, 0, 0]);
    summary.noise_floor[0].ranks_corrected = false;
    assert_eq!(
        said(&summary, "Ranks unadjusted: they are corrected for the number of pairs from 13 rounds on"),
        [1; 3]
    );
    summary.noise_floor[0].verdicts_corrected = false;
    assert_eq!(
        said(
            &summary,
            "Unadjusted: verdicts are corrected for their number from 10 rounds on, ranks from 13"
        ),
        [1; 3]
    );
    assert_eq!(said(&summary, "Ranks unadjusted"), [0; 3]);
    summary.run.exploratory = true;
    assert_eq!(said(&summary, "are corrected for"), [0; 3], "the run has said so of all of it");
    summary.run.exploratory = false;
    summary.noise_floor[0].stable = false;
    assert_eq!(said(&summary, "are corrected for"), [0; 3], "there is nothing to adjust");
}

const WIDE: &str = "\
spawn 100: fast is fastest; threads takes 31.8× as long
time per task · 2 CPUs, 2 workers · 12 rounds · ratios against threads
rank  model              value            range              ratio [95 %]  verdict     cpu/iter  switches      peak
───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
   1  fast (1 worker)   301 ns    295 .. 316 ns  0.0314× [0.0308, 0.0320]  ▲ faster     54.2 µs      12.5  9.00 MiB
   2  quick             312 ns    306 .. 328 ns  0.0325× [0.0319, 0.0331]  ▲ faster     56.2 µs      12.5  9.00 MiB
   3  threads          9.60 µs  9.41 .. 10.1 µs                     1.00×  ◆ baseline   1.73 ms      12.5  9.00 MiB
Noise floor: control 1.00× [0.992, 1.02]; within 3.0 % two models are called the same.
Not measured:
  absent: unavailable: its interpreter was not found on PATH
";

const NARROW: &str = "\
spawn 100: fast and quick tie for
  fastest; threads takes 31.8x as long
time per task, 2 CPUs, 2 workers, 12
  rounds, ratios against threads
 =1 fast (1 worker)
    301 ns (295 .. 316 ns)
    + faster, 0.0314x [0.0308, 0.0320]
    cpu/iter 54.2 us, switches 12.5,
    peak 9.00 MiB
 =1 quick
    312 ns (306 .. 328 ns)
    + faster, 0.0325x [0.0319, 0.0331]
    cpu/iter 56.2 us, switches 12.5,
    peak 9.00 MiB
  3 threads
    9.60 us (9.41 .. 10.1 us)
    * baseline, 1.00x
    cpu/iter 1.73 ms, switches 12.5,
    peak 9.00 MiB
Noise floor: control 1.00x [0.992,
  1.02]; within 3.0 % two models are
  called the same.
Not measured:
  absent: unavailable: its interpreter
    was not found on PATH
";

const MARKDOWN: &str = "\
### spawn 100

fast and quick tie for fastest; threads takes 31.8× as long.

| rank | model           | value   | range           | ratio [95 %]             | verdict    | cpu/iter | switches | peak     |
|------|-----------------|---------|-----------------|--------------------------|------------|----------|----------|----------|
| =1   | fast (1 worker) | 301 ns  | 295 .. 316 ns   | 0.0314× [0.0308, 0.0320] | ▲ faster   | 54.2 µs  | 12.5     | 9.00 MiB |
| =1   | quick           | 312 ns  | 306 .. 328 ns   | 0.0325× [0.0319, 0.0331] | ▲ faster   | 56.2 µs  | 12.5     | 9.00 MiB |
| 3    | threads         | 9.60 µs | 9.41 .. 10.1 µs | 1.00×                    | ◆ baseline | 1.73 ms  | 12.5     | 9.00 MiB |

Noise floor: control 1.00× [0.992, 1.02]; within 3.0 % two models are called the same.

- absent: unavailable: its interpreter was not found on PATH

";
