//! The copy of the project that holds the mutants: the files that its workspace needs, under `target/mutants`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::table::{SOURCES, Table};
use crate::tidy::Tree;

/// What says which mutant is switched on.
pub(super) const VARIABLE: &str = "TREFOIL_MUTANT";

/// In the copy alone. Each process has one mutant, or none, from its beginning to its end.
const MODULE: &str = "\
//! Which mutant is switched on.

pub(crate) fn is(number: usize) -> bool {
    static ON: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let on = ON.get_or_init(|| std::env::var(\"TREFOIL_MUTANT\").map_or(0, |number| number.parse().unwrap()));
    *on == number
}
";

/// Folders that no build of `sync` looks at.
const LEFT_OUT: &[&str] = &["docs/", "benches/peers/"];

/// Brings `copy` up to date with the project below `root`. A file that is right already is left alone, so that cargo builds
/// again only what has changed.
pub(super) fn make(root: &Path, table: &Table, copy: &Path) -> Result<(), String> {
    let written = write(root, table, copy);
    written.map_err(|error| format!("cannot copy the project to {}: {error}", copy.display()))
}

fn write(root: &Path, table: &Table, copy: &Path) -> io::Result<()> {
    let tree = Tree::of(root).map_err(io::Error::other)?;
    let module = format!("{SOURCES}/mutant.rs");
    let mut wanted = BTreeSet::from([module.clone()]);
    update(&copy.join(&module), MODULE.as_bytes())?;
    for path in tree.files().filter(|path| !LEFT_OUT.iter().any(|folder| path.starts_with(folder))) {
        let mut content = fs::read(root.join(path))?;
        if let Some(file) = path.strip_prefix(SOURCES).and_then(|path| path.strip_prefix('/')) {
            if let Ok(text) = String::from_utf8(content.clone()) {
                content = with_mutants(table, file, &text).into_bytes();
            }
        }
        update(&copy.join(path), &content)?;
        wanted.insert(path.to_owned());
    }
    // A source that is gone would still be found by cargo, as a test or a module.
    let there = Tree::of(copy).map_err(io::Error::other)?;
    for path in there.files().filter(|path| !wanted.contains(*path)) {
        fs::remove_file(copy.join(path))?;
    }
    Ok(())
}

fn with_mutants(table: &Table, file: &str, text: &str) -> String {
    let mutated = table.mutate(file, text);
    match file {
        // The lints are for people who read the code.
        "lib.rs" => format!("#![allow(warnings)]\n{mutated}\nmod mutant;\n"),
        _ => mutated,
    }
}

fn update(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_asks_for_the_variable_that_is_set() {
        assert!(MODULE.contains(VARIABLE));
    }
}
