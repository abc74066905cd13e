//! The file that `--json` names.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::posix_fallocate;
use serde::Serialize;

use crate::failure::Failure;

/// A file for results, opened before anything is measured: a path that cannot be written costs nobody an hour. What was in
/// it before stays there until results take its place.
#[derive(Debug)]
pub(super) struct JsonFile(Option<(PathBuf, File)>);

impl JsonFile {
    /// Opens the file, if one was named, and creates it where there is none.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Self(None)) };
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(|error| Failure::usage(refusal(path, &error)))?;
        Ok(Self(Some((path.to_owned(), file))))
    }

    /// The file, where one was named.
    pub(super) fn metadata(&self) -> Option<Metadata> {
        self.0.as_ref()?.1.metadata().ok()
    }

    /// Puts `what` in the place of all that it holds. Where the disk has no room for it, all stays as it was.
    pub(super) fn write(self, what: &impl Serialize) -> Result<(), Failure> {
        let Some((path, file)) = self.0 else { return Ok(()) };
        let text = serde_json::to_string_pretty(what)
            .map_err(Failure::doing("results cannot be written as JSON"))?
            + "\n";
        replace(file, text.as_bytes()).map_err(|error| Failure::internal(refusal(&path, &error)))
    }
}

fn replace(mut file: File, text: &[u8]) -> io::Result<()> {
    let before = file.metadata()?;
    if !before.is_file() {
        // A pipe or a device has nothing in it that could be kept or cut off, and refuses.
        return file.write_all(text);
    }
    // Room first: what is there may be all that anybody has.
    if let Err(no_room @ (Errno::ENOSPC | Errno::EDQUOT)) = posix_fallocate(&file, 0, text.len() as i64) {
        file.set_len(before.len())?;
        return Err(no_room.into());
    }
    file.write_all(text)?;
    file.set_len(text.len() as u64)
}

fn refusal(path: &Path, error: &io::Error) -> String {
    let remedy = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space, or name a file elsewhere",
        _ => "name a file that can be written",
    };
    format!("--json {}: {error}; {remedy}", path.display())
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::AsRawFd;

    use super::*;

    #[test]
    fn what_was_there_stays_until_results_take_its_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("found.json");
        std::fs::write(&path, "what was found before, and is longer").expect("it is ours");
        let text = || std::fs::read_to_string(&path).expect("it is there");
        let file = JsonFile::open(Some(&path)).expect("it can be written");
        assert!(text().starts_with("what was found before"));
        file.write(&[1]).expect("it is open");
        assert_eq!(text(), "[\n  1\n]\n");
    }

    #[test]
    fn results_go_into_a_pipe_and_a_full_disk_is_named() {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
        JsonFile::open(Some(Path::new(&path))).expect("it is open").write(&[1]).expect("it has room");
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("it has an end");
        assert_eq!(text, "[\n  1\n]\n");

        let full = JsonFile::open(Some(Path::new("/dev/full"))).expect("it is there");
        let refused = full.write(&[1]).expect_err("it is full").to_string();
        assert!(refused.contains("--json /dev/full") && refused.contains("free some space"), "{refused}");
    }

    #[test]
    fn a_path_that_cannot_be_written_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let refused = JsonFile::open(Some(folder.path())).expect_err("it is a folder").to_string();
        assert!(refused.contains("--json") && refused.contains("name a file"), "{refused}");
        assert!(JsonFile::open(None).expect("nothing to open").write(&[1]).is_ok());
    }
}
