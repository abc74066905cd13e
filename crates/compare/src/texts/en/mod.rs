//! English.

mod report;
mod table;
mod words;

use super::Texts;

/// All texts in English.
pub(crate) static EN: Texts =
    Texts { tag: "en", words: words::WORDS, table: table::TABLE, report: report::REPORT };
