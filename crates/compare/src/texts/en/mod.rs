//! English.

mod absences;
mod faults;
mod flags;
mod report;
mod run;
mod table;
mod words;

use std::fmt::Display;

use super::Texts;

/// All texts in English.
pub(crate) static EN: Texts = Texts {
    tag: "en",
    words: words::WORDS,
    table: table::TABLE,
    report: report::REPORT,
    run: run::RUN,
    absences: absences::ABSENCES,
    faults: faults::FAULTS,
    flags: flags::FLAGS,
};

/// A number of things, in the singular for one.
fn counted<N: Copy + Display + From<u8> + PartialEq>(count: N, noun: &str) -> String {
    let plural = match noun {
        _ if count == N::from(1) => "",
        noun if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{plural}")
}
