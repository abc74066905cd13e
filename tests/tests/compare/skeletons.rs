//! `new model` and `new workload` in a copy of the project: what they write runs without another edit.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::{Turn, full};

#[test]
fn skeletons_run_in_a_copy_of_the_project_with_a_space_in_its_path() {
    if !full("skeletons in a copy of the project") {
        return;
    }
    // Two minutes of rustc beside a test that judges times would be the disturbance that it reports.
    let _turn = Turn::shared();
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is a folder of the project");
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("a copy");
    // What the build left stays, so that a second run is short; what an earlier one wrote goes.
    for folder in ["benches", "crates", "docs"] {
        fs::remove_dir_all(copy.join(folder)).ok();
    }
    copy_folder(project, &copy);
    let models = fs::read_dir(copy.join("benches/models")).expect("there are models").flatten();
    for model in
        models.filter(|model| !["seq", "threads"].map(OsStr::new).contains(&model.file_name().as_os_str()))
    {
        // The others take minutes to build and have no part in this.
        fs::remove_dir_all(model.path()).expect("it is a copy");
    }
    let xtask = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["xtask", "compare"]).args(arguments).current_dir(&copy);
        // Its own, because a build within a build must not wait for the same lock.
        command.env("CARGO_TARGET_DIR", copy.join("target"));
        let output = command.output().expect("cargo is there: it runs this test");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {}\n{said}\n{complained}", output.status);
        said
    };
    assert!(xtask(&["new", "model", "my-pool"]).contains("--test -m my-pool"));
    assert!(xtask(&["new", "workload", "doubling"]).contains("--test -w doubling"));
    let said = xtask(&["--test", "--offline", "--quick", "-m", "my-pool"]);
    assert!(said.contains(" 0 not;"), "{said}");
    let said = xtask(&["--test", "--offline", "--quick", "-w", "doubling", "-m", "seq,threads,my-pool"]);
    assert!(said.starts_with("3 cells verified, 0 not;"), "{said}");
}

/// Copies everything but what a build or git keeps.
fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("it is ours");
    for entry in fs::read_dir(from).expect("the project can be read").flatten() {
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            // Cargo marks its target folder, whatever it is called; this copy lies in one.
            let kept_by_a_tool = entry.file_name() == ".git" || source.join("CACHEDIR.TAG").is_file();
            if !kept_by_a_tool {
                copy_folder(&source, &target);
            }
        } else {
            fs::copy(&source, &target).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
        }
    }
}
