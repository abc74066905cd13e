//! What the system refuses, told with the limit that is behind it.

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit};
use std::fmt::Display;

/// `why`; where that is for want of descriptors, also how many there may be, and what helps.
///
/// It goes by the words: what was refused in another process has come from there as text.
pub fn refused(why: impl Display) -> String {
    let why = why.to_string();
    if !why.contains(&format!("(os error {})", Errno::EMFILE as i32)) {
        return why;
    }
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((most, _)) => format!("{why}: a process may have {most} descriptors open, raise `ulimit -n`"),
        Err(_) => format!("{why}: raise `ulimit -n`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[test]
    fn too_many_descriptors_are_told_with_their_limit() {
        let (most, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let told = refused(io::Error::from(Errno::EMFILE));
        let end = format!("(os error 24): a process may have {most} descriptors open, raise `ulimit -n`");
        assert!(told.ends_with(&end), "{told}");
        assert_eq!(refused("another process was lost"), "another process was lost");
        assert!(!refused(io::Error::from(Errno::ENFILE)).contains("ulimit"));
    }
}
