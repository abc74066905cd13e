//! Where the engine may find itself: without Python, in folders that cannot be written, in odd paths.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::harness::{ENGINE, PLANTED, Project, skipped};

const RUN: &str = "-w spawn --quick --rounds 1 --seed 1";

#[test]
fn without_python_its_models_are_unavailable_and_the_rest_runs() {
    let project = Project::new();
    let models = project.root().join("benches/python");
    fs::create_dir_all(&models).expect("it is ours");
    for name in ["py-one", "py-two"] {
        fs::write(models.join(format!("{name}.py")), "").expect("it is ours");
    }
    let project = project.with_compare_toml(
        "[python]\nmodels = \"benches/python/py-*.py\"\npackages = { py-two = [\"gevent\"] }\n",
    );
    let tools = project.folder().join("tools");
    fs::create_dir(&tools).expect("it is ours");
    let mut engine = project.engine(RUN);
    engine.env("PATH", &tools);
    project.finish(engine).ended_with(0);
    let summary = project.summary();
    summary.has_status("spawn", "threads", "ok", "");
    for model in ["py-one", "py-two"] {
        summary.has_status("spawn", model, "unavailable", "no python3 on PATH");
        summary.is_out_of_the_race("spawn", model);
    }
}

#[test]
fn a_python_that_does_not_run_is_as_good_as_none() {
    let project = Project::new();
    let tools = project.folder().join("tools");
    fs::create_dir_all(project.root().join("benches/python")).expect("it is ours");
    fs::write(project.root().join("benches/python/py-one.py"), "").expect("it is ours");
    fs::create_dir(&tools).expect("it is ours");
    let python = tools.join("python3");
    fs::write(&python, "#!/bin/sh\necho the planted interpreter is broken >&2\nexit 1\n")
        .expect("it is ours");
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let project = project.with_compare_toml("[python]\nmodels = \"benches/python/py-*.py\"\n");
    let mut engine = project.engine(RUN);
    engine.env("PATH", &tools);
    project.finish(engine).ended_with(0);
    project.summary().has_status("spawn", "py-one", "unavailable", "the planted interpreter is broken");
}

/// A path at which nobody can make a folder, root neither: it lies below a file.
fn below_a_file(project: &Project) -> PathBuf {
    let file = project.folder().join("a file");
    fs::write(&file, "").expect("it is ours");
    file.join("compare")
}

#[test]
fn a_folder_that_was_asked_for_and_cannot_be_written_ends_with_2() {
    let project = Project::new();
    let out = below_a_file(&project);
    let mut engine = project.engine(RUN);
    engine.arg("--out").arg(&out);
    let path = out.display().to_string();
    let finished = project.finish(engine).ended_with(2);
    let finished = finished.complained_of(&["--out", &path, "choose another folder"]);
    assert!(finished.stdout.is_empty());
}

#[test]
fn a_default_folder_that_cannot_be_written_is_replaced() {
    let project = Project::new();
    let instead = project.folder().join("tmp");
    fs::create_dir(&instead).expect("it is ours");
    let mut engine = project.bare_engine();
    engine.args(RUN.split(' ')).args(["--offline", "--progress", "plain"]);
    let out = below_a_file(&project);
    engine.env("COMPARE_OUT", &out).env("TMPDIR", &instead);
    let finished = project.finish(engine).ended_with(0);
    let finished = finished.complained_of(&["cannot write to", &out.display().to_string(), "--out DIR"]);
    // A name of one's own, because others use the same temporary folder.
    let folder =
        instead.join(format!("trefoil-compare-{}", fs::metadata(&instead).expect("it is ours").uid()));
    assert_eq!(fs::metadata(&folder).expect("it was made").permissions().mode() & 0o777, 0o700);
    let latest = folder.join("latest");
    assert!(latest.join("summary.json").is_file() && latest.join("report.html").is_file());
    assert!(finished.stderr.contains(&instead.display().to_string()), "{}", finished.stderr);

    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let mut engine = project.engine(RUN);
    engine.env("COMPARE_OUT", &out).env("TMPDIR", &instead);
    project.finish(engine).ended_with(1).complained_of(&["not a folder of yours alone", "TMPDIR"]);
}

#[test]
fn a_folder_without_permission_is_treated_alike() {
    let project = Project::new();
    let out = project.folder().join("locked");
    fs::create_dir(&out).expect("it is ours");
    fs::set_permissions(&out, fs::Permissions::from_mode(0o555)).expect("it is ours");
    if fs::write(out.join("probe"), "").is_ok() {
        return skipped("a folder without permission", "nothing is forbidden to root");
    }
    let mut engine = project.engine(RUN);
    engine.arg("--out").arg(&out);
    project.finish(engine).ended_with(2).complained_of(&["--out", "Permission denied"]);
}

#[test]
fn a_folder_of_ones_own_choice_gets_the_run() {
    let project = Project::new();
    let mut engine = project.engine(RUN);
    // Relative to where one stands, not to the root.
    fs::create_dir(project.root().join("inner")).expect("it is ours");
    engine.args(["--out", "my runs"]).current_dir(project.root().join("inner"));
    project.finish(engine).ended_with(0);
    assert!(project.root().join("inner/my runs/latest/summary.json").is_file());
    assert!(!project.out().join("latest").exists());
}

#[test]
fn the_project_is_found_from_a_subfolder() {
    let project = Project::new();
    let below = project.root().join("crates/sync/src");
    fs::create_dir_all(&below).expect("it is ours");
    let mut engine = Command::new(ENGINE);
    engine.args(RUN.split(' ')).args(["--offline", "--progress", "none"]);
    let mut engine = project.started(engine);
    for name in ["COMPARE_ROOT", "COMPARE_CONTESTANTS", "COMPARE_OUT"] {
        engine.env_remove(name);
    }
    engine.current_dir(&below);
    project.finish(engine).ended_with(0);
    project.summary().has_status("spawn", "threads", "ok", "");

    let mut lost = project.bare_engine();
    lost.env_remove("COMPARE_ROOT").current_dir(project.folder());
    project.finish(lost).ended_with(2).complained_of(&["no compare.toml", "cargo xtask compare"]);
}

#[test]
fn what_ran_before_the_engine_took_its_place_is_left_alone() {
    let project = Project::new();
    let mut shell = Command::new("sh");
    // Two that nobody started for the comparison; without an environment, so that they are not taken for ours here, either.
    let strangers =
        "env -i sh -c 'sleep 600 & echo $! >child; wait' & echo $! >parent; while ! [ -s child ]; do :; done";
    shell
        .args(["-c", &format!("{strangers}; exec \"$ENGINE\" {RUN} --offline --progress none")])
        .env("ENGINE", ENGINE);
    let finished = project.finish(project.started(shell));
    let pids = ["child", "parent"].map(|name| {
        let pid = fs::read_to_string(project.root().join(name)).expect("the shell wrote it");
        Pid::from_raw(pid.trim().parse().expect("a number"))
    });
    let ended = pids.map(|pid| kill(pid, Signal::SIGKILL));
    assert_eq!(ended, [Ok(()), Ok(())], "both were still there");
    finished.ended_with(0);
    project.summary().has_status("spawn", "threads", "ok", "");
}

#[test]
fn a_path_may_hold_spaces_and_any_letter() {
    let project = Project::named("il nostro progetto – 三叶草 'quoted' (1)");
    let bin = project.root().join("a bin");
    fs::create_dir(&bin).expect("it is ours");
    symlink(PLANTED, bin.join("my planted")).expect("it is ours");
    fs::create_dir_all(project.root().join("some input")).expect("it is ours");
    fs::write(project.root().join("some input/naïve file.txt"), "three short words").expect("it is ours");
    let project = project.with("linked", &["a bin/my planted", "none"]);
    let mut engine = project.engine("-w spawn,files --quick --rounds 1 --seed 1");
    engine.arg("--input").arg("some input");
    project.finish(engine).ended_with(0);
    let summary = project.summary();
    summary.has_status("spawn", "linked", "ok", "");
    summary.has_status("files", "threads", "ok", "");
    assert!(Path::new(&project.out().join("latest/report.html")).is_file());
}

#[test]
fn a_model_that_did_not_build_is_absent_alone() {
    let project = Project::new();
    let list = project.out().join("contestants.json");
    let mut built: serde_json::Value =
        serde_json::from_slice(&fs::read(&list).expect("it is ours")).expect("it is JSON");
    let models = built["models"].as_array_mut().expect("a list");
    models.push(serde_json::json!({ "model": "unfinished", "error": "error[E0425]: cannot find value `x`" }));
    built["server"] = serde_json::Value::Null;
    built["server_error"] = "error: could not compile `fetch-server`".into();
    fs::write(&list, built.to_string()).expect("it is ours");
    project.run("-w spawn,fetch --quick --rounds 1 --seed 1").ended_with(0);
    let summary = project.summary();
    summary.has_status("spawn", "threads", "ok", "");
    summary.has_status("spawn", "unfinished", "build_failed", "E0425");
    summary.has_status("fetch", "threads", "unavailable", "could not compile `fetch-server`");

    built["models"].as_array_mut().expect("a list").remove(0);
    fs::write(&list, built.to_string()).expect("it is ours");
    // Any contestant of the kit can stand in for the oracle.
    project.run(RUN).ended_with(0);
    built["models"] = serde_json::json!([]);
    fs::write(&list, built.to_string()).expect("it is ours");
    project.run(RUN).ended_with(1).complained_of(&["without the oracle"]);
}
