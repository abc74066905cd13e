//! Each package forbids unsafe code at its root, or `docs/unsafe.md` names it and says why it cannot.

use super::{Finding, Tree};

const PAGE: &str = "docs/unsafe.md";
const FORBIDDEN: &str = "#![forbid(unsafe_code)]";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let allowed = tree.read(PAGE);
    let mut findings = Vec::new();
    for package in tree.manifests().filter_map(|path| path.strip_suffix("/Cargo.toml")) {
        if allowed.contains(&format!("`{package}`")) {
            continue;
        }
        for root in ["src/lib.rs", "src/main.rs"].map(|name| format!("{package}/{name}")) {
            if tree.has(&root) && !tree.read(&root).lines().any(|line| line.trim() == FORBIDDEN) {
                let message = format!(
                    "does not say `{FORBIDDEN}`, and {PAGE} does not name `{package}`: do one of both"
                );
                findings.push(Finding::in_file(&root, message));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_neither_forbids_nor_explains_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let texts = [
            ("crates/a/Cargo.toml", ""),
            ("crates/a/src/lib.rs", "//! A.\n#![forbid(unsafe_code)]\n"),
            ("crates/a/src/main.rs", "//! A, too.\n// #![forbid(unsafe_code)]\n"),
            ("crates/b/Cargo.toml", ""),
            ("crates/b/src/lib.rs", "//! B.\n"),
            ("docs/unsafe.md", "- `crates/b`: its switch is written in assembly\n"),
        ];
        let found = check(&Tree::from_texts(folder.path(), &texts));
        assert_eq!(found.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["crates/a/src/main.rs"]);
    }
}
