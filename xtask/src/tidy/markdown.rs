//! As much of Markdown as the rules need: headings and links, neither of them inside code.

/// A heading of the form `## Text`.
#[derive(Debug, PartialEq)]
pub(super) struct Heading<'a> {
    /// The line, counted from 1.
    pub(super) line: usize,
    /// 1 to 6.
    pub(super) level: usize,
    pub(super) text: &'a str,
}

/// The page's headings in order.
pub(super) fn headings(text: &str) -> Vec<Heading<'_>> {
    lines_outside_code(text)
        .filter_map(|(line, content)| {
            let rest = content.trim_start_matches('#');
            let level = content.len() - rest.len();
            let text = rest.strip_prefix(' ')?.trim();
            (1..=6).contains(&level).then_some(Heading { line, level, text })
        })
        .collect()
}

/// What the page's links and pictures point to, with their lines: the part in brackets of `[text](target "title")`.
pub(super) fn links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in lines_outside_code(text) {
        let line = without_code_spans(line);
        for (start, _) in line.match_indices("](") {
            let rest = &line[start + 2..];
            let Some(end) = rest.find(')') else { continue };
            let target = rest[..end].split(" \"").next().unwrap_or_default().trim().trim_matches(['<', '>']);
            links.push((number, target.to_owned()));
        }
    }
    links
}

/// The name under which a heading can be linked to, as GitHub makes it.
pub(super) fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|c| match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ => c.is_alphanumeric().then_some(c),
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// The lines outside fenced code, with their numbers counted from 1.
fn lines_outside_code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let start = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, mark) {
            (None, None) => return Some((index + 1, line)),
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
        }
        None
    })
}

/// The line with what stands between backticks left out.
fn without_code_spans(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_has_neither_headings_nor_links() {
        let text = "# One\n```sh\n# two\n[a](b)\n```\n`[c](d)` [e](f.md)\n#hash\n### Three `x`\n";
        let found: Vec<_> = headings(text).into_iter().map(|it| (it.line, it.level, it.text)).collect();
        assert_eq!(found, [(1, 1, "One"), (8, 3, "Three `x`")]);
        assert_eq!(links(text), [(6, "f.md".to_owned())]);
    }

    #[test]
    fn links_lose_their_titles() {
        assert_eq!(
            links("![p](a.png \"A title\") and [q](<b c.md>)"),
            [(1, "a.png".into()), (1, "b c.md".into())]
        );
    }

    #[test]
    fn anchors_are_made_as_on_the_web() {
        assert_eq!(anchor("Where we lose"), "where-we-lose");
        assert_eq!(anchor("`fetch`: 20 ms, and more"), "fetch-20-ms-and-more");
        assert_eq!(anchor("方法 一"), "方法-一");
    }
}
