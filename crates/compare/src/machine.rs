//! What this machine is, and the state in which it was found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sched::sched_getaffinity;
use nix::sys::resource::{Resource, getrlimit};
use nix::unistd::Pid;

use crate::summary::{Flag, Machine};
use crate::texts::EN;

/// The machine as the report names it.
pub(crate) fn machine() -> Machine {
    let cpuinfo = read("/proc/cpuinfo");
    let named = |name: &str| {
        let line = cpuinfo.lines().find(|line| line.starts_with(name))?;
        line.split_once(':').map(|(_, value)| value.trim().to_owned())
    };
    let mut limits = BTreeMap::new();
    for (name, resource) in [("open files", Resource::RLIMIT_NOFILE), ("processes", Resource::RLIMIT_NPROC)] {
        if let Ok((soft, _)) = getrlimit(resource) {
            limits.insert(name.to_owned(), soft.to_string());
        }
    }
    for name in ["vm.max_map_count", "kernel.threads-max", "kernel.pid_max"] {
        let value = read(&format!("/proc/sys/{}", name.replace('.', "/")));
        if !value.is_empty() {
            limits.insert(name.to_owned(), value);
        }
    }
    let family = [named("cpu family"), named("model\t"), named("stepping")].map(Option::unwrap_or_default);
    Machine {
        cpu: format!(
            "{} (family {}, model {}, stepping {})",
            named("model name").unwrap_or_default(),
            family[0],
            family[1],
            family[2]
        ),
        cpus: u32::try_from(allowed_cpus().len()).unwrap_or(1),
        memory_bytes: memory_bytes(),
        os: format!("Linux {}", read("/proc/sys/kernel/osrelease")),
        virtualization: virtualization(&cpuinfo),
        clock: read("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
        governor: Some(read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
            .filter(|text| !text.is_empty()),
        limits,
    }
}

/// The CPUs that this process may use, by number.
pub(crate) fn allowed_cpus() -> Vec<usize> {
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return vec![0] };
    (0..nix::sched::CpuSet::count()).filter(|&cpu| set.is_set(cpu).unwrap_or(false)).collect()
}

/// What is wrong with the machine before anything has run.
pub(crate) fn standing_flags(machine: &Machine) -> Vec<Flag> {
    let t = &EN.flags;
    let mut flags = Vec::new();
    if !machine.clock.is_empty() && machine.clock != "tsc" {
        flags.push(t.clock_source.flag("clock-source", (t.clock_source.what)(&machine.clock)));
    }
    if let Some(governor) = machine.governor.as_deref().filter(|&governor| governor != "performance") {
        flags.push(t.governor.flag("governor", (t.governor.what)(governor)));
    }
    if on_battery() {
        flags.push(t.battery.flag("battery", t.battery.what.to_owned()));
    }
    let running =
        read("/proc/loadavg").split(' ').nth(3).and_then(|part| part.split('/').next()?.parse::<u32>().ok());
    // One of the running threads is this one.
    if let Some(running) = running.filter(|&running| running > machine.cpus + 1) {
        let what = (t.load_at_start.what)(running - 1, machine.cpus);
        flags.push(t.load_at_start.flag("load-at-start", what));
    }
    flags
}

/// The commit of the project, and the compiler: what else a number depends on.
pub(crate) fn commit(root: &Path) -> Option<String> {
    said(
        Command::new("git")
            .args(["-c", "safe.directory=*", "describe", "--always", "--dirty", "--abbrev=12"])
            .current_dir(root),
    )
}

/// The compiler's version.
pub(crate) fn rustc(root: &Path) -> Option<String> {
    said(Command::new("rustc").arg("--version").current_dir(root))
}

fn said(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|text| !text.is_empty())
}

fn memory_bytes() -> u64 {
    let text = read("/proc/meminfo");
    let kib = text
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

fn virtualization(cpuinfo: &str) -> String {
    if Path::new("/.dockerenv").exists() {
        return "docker".to_owned();
    }
    let product = read("/sys/class/dmi/id/product_name");
    match (cpuinfo.contains(" hypervisor"), product.is_empty()) {
        (true, false) => product,
        (true, true) => "virtual machine".to_owned(),
        (false, _) => "none".to_owned(),
    }
}

/// The machine's own battery, not that of a mouse.
fn on_battery() -> bool {
    let supplies = fs::read_dir("/sys/class/power_supply").into_iter().flatten().flatten();
    supplies.into_iter().any(|supply| {
        let of = |name: &str| read(&supply.path().join(name).to_string_lossy());
        of("type") == "Battery" && of("scope") != "Device" && of("status") == "Discharging"
    })
}

fn read(path: &str) -> String {
    fs::read_to_string(path).map(|text| text.trim().to_owned()).unwrap_or_default()
}
