//! Where the project is, and how to ask cargo about it.

use std::env;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::Stop;

/// The checkout that this program belongs to.
pub(crate) struct Project {
    root: PathBuf,
}

impl Project {
    /// Finds the checkout from wherever the command was typed.
    ///
    /// Cargo says where the manifest of the running package is; a program started by hand looks upward from where it
    /// stands, and at last at where it was built.
    pub(crate) fn find() -> Result<Self, String> {
        let told = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let here = env::current_dir().ok();
        let built = Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        [told, here, built]
            .into_iter()
            .flatten()
            .find_map(|start| root_above(&start))
            .map(Self::at)
            .ok_or_else(|| {
                "no checkout of the project found here or above: go into its folder and try again".into()
            })
    }

    /// The checkout at `root`.
    pub(crate) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// Its top folder, an absolute path.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A command of the cargo that started us, run at the top folder.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.current_dir(&self.root);
        // Cargo reads a relative folder from where it runs, and we may have been called from another place.
        if let (Some(target), Ok(here)) = (env::var_os("CARGO_TARGET_DIR"), env::current_dir()) {
            command.env("CARGO_TARGET_DIR", here.join(target));
        }
        command
    }

    /// What `cargo metadata` says of the workspace's own packages.
    pub(crate) fn metadata(&self) -> Result<Value, String> {
        let mut command = self.cargo();
        command.args(["metadata", "--no-deps", "--format-version", "1"]).stderr(Stdio::inherit());
        let output = command.output().map_err(|error| cannot_start(&command, &error))?;
        if !output.status.success() {
            return Err("`cargo metadata` failed, its message stands above".into());
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("`cargo metadata` answered something that is not JSON: {error}"))
    }
}

/// Runs a command to its end with our own terminal.
pub(crate) fn status(command: &mut Command) -> Result<(), Stop> {
    let status = command.status().map_err(|error| Stop::Failed(cannot_start(command, &error)))?;
    if status.success() {
        return Ok(());
    }
    // A program that a signal ended has no code.
    Err(Stop::Code(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Prints to standard output; a reader that went away is no error.
pub(crate) fn print(text: &str) -> Result<(), Stop> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Stop::Failed(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Whether a command can be run at all, without showing what it says.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The message for a program that could not be started.
pub(crate) fn cannot_start(command: &Command, error: &std::io::Error) -> String {
    format!(
        "cannot start `{}`: {error}; check that it is installed and on PATH",
        command.get_program().to_string_lossy()
    )
}

fn root_above(start: &Path) -> Option<PathBuf> {
    start
        .ancestors()
        .find(|folder| folder.join("xtask/Cargo.toml").is_file() && folder.join("Cargo.toml").is_file())
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_root_is_found_from_below_and_with_spaces() {
        let folder = tempfile::Builder::new().prefix("a path with spaces ").tempdir().unwrap();
        let root = folder.path().join("the project");
        fs::create_dir_all(root.join("xtask/src")).unwrap();
        fs::create_dir_all(root.join("crates/sync/src")).unwrap();
        fs::write(root.join("Cargo.toml"), "").unwrap();
        fs::write(root.join("xtask/Cargo.toml"), "").unwrap();
        for start in ["", "xtask", "xtask/src", "crates/sync/src"] {
            assert_eq!(root_above(&root.join(start)).as_deref(), Some(root.as_path()), "from `{start}`");
        }
        assert_eq!(root_above(folder.path()), None);
    }
}
