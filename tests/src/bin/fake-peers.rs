//! A program of peers whose contestants take the time that a row says, or fail in the way that their names say.

#![forbid(unsafe_code)]

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use serde_json::json;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{}", list());
        return;
    }
    let after = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name).expect("the engine gives it");
        arguments[at + 1].clone()
    };
    let (row, contestant, seed) = (after("--row"), after("--contestant"), after("--seed"));
    let least: f64 = after("--seconds-min").parse().expect("a number");
    note(&format!("{row} {contestant} {seed} {} {least}\n", std::process::id()));
    match contestant.as_str() {
        "crashes" => std::process::abort(),
        "panics" => panic!("the planted panic"),
        "hangs" => std::thread::sleep(Duration::from_secs(3600)),
        "lies" => {
            println!("{}", json!({ "row": row, "contestant": contestant, "wrong": "one item was lost" }));
        }
        "mumbles" => println!("a greeting"),
        "hurries" => println!("{}", json!({ "values": { "ns": 1.0, "share": 1.0 }, "timed_ns": 1000 })),
        "forgets" => println!("{}", json!({ "values": { "share": 1.0 }, "timed_ns": 1_000_000_000 })),
        _ => {
            // The seed is that of the round, so every contestant of a round is disturbed alike.
            let round = seed.parse::<u64>().expect("a number") % 10;
            let ns = time_of(&contestant) * (1.0 + round as f64 / 10.0);
            let timed = (least * 1e9) as u64 + 1;
            println!("{}", json!({ "values": { "ns": ns, "share": 0.9 }, "timed_ns": timed }));
        }
    }
}

/// Notes who was run, in which order, where a test asks for it.
fn note(line: &str) {
    let Some(path) = std::env::var_os("FAKE_PEERS_LOG") else { return };
    let log = OpenOptions::new().append(true).create(true).open(path);
    log.and_then(|mut log| log.write_all(line.as_bytes())).expect("the test's own folder");
}

fn time_of(contestant: &str) -> f64 {
    match contestant {
        "ours" => 80.0,
        "std" => 100.0,
        "spins" => 10.0,
        "ours-too" => 20.0,
        _ => 200.0,
    }
}

fn list() -> serde_json::Value {
    let row = |name: &str, contestants: &[&str]| {
        let contestants: Vec<_> = contestants
            .iter()
            .map(|name| json!({ "name": name, "blocks": *name != "spins", "also_ours": *name == "ours-too" }))
            .collect();
        json!({
            "row": name,
            "about": "what is planted",
            "contestants": contestants,
            "measures": [
                { "name": "ns", "unit": "ns", "better": "less" },
                { "name": "share", "unit": "", "better": "more" },
            ],
        })
    };
    json!({
        "area": "fake",
        "ours": "ours",
        "facts": { "sunshine": true, "rain": false },
        "rows": [
            row("good/one", &["slow", "ours", "std", "spins", "ours-too"]),
            row("good/without", &["slow", "std"]),
            row("bad/crashed", &["ours", "std", "crashes", "panics"]),
            row("bad/wrong", &["ours", "std", "lies", "mumbles", "hurries", "forgets"]),
            row("bad/hung", &["ours", "std", "hangs"]),
            row("bad/ours", &["ours", "hangs"]),
        ],
    })
}
