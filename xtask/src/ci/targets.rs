//! Do the libraries compile where they are not tested?

use std::process::{Command, Stdio};

use super::Outcome;
use super::import::libraries;
use super::output::outcome_of;
use crate::project::Project;

/// What the platform tables of the READMEs speak of, besides the machine that this runs on.
const TARGETS: &[&str] = &["aarch64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-gnu"];

/// Checks every library for every target that is installed; skipped, with the command to install it, if one is not.
pub(super) fn targets(project: &Project) -> Outcome {
    let names = match libraries(project) {
        Ok(names) => names,
        Err(why) => return Outcome::Failed(why),
    };
    let mut missing = Vec::new();
    for target in TARGETS {
        if !is_installed(target) {
            missing.push(*target);
            continue;
        }
        println!("    cargo check --target {target} --package {}", names.join(" --package "));
        let mut command = project.cargo();
        command.args(["check", "--quiet", "--target", target]);
        command.args(names.iter().flat_map(|name| ["--package", name]));
        let outcome = outcome_of(&mut command);
        if outcome != Outcome::Passed {
            return outcome;
        }
    }
    match missing.as_slice() {
        [] => Outcome::Passed,
        missing => {
            let targets = missing.join(" ");
            Outcome::Skipped(format!("for {targets}, not installed (`rustup target add {targets}`)"))
        }
    }
}

/// Whether rustc has the standard library of a target.
fn is_installed(target: &str) -> bool {
    let mut command = Command::new("rustc");
    command.args(["--print", "target-libdir", "--target", target]).stderr(Stdio::null());
    let Ok(output) = command.output() else { return false };
    let folder = String::from_utf8_lossy(&output.stdout);
    output.status.success() && std::path::Path::new(folder.trim()).is_dir()
}
