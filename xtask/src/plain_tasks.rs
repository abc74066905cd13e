//! Tasks that are one command of cargo.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::peers;
use crate::project::{Project, status};
use crate::{Stop, unexpected};

/// How many cases each property is tried with in `test --full`, instead of proptest's 256.
const FULL_PROPERTY_CASES: &str = "4096";

/// `cargo xtask test [--full]`: the README's test command; `test --peers`: the tests of the peers' workspace instead.
pub(crate) fn test(project: &Project, args: Vec<OsString>) -> Result<(), Stop> {
    let mut command = project.cargo();
    command.args(["test", "--workspace"]);
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            // Tests that have a long form look at the first variable; proptest looks at the second.
            Long("full") => command.env("TREFOIL_FULL", "1").env("PROPTEST_CASES", FULL_PROPERTY_CASES),
            // What they depend on takes minutes to build, and nothing else needs it.
            Long("peers") => {
                let manifest = project.root().join(peers::WORKSPACE).join("Cargo.toml");
                command.args(["--locked", "--manifest-path"]).arg(manifest)
            }
            other => return Err(unexpected("test", other)),
        };
    }
    status(&mut command)
}

/// `cargo xtask doc [--open]`.
pub(crate) fn doc(project: &Project, args: Vec<OsString>) -> Result<(), Stop> {
    let mut command = project.cargo();
    command.args(["doc", "--workspace", "--no-deps"]);
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("open") => command.arg("--open"),
            other => return Err(unexpected("doc", other)),
        };
    }
    status(&mut command)
}
