//! The oracle: the contestant that makes a round's input and knows what must come of it.

use std::time::Duration;

use crate::cell::{Launch, ask};
use crate::matrix::Group;
use crate::protocol::{Answer, Case, Input, Need, Request};
use crate::session::Session;
use crate::texts::EN;

/// What the oracle made of a round's seed.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) input: Input,
    pub(crate) digest: String,
    /// For an outcome: what each task must return, if it returns.
    pub(crate) results: Vec<u64>,
}

/// Asks for the input of a round with this seed, and for the right results.
pub(crate) fn expected(session: &Session, group: &Group, seed: u64) -> Result<Expected, String> {
    let scale = &group.workload.scales[group.scale];
    let needs = |need| group.workload.needs.contains(&need);
    let dir = if needs(Need::Dir) { Some(session.input.clone()?.display().to_string()) } else { None };
    let server = if needs(Need::Server) { Some(session.server()?.address()?) } else { None };
    let (workload, label) = (group.workload.name.clone(), scale.label.clone());
    let case = Case { workload, scale: label, n: scale.n, seed, dir, server };
    let oracle = &session.contestants[session.oracle];
    let keep = session.keep();
    let launch =
        Launch { command: &oracle.command, folder: &session.root, cpus: &[], variables: &[], keep: &keep };
    // It does all of a round's work once, in one thread; what a contestant may take is enough for it.
    let limit = Duration::from_millis(group.workload.timeout_ms).max(LIMIT);
    match ask(&launch, &Request::Expect(case), limit)? {
        Answer::Expected { input, digest, results } => Ok(Expected { input, digest, results }),
        Answer::Limit { why } => Err(why),
        other => Err((EN.absences.oracle_answered)(&format!("{other:?}"))),
    }
}

/// The least that the oracle gets.
const LIMIT: Duration = Duration::from_secs(60);
