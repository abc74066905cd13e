//! Who takes part: the contestants that were built, Python's, and those of `compare.toml`; each asked who it is.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::cell::{Launch, ask};
use crate::config::{Config, Word};
use crate::failure::Failure;
use crate::protocol::{self, Answer, Description, Profile, Request};
use crate::python::{self, Pythons};
use crate::summary::{ModelInfo, Status};
use crate::texts::EN;

/// A contestant.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    pub(crate) name: String,
    pub(crate) command: Vec<OsString>,
    /// The smallest profile that it takes part in.
    pub(crate) profile: Profile,
    /// Who it says it is, or why it cannot be asked.
    pub(crate) described: Result<Description, (Status, String)>,
}

impl Contestant {
    fn absent(name: &str, status: Status, why: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            command: Vec::new(),
            profile: Profile::Quick,
            described: Err((status, why.into())),
        }
    }

    /// The same, taking part in no smaller profile than this.
    fn not_before(self, profile: Option<Profile>) -> Self {
        Self { profile: profile.unwrap_or(Profile::Quick), ..self }
    }

    /// The environment variables that tell its runtime how many workers to have.
    pub(crate) fn variables(&self, workers: u32) -> Vec<(String, String)> {
        let names = self.described.as_ref().map(|it| it.worker_variables.as_slice()).unwrap_or_default();
        names.iter().map(|name| (name.clone(), workers.to_string())).collect()
    }

    /// What the summary says of it.
    pub(crate) fn info(&self) -> ModelInfo {
        let name = self.name.clone();
        match &self.described {
            Ok(it) => ModelInfo {
                name,
                version: it.version.clone(),
                about: it.about.clone(),
                uses: it.uses,
                status: Status::Ok,
                why: None,
            },
            Err((status, why)) => {
                ModelInfo { name, status: *status, why: Some(why.clone()), ..ModelInfo::default() }
            }
        }
    }
}

/// What the build left: written by `cargo xtask compare`.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Built {
    models: Vec<BuiltModel>,
    #[serde(default)]
    pub(crate) server: Option<PathBuf>,
    #[serde(default)]
    pub(crate) server_error: Option<String>,
}

#[derive(Debug, Deserialize)]
struct BuiltModel {
    model: String,
    #[serde(default)]
    program: Option<PathBuf>,
    #[serde(default)]
    error: Option<String>,
}

impl Built {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!(
                "cannot read the list of built contestants {}: {error}; start by `cargo xtask compare`",
                path.display()
            ))
        })?;
        serde_json::from_str(&text).map_err(Failure::doing(format!("{} is not valid", path.display())))
    }
}

/// Finds everyone, in the order in which tables list them.
pub(crate) fn gather(
    root: &Path,
    built: &Built,
    config: &Config,
    pythons: &Pythons,
) -> Result<Vec<Contestant>, Failure> {
    let mut all = Vec::new();
    for model in &built.models {
        all.push(match (&model.program, &model.error) {
            (Some(program), _) => describe(&model.model, vec![program.clone().into()], root),
            (None, why) => {
                Contestant::absent(&model.model, Status::BuildFailed, why.clone().unwrap_or_default())
            }
        });
    }
    for file in python::models(root, &config.python)? {
        all.push(match pythons.command_for(&file.name) {
            Ok(interpreter) => describe(&file.name, vec![interpreter.into(), file.path.into()], root),
            Err(why) => Contestant::absent(&file.name, Status::Unavailable, why),
        });
    }
    for (name, entry) in &config.model {
        all.push(match resolve(&entry.command, root) {
            Ok(command) => describe(name, command, root).not_before(entry.profile),
            Err(why) => {
                Contestant::absent(name, Status::Unavailable, entry.unavailable.clone().unwrap_or(why))
            }
        });
    }
    all.sort_by_key(|contestant| place(&contestant.name));
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for contestant in &all {
        *names.entry(&contestant.name).or_default() += 1;
    }
    if let Some((name, _)) = names.iter().find(|&(_, &count)| count > 1) {
        return Err(Failure::usage(format!("two contestants are named {name}; rename one")));
    }
    Ok(all)
}

/// Puts the oracle first, then threads, pools, runtimes, and other languages last: alphabetically within each.
fn place(name: &str) -> (usize, String) {
    let first = ["seq", "threads", "crossbeam", "rayon"];
    let place = first.iter().position(|&known| known == name).unwrap_or(match name {
        _ if name.starts_with("py-") => first.len() + 1,
        "pypy" | "node" => first.len() + 2,
        _ => first.len(),
    });
    (place, name.to_owned())
}

fn describe(name: &str, command: Vec<OsString>, root: &Path) -> Contestant {
    let launch = Launch { command: &command, folder: root, cpus: &[], variables: &[], keep: &[] };
    let described = match ask(&launch, &Request::Describe, DESCRIBE_LIMIT) {
        Ok(Answer::Description(it)) if it.v == protocol::VERSION => Ok(it),
        Ok(Answer::Description(it)) => {
            Err((Status::Unavailable, (EN.absences.other_version)(it.v, protocol::VERSION)))
        }
        Ok(other) => Err((Status::Wrong, (EN.absences.no_description)(&format!("{other:?}")))),
        Err(why) => Err((Status::Unavailable, why)),
    };
    Contestant { name: name.to_owned(), command, profile: Profile::Quick, described }
}

/// A contestant answers this from constants; an interpreter may have to start for it.
const DESCRIBE_LIMIT: Duration = Duration::from_secs(20);

/// The program is looked up on the path; other words that are files of the project become absolute.
fn resolve(words: &[Word], root: &Path) -> Result<Vec<OsString>, String> {
    let mut command = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let choices = match word {
            Word::One(one) => std::slice::from_ref(one),
            Word::FirstOf(some) => some.as_slice(),
        };
        if index == 0 {
            let found = choices.iter().find_map(|name| on_path(name, root));
            let names = || choices.iter().map(String::as_str).collect::<Vec<_>>();
            command.push(found.ok_or_else(|| (EN.absences.not_on_path)(&names()))?.into());
        } else {
            let plain = choices.first().ok_or(EN.absences.empty_word)?;
            let path = root.join(plain);
            command.push(if path.is_file() { path.into() } else { plain.into() });
        }
    }
    Ok(command)
}

/// The first file of that name on the path; a name with a slash is a path from the project's root.
pub(crate) fn on_path(name: &str, root: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let runs = |path: &PathBuf| {
        fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        return Some(root.join(name)).filter(runs);
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(runs)
}
