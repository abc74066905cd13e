//! `docs/architecture.md` has a codemap that names the folder of every package, and nothing that is gone.
//!
//! A folder is named in backticks: `` `crates/sync` ``. `` `benches/models/*` `` stands for every package directly below
//! it, so that a new contestant needs no edit there.

use super::{Finding, Tree, markdown};

const PAGE: &str = "docs/architecture.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    if !tree.has(PAGE) {
        return vec![Finding::in_file(PAGE, "is missing: it holds the codemap")];
    }
    let text = tree.read(PAGE);
    let named = folders_named(&text);
    if named.is_empty() {
        return vec![Finding::in_file(PAGE, "has no heading `Codemap` with folders in backticks below it")];
    }
    let mut findings = Vec::new();
    let packages: Vec<&str> = tree.manifests().filter_map(|path| path.strip_suffix("/Cargo.toml")).collect();
    for package in &packages {
        if !named.iter().any(|(_, entry)| covers(entry, package)) {
            let message = format!("the codemap does not name the package in `{package}`: add a line for it");
            findings.push(Finding::in_file(PAGE, message));
        }
    }
    for (line, entry) in named {
        let folder = entry.strip_suffix("/*").unwrap_or(entry);
        if !tree.root().join(folder).exists() {
            findings.push(Finding::at(
                PAGE,
                line,
                format!("the codemap names `{entry}`, which is not there"),
            ));
        }
    }
    findings
}

/// Whether an entry of the codemap speaks of this folder.
fn covers(entry: &str, folder: &str) -> bool {
    match entry.strip_suffix("/*") {
        Some(parent) => folder.rsplit_once('/').is_some_and(|(above, _)| above == parent),
        None => entry == folder,
    }
}

/// The first words in backticks of the codemap's lines that look like a path of ours, with their lines.
fn folders_named(text: &str) -> Vec<(usize, &str)> {
    let headings = markdown::headings(text);
    let Some(start) = headings.iter().position(|heading| heading.text.eq_ignore_ascii_case("codemap")) else {
        return Vec::new();
    };
    let end = headings[start + 1..].iter().find(|heading| heading.level <= headings[start].level);
    let lines = headings[start].line..end.map_or(usize::MAX, |heading| heading.line);
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
        .filter(|(number, _)| lines.contains(number))
        .filter_map(|(number, line)| {
            let item = line.trim_start().trim_start_matches(['-', '|', ' ']).strip_prefix('`')?;
            Some((number, item.split('`').next()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let mut texts =
            vec![("crates/sync/Cargo.toml", ""), ("benches/models/seq/Cargo.toml", ""), ("Cargo.toml", "")];
        if !page.is_empty() {
            texts.push((PAGE, page));
        }
        check(&Tree::from_texts(folder.path(), &texts)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn a_full_codemap_is_accepted() {
        assert_eq!(
            findings("# A\n## Codemap\n- `crates/sync`: locks\n- `benches/models/*`: contestants\n## B\n"),
            [""; 0]
        );
        assert_eq!(findings("## Codemap\n| `crates/sync` | x |\n| `benches/models/seq` | y |\n"), [""; 0]);
    }

    #[test]
    fn a_package_that_is_missing_is_found() {
        let found =
            findings("## Codemap\n- `benches/models/*`: contestants\n## Later\n- `crates/sync`: elsewhere\n");
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("`crates/sync`"), "{found:?}");
    }

    #[test]
    fn a_folder_that_is_gone_is_found() {
        let found = findings("## Codemap\n- `crates/sync`\n- `benches/models/*`\n- `crates/gone`\n");
        assert_eq!(found, ["docs/architecture.md:4: the codemap names `crates/gone`, which is not there"]);
    }

    #[test]
    fn a_missing_page_or_heading_is_found() {
        assert!(findings("")[0].contains("is missing"));
        assert!(findings("# Architecture\n")[0].contains("no heading"));
    }
}
