//! The root of the crate stays small enough to be read at a glance, and what is needed rarely is used by somebody.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const ROOT: &str = include_str!("../src/lib.rs");

#[test]
fn the_root_has_at_most_sixteen_types() {
    let types = types_exported_by(ROOT);
    assert!((1..=16).contains(&types.len()), "{} types at the root: {types:?}", types.len());
}

/// What comes in by a star, or is declared there, would not be counted above.
#[test]
fn the_root_says_what_it_exports_by_name() {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    for line in ROOT.lines().filter(is_code) {
        assert!(!line.contains('*'), "whatever `{line}` exports is a type of the root");
        let declares = ["pub struct ", "pub enum ", "pub trait ", "pub type ", "pub union "];
        assert!(!declares.into_iter().any(|kind| line.trim_start().starts_with(kind)), "{line}");
    }
}

/// The rarest things are there for the examples' sake, or for nobody's.
#[test]
fn what_is_needed_rarely_is_used_by_an_example() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| fs::read_to_string(path).expect("it is there");
    let examples = fs::read_dir(folder.join("examples")).expect("it is there");
    let examples: String = examples.map(|example| read(&example.expect("it can be read").path())).collect();
    let words: BTreeSet<&str> = examples.split(|c: char| !is_of_a_name(c)).collect();
    let extra = read(&folder.join("src/extra.rs"));
    // A list in its essay names those that are for their own sake; all others come with one of them.
    let listed = extra.lines().filter_map(|line| line.strip_prefix("//! - ")).flat_map(|line| {
        let kinds = line.split(':').next().unwrap_or_default();
        kinds.split(|c: char| !is_of_a_name(c)).filter(|name| !name.is_empty())
    });
    let listed: BTreeSet<&str> = listed.collect();
    assert!(listed.len() >= 9, "the list is understood: {listed:?}");
    let exported = types_exported_by(&extra);
    let unknown: Vec<_> = listed.difference(&exported).collect();
    assert!(unknown.is_empty(), "the essay lists {unknown:?}, which are not exported");
    let unused: Vec<_> = listed.difference(&words).collect();
    assert!(unused.is_empty(), "no example uses {unused:?}");
}

fn types_exported_by(source: &str) -> BTreeSet<&str> {
    let exports = source.split("pub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let names = exports.flat_map(|export| export.split(|c: char| !is_of_a_name(c)));
    names.filter(|name| name.starts_with(char::is_uppercase)).collect()
}

fn is_of_a_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}
