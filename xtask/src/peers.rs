//! What `cargo xtask compare peers` and `compare goals` measure: one program for each area, under `benches/peers`.
//!
//! That folder is a workspace of its own with its own `Cargo.lock`, and is built here to be measured, into a target folder of
//! its own: nothing else needs the peers, but their own tests (`test --peers`). The engine learns where the programs are from a file, `peers.json`:
//!
//! ```json
//! {"areas": [{"area": "sync", "program": "/path/to/peers-sync"},
//!            {"area": "broken", "error": "error[E0425]: cannot find value `x` (src/main.rs:3:5)"}],
//!  "others": ["coro"]}
//! ```
//!
//! The others are areas that nobody asked for and that were not built.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::Stop;
use crate::cargo_build::build;
use crate::project::Project;

pub(crate) const WORKSPACE: &str = "benches/peers";

/// Whether these arguments of `compare` ask for peers.
pub(crate) fn are_asked_for(args: &[OsString]) -> bool {
    matches!(args.first().and_then(|arg| arg.to_str()), Some("peers" | "goals"))
}

/// Builds the programs of the areas that the arguments name, all of them if none, and tells where they are or why not.
pub(crate) fn build_all(project: &Project, args: &[OsString], target: &Path) -> Result<Value, Stop> {
    let folder = project.root().join(WORKSPACE);
    let areas = areas(&folder)
        .map_err(|error| Stop::Failed(format!("cannot list the areas in {WORKSPACE}: {error}")))?;
    let wanted = wanted(&areas, args)?;
    let (manifest, target) = (folder.join("Cargo.toml"), target.join("peers"));
    let (Some(manifest), Some(target)) = (manifest.to_str(), target.to_str()) else {
        return Err(Stop::Failed("the project's path is not UTF-8: move it to one that is".into()));
    };
    let mut list = Vec::new();
    let others: Vec<&String> = areas.iter().filter(|area| !wanted.contains(area)).collect();
    for area in &wanted {
        let program = format!("peers-{area}");
        let line =
            ["--release", "--locked", "--manifest-path", manifest, "--target-dir", target, "--bin", &program];
        list.push(match build(project, &format!("building the peers of {area}"), &line) {
            Ok(program) => json!({ "area": area, "program": program.to_string_lossy() }),
            Err(not_built) => json!({ "area": area, "error": with_remedy(not_built.reason, &not_built.log) }),
        });
    }
    Ok(json!({ "areas": list, "others": others }))
}

/// The folders that hold a program, in order of their names; the others are libraries.
fn areas(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let (Ok(name), true) =
            (entry.file_name().into_string(), entry.path().join("src/main.rs").is_file())
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// The area that stands behind `peers` or `goals`. Where an option stands there first, all are built, which is never wrong.
fn wanted(areas: &[String], args: &[OsString]) -> Result<Vec<String>, Stop> {
    match args.get(1).map(|arg| arg.to_string_lossy()).filter(|arg| !arg.starts_with('-')) {
        None => Ok(areas.to_vec()),
        Some(area) if areas.contains(&area.to_string()) => Ok(vec![area.into_owned()]),
        Some(area) => {
            Err(Stop::Usage(format!("no area is called `{area}`; there are: {}", areas.join(", "))))
        }
    }
}

/// A crate of ours that came to depend on another is no longer what the peers' lock file says.
fn with_remedy(reason: String, log: &str) -> String {
    if log.contains("--locked") {
        return format!(
            "{reason}; `cargo metadata --manifest-path {WORKSPACE}/Cargo.toml` mends its Cargo.lock"
        );
    }
    reason
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn an_area_is_a_folder_with_a_program() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["sync/src/main.rs", "kit/src/lib.rs", "coro/src/main.rs"] {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(areas(folder.path()).unwrap(), ["coro", "sync"]);
    }

    #[test]
    fn the_area_that_is_named_is_built_alone() {
        let areas = ["coro", "sync"].map(str::to_owned);
        for (line, built) in [
            ("peers", &["coro", "sync"][..]),
            ("goals --rows x", &["coro", "sync"]),
            ("goals sync --json f", &["sync"]),
        ] {
            assert!(are_asked_for(&args(line)), "{line}");
            assert!(wanted(&areas, &args(line)).is_ok_and(|found| found == built), "{line}");
        }
        let refused = wanted(&areas, &args("peers snyc"));
        assert!(
            matches!(refused, Err(Stop::Usage(why)) if why.contains("`snyc`") && why.contains("coro, sync"))
        );
        assert!(!are_asked_for(&args("spawn peers")));
    }

    #[test]
    fn a_lock_file_that_does_not_fit_has_a_remedy() {
        let log = "error: cannot update the lock file because --locked was passed\n";
        assert!(with_remedy("error: cannot".into(), log).contains("cargo metadata"));
        assert_eq!(with_remedy("error: broken".into(), "error: broken"), "error: broken");
    }
}
