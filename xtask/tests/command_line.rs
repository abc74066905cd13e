//! What a person who types `cargo xtask` sees.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::process::Stdio;
use std::process::{Command, Output};

fn xtask(args: &[&str]) -> Output {
    // A folder below the root: the project has to be found from wherever one stands.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    Command::new(env!("CARGO_BIN_EXE_xtask")).args(args).current_dir(folder).output().expect("xtask starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_names_every_task_and_so_does_nothing_at_all() {
    let help = xtask(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for task in ["compare", "test", "ci", "tour", "doc", "tidy"] {
        assert!(text(&help.stdout).contains(&format!("\n  {task} ")), "{task} is not in the help");
    }
    assert_eq!(xtask(&[]).stdout, help.stdout);
}

#[test]
fn wrong_words_are_named_and_end_with_2() {
    for (args, named) in [
        (&["tset"][..], "`tset`"),
        (&["ci", "lint"], "`lint`"),
        (&["doc", "--opne"], "'--opne'"),
        (&["tour", "two"], "`two`"),
        // One that is right beside it does not hide it.
        (&["test", "--mutants", "cell", "nobody-there"], "`nobody-there`"),
    ] {
        let output = xtask(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(text(&output.stderr).contains(named), "{args:?} says {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_list_that_nobody_reads_is_no_error_and_one_that_finds_no_room_is() {
    for args in [&["--help"][..], &["ci", "--list"], &["tour", "--list"]] {
        let into = |stdout: Stdio| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
            let output =
                command.args(args).stdout(stdout).stderr(Stdio::piped()).output().expect("xtask starts");
            (output.status.code(), text(&output.stderr))
        };
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        assert_eq!(into(writer.into()), (Some(0), String::new()), "{args:?}");
        let full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let (code, said) = into(full.into());
        assert!(code == Some(1) && said.contains("standard output"), "{args:?}: {code:?}, {said}");
    }
}

#[test]
fn the_list_of_checks_says_how_to_do_each_by_hand() {
    let list = text(&xtask(&["ci", "--list"]).stdout);
    for line in
        ["cargo test --workspace", "cargo fmt --all --check", "cargo xtask compare --test --quick --offline"]
    {
        assert!(list.contains(line), "`{line}` is not in\n{list}");
    }
}

#[test]
fn a_check_runs_from_a_subfolder_and_is_counted() {
    let output = xtask(&["ci", "xtask-size"]);
    let said = text(&output.stdout);
    assert!(output.status.success() && said.ends_with("\n1 passed, 0 failed, 0 skipped\n"), "{said}");
}
