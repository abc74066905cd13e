//! Checks that are more than one command.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::Outcome;
use super::output::{outcome_of, outcome_of_tests};
use crate::project::{Project, answers, cannot_start};
use crate::tidy::Tree;
use crate::{Stop, mutants as weakened, tidy as rules};

/// `cargo tree -p xtask -e normal` may name this many crates besides xtask.
const XTASK_CRATES_MOST: usize = 10;

/// All Rust is formatted, the workloads too, which cargo does not find because a build script puts them together.
pub(super) fn formatting(project: &Project) -> Outcome {
    if !answers(project.cargo().args(["fmt", "--version"])) {
        return Outcome::Skipped("rustfmt is not installed (`rustup component add rustfmt`)".into());
    }
    let outcome = outcome_of(project.cargo().args(["fmt", "--all", "--check"]));
    if outcome != Outcome::Passed {
        return outcome;
    }
    let folder = project.root().join("benches/kit/src/workloads");
    let files: Vec<_> =
        std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
    if files.is_empty() {
        return Outcome::Failed(format!("no workloads in {}", folder.display()));
    }
    let mut command = Command::new("rustfmt");
    command.args(["--check", "--edition", "2024", "--config-path"]).arg(project.root()).args(files);
    outcome_of(&mut command)
}

/// Every combination of every package's features compiles.
pub(super) fn features(project: &Project) -> Outcome {
    let metadata = match project.metadata() {
        Ok(metadata) => metadata,
        Err(why) => return Outcome::Failed(why),
    };
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    for package in packages {
        let Some(name) = package["name"].as_str() else { continue };
        for set in feature_sets(package) {
            println!("    cargo check --package {name} --no-default-features --features '{set}'");
            let mut command = project.cargo();
            command.args([
                "check",
                "--quiet",
                "--package",
                name,
                "--no-default-features",
                "--features",
                &set,
            ]);
            let outcome = outcome_of(&mut command);
            if outcome != Outcome::Passed {
                return outcome;
            }
        }
    }
    Outcome::Passed
}

/// All subsets of a package's features, without `default`; none for a package that has no features, since the other
/// checks compile it anyway.
fn feature_sets(package: &Value) -> Vec<String> {
    let Some(features) = package["features"].as_object() else { return Vec::new() };
    let names: Vec<&str> = features.keys().map(String::as_str).filter(|name| *name != "default").collect();
    if names.is_empty() {
        return Vec::new();
    }
    (0..1_usize << names.len())
        .map(|set| {
            let chosen: Vec<&str> = names
                .iter()
                .enumerate()
                .filter(|(bit, _)| set >> bit & 1 == 1)
                .map(|(_, name)| *name)
                .collect();
            chosen.join(",")
        })
        .collect()
}

/// Runs the loom models of the crates that have some.
pub(super) fn loom(project: &Project) -> Outcome {
    modelled_by("trefoil_loom", &["--release"], project)
}

/// Runs programs under schedules that shuttle draws, for the crates that have some.
pub(super) fn shuttle(project: &Project) -> Outcome {
    // Building it with optimizations would take longer than running it without.
    modelled_by("trefoil_shuttle", &[], project)
}

fn modelled_by(cfg: &str, profile: &[&str], project: &Project) -> Outcome {
    let tree = match Tree::of(project.root()) {
        Ok(tree) => tree,
        Err(why) => return Outcome::Failed(why),
    };
    let crates = crates_with_models(&tree, cfg);
    if crates.is_empty() {
        return Outcome::Skipped(format!("no crate has a model for `{cfg}` yet"));
    }
    for name in crates {
        let args = [&["test", "--package", &name, "--lib"], profile].concat();
        println!("    RUSTFLAGS='--cfg {cfg}' cargo {}", args.join(" "));
        let mut command = project.cargo();
        command.args(args);
        command.env("RUSTFLAGS", format!("--cfg {cfg}"));
        let outcome = outcome_of_tests(&mut command);
        if outcome != Outcome::Passed {
            return outcome;
        }
    }
    Outcome::Passed
}

/// Whether the models notice the mutants of the short run.
pub(super) fn mutants(project: &Project) -> Outcome {
    match weakened::check(project, |mutant| mutant.quick) {
        Ok(()) => Outcome::Passed,
        Err(why) => Outcome::Failed(why),
    }
}

/// The crates below `crates/` that compile differently under this `cfg`.
fn crates_with_models(tree: &Tree, cfg: &str) -> BTreeSet<String> {
    let marker = format!("cfg({cfg})");
    tree.files()
        .filter(|path| path.ends_with(".rs"))
        .filter_map(|path| {
            let name = path.strip_prefix("crates/")?.split('/').next()?;
            tree.read(path).contains(&marker).then(|| name.to_owned())
        })
        .collect()
}

/// The rules of the house.
pub(super) fn tidy(project: &Project) -> Outcome {
    match rules::check(project.root()) {
        Ok(findings) if findings.is_empty() => Outcome::Passed,
        Ok(findings) => {
            for finding in &findings {
                println!("    {finding}");
            }
            Outcome::Failed(format!("{} findings", findings.len()))
        }
        Err(why) => Outcome::Failed(why),
    }
}

/// The tests of the contestants in Python.
pub(super) fn python(project: &Project) -> Outcome {
    if !answers(Command::new("python3").arg("--version")) {
        return Outcome::Skipped("python3 is not on PATH".into());
    }
    outcome_of(Command::new("python3").arg("benches/python/test_contestants.py").current_dir(project.root()))
}

/// Builds the whole comparison and verifies each cell once.
pub(super) fn compare(project: &Project) -> Outcome {
    let args = ["--test", "--quick", "--offline"].map(OsString::from);
    match crate::compare::prepare(project, &args) {
        Ok(mut engine) => outcome_of(engine.current_dir(project.root())),
        Err(Stop::Code(code)) => Outcome::Failed(format!("exit status: {code}")),
        Err(Stop::Failed(why) | Stop::Usage(why)) => Outcome::Failed(why),
    }
}

/// Counts the crates that xtask is made of.
pub(super) fn xtask_size(project: &Project) -> Outcome {
    let mut command = project.cargo();
    command.args(["tree", "--package", "xtask", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
    let output = match command.stderr(Stdio::inherit()).output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => return Outcome::Failed(output.status.to_string()),
        Err(error) => return Outcome::Failed(cannot_start(&command, &error)),
    };
    let tree = String::from_utf8_lossy(&output.stdout);
    let crates = crates_in(&tree);
    println!("    {} crates besides xtask, {XTASK_CRATES_MOST} at most: {crates:?}", crates.len());
    if crates.len() > XTASK_CRATES_MOST {
        return Outcome::Failed(format!("xtask is made of {} crates besides itself", crates.len()));
    }
    Outcome::Passed
}

/// The crates that `cargo tree --prefix none` names, without xtask itself and each counted once.
fn crates_in(tree: &str) -> BTreeSet<&str> {
    tree.lines()
        .map(|line| line.trim_end_matches("(*)").trim())
        .filter(|line| !line.is_empty() && !line.starts_with("xtask "))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_subsets_of_the_features_are_tried() {
        let package = json!({ "features": { "default": ["a"], "a": [], "b": ["dep:x"] } });
        assert_eq!(feature_sets(&package), ["", "a", "b", "a,b"]);
        assert!(feature_sets(&json!({ "features": {} })).is_empty());
    }

    #[test]
    fn a_crate_is_counted_once() {
        let tree = "xtask v0.1.0 (/a b/xtask)\nlexopt v0.3.1\nserde_json v1.0.154\nmemchr v2.8.0\nmemchr v2.8.0 (*)\n";
        assert_eq!(
            crates_in(tree).into_iter().collect::<Vec<_>>(),
            ["lexopt v0.3.1", "memchr v2.8.0", "serde_json v1.0.154"]
        );
    }

    #[test]
    fn a_model_is_found_by_its_cfg() {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::from_texts(
            folder.path(),
            &[
                (
                    "crates/sync/src/primitive.rs",
                    "#[cfg(trefoil_loom)]\npub(crate) use loom::sync::atomic;\n",
                ),
                ("crates/ipc/src/lib.rs", "//! Nothing.\n"),
                ("crates/ipc/README.md", "Models stand behind `cfg(trefoil_loom)`.\n"),
            ],
        );
        assert_eq!(crates_with_models(&tree, "trefoil_loom").into_iter().collect::<Vec<_>>(), ["sync"]);
        assert!(crates_with_models(&tree, "trefoil_shuttle").is_empty());
    }
}
