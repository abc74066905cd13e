//! Tasks that are one command of cargo.

use std::ffi::OsString;

use lexopt::prelude::*;

use crate::peers;
use crate::project::{Project, status};
use crate::{Stop, unexpected};

/// How many cases each property is tried with in `test --full`, instead of proptest's 256.
const FULL_PROPERTY_CASES: &str = "4096";

/// `cargo xtask test [--full]`: the README's test command.
pub(crate) fn test(project: &Project, args: Vec<OsString>) -> Result<(), Stop> {
    let mut command = project.cargo();
    command.args(["test", "--workspace"]);
    let mut is_full = false;
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("full") => is_full = true,
            other => return Err(unexpected("test", other)),
        }
    }
    if !is_full {
        return status(&mut command);
    }
    // Tests that have a long form look at the first variable; proptest looks at the second.
    status(command.env("TREFOIL_FULL", "1").env("PROPTEST_CASES", FULL_PROPERTY_CASES))?;
    // They are not in this workspace, and what they depend on takes minutes to build.
    let manifest = project.root().join(peers::WORKSPACE).join("Cargo.toml");
    status(project.cargo().args(["test", "--locked", "--workspace", "--manifest-path"]).arg(manifest))
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
