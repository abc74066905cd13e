//! Every workload has a page in `docs/workloads`, every model one in `docs/models`.
//!
//! Both are found where the comparison finds them: by their files, and for models of other languages by their table
//! in `compare.toml`.

use std::collections::BTreeSet;

use super::{Finding, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (kind, names) in [("workload", workloads(tree)), ("model", models(tree))] {
        for name in names {
            let page = format!("docs/{kind}s/{name}.md");
            if !tree.has(&page) {
                let message = format!("is missing: the {kind} `{name}` is not documented");
                findings.push(Finding::in_file(&page, message));
            } else if tree.read(&page).trim().is_empty() {
                findings.push(Finding::in_file(
                    &page,
                    format!("is empty: the {kind} `{name}` is not documented"),
                ));
            }
        }
    }
    findings
}

/// One file each, beside the `mod.rs` that gathers them.
fn workloads(tree: &Tree) -> BTreeSet<String> {
    tree.files()
        .filter_map(|path| path.strip_prefix("benches/kit/src/workloads/")?.strip_suffix(".rs"))
        .filter(|name| *name != "mod" && !name.contains('/'))
        .map(str::to_owned)
        .collect()
}

fn models(tree: &Tree) -> BTreeSet<String> {
    let rust =
        tree.manifests().filter_map(|path| path.strip_prefix("benches/models/")?.strip_suffix("/Cargo.toml"));
    let python = tree
        .files()
        .filter_map(|path| path.strip_prefix("benches/python/")?.strip_suffix(".py"))
        .filter(|name| name.starts_with("py-"));
    let config = tree.read("compare.toml");
    let other = config.lines().filter_map(model_of_table);
    rust.chain(python).chain(other).map(str::to_owned).collect()
}

/// The model that a line such as `[model.node]` or `[model."node".env]` opens a table of.
fn model_of_table(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix("[model.")?.split(['.', ']']).next()?;
    Some(name.trim().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(texts: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        check(&Tree::from_texts(folder.path(), texts)).iter().map(|it| it.path.clone()).collect()
    }

    #[test]
    fn each_kind_of_contestant_is_found() {
        let found = findings(&[
            ("benches/kit/src/workloads/mod.rs", ""),
            ("benches/kit/src/workloads/pingpong.rs", ""),
            ("benches/models/seq/Cargo.toml", ""),
            ("benches/python/py-asyncio.py", ""),
            ("benches/python/common.py", ""),
            (
                "compare.toml",
                "[model.node]\ncommand = [\"node\"]\n[model.node.env]\n[model.\"pypy\"]\n[limits]\n",
            ),
        ]);
        let missing = ["workloads/pingpong", "models/node", "models/py-asyncio", "models/pypy", "models/seq"];
        assert_eq!(found, missing.map(|name| format!("docs/{name}.md")));
    }

    #[test]
    fn a_page_that_says_nothing_is_found() {
        let seq = ("benches/models/seq/Cargo.toml", "");
        assert_eq!(findings(&[seq, ("docs/models/seq.md", "# seq\n")]), [""; 0]);
        assert_eq!(findings(&[seq, ("docs/models/seq.md", "\n")]), ["docs/models/seq.md"]);
    }
}
