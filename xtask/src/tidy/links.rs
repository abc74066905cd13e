//! Links between our pages lead somewhere: the file is there, and so is the heading. Every page of `docs` can be
//! reached by such a link, or nobody will find it.
//!
//! Links to other sites are left alone: a check that fails when somebody else's server is down teaches people to
//! ignore it.

use std::collections::BTreeSet;
use std::path::Path;

use super::markdown::{anchor, headings, links};
use super::{Finding, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut reached = BTreeSet::new();
    for page in tree.files().filter(|path| path.ends_with(".md")) {
        for (line, link) in links(&tree.read(page)) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            match follow(tree, page, &link) {
                Ok(target) if target != page => drop(reached.insert(target)),
                Ok(_) => {}
                Err(why) => findings.push(Finding::at(page, line, format!("the link `{link}` {why}"))),
            }
        }
    }
    for page in tree.files().filter(|path| must_be_reached(path) && !reached.contains(*path)) {
        findings.push(Finding::in_file(page, "no page links to it: add it to docs/README.md"));
    }
    findings
}

/// Pages of workloads and models come with their contestant, and adding one must need no other edit.
fn must_be_reached(path: &str) -> bool {
    path.starts_with("docs/")
        && path.ends_with(".md")
        && !path.starts_with("docs/workloads/")
        && !path.starts_with("docs/models/")
}

/// The file that a link leads to, as a path from the root.
fn follow(tree: &Tree, page: &str, link: &str) -> Result<String, String> {
    let (path, fragment) =
        link.split_once('#').map_or((link, None), |(path, fragment)| (path, Some(fragment)));
    let target = if path.is_empty() { page.to_owned() } else { resolve(page, path)? };
    if !tree.has(&target) && !tree.root().join(&target).is_dir() {
        return Err(format!("leads to {target}, which is not there"));
    }
    if let (Some(fragment), true) = (fragment, target.ends_with(".md")) {
        let text = tree.read(&target);
        if !headings(&text).iter().any(|heading| anchor(heading.text) == fragment) {
            return Err(format!("leads to a heading that {target} does not have"));
        }
    }
    Ok(target)
}

/// Goes from a page along a relative path.
fn resolve(page: &str, path: &str) -> Result<String, String> {
    if Path::new(path).is_absolute() {
        return Err("starts at the root of the machine: make it relative to its page".into());
    }
    let mut folders: Vec<&str> = page.split('/').collect();
    folders.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if folders.pop().is_none() => return Err("leaves the project".into()),
            ".." => {}
            name => folders.push(name),
        }
    }
    Ok(folders.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(texts: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        check(&Tree::from_texts(folder.path(), texts)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_accepted() {
        let readme = "[a](docs/a.md#two-words) [b](docs) [c](#here) [d](https://example.org/x.md)\n## Here\n";
        assert_eq!(
            findings(&[("README.md", readme), ("docs/a.md", "# A\n## Two words\n[up](../README.md)")]),
            [""; 0]
        );
    }

    #[test]
    fn a_missing_file_is_found() {
        let found = findings(&[
            ("README.md", "\n![p](docs/images/x.png)\n"),
            ("crates/a/README.md", "[b](../b/README.md)"),
        ]);
        assert_eq!(
            found,
            [
                "README.md:2: the link `docs/images/x.png` leads to docs/images/x.png, which is not there",
                "crates/a/README.md:1: the link `../b/README.md` leads to crates/b/README.md, which is not there",
            ]
        );
    }

    #[test]
    fn a_missing_heading_is_found() {
        let found =
            findings(&[("README.md", "[a](CHANGELOG.md#gone) [b](#gone)"), ("CHANGELOG.md", "# Changes\n")]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn a_way_out_of_the_project_is_found() {
        let found = findings(&[("README.md", "[a](../other/README.md) [b](/etc/hosts)")]);
        assert!(
            found[0].contains("leaves the project") && found[1].contains("root of the machine"),
            "{found:?}"
        );
    }

    #[test]
    fn a_page_that_nobody_links_to_is_found() {
        let found =
            findings(&[("README.md", ""), ("docs/lost.md", "[me](lost.md)"), ("docs/models/seq.md", "")]);
        assert_eq!(found, ["docs/lost.md: no page links to it: add it to docs/README.md"]);
    }
}
