//! A page that has a Chinese twin has the same headings in both: as many, on the same levels, in the same order.
//!
//! `README.zh-CN.md` stands beside `README.md`; `docs/zh/NAME.md` is the twin of `docs/NAME.md`. The project's own
//! README must have one.

use super::{Finding, Tree, markdown};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !tree.has("README.zh-CN.md") {
        findings.push(Finding::in_file("README.zh-CN.md", "is missing: README.md has a Chinese twin"));
    }
    for twin in tree.files() {
        let Some(source) = source_of(twin) else { continue };
        if !tree.has(&source) {
            findings.push(Finding::in_file(twin, format!("is the twin of {source}, which is not there")));
            continue;
        }
        findings.extend(difference(tree, &source, twin));
    }
    findings
}

/// The English page that a Chinese one mirrors.
fn source_of(twin: &str) -> Option<String> {
    if let Some(folder) = twin.strip_suffix("README.zh-CN.md") {
        return Some(format!("{folder}README.md"));
    }
    let page = twin.strip_prefix("docs/zh/")?;
    page.ends_with(".md").then(|| format!("docs/{page}"))
}

fn difference(tree: &Tree, source: &str, twin: &str) -> Option<Finding> {
    let (english, chinese) = (tree.read(source), tree.read(twin));
    let (english, chinese) = (markdown::headings(&english), markdown::headings(&chinese));
    let other_level = english.iter().zip(&chinese).find(|(one, two)| one.level != two.level);
    if let Some((one, two)) = other_level {
        let message = format!(
            "`{}` is a heading of level {}, but its twin in {source}, `{}`, is one of level {}",
            two.text, two.level, one.text, one.level
        );
        return Some(Finding::at(twin, two.line, message));
    }
    (english.len() != chinese.len()).then(|| {
        let message = format!("has {} headings where {source} has {}", chinese.len(), english.len());
        Finding::in_file(twin, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(texts: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        check(&Tree::from_texts(folder.path(), texts)).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn equal_headings_are_accepted_whatever_they_say() {
        let english = "# Trefoil\n## Use\n```sh\n# not a heading\n```\n";
        assert_eq!(findings(&[("README.md", english), ("README.zh-CN.md", "# 三叶\n## 用法\n")]), [""; 0]);
    }

    #[test]
    fn a_missing_heading_is_found() {
        let found = findings(&[("README.md", "# A\n## B\n"), ("README.zh-CN.md", "# 甲\n")]);
        assert_eq!(found, ["README.zh-CN.md: has 1 headings where README.md has 2"]);
    }

    #[test]
    fn a_heading_of_another_level_is_found() {
        let pages = [
            ("README.md", ""),
            ("README.zh-CN.md", ""),
            ("docs/a.md", "# A\n## B\n"),
            ("docs/zh/a.md", "# A\n# B\n"),
        ];
        let found = findings(&pages);
        assert!(found.len() == 1 && found[0].starts_with("docs/zh/a.md:2: "), "{found:?}");
    }

    #[test]
    fn a_missing_twin_is_found() {
        assert_eq!(
            findings(&[("README.md", "")]),
            ["README.zh-CN.md: is missing: README.md has a Chinese twin"]
        );
        let found = findings(&[("README.md", ""), ("README.zh-CN.md", ""), ("crates/a/README.zh-CN.md", "")]);
        assert_eq!(
            found,
            ["crates/a/README.zh-CN.md: is the twin of crates/a/README.md, which is not there"]
        );
    }
}
