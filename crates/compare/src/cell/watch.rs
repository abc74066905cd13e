//! A look at a process tree from outside, through `/proc`.
//!
//! The engine is a subreaper, so every process that descends from a contestant stays below the engine for as long as it
//! lives, whatever its parent does. Nothing here is asked of the contestant.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What one look at a tree showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Look {
    /// Living processes of the tree.
    pub(crate) processes: u32,
    /// Threads of the one process that has most.
    pub(crate) threads: u32,
}

/// A process id as the kernel has it: signed, and far below the largest of either type.
pub(crate) fn pid(id: u32) -> i32 {
    i32::try_from(id).unwrap_or(i32::MAX)
}

/// Every living (not zombie) process that descends from this one, parents before children, except those in `keep` and the
/// [strangers](remember_strangers), with all below them.
pub(crate) fn tree(keep: &[i32]) -> Vec<Process> {
    let strangers = STRANGERS.lock().unwrap_or_else(PoisonError::into_inner);
    let is_ours = |it: &Process| !keep.contains(&it.pid) && !strangers.contains(&(it.pid, it.started));
    descendants(is_ours)
}

/// Takes note of all that descends from this process now, when none of it belongs to a cell. A shell that started a server in
/// the background and then became us leaves it to us as our child, and we must not end what we did not start. The server may
/// start processes of its own later, and leave them to us, too: so this is done before each cell. Only what it starts and leaves
/// within the time of a single cell cannot be told from what that cell leaves.
pub(super) fn remember_strangers() {
    let found = descendants(|_| true).into_iter().map(|it| (it.pid, it.started));
    STRANGERS.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
}

/// Processes by number and start: the number alone may belong to somebody else by now.
static STRANGERS: Mutex<BTreeSet<(i32, u64)>> = Mutex::new(BTreeSet::new());

fn descendants(counts: impl Fn(&Process) -> bool) -> Vec<Process> {
    let mut children: HashMap<i32, Vec<Process>> = HashMap::new();
    for process in all_processes().filter(counts) {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = children.remove(&pid(std::process::id())).unwrap_or_default();
    let mut next = 0;
    while next < found.len() {
        let below = children.remove(&found[next].pid).unwrap_or_default();
        found.extend(below);
        next += 1;
    }
    found.retain(|process| process.state != 'Z' && process.state != 'X');
    found
}

/// A line of `/proc/PID/stat`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    pub(crate) parent: i32,
    pub(crate) name: String,
    pub(crate) state: char,
    pub(crate) threads: u32,
    /// CPU time in ticks.
    pub(crate) ticks: u64,
    /// That of its children that have ended and been waited for.
    pub(crate) reaped_ticks: u64,
    /// When it started, in ticks since the machine did.
    pub(crate) started: u64,
}

/// How many processes and threads the tree has.
pub(crate) fn look(keep: &[i32]) -> Look {
    let tree = tree(keep);
    Look {
        processes: u32::try_from(tree.len()).unwrap_or(u32::MAX),
        threads: tree.iter().map(|process| process.threads).max().unwrap_or(0),
    }
}

/// The memory of the tree now: the sum of its processes' proportional set sizes, so that a page they share counts once.
pub(crate) fn pss_bytes(keep: &[i32]) -> u64 {
    tree(keep)
        .iter()
        .filter_map(|process| field_kib(&format!("/proc/{}/smaps_rollup", process.pid), "Pss:"))
        .sum()
}

/// The most memory that one process ever held: its resident high-water mark, which starts anew at exec. (`ru_maxrss`
/// does not: it inherits what the parent held when it forked.)
pub(crate) fn high_water_bytes(pid: i32) -> Option<u64> {
    field_kib(&format!("/proc/{pid}/status"), "VmHWM:")
}

/// CPU time of each living thread of the tree so far, in nanoseconds, by process and thread.
pub(crate) fn cpu_by_thread(keep: &[i32]) -> BTreeMap<(i32, i32), u64> {
    let mut found = BTreeMap::new();
    for_each_thread(keep, |pid, thread, folder| {
        let line = fs::read_to_string(folder.join("schedstat")).unwrap_or_default();
        found.insert((pid, thread), line.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0));
    });
    found
}

/// CPU time, in ticks, of processes that have been and gone below the tree's living ones.
pub(crate) fn reaped_ticks(keep: &[i32]) -> u64 {
    tree(keep).iter().map(|process| process.reaped_ticks).sum()
}

/// Context switches of the tree's living threads so far: voluntary, involuntary.
pub(crate) fn switches(keep: &[i32]) -> (u64, u64) {
    let (mut voluntary, mut involuntary) = (0, 0);
    for_each_thread(keep, |_, _, folder| {
        let text = fs::read_to_string(folder.join("status")).unwrap_or_default();
        let count = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        voluntary += count("voluntary_ctxt_switches:");
        involuntary += count("nonvoluntary_ctxt_switches:");
    });
    (voluntary, involuntary)
}

fn for_each_thread(keep: &[i32], mut visit: impl FnMut(i32, i32, &Path)) {
    for process in tree(keep) {
        let tasks = fs::read_dir(format!("/proc/{}/task", process.pid));
        for task in tasks.into_iter().flatten().flatten() {
            if let Some(thread) = task.file_name().to_str().and_then(|name| name.parse().ok()) {
                visit(process.pid, thread, &task.path());
            }
        }
    }
}

/// Bytes of memory that could be had now without swapping.
pub(crate) fn available_bytes() -> u64 {
    field_kib("/proc/meminfo", "MemAvailable:").unwrap_or(u64::MAX)
}

/// CPU time that the hypervisor has taken away since the machine started, in seconds, all CPUs together.
pub(crate) fn stolen_seconds() -> f64 {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    // cpu, user, nice, system, idle, iowait, irq, softirq, steal.
    let steal = text.lines().next().and_then(|line| line.split_whitespace().nth(8)?.parse::<f64>().ok());
    steal.unwrap_or(0.0) / TICKS_PER_SECOND
}

/// USER_HZ, which is 100 on every Linux.
pub(crate) const TICKS_PER_SECOND: f64 = 100.0;

/// Every process of the machine.
pub(crate) fn all_processes() -> impl Iterator<Item = Process> {
    fs::read_dir("/proc").into_iter().flatten().flatten().filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        // A process may give itself a name of any bytes.
        let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
        parse_stat(pid, &String::from_utf8_lossy(&line))
    })
}

/// The name stands in parentheses and may hold any character, a closing parenthesis too; what follows the last one does not.
fn parse_stat(pid: i32, line: &str) -> Option<Process> {
    let (open, close) = (line.find('(')?, line.rfind(')')?);
    let fields: Vec<&str> = line.get(close + 2..)?.split(' ').collect();
    Some(Process {
        pid,
        parent: fields.get(1)?.parse().ok()?,
        name: line[open + 1..close].to_owned(),
        state: fields.first()?.chars().next()?,
        threads: fields.get(17)?.trim().parse().ok()?,
        ticks: fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?,
        reaped_ticks: fields.get(13)?.parse::<u64>().ok()? + fields.get(14)?.parse::<u64>().ok()?,
        started: fields.get(19)?.trim().parse().ok()?,
    })
}

/// A line such as `Pss:   1863 kB`, in bytes.
fn field_kib(path: &str, name: &str) -> Option<u64> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_spaces_and_parentheses() {
        let line = "7 (a) (b) S 3 7 7 0 -1 4194560 1 0 0 0 5 6 2 1 20 0 12 0 100";
        let process = parse_stat(7, line).expect("it parses");
        assert_eq!(
            (process.parent, process.name.as_str(), process.threads, process.ticks, process.started),
            (3, "a) (b", 12, 11, 100)
        );
        assert_eq!(process.reaped_ticks, 3);
    }

    #[test]
    fn we_see_our_children() {
        let _alone = crate::cell::ONE_TREE.lock();
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep starts");
        let own = pid(child.id());
        assert!(tree(&[]).iter().any(|process| process.pid == own));
        assert!(!tree(&[own]).iter().any(|process| process.pid == own));
        assert!(look(&[]).processes >= 1 && pss_bytes(&[]) > 0 && !cpu_by_thread(&[]).is_empty());
        assert!(high_water_bytes(own) > Some(0) && available_bytes() < u64::MAX);
        child.kill().expect("it is ours to kill");
        child.wait().expect("it is ours to wait for");
    }
}
