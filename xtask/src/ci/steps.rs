//! The list of checks, and how one that is a command of cargo is run.

use super::Outcome;
use super::import::import;
use super::output::{outcome_of, outcome_of_tests};
use super::own_checks::{compare, features, formatting, loom, mutants, python, shuttle, tidy, xtask_size};
use super::targets::targets;
use crate::project::{Project, answers};

/// One check.
pub(super) struct Step {
    /// What it is called on the command line.
    pub(super) name: &'static str,
    /// What it makes sure of.
    pub(super) about: &'static str,
    /// What to do when it fails.
    pub(super) remedy: &'static str,
    work: Work,
}

enum Work {
    /// Commands of cargo, one after the other.
    Cargo {
        lines: &'static [&'static str],
        env: &'static [(&'static str, &'static str)],
        needs: Option<Tool>,
    },
    /// A check of our own, and how to do by hand what it does.
    Own { shown: &'static str, run: fn(&Project) -> Outcome },
}

/// A command of cargo that does not come with cargo itself.
struct Tool {
    subcommand: &'static str,
    name: &'static str,
    install: &'static str,
}

/// Every check, the one that tells most first.
pub(super) const STEPS: &[Step] = &[
    Step {
        name: "test",
        about: "all tests pass: the README's test command",
        remedy: "run `cargo test --workspace`, or `cargo test -p NAME` for the package that failed",
        // The deadlock checker is a feature, and every test of the locks holds with it.
        work: Work::cargo(&[
            "test --workspace",
            "test --package sync --features check",
            "test --package tests --features check --test checked",
        ]),
    },
    Step {
        name: "fmt",
        about: "all Rust is formatted as rustfmt.toml says",
        remedy: "run `cargo fmt --all`, for a workload `rustfmt --edition 2024 FILE`, and commit what it changes",
        work: Work::Own {
            shown: "cargo fmt --all --check && rustfmt --check --edition 2024 benches/kit/src/workloads/*.rs",
            run: formatting,
        },
    },
    Step {
        name: "clippy",
        about: "no lint speaks up; `incompatible_msrv` among them keeps the promised Rust version",
        remedy: "mend what clippy names; an exception needs `#[expect(.., reason = \"..\")]` beside the code",
        work: Work::Cargo {
            lines: &[
                "clippy --workspace --all-targets -- -D warnings",
                "clippy --package compare --no-default-features -- -D warnings",
                "clippy --package sync --all-targets --all-features -- -D warnings",
            ],
            env: &[],
            needs: Some(Tool {
                subcommand: "clippy",
                name: "clippy",
                install: "rustup component add clippy",
            }),
        },
    },
    Step {
        name: "doc",
        about: "the documentation builds without a warning, so no link in it is broken",
        remedy: "run `cargo xtask doc` and mend the items that rustdoc names",
        work: Work::Cargo {
            lines: &["doc --workspace --no-deps", "doc --package sync --no-deps --all-features"],
            env: &[("RUSTDOCFLAGS", "-D warnings")],
            needs: None,
        },
    },
    Step {
        name: "features",
        about: "each package compiles with every combination of its features",
        remedy: "run the `cargo check` printed last; a missing `#[cfg(feature = ..)]` is the usual cause",
        work: Work::Own {
            shown: "cargo check --package P --no-default-features --features SET, for every P and SET",
            run: features,
        },
    },
    Step {
        name: "targets",
        about: "the libraries compile for the platforms that their READMEs name",
        remedy: "run the `cargo check` printed last; what a platform lacks is a typed error there, behind a `cfg`",
        work: Work::Own {
            shown: "cargo check --target T, for every installed T of the platform tables",
            run: targets,
        },
    },
    Step {
        name: "import",
        about: "each library can be imported alone by git, its first example runs, and it can be packed",
        remedy: "name in the crate's own Cargo.toml what its README's first example and its sources need",
        work: Work::Own {
            shown: "each crate alone in an empty project, with its README's first example; cargo package",
            run: import,
        },
    },
    Step {
        name: "loom",
        about: "the models of atomics and parking hold in every interleaving",
        remedy: "loom prints the interleaving that breaks the model; run that one test with LOOM_LOG=trace",
        work: Work::Own {
            shown: "RUSTFLAGS='--cfg trefoil_loom' cargo test --release --package P",
            run: loom,
        },
    },
    Step {
        name: "shuttle",
        about: "programs of several threads and tasks hold under thousands of schedules that are drawn from a seed",
        remedy: "set the TREFOIL_SEED that the failing test printed, and run that test again: it draws the same schedules",
        work: Work::Own {
            shown: "RUSTFLAGS='--cfg trefoil_shuttle' cargo test --package P --lib",
            run: shuttle,
        },
    },
    Step {
        name: "mutants",
        about: "the models notice when an ordering is weakened or a recheck left out: some of each kind",
        remedy: "run `cargo xtask test --mutants NAME` and read docs/design/sync-core.md, \"Would the models notice?\"",
        work: Work::Own { shown: "cargo xtask test --mutants --quick", run: mutants },
    },
    Step {
        name: "tidy",
        about: "the rules of the house that a program can check",
        remedy: "run `cargo xtask tidy`: each line names a file, the rule and what to do",
        work: Work::Own { shown: "cargo xtask tidy", run: tidy },
    },
    Step {
        name: "python",
        about: "the contestants written in Python keep the protocol",
        remedy: "run `python3 benches/python/test_contestants.py` and read docs/protocol.md",
        work: Work::Own { shown: "python3 benches/python/test_contestants.py", run: python },
    },
    Step {
        name: "compare",
        about: "the comparison builds, and every cell gives the right result once",
        remedy: "run `cargo xtask compare --test --quick --offline`; `--exec WORKLOAD/MODEL` runs one cell in the foreground",
        work: Work::Own { shown: "cargo xtask compare --test --quick --offline", run: compare },
    },
    Step {
        name: "xtask-size",
        about: "this program stays thin: at most ten crates, since everybody waits for it",
        remedy: "run `cargo tree -p xtask -e normal` and do without the crate that came last",
        work: Work::Own { shown: "cargo tree --package xtask --edges normal", run: xtask_size },
    },
    Step {
        name: "deny",
        about: "licences and sources of the dependencies are as deny.toml allows (advisories need the network: CONTRIBUTING.md)",
        remedy: "replace the dependency that is named, or argue for it in deny.toml and docs/architecture.md",
        work: Work::Cargo {
            lines: &["deny --offline check bans licenses sources"],
            env: &[],
            needs: Some(Tool {
                subcommand: "deny",
                name: "cargo-deny",
                install: "cargo install --locked cargo-deny",
            }),
        },
    },
];

impl Step {
    /// What to type to do the same by hand.
    pub(super) fn shown(&self) -> String {
        match &self.work {
            Work::Own { shown, .. } => (*shown).to_owned(),
            Work::Cargo { lines, env, .. } => {
                let before: String = env.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
                lines.iter().map(|line| format!("{before}cargo {line}")).collect::<Vec<_>>().join(" && ")
            }
        }
    }

    pub(super) fn run(&self, project: &Project) -> Outcome {
        let (lines, env, needs) = match &self.work {
            Work::Own { run, .. } => return run(project),
            Work::Cargo { lines, env, needs } => (lines, env, needs),
        };
        if let Some(tool) = needs {
            if !answers(project.cargo().args([tool.subcommand, "--version"])) {
                return Outcome::Skipped(format!("{} is not installed (`{}`)", tool.name, tool.install));
            }
        }
        for line in *lines {
            let mut command = project.cargo();
            command.args(words(line)).envs(env.iter().copied());
            let outcome = match line.starts_with("test ") {
                true => outcome_of_tests(&mut command),
                false => outcome_of(&mut command),
            };
            if outcome != Outcome::Passed {
                return outcome;
            }
        }
        Outcome::Passed
    }
}

impl Work {
    const fn cargo(lines: &'static [&'static str]) -> Self {
        Self::Cargo { lines, env: &[], needs: None }
    }
}

/// The words of a line of ours; none of them has a space in it.
fn words(line: &'static str) -> impl Iterator<Item = &'static str> {
    line.split(' ')
}
