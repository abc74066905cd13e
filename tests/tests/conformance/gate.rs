//! A gate that tasks wait at, be they in another process: a folder, in which arrivals and the opening are files.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A gate that is closed. It opens at the latest when it is dropped, so that a test that fails leaves nobody behind it.
pub(crate) struct Gate {
    folder: TempDir,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Gate { folder: tempfile::tempdir().unwrap() }
    }

    /// What a task is given.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().into()
    }

    pub(crate) fn open(&self) {
        fs::write(self.folder.path().join(OPEN), "").unwrap();
    }

    /// How many tasks have come so far.
    pub(crate) fn arrivals(&self) -> usize {
        fs::read_dir(self.folder.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with(ARRIVAL))
            .count()
    }

    /// Waits until so many have come.
    pub(crate) fn wait_for_arrivals(&self, count: usize) {
        let patience = Instant::now() + PATIENCE;
        while self.arrivals() < count {
            assert!(Instant::now() < patience, "{} instead of {count} have come", self.arrivals());
            std::thread::sleep(STEP);
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// What a task does to be counted.
pub(crate) fn arrive(gate: &Path) {
    // A gate that is gone counts nobody.
    if let Ok(file) = tempfile::Builder::new().prefix(ARRIVAL).tempfile_in(gate) {
        file.keep().unwrap();
    }
}

/// A task: arrives, and waits until the gate opens.
#[expect(clippy::needless_pass_by_value, reason = "a task owns its argument")]
pub(crate) fn wait_at(gate: PathBuf) -> u32 {
    arrive(&gate);
    let patience = Instant::now() + PATIENCE;
    while gate.exists() && !gate.join(OPEN).exists() {
        assert!(Instant::now() < patience, "the gate does not open");
        std::thread::sleep(STEP);
    }
    7
}

const OPEN: &str = "open";
const ARRIVAL: &str = "arrival-";

/// How long something may take that takes no time. Only what hangs gets there.
const PATIENCE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_millis(1);
