//! The files that the rules look at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folders that are never part of the project, for checkouts without git.
const NOT_OURS: &[&str] = &[".git", "target", "node_modules", "__pycache__"];

/// A checkout: its root and the paths of its files, relative to it, with `/` between folders, sorted.
pub(crate) struct Tree {
    root: PathBuf,
    files: Vec<String>,
}

impl Tree {
    /// The files that git tracks or would offer to add; without git, those that are there.
    pub(crate) fn of(root: &Path) -> Result<Self, String> {
        let mut files = match git_files(root) {
            Some(files) => files,
            None => walk(root).map_err(|error| format!("cannot read {}: {error}", root.display()))?,
        };
        // A file deleted but not yet committed is still in git's list.
        files.retain(|path| root.join(path).is_file());
        files.sort();
        files.dedup();
        Ok(Self { root: root.to_path_buf(), files })
    }

    /// The checkout's top folder.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Every file.
    pub(crate) fn files(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str)
    }

    /// Whether there is such a file.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.binary_search_by(|file| file.as_str().cmp(path)).is_ok()
    }

    /// A file's text; empty if it is missing or not text.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root.join(path)).unwrap_or_default()
    }

    /// The manifests of packages: their paths. One that only gathers others is none.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &str> {
        self.files().filter(|path| path.ends_with("/Cargo.toml") && !self.is_workspace_alone(path))
    }

    fn is_workspace_alone(&self, path: &str) -> bool {
        let text = self.read(path);
        let has = |table: &str| text.lines().any(|line| line.trim() == table);
        has("[workspace]") && !has("[package]")
    }

    /// Writes these files below `root` and takes them for the whole project.
    #[cfg(test)]
    pub(crate) fn from_texts(root: &Path, texts: &[(&str, &str)]) -> Self {
        for (path, text) in texts {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self::of(root).unwrap()
    }
}

fn git_files(root: &Path) -> Option<Vec<String>> {
    // Where the checkout has no repository of its own, one further up knows nothing of these files.
    if !root.join(".git").exists() {
        return None;
    }
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let list = String::from_utf8(output.stdout).ok()?;
    output
        .status
        .success()
        .then(|| list.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

fn walk(root: &Path) -> std::io::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if NOT_OURS.contains(&name.as_str()) {
                continue;
            }
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_git_the_folders_are_walked_and_the_target_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let tree =
            Tree::from_texts(folder.path(), &[("a/b/c.rs", ""), ("README.md", ""), ("target/x.rs", "")]);
        assert_eq!(tree.files().collect::<Vec<_>>(), ["README.md", "a/b/c.rs"]);
        assert!(tree.has("a/b/c.rs") && !tree.has("target/x.rs"));
    }
}
