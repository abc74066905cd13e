//! Why a model or a cell is not here, in English.

use crate::protocol::Profile;
use crate::texts::AbsenceTexts;

pub(super) const ABSENCES: AbsenceTexts = AbsenceTexts {
    cannot_start: |program, error| format!("cannot start {program}: {error}"),
    empty_command: "the contestant's command is empty",
    invalid_answer: |error| format!("its answer is not valid: {error}"),
    no_answer: |limit| format!("no answer within {} s", limit.as_secs()),
    ended_early: |said, exit| format!("{} ({exit})", said.unwrap_or("ended without an answer")),
    other_version: |its, ours| format!("speaks version {its} of the protocol, we speak {ours}"),
    no_description: |answer| format!("answered {answer} to `describe`"),
    not_on_path: |names| format!("no {} on PATH", names.join(", ")),
    empty_word: "a word of its command is an empty list",

    does_not_run: |program, said| format!("{program} does not run: {said}"),
    packages_offline: |packages| {
        format!("needs the Python packages {packages}, which --offline does not fetch")
    },
    cannot_make: |folder, error| format!("cannot make {folder}: {error}"),
    cannot_write: |file, error| format!("cannot write {file}: {error}"),
    no_environment: |said| format!("its Python environment could not be made: {said}"),

    no_server: "the server that `fetch` asks was not built",
    server_not_started: |program, error| format!("the server {program} does not start: {error}"),
    server_silent: |program| format!("the server {program} printed no address"),
    server_ended: "the server has ended",
    no_sources: "there is no registry/src in cargo's home on this machine; give a folder by --input DIR",
    folder_changed: "the folder changed during the run",
    oracle_answered: |answer| format!("the oracle answered {answer}"),
    no_input: |why| format!("there is no input: {why}"),

    unknown_workload: "does not know this workload",
    takes_at_most: |most| format!("takes {most} at most"),
    left_out: |profile, replaced| match profile {
        Profile::Quick => "not in quick",
        _ if replaced => "only in quick and --full",
        Profile::Default | Profile::Full => "only with --full",
    },
};
