//! Each feature of a package has a comment above it that says what it adds.

use super::{Finding, Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.manifests().flat_map(|path| without_comment(path, &tree.read(path))).collect()
}

fn without_comment(path: &str, manifest: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut inside = false;
    let mut commented = false;
    for (index, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            inside = line.trim() == "[features]";
        } else if let (true, Some((name, _))) =
            (inside && !line.starts_with(char::is_whitespace), line.split_once('='))
        {
            let name = name.trim();
            if !commented && name != "default" && !line.starts_with('#') {
                let message = format!("the feature `{name}` has no comment above it: say what it adds");
                findings.push(Finding::at(path, index + 1, message));
            }
        }
        commented = line.starts_with('#');
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_without_a_comment_is_found() {
        let manifest = "[features]\ndefault = [\"a\"]\n# Adds a.\na = [\n    \"dep:x\",\n]\nb = []\n[dependencies]\nx = \"1\"\n";
        let found: Vec<String> =
            without_comment("Cargo.toml", manifest).iter().map(Finding::to_string).collect();
        assert_eq!(found, ["Cargo.toml:7: the feature `b` has no comment above it: say what it adds"]);
    }
}
