//! `cargo xtask tidy`: the rules of the house that a program can check.
//!
//! Each rule is a file here: a function from the [`Tree`] to its [`Finding`]s, with tests that show it failing. The
//! last test of this module runs all of them on the project itself, so `cargo test --workspace` keeps it tidy too.

mod codemap;
mod documented;
mod features;
mod length;
mod links;
mod machine_paths;
mod manifest;
mod markdown;
mod pairs;
mod tree;
mod unsafety;

use std::ffi::OsString;
use std::fmt;
use std::path::Path;

pub(crate) use tree::Tree;

use crate::project::Project;
use crate::{Stop, unexpected};

/// One thing that a rule does not accept.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, relative to the root.
    path: String,
    /// The line, counted from 1, where there is one.
    line: Option<usize>,
    /// What is wrong and what to do.
    message: String,
}

impl Finding {
    fn in_file(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: None, message: message.into() }
    }

    fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line: Some(line), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// What a rule looks like.
type Rule = fn(&Tree) -> Vec<Finding>;

const RULES: &[Rule] = &[
    codemap::check,
    pairs::check,
    length::check,
    documented::check,
    links::check,
    machine_paths::check,
    unsafety::check,
    features::check,
    manifest::check,
];

/// `cargo xtask tidy`
pub(crate) fn run(project: &Project, args: Vec<OsString>) -> Result<(), Stop> {
    if let Some(arg) = lexopt::Parser::from_args(args).next()? {
        return Err(unexpected("tidy", arg));
    }
    let findings = check(project.root()).map_err(Stop::Failed)?;
    if findings.is_empty() {
        println!("tidy");
        return Ok(());
    }
    for finding in &findings {
        println!("{finding}");
    }
    Err(Stop::Failed(format!("{} findings", findings.len())))
}

/// Applies every rule to the checkout at `root`.
pub(crate) fn check(root: &Path) -> Result<Vec<Finding>, String> {
    let tree = Tree::of(root)?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    findings.sort();
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_tidy() {
        let project = Project::find().unwrap();
        let findings = check(project.root()).unwrap();
        let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
        assert!(lines.is_empty(), "{} findings:\n{}", lines.len(), lines.join("\n"));
    }
}
