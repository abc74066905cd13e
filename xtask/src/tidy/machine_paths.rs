//! No file names a path that exists on one machine only: somebody's home folder, or this very checkout.

use super::{Finding, Tree};

/// Written in two halves, so that this file keeps its own rule.
const HOMES: &[&str] = &[concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let checkout = format!("{}/", tree.root().display());
    let mut needles = HOMES.to_vec();
    // A checkout at `/src` would forbid a word that many paths contain.
    if checkout.matches('/').count() > 2 {
        needles.push(&checkout);
    }
    let mut findings = Vec::new();
    for path in tree.files() {
        for (index, line) in tree.read(path).lines().enumerate() {
            if let Some(needle) = needles.iter().find(|needle| starts_a_path(line, needle)) {
                let message = format!(
                    "names `{needle}`, a path of one machine: make it relative, or take it as a parameter"
                );
                findings.push(Finding::at(path, index + 1, message));
            }
        }
    }
    findings
}

/// Whether the line holds the needle as the beginning of a path, not in the middle of one or of a web address.
fn starts_a_path(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}' | ')' | '>' | '*'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_folder_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("fine\nlog in {}somebody/log\n", HOMES[1]);
        let found = check(&Tree::from_texts(folder.path(), &[("docs/a.md", &text)]));
        assert!(found.len() == 1 && found[0].line == Some(2), "{found:?}");
    }

    #[test]
    fn this_checkout_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("cd {}/crates\n", folder.path().join("deep").display());
        let found = check(&Tree::from_texts(&folder.path().join("deep"), &[("a.sh", &text)]));
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn a_part_of_another_path_is_no_machine_path() {
        for before in ["https://example.org", "${PREFIX}", "crates"] {
            for home in HOMES {
                let line = format!("see {before}{home}page");
                assert!(!starts_a_path(&line, home), "{line}");
            }
        }
    }
}
