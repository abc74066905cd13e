//! Every package takes its version, edition, licence and lints from the workspace, so that there is one of each.

use super::{Finding, Tree};

/// What each package inherits, as the lines to write.
const INHERITED: &[(&str, &str)] = &[
    ("[package]", "version.workspace = true"),
    ("[package]", "edition.workspace = true"),
    ("[package]", "license.workspace = true"),
    ("[lints]", "workspace = true"),
];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.manifests().flat_map(|path| not_inherited(path, &tree.read(path))).collect()
}

fn not_inherited(path: &str, manifest: &str) -> Vec<Finding> {
    INHERITED
        .iter()
        .filter(|(table, line)| !lines_of(manifest, table).any(|found| found == *line))
        .map(|(table, line)| Finding::in_file(path, format!("lacks `{line}` in `{table}`")))
        .collect()
}

/// The lines of one table of the manifest.
fn lines_of<'a>(manifest: &'a str, table: &'a str) -> impl Iterator<Item = &'a str> {
    manifest
        .lines()
        .map(str::trim)
        .skip_while(move |line| *line != table)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_with_its_own_rules_is_found() {
        let good = "[package]\nname = \"a\"\nversion.workspace = true\nedition.workspace = true\n\
                    license.workspace = true\n\n[lints]\nworkspace = true\n";
        assert_eq!(not_inherited("a/Cargo.toml", good), []);
        let own =
            good.replace("edition.workspace = true", "edition = \"2021\"").replace("[lints]", "[other]");
        let found: Vec<String> = not_inherited("a/Cargo.toml", &own).iter().map(Finding::to_string).collect();
        assert_eq!(
            found,
            [
                "a/Cargo.toml: lacks `edition.workspace = true` in `[package]`",
                "a/Cargo.toml: lacks `workspace = true` in `[lints]`"
            ]
        );
    }
}
