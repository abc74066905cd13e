//! English.

mod flags;
mod report;
mod run;
mod table;
mod words;

use super::Texts;

/// All texts in English.
pub(crate) static EN: Texts = Texts {
    tag: "en",
    words: words::WORDS,
    table: table::TABLE,
    report: report::REPORT,
    run: run::RUN,
    flags: flags::FLAGS,
};
