//! What is counted and not timed: the bytes of a mutex, the crates that come with one.

use std::collections::BTreeSet;
use std::mem::size_of;
use std::path::Path;
use std::process::Command;

use peers_kit::{Contestant, Cpus, Measure, Row, Sample};

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "mutex/size".into(),
            about: "bytes of a mutex, without its value".into(),
            cpus: Cpus::Free,
            measures: vec![Measure::less("bytes", "B")],
            contestants: vec![
                bytes("sync", size_of::<sync::Mutex<()>>()),
                bytes("std", size_of::<std::sync::Mutex<()>>()),
                bytes("parking_lot", size_of::<parking_lot::Mutex<()>>()),
                bytes("tokio", size_of::<tokio::sync::Mutex<()>>()),
                bytes("async-lock", size_of::<async_lock::Mutex<()>>()),
            ],
        },
        Row {
            name: "crates-in-tree".into(),
            about: "crates in `cargo tree -p sync` with default features, itself counted".into(),
            cpus: Cpus::Free,
            measures: vec![Measure::less("crates", "")],
            contestants: vec![Contestant::new("sync", |_| crates("sync"))],
        },
    ]
}

fn bytes(name: &'static str, bytes: usize) -> Contestant {
    Contestant::new(name, move |_| Ok(Sample { values: vec![("bytes", bytes as f64)], timed: None }))
}

/// Counts what `cargo tree` lists of a package of the project.
fn crates(package: &str) -> Result<Sample, String> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--package", package]);
    let output =
        cargo.current_dir(project).output().map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("`cargo tree` failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    // A crate that stands in several places is marked `(*)` in all but one.
    let names: BTreeSet<&str> =
        text.lines().map(|line| line.trim_end_matches(" (*)")).filter(|line| !line.is_empty()).collect();
    Ok(Sample { values: vec![("crates", names.len() as f64)], timed: None })
}
