//! Every text that a person reads, one place per language.
//!
//! Words with no value in them are plain strings; sentences with values are functions, because languages differ in word
//! order and in how they count. What has a word in every language goes into such a function as the value that it is: a
//! status, a profile, where a model runs. Numbers and their units are the same in every language and live in [`number`].
//! A new language is one more folder beside `en`, and a choice where [`EN`] is named.
//!
//! Two kinds of text stand elsewhere. What contestants and the machine say of themselves is data. The messages of
//! [`Failure`](crate::failure::Failure) are for the one who types a command, and go with clap's, which are English.

mod absences;
mod en;
mod faults;
mod flags;
pub(crate) mod number;
mod report;
pub(crate) mod run;
mod table;
mod words;

pub(crate) use absences::AbsenceTexts;
pub(crate) use en::EN;
pub(crate) use faults::FaultTexts;
pub(crate) use flags::FlagTexts;
pub(crate) use report::ReportTexts;
pub(crate) use run::{PlanCount, RunTexts};
pub(crate) use table::TableTexts;
pub(crate) use words::{Against, Words};

/// All texts of one language.
#[derive(Debug)]
pub(crate) struct Texts {
    /// The language's tag, as HTML writes it.
    pub(crate) tag: &'static str,
    /// What the table and the report both say.
    pub(crate) words: Words,
    /// What the table alone says.
    pub(crate) table: TableTexts,
    /// What the report alone says.
    pub(crate) report: ReportTexts,
    /// What is said while it works.
    pub(crate) run: RunTexts,
    /// Why a model or a cell is not here.
    pub(crate) absences: AbsenceTexts,
    /// What is wrong with a cell.
    pub(crate) faults: FaultTexts,
    /// What may disturb a measurement.
    pub(crate) flags: FlagTexts,
}
