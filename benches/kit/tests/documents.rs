//! The pages of `docs/workloads` say of every scale what the code says. Tables that nobody compares with the code are
//! right on the day they are written and on no other.

use kit::protocol::{Profile, Scale};
use kit::workloads::ALL;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The first line of the one table that is looked at. A row's middle cell begins with the scale's number; what follows
/// it is for people.
const HEADER: [&str; 3] = ["scale", "n", "profile"];

#[test]
fn every_workload_has_a_page_whose_table_names_its_scales_and_profiles() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/workloads");
    let mut findings = Vec::new();
    for entry in ALL {
        let page = format!("docs/workloads/{}.md", entry.name);
        match fs::read_to_string(folder.join(format!("{}.md", entry.name))) {
            Ok(text) => findings.extend(difference(&text, &entry.workload().scales).map(|it| page + &it)),
            Err(error) => findings.push(format!("{page}: {error}; write the page of this workload")),
        }
    }
    let known: BTreeSet<&str> = ALL.iter().map(|entry| entry.name).collect();
    for file in fs::read_dir(&folder).expect("the project has docs/workloads").flatten() {
        let name = file.file_name().to_string_lossy().into_owned();
        if !name.strip_suffix(".md").is_some_and(|name| known.contains(name)) {
            findings.push(format!(
                "docs/workloads/{name}: no workload is called that; remove or rename the page"
            ));
        }
    }
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

/// What is wrong with a page's table, as the rest of a sentence that begins with the page's path.
fn difference(page: &str, scales: &[Scale]) -> Option<String> {
    let Some(rows) = table(page) else {
        return Some(format!(" has no table of its scales; it wants\n{}", wanted(scales)));
    };
    let agrees = |(row, scale): (&Vec<&str>, &Scale)| {
        let n = row.get(1).and_then(|cell| cell.split(' ').next()).map(|number| number.replace(',', ""));
        row.len() == HEADER.len()
            && row[0] == format!("`{}`", scale.label)
            && n == Some(scale.n.to_string())
            && row[2] == profile(scale)
    };
    let same = rows.len() == scales.len() && rows.iter().zip(scales).all(agrees);
    (!same).then(|| {
        format!(" and the code differ; the table wants these rows in this order\n{}", wanted(scales))
    })
}

/// The rows of the table of scales, each as its cells.
fn table(page: &str) -> Option<Vec<Vec<&str>>> {
    let mut lines = page.lines();
    lines.by_ref().find(|line| cells(line) == HEADER)?;
    // The line that makes it a table comes first.
    Some(lines.skip(1).take_while(|line| line.starts_with('|')).map(cells).collect())
}

fn cells(line: &str) -> Vec<&str> {
    line.trim().trim_matches('|').split('|').map(str::trim).collect()
}

/// The word of a page for when a scale is run.
fn profile(scale: &Scale) -> &'static str {
    match scale.profile {
        Profile::Quick if scale.quick_only => "quick, not default",
        Profile::Quick => "quick",
        Profile::Default => "default",
        Profile::Full => "full",
    }
}

fn wanted(scales: &[Scale]) -> String {
    let row = |scale: &Scale| format!("| `{}` | {} ... | {} |", scale.label, scale.n, profile(scale));
    let rows: Vec<String> = scales.iter().map(row).collect();
    format!("| {} |\n|---|---|---|\n{}", HEADER.join(" | "), rows.join("\n"))
}

#[test]
fn a_table_that_says_something_else_is_found() {
    let scale = |label: &str, n, profile, quick_only| Scale {
        label: label.to_owned(),
        n,
        units: n,
        profile,
        quick_only,
    };
    let scales = [scale("few", 8, Profile::Quick, true), scale("1k", 1_000, Profile::Full, false)];
    let right = "# x\n\n| model | its yield |\n|---|---|\n| a | b |\n\n| scale | n | profile |\n|---|---|---|\n\
                 | `few` | 8 units, alone | quick, not default |\n| `1k` | 1,000 units | full |\n\nMore.\n";
    assert_eq!(difference(right, &scales), None);
    assert_eq!(difference(&right.replace("1,000", "1000"), &scales), None);
    for (text, other) in [
        ("`1k`", "`2k`"),
        ("1,000", "2,000"),
        ("| full |", "| default |"),
        ("quick, not default", "quick"),
        ("| `1k` | 1,000 units | full |\n", ""),
        ("\n\nMore", "\n| `10k` | 10,000 units | full |\n\nMore"),
        ("| scale |", "| size |"),
    ] {
        let page = right.replace(text, other);
        assert_ne!(page, right, "{text} stands in the page");
        let found = difference(&page, &scales).unwrap_or_default();
        assert!(found.contains("| `1k` | 1000 ... | full |"), "{text} -> {other}: {found}");
    }
}
