//! Telling "killed because memory ran out" from "killed".
//!
//! Both are the same signal. The control group that this process is in counts how often the system has chosen the first,
//! so a worker that was killed, not by us, while that number has grown, was killed for its memory. Should somebody else in
//! the group have been chosen, and a person have killed the worker by hand at the same time, it is wrongly blamed; where
//! there is no such file, it is never told.

use std::fs;
use std::path::{Path, PathBuf};

/// Counts kills for memory since it was asked last.
#[derive(Debug)]
pub(super) struct MemoryKills {
    file: Option<PathBuf>,
    seen: u64,
}

impl MemoryKills {
    pub(super) fn of_this_process() -> Self {
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        Self::counted_in(file_of(&groups, Path::new("/sys/fs/cgroup")))
    }

    fn counted_in(file: Option<PathBuf>) -> Self {
        let mut kills = MemoryKills { file, seen: 0 };
        kills.seen = kills.count();
        kills
    }

    /// Whether there was one.
    pub(super) fn happened(&mut self) -> bool {
        let now = self.count();
        now > std::mem::replace(&mut self.seen, now)
    }

    fn count(&self) -> u64 {
        let text = self.file.as_ref().and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
        line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    }
}

/// Where the number stands: `groups` is what `/proc/self/cgroup` says, of version 2 or 1.
fn file_of(groups: &str, root: &Path) -> Option<PathBuf> {
    let candidates = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':');
        let (number, controllers, group) =
            (parts.next()?, parts.next()?, parts.next()?.trim_start_matches('/'));
        match controllers {
            "" if number == "0" => Some(root.join(group).join("memory.events")),
            "memory" => Some(root.join("memory").join(group).join("memory.oom_control")),
            _ => None,
        }
    });
    candidates.into_iter().find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("procs-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("some/group")).expect("a folder");
        fs::create_dir_all(folder.join("memory/old/group")).expect("a folder");
        folder
    }

    #[test]
    fn the_file_is_that_of_the_group_in_both_versions() {
        let root = folder("which");
        let groups = "12:cpu:/x\n4:memory:/old/group\n0::/some/group\n";
        assert_eq!(file_of(groups, &root), None, "there is none yet");
        let old = root.join("memory/old/group/memory.oom_control");
        fs::write(&old, "").expect("a file");
        assert_eq!(file_of(groups, &root), Some(old));
        let new = root.join("some/group/memory.events");
        fs::write(&new, "").expect("a file");
        assert_eq!(file_of("0::/some/group\n", &root), Some(new));
        assert_eq!(file_of("nonsense\n::\n", &root), None);
        fs::remove_dir_all(root).expect("cleaned up");
    }

    #[test]
    fn a_kill_is_told_once() {
        let root = folder("kills");
        let file = root.join("memory.events");
        let write =
            |kills: u64| fs::write(&file, format!("low 0\noom 9\noom_kill {kills}\n")).expect("a file");
        write(3);
        let mut kills = MemoryKills::counted_in(Some(file.clone()));
        assert!(!kills.happened(), "those before count for nobody");
        write(4);
        assert!(kills.happened());
        assert!(!kills.happened());
        fs::remove_dir_all(&root).expect("cleaned up");
        assert!(!kills.happened(), "a group that is gone tells nothing");
        assert!(!MemoryKills::counted_in(None).happened());
    }
}
