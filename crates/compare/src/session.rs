//! What every command needs first: who takes part, what there is to do, and on which machine.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::{Options, RESERVED};
use crate::config::Config;
use crate::failure::Failure;
use crate::machine;
use crate::matrix::{Extent, Matrix, SERVER_CPUS_MIN};
use crate::protocol::{Need, Uses, Workload};
use crate::python::Pythons;
use crate::roster::{self, Built, Contestant};
use crate::select::Selection;
use crate::server::Server;
use crate::summary::Machine;
use crate::texts::EN;
use crate::user_folder::user_folder;

/// A project with its contestants, ready to be measured.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) root: PathBuf,
    pub(crate) out: PathBuf,
    pub(crate) contestants: Vec<Contestant>,
    pub(crate) workloads: Vec<Workload>,
    /// Index of the contestant that makes inputs and digests.
    pub(crate) oracle: usize,
    pub(crate) machine: Machine,
    pub(crate) cpus: Vec<usize>,
    pub(crate) input: Result<PathBuf, String>,
    pub(crate) baseline: String,
    server_program: Option<PathBuf>,
    server_error: Option<String>,
    server: OnceCell<Result<Server, String>>,
}

impl Session {
    /// Finds everything. `announce` gets what takes time.
    pub(crate) fn open(options: &Options, announce: &dyn Fn(&str)) -> Result<Self, Failure> {
        let root = root()?;
        let list = std::env::var_os("COMPARE_CONTESTANTS")
            .map_or_else(|| root.join("target/compare/contestants.json"), PathBuf::from);
        let built = Built::read(&list)?;
        let config = Config::read(&root.join("compare.toml"))?;
        let out = out_folder(options.out.as_deref(), &root, announce)?;
        // Beside the list, which its writer could write: the environment outlives a run that goes elsewhere by --out.
        let tools = list.parent().unwrap_or(&out);
        let pythons = Pythons::find(&root, tools, &config.python, options.offline, announce);
        let contestants = roster::gather(&root, &built, &config, &pythons)?;
        let oracle = contestants
            .iter()
            .position(|it| it.described.as_ref().is_ok_and(|described| !described.workloads.is_empty()))
            .ok_or_else(|| no_oracle(&contestants))?;
        let workloads = all_workloads(&contestants);
        let names = workloads.iter().map(|it| &it.name).chain(contestants.iter().map(|it| &it.name));
        if let Some(name) = names.into_iter().find(|name| RESERVED.contains(&name.as_str())) {
            return Err(Failure::usage(format!(
                "{name:?} is the name of a command; rename that model or workload"
            )));
        }
        let session = Self {
            input: input_folder(options.input.as_deref())?,
            machine: machine::machine(),
            cpus: machine::allowed_cpus(),
            baseline: String::new(),
            server_program: built.server,
            server_error: built.server_error,
            server: OnceCell::new(),
            root,
            out,
            contestants,
            workloads,
            oracle,
        };
        let baseline = session.choose_baseline(options)?;
        Ok(Self { baseline, ..session })
    }

    /// The matrix of this command line.
    pub(crate) fn matrix(&self, options: &Options) -> Result<Matrix, Failure> {
        let selection = self.selection(options)?;
        let cpus = options.cpu_counts(u32::try_from(self.cpus.len()).unwrap_or(1))?;
        let matrix = Matrix::new(&Extent {
            contestants: &self.contestants,
            workloads: &self.workloads,
            selection: &selection,
            profile: options.profile(),
            rounds: options.rounds(),
            cpus: &cpus,
            all_cpus: u32::try_from(self.cpus.len()).unwrap_or(1),
            workers: &options.worker_counts(),
            baseline: &self.baseline,
            all_scales: options.list,
            lacks: &|need| self.lacks(need),
        });
        if matrix.cells.is_empty() {
            return Err(Failure::usage("the filters match no cell together; `--list` shows all cells"));
        }
        Ok(matrix)
    }

    /// The server, started when it is first asked for.
    pub(crate) fn server(&self) -> Result<&Server, String> {
        // With four CPUs or more it gets the last one to itself, see [`Matrix`].
        let own = if self.cpus.len() >= SERVER_CPUS_MIN { self.cpus.last().copied() } else { None };
        let start = || match &self.server_program {
            Some(program) => Server::start(program, own),
            None => Err(self.server_error.clone().unwrap_or_else(|| EN.absences.no_server.to_owned())),
        };
        self.server.get_or_init(start).as_ref().map_err(Clone::clone)
    }

    /// The first so many of our CPUs; empty for all of them.
    pub(crate) fn first_cpus(&self, count: u32) -> Vec<usize> {
        let count = count as usize;
        if count >= self.cpus.len() { Vec::new() } else { self.cpus[..count].to_vec() }
    }

    /// Processes that are ours and are no part of any cell.
    pub(crate) fn keep(&self) -> Vec<i32> {
        self.server.get().and_then(|server| server.as_ref().ok()).map(Server::pid).into_iter().collect()
    }

    fn lacks(&self, need: Need) -> Option<String> {
        match need {
            Need::Dir => self.input.as_ref().err().cloned(),
            Need::Server if self.server_program.is_some() => None,
            Need::Server => self.server().err(),
        }
    }

    fn selection(&self, options: &Options) -> Result<Selection, Failure> {
        let selection = Selection::new(&options.filters, &options.workloads, &options.models);
        selection.check(&self.names())?;
        Ok(selection)
    }

    fn names(&self) -> crate::select::Names {
        crate::select::Names {
            workloads: self.workloads.iter().map(|it| it.name.clone()).collect(),
            models: self.contestants.iter().map(|it| it.name.clone()).collect(),
        }
    }

    /// The one that was asked for; otherwise `threads`, if it is picked; otherwise the first that is.
    fn choose_baseline(&self, options: &Options) -> Result<String, Failure> {
        let names = self.names();
        if let Some(asked) = &options.baseline {
            if let Some(it) = self.contestants.iter().find(|it| it.name == *asked) {
                let uses = match &it.described {
                    Ok(described) => described.uses,
                    Err((_, why)) => {
                        return Err(Failure::usage(format!("--baseline {asked}: it is not here: {why}")));
                    }
                };
                if matches!(uses, Uses::OneThread { .. }) && options.worker_counts().len() > 1 {
                    return Err(Failure::usage(format!(
                        "--baseline {asked} has one worker, so there is nothing to compare several --workers with; choose another"
                    )));
                }
                return Ok(asked.clone());
            }
            return Err(Failure::usage(format!(
                "--baseline {asked}: no such model; there are: {}",
                names.models.join(", ")
            )));
        }
        let selection = self.selection(options)?;
        let picked =
            |model: &&String| names.workloads.iter().any(|workload| selection.picks(workload, model, &names));
        let here =
            |model: &&String| self.contestants.iter().any(|it| it.name == **model && it.described.is_ok());
        let mut candidates = names.models.iter().filter(picked).filter(here).peekable();
        let first = candidates.peek().map_or(DEFAULT_BASELINE, |name| name.as_str()).to_owned();
        Ok(candidates.find(|name| *name == DEFAULT_BASELINE).cloned().unwrap_or(first))
    }
}

/// `--check-arguments`: finds the mistakes that can be found without a contestant.
pub(crate) fn check(options: &Options) -> Result<ExitCode, Failure> {
    Config::read(&root()?.join("compare.toml"))?;
    input_folder(options.input.as_deref())?.ok();
    options.cpu_counts(u32::try_from(machine::allowed_cpus().len()).unwrap_or(1))?;
    Ok(ExitCode::SUCCESS)
}

/// What a Rust programmer has without any crate.
const DEFAULT_BASELINE: &str = "threads";

/// The project's root, as `cargo xtask compare` gives it, or the folder above us that has a `compare.toml`.
pub(crate) fn root() -> Result<PathBuf, Failure> {
    if let Some(root) = std::env::var_os("COMPARE_ROOT") {
        return Ok(root.into());
    }
    let here = std::env::current_dir().map_err(Failure::doing("the current folder is gone"))?;
    let found = here.ancestors().find(|folder| folder.join("compare.toml").is_file()).map(Path::to_owned);
    found.ok_or_else(|| {
        Failure::usage(
            "no compare.toml in this folder or above; start by `cargo xtask compare` in the project",
        )
    })
}

/// Where run folders go. The default may be unwritable, as in a checkout of someone else's; then the temporary folder serves.
fn out_folder(asked: Option<&Path>, root: &Path, announce: &dyn Fn(&str)) -> Result<PathBuf, Failure> {
    let writable = |folder: &Path| -> Result<(), std::io::Error> {
        std::fs::create_dir_all(folder)?;
        let probe = folder.join(format!(".probe-{}", std::process::id()));
        std::fs::write(&probe, [])?;
        std::fs::remove_file(&probe)
    };
    if let Some(folder) = asked {
        let folder = std::path::absolute(folder).map_err(Failure::doing("--out"))?;
        return match writable(&folder) {
            Ok(()) => Ok(folder),
            Err(error) => Err(Failure::usage(format!(
                "--out {}: cannot write there: {error}; choose another folder",
                folder.display()
            ))),
        };
    }
    let usual = usual_out(root);
    match writable(&usual) {
        Ok(()) => Ok(usual),
        Err(error) => {
            let doing = format!("cannot write to {} ({error}), nor elsewhere", usual.display());
            let folder = user_folder(&std::env::temp_dir()).map_err(Failure::doing(doing))?;
            announce(&(EN.run.out_instead)(&usual.display(), &error, &folder.display()));
            writable(&folder).map_err(Failure::doing(format!("cannot write to {}", folder.display())))?;
            Ok(folder)
        }
    }
}

/// `compare` in the build's own target folder, wherever that is.
pub(crate) fn usual_out(root: &Path) -> PathBuf {
    std::env::var_os("COMPARE_OUT").map_or_else(|| root.join("target/compare"), PathBuf::from)
}

/// The folder that `files` reads. One that was asked for must be there; the default may be missing.
fn input_folder(asked: Option<&Path>) -> Result<Result<PathBuf, String>, Failure> {
    if let Some(folder) = asked {
        let folder = std::fs::canonicalize(folder).map_err(|error| {
            Failure::usage(format!("--input {}: {error}; give a folder", folder.display()))
        })?;
        if !folder.is_dir() {
            return Err(Failure::usage(format!("--input {}: not a folder", folder.display())));
        }
        return Ok(Ok(folder));
    }
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let sources = home.map(|home| home.join("registry/src")).filter(|folder| folder.is_dir());
    Ok(sources.ok_or_else(|| EN.absences.no_sources.to_owned()))
}

fn all_workloads(contestants: &[Contestant]) -> Vec<Workload> {
    let mut known = BTreeSet::new();
    let described = contestants.iter().filter_map(|it| it.described.as_ref().ok());
    let mut all: Vec<Workload> =
        described.flat_map(|it| &it.workloads).filter(|it| known.insert(it.name.clone())).cloned().collect();
    all.sort_by(|a, b| (a.place, &a.name).cmp(&(b.place, &b.name)));
    all
}

fn no_oracle(contestants: &[Contestant]) -> Failure {
    let seq = contestants.iter().find(|it| it.name == "seq");
    let why = match seq.map(|it| &it.described) {
        Some(Err((_, why))) => why.as_str(),
        _ => "it is not among the contestants",
    };
    Failure::internal(format!("without the oracle `seq` nothing can be verified: {why}"))
}
