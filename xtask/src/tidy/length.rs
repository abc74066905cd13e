//! A source file has at most 600 lines, or states in it why it has more.

use super::{Finding, Tree};

const MOST_LINES: usize = 600;
const REASON: &str = "tidy: long because ";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.files().filter(|path| is_source(path)).filter_map(|path| too_long(path, &tree.read(path))).collect()
}

fn is_source(path: &str) -> bool {
    [".rs", ".py", ".mjs"].iter().any(|end| path.ends_with(end))
}

fn too_long(path: &str, text: &str) -> Option<Finding> {
    let lines = text.lines().count();
    if lines <= MOST_LINES || text.lines().any(states_a_reason) {
        return None;
    }
    let message = format!(
        "has {lines} lines, {MOST_LINES} at most: split it at its seam, or say why not in a comment `{REASON}...`"
    );
    Some(Finding::in_file(path, message))
}

/// Whether the line is a comment that gives a reason and not just the words that introduce one.
fn states_a_reason(line: &str) -> bool {
    let comment = line.trim_start().trim_start_matches(['/', '#', '!']).trim_start();
    comment.strip_prefix(REASON).is_some_and(|reason| !reason.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_kept() {
        assert_eq!(too_long("a.rs", &"\n".repeat(600)), None);
        let found = too_long("a.rs", &"\n".repeat(601)).unwrap();
        assert!(found.message.contains("has 601 lines"), "{found}");
    }

    #[test]
    fn a_reason_lifts_it_and_an_empty_one_does_not() {
        let long = "\n".repeat(700);
        assert_eq!(too_long("a.rs", &format!("// {REASON}it is one table.\n{long}")), None);
        assert_eq!(too_long("a.py", &format!("# {REASON}it is one table.\n{long}")), None);
        assert!(too_long("a.rs", &format!("// {REASON}\n{long}")).is_some());
        assert!(too_long("a.rs", &format!("let x = \"{REASON}it is one table\";\n{long}")).is_some());
    }

    #[test]
    fn only_sources_count() {
        let folder = tempfile::tempdir().unwrap();
        let long = "\n".repeat(601);
        let texts =
            [("a.rs", &*long), ("b.py", &long), ("c.mjs", &long), ("Cargo.lock", &long), ("d.md", &long)];
        assert_eq!(check(&Tree::from_texts(folder.path(), &texts)).len(), 3);
    }
}
