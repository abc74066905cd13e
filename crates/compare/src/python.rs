//! Python on this machine: the interpreter, a virtual environment for the models that need packages, and the model files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::config;
use crate::failure::Failure;
use crate::roster::on_path;
use crate::texts::EN;

/// A model that is a file.
#[derive(Debug)]
pub(crate) struct ModelFile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
}

/// The files that the glob of `compare.toml` finds, sorted.
pub(crate) fn models(root: &Path, config: &config::Python) -> Result<Vec<ModelFile>, Failure> {
    let Some((folder, pattern)) = config.models.rsplit_once('/') else { return Ok(Vec::new()) };
    let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
    let folder = root.join(folder);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::internal(format!("cannot list {}: {error}", folder.display()))),
    };
    let mut found: Vec<ModelFile> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let fits =
                name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after);
            let stem = Path::new(&name).file_stem()?.to_str()?.to_owned();
            fits.then(|| ModelFile { name: stem, path: entry.path() })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The interpreters that Python's models run by.
#[derive(Debug)]
pub(crate) struct Pythons {
    /// The real interpreter behind `python3`, past any shim; or why there is none.
    plain: Result<PathBuf, String>,
    /// The interpreter that has the packages; or why there is none.
    equipped: Result<PathBuf, String>,
    /// Models that need packages.
    needy: Vec<String>,
}

impl Pythons {
    /// Finds Python and makes the virtual environment, once; later calls find it made. `announce` gets the one line that
    /// says so. With `offline` nothing is fetched, and an environment that is already there is used.
    pub(crate) fn find(
        root: &Path,
        folder: &Path,
        config: &config::Python,
        offline: bool,
        announce: impl FnOnce(&str),
    ) -> Self {
        let found = interpreter(root);
        let needy = config.packages.keys().cloned().collect();
        let equipped = match &found {
            Ok((python, version)) => equip(python, version, folder, config, offline, announce),
            Err(why) => Err(why.clone()),
        };
        let plain = found.map(|(python, _)| python);
        Self { plain, equipped, needy }
    }

    /// The interpreter for a model.
    pub(crate) fn command_for(&self, model: &str) -> Result<PathBuf, String> {
        if self.needy.iter().any(|needy| needy == model) { self.equipped.clone() } else { self.plain.clone() }
    }
}

/// The interpreter and its version.
fn interpreter(root: &Path) -> Result<(PathBuf, String), String> {
    let t = &EN.absences;
    let found = on_path("python3", root).ok_or_else(|| (t.not_on_path)(&["python3"]))?;
    // A version manager puts a shell script in front, which would be measured as Python's start-up.
    let answer = Command::new(&found)
        .args(["-I", "-c", "import sys; print(sys.executable); print(sys.version.split()[0])"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| (t.cannot_start)(&found.display().to_string(), &error))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    match text.trim().split_once('\n') {
        Some((path, version)) if Path::new(path).is_file() => Ok((PathBuf::from(path), version.to_owned())),
        _ => Err((t.does_not_run)(&found.display(), &first_line(&answer.stderr))),
    }
}

fn equip(
    python: &Path,
    version: &str,
    folder: &Path,
    config: &config::Python,
    offline: bool,
    announce: impl FnOnce(&str),
) -> Result<PathBuf, String> {
    let t = &EN.absences;
    let mut packages: Vec<&str> = config.packages.values().flatten().map(String::as_str).collect();
    packages.sort_unstable();
    packages.dedup();
    let venv = folder.join("venv");
    let inside = venv.join("bin").join("python3");
    // Written last, so that an environment whose making was interrupted is made again.
    let mark = venv.join("complete");
    let wanted = packages.join(" ");
    // The interpreter belongs to the mark: one that was replaced in place does not find the packages of the old one.
    let marked = format!("{wanted}\n{}\n{version}\n", python.display());
    if inside.is_file() && fs::read_to_string(&mark).is_ok_and(|made| made == marked) {
        return Ok(inside);
    }
    if offline {
        return Err((t.packages_offline)(&wanted));
    }
    announce(&(EN.run.making_python)(&wanted, &venv.display()));
    fs::create_dir_all(folder).map_err(|error| (t.cannot_make)(&folder.display(), &error))?;
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&venv))?;
    // Few retries: without a network the rest of the comparison waits for this.
    let patience = ["--retries", "1", "--timeout", "15"];
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"];
    run(Command::new(&inside).args(pip).args(patience).args(&packages))?;
    fs::write(&mark, marked).map_err(|error| (t.cannot_write)(&mark.display(), &error))?;
    Ok(inside)
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let said = text
        .lines()
        .rfind(|line| line.contains("ERROR"))
        .unwrap_or_else(|| text.lines().last().unwrap_or(""));
    Err((EN.absences.no_environment)(said))
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or("").to_owned()
}
