//! Head to head: what is made of honest peers and of peers that fail, and which goals are met.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harness::{Finished, Project};

const FAKE: &str = env!("CARGO_BIN_EXE_fake-peers");

/// A project whose one area is `fake`, and its engine with these arguments.
struct Peers {
    project: Project,
}

impl Peers {
    fn new() -> Self {
        let project = Project::new();
        let list = json!({
            "areas": [{ "area": "fake", "program": FAKE }, { "area": "broken", "error": "E0425" }],
            "others": ["moon"],
        });
        fs::write(project.out().join("peers.json"), list.to_string()).expect("it is ours");
        Self { project }
    }

    fn with_goals(self, goals: &str) -> Self {
        fs::create_dir_all(self.project.root().join("benches")).expect("it is ours");
        fs::write(self.project.root().join("benches/goals.toml"), goals).expect("it is ours");
        self
    }

    fn command(&self, line: &str) -> Command {
        let mut engine = self.project.bare_engine();
        engine.args(line.split_whitespace()).arg("--json").arg(self.project.folder().join("found.json"));
        engine.env("COMPARE_PEERS", self.project.out().join("peers.json"));
        engine
    }

    fn run(&self, line: &str) -> Finished {
        self.project.finish(self.command(line))
    }

    /// What was written as JSON.
    fn found(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.project.folder().join("found.json")).expect("it was written");
        serde_json::from_str(&text).expect("it is a list")
    }
}

/// A contestant of a row.
fn line<'a>(row: &'a Value, name: &str) -> &'a Value {
    let lines = row["contestants"].as_array().expect("a list");
    lines.iter().find(|line| line["name"] == name).unwrap_or_else(|| panic!("no {name} in {row}"))
}

#[test]
fn ours_is_compared_with_the_best_peer_that_blocks() {
    let peers = Peers::new();
    let said = peers.run("peers fake --rows good/* --seed 1").ended_with(0).stdout;
    let found = peers.found();
    let row = &found[0];
    assert_eq!((row["row"].as_str(), row["best_peer"].as_str()), (Some("good/one"), Some("std")));
    // All contestants of a round are disturbed alike, so within rounds the ratio is exact.
    assert!((row["ratio"].as_f64().expect("a number") - 0.8).abs() < 1e-9, "{row}");
    assert!((line(row, "spins")["ratio"].as_f64().expect("a number") - 8.0).abs() < 1e-9, "{row}");
    assert!(row["noise"].as_f64().expect("six rounds") < 1e-9 && row["stable"] == true, "{row}");
    assert!(said.contains("ours / std = 0.800 of ns") && said.contains("spins (spins)"), "{said}");
    // Ours in another form is faster, and no peer of ours.
    assert!((line(row, "ours-too")["ratio"].as_f64().expect("a number") - 4.0).abs() < 1e-9, "{row}");
    assert!(line(row, "ours-too")["also_ours"] == true && said.contains("ours-too (also ours)"), "{said}");
    assert!(found[1]["ours"].is_null() && said.contains("ours takes no part yet"), "{said}");
    assert_eq!(found.len(), 2);
}

/// By default: six rounds, each of which runs every contestant and ours once more, in an order of its own, each in a process of its
/// own, which is to time 30 ms at least.
#[test]
fn each_round_runs_every_contestant_in_a_process_of_its_own_in_an_order_of_its_own() {
    let peers = Peers::new();
    let log = peers.project.folder().join("ran");
    let mut command = peers.command("peers fake --rows good/one --seed 9");
    command.env("FAKE_PEERS_LOG", &log);
    peers.project.finish(command).ended_with(0);
    let text = fs::read_to_string(log).expect("somebody ran");
    let ran: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
    assert!(ran.iter().all(|it| it[0] == "good/one" && it[4] == "0.03"), "{text}");
    let rounds: Vec<_> = ran.chunk_by(|one, next| one[2] == next[2]).collect();
    assert_eq!(rounds.len(), 6, "a round has a seed, and is over before the next begins: {text}");
    let orders: Vec<Vec<&str>> = rounds.iter().map(|round| round.iter().map(|it| it[1]).collect()).collect();
    for order in &orders {
        let mut all = order.clone();
        all.sort_unstable();
        assert_eq!(all, ["ours", "ours", "ours-too", "slow", "spins", "std"]);
    }
    assert!(orders.iter().any(|order| *order != orders[0]), "one order for all rounds: {orders:?}");
    let processes: BTreeSet<&str> = ran.iter().map(|it| it[3]).collect();
    assert_eq!(processes.len(), ran.len(), "a process has run two samples: {text}");
}

#[test]
fn peers_that_fail_are_named_and_stop_nobody() {
    let peers = Peers::new();
    let said = peers.run("peers fake --rows bad/crashed,bad/hung --timeout 1s --seed 2").ended_with(5).stdout;
    let found = peers.found();
    for (name, status, why) in [("crashes", "crashed", "SIGABRT"), ("panics", "crashed", "the planted panic")]
    {
        let failed = line(&found[0], name);
        assert!(failed["status"] == status && failed["medians"] == json!({}), "{failed}");
        assert!(failed["why"].as_str().is_some_and(|told| told.contains(why)), "{failed}");
        assert!(said.contains(&format!("{name} {status}: ")), "{said}");
    }
    assert!(line(&found[1], "hangs")["status"] == "hung" && said.contains("no end within 1s"), "{said}");
    for row in &found {
        assert!((row["ratio"].as_f64().expect("a number") - 0.8).abs() < 1e-9, "{row}");
    }
}

#[test]
fn wrong_work_has_no_value() {
    let peers = Peers::new();
    peers.run("peers fake --rows bad/wrong --rounds 1").ended_with(4);
    let row = &peers.found()[0];
    for (name, why) in [
        ("lies", "one item was lost"),
        ("mumbles", "not valid"),
        ("hurries", "30ms is the least"),
        ("forgets", "gives no ns"),
    ] {
        let failed = line(row, name);
        assert!(failed["status"] == "wrong" && failed["ratio"].is_null(), "{failed}");
        assert!(failed["why"].as_str().is_some_and(|told| told.contains(why)), "{failed}");
    }
    assert!(row["noise"].is_null() && row["interval"].is_null(), "one round has no interval: {row}");
}

#[test]
fn what_is_not_there_is_named() {
    let peers = Peers::new();
    peers.run("peers snyc").ended_with(2).complained_of(&["snyc", "fake, broken"]);
    peers.run("peers broken").ended_with(1).complained_of(&["broken do not build", "E0425"]);
    peers.run("peers fake --rows nothing/*").ended_with(2).complained_of(&["nothing/*", "--list"]);
    peers.run("goals fake").ended_with(2).complained_of(&["benches/goals.toml"]);
    let listed = peers.run("peers fake --list --rows good/one").ended_with(0).stdout;
    assert_eq!(listed, "fake good/one: what is planted (slow, ours, std, spins, ours-too)\n");
}

#[test]
fn an_interrupted_run_keeps_the_rows_before_and_leaves_nothing() {
    let peers = Peers::new();
    let mut started = peers.project.start(peers.command("peers fake --rows good/one,bad/ours --seed 3"));
    started.wait_until("the first row", || {
        let said = fs::read_to_string(peers.project.folder().join("stdout")).unwrap_or_default();
        said.contains("ours / std")
    });
    started.send(Signal::SIGINT);
    started.finish().ended_with(130);
    assert!(peers.project.survivors(Duration::ZERO).is_empty());
    let found = peers.found();
    assert!(found.len() == 1 && found[0]["row"] == "good/one", "{found:?}");
}

fn goal(name: &str, rows: &str, rest: &str) -> String {
    format!("[[goal]]\narea = \"fake\"\ngoal = {name:?}\nrows = [{rows:?}]\nmeasure = \"ns\"\n{rest}\n")
}

const TIME: &str = "compare = \"time\"\ndirection = \"at-most\"\n";

#[test]
fn goals_that_are_all_met_end_with_0() {
    let goals = goal("time", "good/one", &format!("{TIME}bound = 0.81"))
        + &goal("speed", "good/one", "compare = \"speed\"\ndirection = \"at-least\"\nbound = 1.24")
        + &goal("elsewhere", "good/one", &format!("{TIME}bound = 0.1\nonly_if = \"rain\""))
        + "[[goal]]\narea = \"moon\"\ngoal = \"far\"\nrows = [\"x\"]\nmeasure = \"ns\"\n"
        + TIME
        + "bound = 1\n";
    let peers = Peers::new().with_goals(&goals);
    let said = peers.run("goals fake --seed 4").ended_with(0).stdout;
    assert!(said.contains("2 of 2 goals met"), "{said}");
    let found = peers.found();
    for (goal, name, value, bound) in [(&found[0], "time", 0.8, 0.81), (&found[1], "speed", 1.25, 1.24)] {
        assert!(goal["area"] == "fake" && goal["goal"] == name && goal["met"] == true, "{goal}");
        assert!((goal["value"].as_f64().expect("a number") - value).abs() < 1e-9, "{goal}");
        assert!((goal["bound"].as_f64().expect("a number") - bound).abs() < 1e-9, "{goal}");
        // All are disturbed alike, so nothing is left of the noise.
        let (noise, lo) = (goal["noise"].as_f64().expect("a number"), goal["interval"][0].as_f64());
        assert!(noise < 1e-9 && (lo.expect("a number") - value).abs() < 1e-9, "{goal}");
        assert!(goal["rounds"] == 6 && goal["stable"] == true && goal["attempts"] == 1, "{goal}");
    }
}

#[test]
fn a_goal_that_is_not_met_or_not_measured_ends_with_3() {
    let unmet = "unmet = { value = 0.82, floor = 0.5, cause = \"planted\" }";
    let goals = goal("short", "good/one", &format!("{TIME}bound = 0.75\n{unmet}"))
        + &goal("without ours", "good/*", &format!("{TIME}bound = 9"))
        + &goal("against one that hangs", "bad/hung", &format!("{TIME}bound = 9"))
        + &goal("good", "good/one", &format!("{TIME}bound = 0.9"));
    let peers = Peers::new().with_goals(&goals);
    let said = peers.run("goals fake --timeout 1s --seed 5").ended_with(3).stdout;
    let found = peers.found();
    let met: Vec<bool> = found.iter().map(|goal| goal["met"] == true).collect();
    assert_eq!(met, [false, false, false, true]);
    for told in [
        "last 0.82, floor 0.5: planted",
        "ours takes no part in the row yet",
        "hangs hung, and may be the best peer: no end within 1s",
        "1 of 4 goals met",
    ] {
        assert!(said.contains(told), "{told:?} is not in {said}");
    }
    assert!(
        (found[0]["value"].as_f64().expect("a number") - 0.8).abs() < 1e-9 && found[1]["value"].is_null()
    );
    // Some rows alone: only goals that speak of them.
    peers.run("goals fake --rows good/one --seed 5").ended_with(3);
    let names: Vec<Value> = peers.found().iter().map(|goal| goal["goal"].clone()).collect();
    assert_eq!(names, ["short", "without ours", "good"]);
    peers.run("goals fake --rows bad/wrong").ended_with(2).complained_of(&["goals.toml", "--rows"]);
}

#[test]
fn goals_take_six_rounds_and_a_file_that_can_be_written_before_anything_is_measured() {
    let peers = Peers::new().with_goals(&goal("hangs", "bad/ours", &format!("{TIME}bound = 9")));
    peers.run("goals fake --rounds 5").ended_with(2).complained_of(&["--rounds 5", "at least 6"]);
    for command in ["goals fake", "peers fake --rows bad/ours"] {
        let mut engine = peers.project.bare_engine();
        engine
            .args(command.split_whitespace())
            .arg("--json")
            .arg(peers.project.folder().join("no/found.json"));
        engine.env("COMPARE_PEERS", peers.project.out().join("peers.json"));
        peers.project.finish(engine).ended_with(2).complained_of(&["--json", "name a file"]);
    }
}

#[test]
fn an_interrupted_run_goes_on_where_it_was() {
    let goals = goal("both", "good/one", &format!("{TIME}bound = 0.9"))
        .replace("[\"good/one\"]", "[\"good/one\", \"bad/hung\"]");
    let peers = Peers::new().with_goals(&goals);
    let log = peers.project.folder().join("run.jsonl");
    let line = format!("goals fake --resume {}", log.display());
    let rows = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    let mut started = peers.project.start(peers.command(&format!("{line} --seed 7")));
    started.wait_until("the first row", || rows() == 1);
    started.send(Signal::SIGINT);
    started.finish().ended_with(130);
    assert_eq!(rows(), 1);
    let line = format!("{line} --timeout 1s");
    let said = peers.run(&format!("{line} --seed 8")).ended_with(3);
    assert!(
        !said.stderr.contains("measured good/one") && said.stderr.contains("measured bad/hung"),
        "{}",
        said.stderr
    );
    assert_eq!(
        (rows(), peers.found()[0]["note"].as_str().is_some_and(|it| it.contains("hangs hung"))),
        (2, true)
    );
    // All rows are there: nothing is measured.
    let said = peers.run(&line).ended_with(3);
    assert!(!said.stderr.contains("measured "), "{}", said.stderr);
    peers.run(&format!("{line} --rounds 7")).ended_with(2).complained_of(&[
        "--resume",
        "good/one",
        "name another file",
    ]);
}

#[test]
fn results_do_not_take_the_place_of_the_rows_of_a_run() {
    let peers = Peers::new().with_goals(&goal("g", "good/one", &format!("{TIME}bound = 0.9")));
    let found = peers.project.folder().join("found.json");
    let said = peers.run(&format!("goals fake --resume {}", found.display())).ended_with(2);
    said.complained_of(&["--json and --resume name the same file", "name two files"]);
}

#[test]
fn a_goal_of_which_some_rows_were_not_measured_is_not_met() {
    let goals = goal("both", "good/one", &format!("{TIME}bound = 0.9"))
        .replace("[\"good/one\"]", "[\"good/one\", \"bad/hung\"]");
    let peers = Peers::new().with_goals(&goals);
    let mut started = peers.project.start(peers.command("goals fake --seed 6"));
    started.wait_until("the first row", || {
        let said = fs::read_to_string(peers.project.folder().join("stderr")).unwrap_or_default();
        said.contains("measured good/one")
    });
    started.send(Signal::SIGINT);
    started.finish().ended_with(130);
    let found = peers.found();
    assert!(found[0]["met"] == false && found[0]["value"].is_null(), "{found:?}");
}

#[test]
fn goals_that_cannot_be_meant_are_refused_with_file_entry_and_remedy() {
    for (goals, told) in [
        (
            goal("g", "good/one", "bound = 1"),
            &["benches/goals.toml", "goal 1 (g)", "missing field", "peers.md"][..],
        ),
        (goal("g", "good/one", &format!("{TIME}bound = -1")), &["goal 1 (g)", "must be a number above 0"]),
        (
            goal("g", "good/one", &format!("{TIME}bound = 1\npeers = [\"sdt\"]")),
            &["\"g\"", "\"sdt\"", "ours-too, slow, spins, std"],
        ),
        (
            goal("g", "good/one", &format!("{TIME}bound = 1")).replace("\"ns\"", "\"us\""),
            &["\"us\"", "name one of: ns, share"],
        ),
        (
            goal("g", "good/one", &format!("{TIME}bound = 1"))
                .replace("[\"good/one\"]", "[\"good/one\", \"godo/*\"]"),
            &["\"g\"", "no row of fake is like \"godo/*\"", "compare peers fake --list"],
        ),
        (
            goal("g", "good/one", &format!("{TIME}bound = 1\nonly_if = \"rian\"")),
            &["\"g\"", "no fact \"rian\"", "rain, sunshine"],
        ),
        (
            goal("g", "good/one", &format!("{TIME}bound = 1")).replace("\"fake\"", "\"fkae\""),
            &["\"g\"", "no `area` is called \"fkae\"", "fake, broken, moon"],
        ),
        ("[[goal]\n".to_owned(), &["benches/goals.toml", "not TOML"]),
    ] {
        Peers::new().with_goals(&goals).run("goals fake").ended_with(2).complained_of(told);
    }
}
