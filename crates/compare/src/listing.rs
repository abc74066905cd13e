//! `--list`: every cell with what is known of it.

use std::collections::BTreeMap;
use std::process::ExitCode;

use serde::Serialize;

use crate::failure::Failure;
use crate::matrix::{Matrix, PlannedCell};
use crate::measure::print;
use crate::session::Session;
use crate::store;
use crate::summarize::summarize;
use crate::summary::Status;
use crate::texts::EN;

/// A line of the list.
#[derive(Debug, Serialize)]
struct Line<'a> {
    workload: &'a str,
    model: &'a str,
    form: &'a str,
    scale: &'a str,
    status: Status,
    why: Option<&'a str>,
}

/// Prints the list. A cell that can run, in whichever profile, has the status that the latest run gave it, `untested` if
/// that did not run it.
pub(crate) fn list(session: &Session, matrix: &Matrix, json: bool) -> Result<ExitCode, Failure> {
    let known = latest(session);
    let lines: Vec<Line<'_>> = matrix.cells.iter().map(|cell| line(cell, &known)).collect();
    if json {
        let text = serde_json::to_string_pretty(&lines)
            .map_err(Failure::doing("the list cannot be written as JSON"))?;
        print(&(text + "\n"))?;
    } else {
        print(&as_text(&lines))?;
    }
    Ok(ExitCode::SUCCESS)
}

type Known = BTreeMap<(String, String, String, String, u32, u32), (Status, Option<String>)>;

fn latest(session: &Session) -> Known {
    let Ok(summary) = store::read(&session.out.join("latest")).and_then(|records| summarize(&records)) else {
        return Known::new();
    };
    let keyed = summary.cells.into_iter().filter(|cell| cell.rounds > 0 || cell.status != Status::Untested);
    keyed
        .map(|cell| {
            (
                (cell.workload, cell.model, cell.form, cell.scale, cell.cpus, cell.workers),
                (cell.status, cell.why),
            )
        })
        .collect()
}

fn line<'a>(cell: &'a PlannedCell, known: &'a Known) -> Line<'a> {
    let key = (
        cell.workload.clone(),
        cell.model.clone(),
        cell.form.clone(),
        cell.scale.clone(),
        cell.cpus,
        cell.workers,
    );
    let (status, why) = match known.get(&key) {
        // A scale of another profile has its result as much as one of this profile.
        Some((status, why)) if cell.runs || cell.status == Status::Untested => (*status, why.as_deref()),
        _ => (cell.status, cell.why.as_deref()),
    };
    Line { workload: &cell.workload, model: &cell.model, form: &cell.form, scale: &cell.scale, status, why }
}

fn as_text(lines: &[Line<'_>]) -> String {
    let mut text = String::new();
    let mut workload = "";
    for line in lines {
        if line.workload != workload {
            workload = line.workload;
            text += &format!("{workload}\n");
        }
        let status = (EN.words.status)(line.status);
        let row = format!("  {:<8} {:<20} {:<12}", line.scale, line.model, status);
        let why = line.why.map(|why| format!(" {why}")).unwrap_or_default();
        text += format!("{row}{why}").trim_end();
        text.push('\n');
    }
    text
}
