//! `cargo xtask tour`: the programs of the tutorials, one after the other.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::process::Command;

use lexopt::prelude::*;

use crate::cargo_build::{build, from_first_error};
use crate::project::{Project, print, status};
use crate::{Stop, unexpected};

/// A program, and what its first lines say of it.
#[derive(Debug, PartialEq)]
struct Program {
    number: u32,
    /// The file's and the program's name.
    name: String,
    title: String,
    shows: String,
}

/// `cargo xtask tour [--list] [N]`
pub(crate) fn run(project: &Project, args: Vec<OsString>) -> Result<(), Stop> {
    let (mut list, mut wanted) = (false, None);
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("list") => list = true,
            Value(number) if wanted.is_none() => wanted = Some(parsed(&number)?),
            other => return Err(unexpected("tour", other)),
        }
    }
    let mut programs = programs(project).map_err(Stop::Failed)?;
    if let Some(number) = wanted {
        let count = programs.len();
        programs.retain(|program| program.number == number);
        if programs.is_empty() {
            return Err(Stop::Usage(format!(
                "no program has the number {number}: they go from 1 to {count}"
            )));
        }
    }
    if list {
        let line = |it: &Program| format!("{:>2}. {}\n    {}\n", it.number, it.title, it.shows);
        return print(&programs.iter().map(line).collect::<String>());
    }
    for program in &programs {
        let announcement = format!("building program {}", program.number);
        let built = build(project, &announcement, &["--package", "tutorials", "--bin", &program.name]);
        let built = built.map_err(|why| Stop::Failed(from_first_error(&why.log).to_owned()))?;
        print(&format!("\n=== {}. {}\n    {}\n\n", program.number, program.title, program.shows))?;
        status(&mut Command::new(built))?;
    }
    Ok(())
}

fn parsed(number: &OsStr) -> Result<u32, Stop> {
    let number = number.to_string_lossy();
    number.parse().map_err(|_| {
        Stop::Usage(format!("`{number}` is no program's number; `cargo xtask tour --list` shows them"))
    })
}

fn programs(project: &Project) -> Result<Vec<Program>, String> {
    let folder = project.root().join("tests/tutorials/src/bin");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut programs = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let Some(name) = path.file_stem().filter(|_| path.extension().is_some_and(|ending| ending == "rs"))
        else {
            continue;
        };
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let program = described(&name.to_string_lossy(), &text).ok_or_else(|| {
            format!("{} does not begin with `//! N. Title` and `//! Shows: ..`", path.display())
        })?;
        programs.push(program);
    }
    programs.sort_by_key(|program| program.number);
    Ok(programs)
}

/// What a program's first lines say.
fn described(name: &str, text: &str) -> Option<Program> {
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let (number, title) = head.first()?.split_once(". ")?;
    let start = head.iter().position(|line| line.starts_with("Shows: "))?;
    let shows: Vec<&str> = head[start..].iter().copied().take_while(|line| !line.is_empty()).collect();
    Some(Program {
        number: number.parse().ok()?,
        name: name.to_owned(),
        title: title.to_owned(),
        shows: shows.join(" ").strip_prefix("Shows: ")?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_lines_describe_a_program() {
        let text = "//! 7. Two returns\n//!\n//! Shows: one call,\n//! two returns.\n//!\n//! More.\n\nfn main() {}\n";
        let program = described("07_fork", text).unwrap();
        assert_eq!((program.number, program.title.as_str()), (7, "Two returns"));
        assert_eq!(program.shows, "one call, two returns.");
        assert_eq!(described("x", "fn main() {}\n"), None);
    }
}
