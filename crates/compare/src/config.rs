//! `compare.toml`: contestants in any language, and where Python's lie.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::cli::NewKind;
use crate::failure::Failure;
use crate::protocol::Profile;
use crate::skeleton::check_spelling;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    pub(crate) python: Python,
    /// Entries by model name.
    #[serde(default)]
    pub(crate) model: BTreeMap<String, Entry>,
}

/// Python's models are files: each one that the glob finds is a model named like the file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Python {
    /// A path from the project's root whose last part may hold one `*`.
    #[serde(default)]
    pub(crate) models: String,
    /// What each model needs from the package index.
    #[serde(default)]
    pub(crate) packages: BTreeMap<String, Vec<String>>,
}

/// A model of any language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// The program and its arguments.
    pub(crate) command: Vec<Word>,
    /// The smallest profile that it takes part in: quick if left out.
    #[serde(default)]
    pub(crate) profile: Option<Profile>,
    /// What to say when the program is not here.
    #[serde(default)]
    pub(crate) unavailable: Option<String>,
}

/// A word of a command, or several of which the first that is found on the path counts.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Word {
    One(String),
    FirstOf(Vec<String>),
}

impl Config {
    /// Reads the file; one that is not there is empty.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        match std::fs::read_to_string(path) {
            Ok(text) => {
                Self::parse(&text).map_err(|why| Failure::usage(format!("{}: {why}", path.display())))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Failure::internal(format!("cannot read {}: {error}", path.display()))),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for (name, entry) in &config.model {
            check_spelling(NewKind::Model, name).map_err(|why| format!("[model.{name:?}]: {why}"))?;
            if entry.command.is_empty() {
                return Err(format!(
                    "[model.{name}] has an empty command; give the program and its arguments"
                ));
            }
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_and_mistakes_are_named() {
        let config = Config::parse("[model.node]\ncommand = [\"node\", \"a.mjs\"]\n[model.x]\ncommand = [[\"a\", \"b\"]]\nunavailable = \"no\"\nprofile = \"full\"")
            .expect("it is valid");
        assert_eq!(config.model.len(), 2);
        for name in ["a/b", "!x", "x y", "a,b", "*", "X", ""] {
            let said = Config::parse(&format!("[model.{name:?}]\ncommand = [\"a\"]")).expect_err(name);
            assert!(said.contains(&format!("{name:?} is no name")) && said.contains("hyphens"), "{said}");
        }
        assert!(Config::parse("[model.x]\ncommand = []").is_err_and(|why| why.contains("[model.x]")));
        assert!(Config::parse("[model.x]\ncomand = [\"a\"]").is_err_and(|why| why.contains("comand")));
    }
}
