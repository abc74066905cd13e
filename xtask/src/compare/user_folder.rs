//! A folder of each user among the temporary ones, for when the project cannot be written to: the one that the engine uses,
//! so that what it keeps beside the list of contestants is found again.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The folder `trefoil-compare-<user>` below `temporary`, made if it is not there.
///
/// # Errors
/// If something of that name is there that is not a folder of ours alone: others can write among the temporary files, and
/// what is run from a folder of theirs is theirs, too.
pub(super) fn user_folder(temporary: &Path) -> io::Result<PathBuf> {
    // The owner of our entry among the processes: the standard library has no other way to ask who we are.
    let user = fs::metadata("/proc/self")?.uid();
    let folder = temporary.join(format!("trefoil-compare-{user}"));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        result => return result.map(|()| folder),
    }
    // Not through a link, which may lead anywhere.
    let found = fs::symlink_metadata(&folder)?;
    if found.is_dir() && found.uid() == user && found.mode() & 0o077 == 0 {
        return Ok(folder);
    }
    let why =
        format!("{} is there and is not a folder of yours alone: remove it or set TMPDIR", folder.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, why))
}
