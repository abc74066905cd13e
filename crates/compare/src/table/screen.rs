//! The small craft of the terminal: colours on top of finished lines, and wrapping to a width.

/// How a piece of text stands out. It never carries meaning of its own: what is coloured also says it in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
}

impl Style {
    /// `text` in this style, or as it is where there are no colours.
    pub(super) fn paint(self, text: &str, colour: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            _ if !colour || text.is_empty() => return text.to_owned(),
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "31",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

/// How many columns a text takes. Everything printed here is one column per character.
pub(super) fn width(text: &str) -> usize {
    text.chars().count()
}

/// `text` in lines of at most `width` columns: the first begins with `first`, the others with `rest`. A word that is
/// longer than a line is cut.
pub(super) fn wrap(text: &str, max: usize, first: &str, rest: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_empty = true;
    for word in readable(text).split_whitespace() {
        let mut word = word;
        loop {
            let gap = usize::from(!is_empty);
            if width(&line) + gap + width(word) <= max {
                line.extend((!is_empty).then_some(' '));
                line.push_str(word);
                is_empty = false;
                break;
            }
            if is_empty {
                // At least one character, or a width of nothing would never end.
                let room = max.saturating_sub(width(&line)).max(1);
                let cut = word.char_indices().nth(room).map_or(word.len(), |(index, _)| index);
                line.push_str(&word[..cut]);
                word = &word[cut..];
            }
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
            is_empty = true;
            if word.is_empty() {
                break;
            }
        }
    }
    if !is_empty || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// `text` on one line, without the colours and other escapes that a crashed program may have left in its last words.
pub(crate) fn readable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == ESCAPE && characters.next_if_eq(&'[').is_some() {
            // A control sequence ends with its first letter or sign from `@` on.
            while characters.next().is_some_and(|character| !('@'..='~').contains(&character)) {}
        } else {
            clean.push(if character.is_control() { ' ' } else { character });
        }
    }
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

const ESCAPE: char = '\u{1b}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_wrap_and_giants_are_cut() {
        assert_eq!(wrap("one two three", 7, "", ""), ["one two", "three"]);
        assert_eq!(wrap("one two", 6, "- ", "  "), ["- one", "  two"]);
        assert_eq!(wrap("abcdefgh i", 4, "", " "), ["abcd", " efg", " h i"]);
        assert_eq!(wrap("", 4, "x", ""), ["x"]);
    }

    #[test]
    fn last_words_are_made_readable() {
        assert_eq!(readable(" \u{1b}[1;31merror\u{1b}[0m:\n\tit\u{7}broke "), "error: it broke");
        assert_eq!(readable("cut off \u{1b}[3"), "cut off");
    }

    #[test]
    fn plain_stays_plain_without_colours() {
        assert_eq!(Style::Good.paint("ok", false), "ok");
        assert_eq!(Style::Good.paint("ok", true), "\x1b[32mok\x1b[0m");
        assert_eq!(Style::Plain.paint("ok", true), "ok");
    }
}
