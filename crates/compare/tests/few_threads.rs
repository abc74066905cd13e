//! What `peers` says where the machine gives it no more threads.
#![cfg(all(feature = "engine", target_os = "linux"))]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Somebody who has no process, so that a limit counts ours alone.
const NOBODY_ELSE: &str = "60217";

#[test]
fn a_thread_that_is_not_to_be_had_is_told_and_leaves_no_process() {
    // Where everybody may read, unlike in a folder of ours.
    let folder =
        tempfile::Builder::new().permissions(Permissions::from_mode(0o755)).tempdir().expect("a folder");
    let (program, engine) = (folder.path().join("program"), folder.path().join("compare"));
    fs::write(&program, "#!/bin/sh\nexec sleep 20\n").expect("it is ours");
    fs::set_permissions(&program, Permissions::from_mode(0o755)).expect("it is ours");
    fs::copy(env!("CARGO_BIN_EXE_compare"), &engine).expect("it is there");
    let peers = format!(r#"{{"areas": [{{"area": "sync", "program": {program:?}}}], "others": []}}"#);
    fs::write(folder.path().join("peers.json"), peers).expect("it is ours");
    // One process for the engine, one for the program, and none for a thread.
    let mut limited = Command::new("setpriv");
    limited.args(["--reuid", NOBODY_ELSE, "--regid", NOBODY_ELSE, "--clear-groups", "prlimit", "--nproc=2"]);
    limited.arg(&engine).arg("peers");
    limited.env("COMPARE_ROOT", folder.path()).env("COMPARE_PEERS", folder.path().join("peers.json"));
    let Ok(output) = limited.output() else { return eprintln!("skipped: no `setpriv` here") };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.starts_with("setpriv: ") || said.starts_with("prlimit: ") {
        return eprintln!("skipped: only root may become somebody else: {said}");
    }
    assert!(output.status.code() == Some(1) && said.contains("no thread to be had"), "{said}");
    assert!(said.contains("ulimit -u") && !said.contains("panicked"), "{said}");
    if let Ok(left) = Command::new("pgrep").args(["-U", NOBODY_ELSE]).output() {
        assert!(left.stdout.is_empty(), "a process stays");
    }
}
