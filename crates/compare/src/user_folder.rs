//! A folder of each user among the temporary ones, for when the project cannot be written to.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// The folder `trefoil-compare-<user>` below `temporary`, made if it is not there.
///
/// # Errors
/// If something of that name is there that is not a folder of ours alone: others can write among the temporary files, and
/// what is run from a folder of theirs is theirs, too.
pub(crate) fn user_folder(temporary: &Path) -> io::Result<PathBuf> {
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    #[test]
    fn it_is_made_once_for_its_user_alone() {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = user_folder(temporary.path()).expect("it is new");
        assert_eq!(fs::metadata(&folder).expect("it is there").mode() & 0o777, 0o700);
        assert_eq!(user_folder(temporary.path()).expect("it is ours"), folder);
    }

    #[test]
    fn what_others_may_have_made_is_not_used() {
        let temporary = tempfile::tempdir().expect("a folder");
        let refused = || user_folder(temporary.path()).expect_err("it is not ours alone").to_string();
        let folder = user_folder(temporary.path()).expect("it is new");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o770)).expect("it is ours");
        assert!(refused().contains("remove it or set TMPDIR"));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("it is ours");
        // Only root can give a folder away.
        if chown(&folder, Some(12_345), None).is_ok() {
            refused();
        }
        fs::remove_dir(&folder).expect("it is empty");
        symlink(temporary.path(), &folder).expect("it is ours");
        refused();
    }
}
