//! `cargo xtask compare`: builds the engine and the contestants, then becomes the engine.
//!
//! Every contestant is built by its own run of cargo. A build of several packages at once would give each of them the
//! union of the features that any of them asks for, and what is measured under one name would depend on who else takes
//! part. It also makes a contestant that does not build absent alone.
//!
//! The engine learns what there is from a file, `contestants.json`:
//!
//! ```json
//! {"models": [{"model": "seq", "program": "/path/to/model-seq"},
//!             {"model": "broken", "error": "error[E0425]: cannot find value `x` (src/main.rs:3:5)"}],
//!  "server": "/path/to/fetch-server"}
//! ```
//!
//! A server that does not build leaves `"server": null` and its reason in `"server_error"`.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

// The engine's own, so that what it keeps beside the list of contestants is found again.
#[cfg(unix)]
#[path = "../../crates/compare/src/user_folder.rs"]
mod user_folder;

#[cfg(unix)]
use self::user_folder::user_folder;
use crate::Stop;
use crate::cargo_build::{NotBuilt, build, from_first_error};
use crate::peers;
use crate::project::{Project, status};

/// The list of contestants.
const CONTESTANTS: &str = "contestants.json";

/// The list of the peers' programs.
const PEERS: &str = "peers.json";

/// The exit code that says: the engine does not build. It is the one that cargo itself uses.
const ENGINE_NOT_BUILT: u8 = 101;

/// Builds what the arguments need and hands over to the engine; on Unix this does not return unless it fails.
pub(crate) fn run(project: &Project, args: &[OsString]) -> Result<(), Stop> {
    let mut engine = prepare(project, args)?;
    #[cfg(unix)]
    {
        // The engine takes our place, so that signals, the terminal and the exit code are its own.
        let error = std::os::unix::process::CommandExt::exec(&mut engine);
        Err(Stop::Failed(crate::project::cannot_start(&engine, &error)))
    }
    #[cfg(not(unix))]
    {
        status(&mut engine)
    }
}

/// Builds what the arguments need and returns the engine's command.
pub(crate) fn prepare(project: &Project, args: &[OsString]) -> Result<Command, Stop> {
    let program = build(
        project,
        "building the engine",
        &["--profile", "tool", "--package", "compare", "--bin", "compare"],
    )
    .map_err(|NotBuilt { reason, log }| {
        eprintln!("{}xtask: the engine does not build: {reason}", from_first_error(&log));
        Stop::Code(ENGINE_NOT_BUILT)
    })?;
    let folder = target_folder(project).map_err(Stop::Failed)?.join("compare");
    let mut engine = Command::new(&program);
    engine.args(args).env("COMPARE_ROOT", project.root()).env("COMPARE_OUT", &folder);
    if needs_contestants(args) {
        status(&mut check_arguments(&program, project, args))?;
        let contestants = contestants(project).map_err(Stop::Failed)?;
        let file = write_somewhere(&folder, CONTESTANTS, &contestants).map_err(Stop::Failed)?;
        engine.env("COMPARE_CONTESTANTS", file);
    }
    if peers::are_asked_for(args) && !asks_for_help(args) {
        status(
            Command::new(&program).args(args).arg("--check-arguments").env("COMPARE_ROOT", project.root()),
        )?;
        let target = target_folder(project).map_err(Stop::Failed)?;
        let programs = peers::build_all(project, args, &target)?;
        let file = write_somewhere(&folder, PEERS, &programs).map_err(Stop::Failed)?;
        engine.env("COMPARE_PEERS", file);
    }
    Ok(engine)
}

/// Help, skeletons, old reports, a look at the machine and peers do without contestants; everything else asks them at
/// least who they are.
fn needs_contestants(args: &[OsString]) -> bool {
    let first = args.first().and_then(|arg| arg.to_str());
    !asks_for_help(args) && !peers::are_asked_for(args) && !matches!(first, Some("new" | "report" | "doctor"))
}

fn asks_for_help(args: &[OsString]) -> bool {
    args.iter().any(|arg| arg == "--help" || arg == "-h")
}

/// The engine as it only reads the command line, so that a typing error does not cost a build of all contestants.
fn check_arguments(engine: &Path, project: &Project, args: &[OsString]) -> Command {
    let mut check = Command::new(engine);
    check.arg("--check-arguments").args(args).env("COMPARE_ROOT", project.root());
    check
}

fn target_folder(project: &Project) -> Result<PathBuf, String> {
    let metadata = project.metadata()?;
    let folder = metadata["target_directory"].as_str().ok_or("`cargo metadata` names no target directory")?;
    Ok(PathBuf::from(folder))
}

/// Builds the server and every contestant, and tells where they are or why not.
fn contestants(project: &Project) -> Result<Value, String> {
    let models = model_names(&project.root().join("benches/models"))
        .map_err(|error| format!("cannot list the contestants in benches/models: {error}"))?;
    let mut list = json!({ "models": [], "server": null });

    let server = ["--release", "--package", "fetch-server", "--bin", "fetch-server"];
    match build(project, "building the server of `fetch`", &server).map_err(|it| it.reason).and_then(text) {
        Ok(program) => list["server"] = program.into(),
        Err(reason) => {
            eprintln!("the server of `fetch` does not build, the rest goes on: {reason}");
            list["server_error"] = reason.into();
        }
    }

    let count = models.len();
    for (index, model) in models.iter().enumerate() {
        let announcement = format!("building contestant {} of {count}: {model}", index + 1);
        let package = format!("model-{model}");
        let built = build(project, &announcement, &["--release", "--package", &package]);
        let entry = match built.map_err(|it| it.reason).and_then(text) {
            Ok(program) => json!({ "model": model, "program": program }),
            Err(reason) => {
                eprintln!("contestant {model} does not build, the rest goes on: {reason}");
                json!({ "model": model, "error": reason })
            }
        };
        if let Some(entries) = list["models"].as_array_mut() {
            entries.push(entry);
        }
    }
    Ok(list)
}

/// The folders that are contestants, in order of their names.
fn model_names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if let (Ok(name), true) = (entry.file_name().into_string(), entry.path().join("Cargo.toml").is_file())
        {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn text(path: PathBuf) -> Result<String, String> {
    path.into_os_string().into_string().map_err(|path| {
        format!("its path `{}` is not UTF-8: set CARGO_TARGET_DIR to one that is", path.to_string_lossy())
    })
}

/// Writes the file `name` into `folder`, or into the user's own folder among the temporary ones when that cannot be
/// written to.
fn write_somewhere(folder: &Path, name: &str, list: &Value) -> Result<PathBuf, String> {
    write_or_else(folder, &std::env::temp_dir(), name, list)
}

fn write_or_else(folder: &Path, temporary: &Path, name: &str, list: &Value) -> Result<PathBuf, String> {
    let error = match write(folder, name, list) {
        Ok(path) => return Ok(path),
        Err(error) => error,
    };
    let written = user_folder(temporary).and_then(|fallback| {
        eprintln!("cannot write to {} ({error}), using {}", folder.display(), fallback.display());
        write(&fallback, name, list)
    });
    written.map_err(|also| {
        let (folder, temporary) = (folder.display(), temporary.display());
        format!(
            "cannot write to {folder} ({error}) nor below {temporary}: {also}; set CARGO_TARGET_DIR or TMPDIR"
        )
    })
}

/// The engine runs on Linux alone; elsewhere there is no second choice.
#[cfg(not(unix))]
fn user_folder(_: &Path) -> io::Result<PathBuf> {
    Err(ErrorKind::Unsupported.into())
}

/// Replaces the file in one step, so that a comparison that starts at the same time reads the old or the new one.
fn write(folder: &Path, name: &str, list: &Value) -> io::Result<PathBuf> {
    match fs::create_dir_all(folder) {
        // A file or a dangling link where the folder should be.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(ErrorKind::NotADirectory.into()),
        result => result?,
    }
    let path = folder.join(name);
    let draft = folder.join(format!("{name}.{}", std::process::id()));
    let written = fs::write(&draft, format!("{list:#}\n")).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        // On a full disk half of it may be there.
        fs::remove_file(&draft).ok();
    }
    written.map(|()| path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn only_what_asks_contestants_builds_them() {
        for free in [
            &["--help"][..],
            &["-h"],
            &["--quick", "--help"],
            &["new", "model", "x"],
            &["report"],
            &["doctor"],
            &["peers", "sync"],
            &["goals"],
        ] {
            assert!(!needs_contestants(&args(free)), "{free:?}");
        }
        for asking in
            [&[][..], &["--list", "--json"], &["--plan"], &["-m", "new"], &["spawn"], &["spawn", "report"]]
        {
            assert!(needs_contestants(&args(asking)), "{asking:?}");
        }
    }

    #[test]
    fn the_engine_reads_the_command_line_before_anything_is_built() {
        let project = Project::at(PathBuf::from("/project"));
        let check = check_arguments(Path::new("/engine"), &project, &args(&["--quik", "spawn"]));
        assert_eq!(check.get_args().collect::<Vec<_>>(), ["--check-arguments", "--quik", "spawn"]);
    }

    #[test]
    fn a_contestant_is_a_folder_with_a_manifest() {
        let folder = tempfile::tempdir().unwrap();
        for (name, manifest) in [("smol", true), ("async-std", true), ("notes", false)] {
            fs::create_dir(folder.path().join(name)).unwrap();
            if manifest {
                fs::write(folder.path().join(name).join("Cargo.toml"), "").unwrap();
            }
        }
        fs::write(folder.path().join("README.md"), "").unwrap();
        assert_eq!(model_names(folder.path()).unwrap(), ["async-std", "smol"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_cannot_be_written_falls_back_to_the_temporary_one() {
        let folder = tempfile::tempdir().unwrap();
        let blocked = folder.path().join("compare");
        fs::write(&blocked, "a file where the folder should be").unwrap();
        let temporary = folder.path().join("temporary");
        fs::create_dir(&temporary).unwrap();
        let path = write_or_else(&blocked, &temporary, CONTESTANTS, &json!({ "models": [1] })).unwrap();
        assert!(path.starts_with(&temporary), "{}", path.display());
        // The next run finds the same folder, and what else is kept in it.
        assert_eq!(write_or_else(&blocked, &temporary, CONTESTANTS, &json!({ "models": [] })).unwrap(), path);
        assert_eq!(fs::read_to_string(&path).unwrap(), "{\n  \"models\": []\n}\n");
        let own =
            fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
        assert!(own.len() == 1 && own[0].to_str().unwrap().starts_with("trefoil-compare-"), "{own:?}");

        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(folder.path(), path.parent().unwrap()).unwrap();
        let refused = write_or_else(&blocked, &temporary, CONTESTANTS, &json!({})).unwrap_err();
        assert!(refused.contains("not a folder of yours alone") && refused.contains("TMPDIR"), "{refused}");
    }

    #[test]
    fn the_file_replaces_an_older_one_and_leaves_no_draft() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("target dir/compare");
        write(&inside, CONTESTANTS, &json!({ "models": [1] })).unwrap();
        let path = write(&inside, CONTESTANTS, &json!({ "models": [] })).unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "{\n  \"models\": []\n}\n");
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 1);

        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join(CONTESTANTS)).unwrap();
        write(&taken, CONTESTANTS, &json!({})).unwrap_err();
        assert_eq!(fs::read_dir(&taken).unwrap().count(), 1, "what could not be put in its place is gone");
    }
}
