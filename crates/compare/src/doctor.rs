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
    let mut text = format!(
        "{}\n{} CPUs, {} MiB of memory, {}, virtualization: {}, clock source: {}\n",
        machine.cpu,
        machine.cpus,
        machine.memory_bytes / (1024 * 1024),
        machine.os,
        machine.virtualization,
        machine.clock
    );
    for (name, value) in &machine.limits {
        text += &format!("limit {name}: {value}\n");
    }
    text.push('\n');
    let mut found: Vec<(String, String, String)> = machine::standing_flags(&machine)
        .into_iter()
        .map(|flag| (flag.what, flag.cause, flag.remedy))
        .collect();
    let outside = Outside::look();
    std::thread::sleep(LISTEN);
    for (code, cpus, by) in outside.since(&[crate::cell::pid(std::process::id())]) {
        let percent = format!("{:.0} % of a CPU within {} s", cpus * 100.0, LISTEN.as_secs());
        found.push(match code.as_str() {
            "steal" => {
                (format!("{code}: {percent}"), EN.run.steal_cause.to_owned(), EN.run.steal_remedy.to_owned())
            }
            _ => (
                format!("{code}: {percent}"),
                (EN.run.above_all)(by.as_deref()),
                EN.run.outside_remedy.to_owned(),
            ),
        });
    }
    if found.is_empty() {
        text += EN.run.all_quiet;
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
