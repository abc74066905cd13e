//! `doctor`: this machine as an instrument. It tells what to change and changes nothing.

use std::process::ExitCode;
use std::time::Duration;

use crate::failure::Failure;
use crate::machine;
use crate::measure::print;
use crate::noise::Outside;
use crate::texts::EN;

/// Looks at what stands, listens for a moment for who is at work, and prints all of it.
pub(crate) fn run() -> Result<ExitCode, Failure> {
    let machine = machine::machine();
    let t = &EN.flags;
    let mut text = (t.doctor_machine)(&machine);
    for (name, value) in &machine.limits {
        text += &(t.doctor_limit)(name, value);
    }
    text.push('\n');
    let mut found: Vec<(String, String, String)> = machine::standing_flags(&machine)
        .into_iter()
        .map(|flag| (flag.what, flag.cause, flag.remedy))
        .collect();
    let outside = Outside::look();
    std::thread::sleep(LISTEN);
    for (code, cpus, by) in outside.since(&[crate::cell::pid(std::process::id())]) {
        let what = (t.doctor_heard)(&code, cpus * 100.0, LISTEN);
        found.push(match code.as_str() {
            "steal" => (what, t.steal.cause.to_owned(), t.steal.remedy.to_owned()),
            _ => (what, (t.outside.cause)(by.as_deref()), t.outside.remedy.to_owned()),
        });
    }
    if found.is_empty() {
        text += t.doctor_quiet;
        text.push('\n');
    }
    for (what, cause, remedy) in found {
        text += &format!("{what}\n  {}{cause}\n  {}{remedy}\n", EN.table.flag_cause, EN.table.flag_remedy);
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Long enough to tell a program at work from one that woke for a moment.
const LISTEN: Duration = Duration::from_secs(2);
