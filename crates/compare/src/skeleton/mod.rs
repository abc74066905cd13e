//! `new`: skeletons of a model or a workload that run as they are. No list has to be edited: folders are the lists.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cli::{NewKind, RESERVED};
use crate::failure::Failure;
use crate::measure::print;
use crate::texts::EN;

/// Writes the files of a new model or workload and says what to do next.
pub(crate) fn write(kind: NewKind, name: &str) -> Result<ExitCode, Failure> {
    let written = write_below(&crate::session::root()?, kind, name)?;
    let mut text = String::new();
    for path in &written {
        text += &(EN.run.wrote)(&path.display());
        text.push('\n');
    }
    text += &(EN.run.try_it)(kind, name);
    text.push('\n');
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes below `root`, all or nothing. Nothing that exists is touched.
fn write_below(root: &Path, kind: NewKind, name: &str) -> Result<Vec<PathBuf>, Failure> {
    check_name(kind, name)?;
    let files: Vec<(PathBuf, &str)> = match kind {
        NewKind::Model => {
            let folder = Path::new("benches/models").join(name);
            vec![
                (folder.join("Cargo.toml"), include_str!("model.toml.txt")),
                (folder.join("src/main.rs"), include_str!("model.rs.txt")),
                (Path::new("docs/models").join(format!("{name}.md")), include_str!("model.md.txt")),
            ]
        }
        NewKind::Workload => vec![
            (
                Path::new("benches/kit/src/workloads").join(format!("{name}.rs")),
                include_str!("workload.rs.txt"),
            ),
            (Path::new("docs/workloads").join(format!("{name}.md")), include_str!("workload.md.txt")),
        ],
    };
    let taken = match kind {
        NewKind::Model => {
            let python = root.join("benches/python").join(format!("{name}.py"));
            let listed = crate::config::Config::read(&root.join("compare.toml"))?.model.contains_key(name);
            if listed { Some(root.join("compare.toml")) } else { Some(python).filter(|path| path.exists()) }
        }
        NewKind::Workload => None,
    };
    let taken = taken.or_else(|| files.iter().map(|(path, _)| root.join(path)).find(|path| path.exists()));
    if let Some(path) = taken {
        return Err(Failure::usage(format!("{name} exists: {}; choose another name", path.display())));
    }
    for (at, (path, template)) in files.iter().enumerate() {
        if let Err(error) = write_one(&root.join(path), &filled(template, name)) {
            // Half of a manifest, as a full disk leaves it, would stop every command of cargo.
            for (path, _) in &files[..=at] {
                fs::remove_file(root.join(path)).ok();
            }
            if matches!(kind, NewKind::Model) {
                let folder = root.join("benches/models").join(name);
                [folder.join("src"), folder].iter().for_each(|folder| drop(fs::remove_dir(folder)));
            }
            return Err(Failure::internal(format!(
                "cannot write {}: {error}; nothing of {name} was left behind",
                path.display()
            )));
        }
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn write_one(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, text)
}

fn filled(template: &str, name: &str) -> String {
    let type_name: String = name
        .split(['-', '_'])
        .map(|part| {
            part.chars().take(1).flat_map(char::to_uppercase).chain(part.chars().skip(1)).collect::<String>()
        })
        .collect();
    template.replace("{{name}}", name).replace("{{Type}}", &type_name)
}

/// A model's name becomes a package, a workload's a module.
fn check_name(kind: NewKind, name: &str) -> Result<(), Failure> {
    if RESERVED.contains(&name) {
        return Err(Failure::usage(format!("{name:?} is a command of its own; choose another name")));
    }
    check_spelling(kind, name).map_err(Failure::usage)?;
    if matches!(kind, NewKind::Workload) && KEYWORDS.contains(&name) {
        return Err(Failure::usage(format!(
            "{name:?} is a word of Rust, and a workload is a module; choose another name"
        )));
    }
    Ok(())
}

/// A name stands on command lines, where `/`, `!`, `,`, `*` and `?` have a meaning, and in file names.
pub(crate) fn check_spelling(kind: NewKind, name: &str) -> Result<(), String> {
    let (allowed, told): (fn(char) -> bool, _) = match kind {
        NewKind::Model => (
            |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-',
            "lower-case letters, digits and hyphens",
        ),
        NewKind::Workload => (
            |c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_',
            "lower-case letters, digits and underscores",
        ),
    };
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(allowed) || name.len() > 40 {
        return Err(format!("{name:?} is no name for it: use {told}, a letter first, 40 at most"));
    }
    Ok(())
}

/// Words of Rust, and names that the skeleton itself uses: a module of that name would not compile.
const KEYWORDS: &[&str] = &[
    "abstract", "alloc", "as", "async", "await", "become", "box", "break", "compare", "const", "continue",
    "core", "crate", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if",
    "impl", "in", "kit", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub",
    "ref", "return", "self", "static", "std", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn names_are_checked() {
        for (kind, name) in [
            (NewKind::Model, "peers"),
            (NewKind::Model, "Tokio"),
            (NewKind::Model, "9p"),
            (NewKind::Model, "../x"),
            (NewKind::Model, ""),
            (NewKind::Workload, "ping-pong"),
            (NewKind::Workload, "loop"),
            (NewKind::Workload, "type"),
            (NewKind::Workload, "std"),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            let said = write_below(folder.path(), kind, name).expect_err(name).to_string();
            assert!(said.contains("choose another name") || said.contains("use lower-case"), "{said}");
            assert_eq!(
                fs::read_dir(folder.path()).expect("it is there").count(),
                0,
                "nothing was written for {name}"
            );
        }
    }

    #[test]
    fn nothing_that_exists_is_touched() {
        let folder = tempfile::tempdir().expect("a folder");
        let written = write_below(folder.path(), NewKind::Model, "my-pool").expect("it is new");
        assert_eq!(written.len(), 3);
        let main =
            fs::read_to_string(folder.path().join("benches/models/my-pool/src/main.rs")).expect("written");
        assert!(
            main.contains("MyPoolContestant") && main.contains("\"my-pool\"") && !main.contains("{{"),
            "{main}"
        );
        let said = write_below(folder.path(), NewKind::Model, "my-pool").expect_err("it exists").to_string();
        assert!(said.contains("exists"), "{said}");
        fs::write(folder.path().join("compare.toml"), "[model.go]\ncommand = [\"go\"]").expect("ours");
        let said = write_below(folder.path(), NewKind::Model, "go").expect_err("it is listed").to_string();
        assert!(said.contains("compare.toml"), "{said}");
    }
    #[test]
    fn what_cannot_be_written_whole_leaves_nothing() {
        for (kind, page) in [(NewKind::Model, "docs/models"), (NewKind::Workload, "docs/workloads")] {
            let folder = tempfile::tempdir().expect("a folder");
            fs::create_dir(folder.path().join("docs")).expect("it is new");
            fs::write(folder.path().join(page), "a file where a folder should be").expect("ours");
            let said = write_below(folder.path(), kind, "mine").expect_err("it has no page").to_string();
            assert!(said.contains(page) && said.contains("nothing of mine was left"), "{said}");
            for left in ["benches/models/mine", "benches/kit/src/workloads/mine.rs"] {
                assert!(!folder.path().join(left).exists(), "{left}");
            }
        }
    }
    #[test]
    fn what_is_written_passes_the_check_of_the_format() {
        let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rustfmt.toml");
        for (kind, code) in [
            (NewKind::Model, "benches/models/mine/src/main.rs"),
            (NewKind::Workload, "benches/kit/src/workloads/mine.rs"),
        ] {
            let folder = tempfile::tempdir().expect("a folder");
            write_below(folder.path(), kind, "mine").expect("it is new");
            let mut rustfmt = Command::new("rustfmt");
            rustfmt.args(["--check", "--color", "never", "--config-path", rules]);
            let Ok(found) = rustfmt.arg(folder.path().join(code)).output() else {
                return eprintln!("skipped: no `rustfmt` here");
            };
            assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stdout));
        }
    }
}
