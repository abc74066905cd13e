//! Collects what the kit should not have to be told: the workloads, from the folder they lie in, and the versions of
//! what is measured, from `Cargo.lock`.
//!
//! A list kept by hand would be forgotten; a list kept by the linker can lose entries. A folder can do neither.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    let home = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let folder = home.join("src/workloads");
    let lock = home.ancestors().map(|above| above.join("Cargo.lock")).find(|path| path.exists());
    let lock = lock.expect("cargo writes Cargo.lock before it runs build scripts");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", folder.display());
    println!("cargo::rerun-if-changed={}", lock.display());
    println!("cargo::rustc-env=KIT_RUSTC={}", rustc_version());
    fs::write(out.join("workloads.rs"), workloads(&folder)).expect("OUT_DIR can be written");
    fs::write(out.join("versions.rs"), versions(&read(&lock))).expect("OUT_DIR can be written");
}

/// A module per file of the folder, the list of them all, and the one function that goes from a name to a generic
/// function, which no list of function pointers could do.
fn workloads(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the folder can be listed").path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "rs"));
    files.sort();
    let (mut modules, mut list, mut arms) = (String::new(), String::new(), String::new());
    for path in files {
        let name =
            path.file_stem().and_then(|stem| stem.to_str()).expect("a workload's file name is plain ASCII");
        let _ = writeln!(modules, "#[path = {path:?}]\npub mod {name};");
        let _ = writeln!(
            list,
            "    Entry {{ name: {name:?}, about: {name}::about, needs: {name}::NEEDS, input: {name}::input, \
             expected: {name}::expected }},"
        );
        let _ = writeln!(arms, "        {name:?} => repeat(iterations, || {name}::run(model, stage)).await,");
    }
    format!(
        "{modules}\n/// Every workload, by name.\npub const ALL: &[Entry] = &[\n{list}];\n\n\
         /// Executes a workload's generic form `iterations` times.\n\
         pub(crate) async fn generic<M: Model>(name: &str, model: &M, stage: &Stage, iterations: u64) -> Batch {{\n    \
         match name {{\n{arms}        other => panic!(\"no workload is called `{{other}}`\"),\n    }}\n}}\n"
    )
}

/// For every contestant in the lock file, what it depends on and in which version.
fn versions(lock: &str) -> String {
    let packages: Vec<Package<'_>> = lock.split("[[package]]").skip(1).map(Package::parse).collect();
    let mut table = String::from("&[\n");
    for contestant in packages.iter().filter(|package| package.name.starts_with("model-")) {
        for dependency in &contestant.dependencies {
            // Cargo writes `name`, or `name version` where there is more than one version in the tree.
            let (name, version) = dependency.split_once(' ').unwrap_or((dependency, ""));
            let found = packages.iter().find(|package| {
                package.name == name
                    && (version.is_empty() || version.split(' ').next() == Some(package.version))
            });
            let version = found.map_or("of unknown version", |package| package.version);
            let _ = writeln!(table, "    ({:?}, {name:?}, {version:?}),", contestant.name);
        }
    }
    table.push(']');
    table
}

/// What we need to know of one entry of the lock file.
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    dependencies: Vec<&'a str>,
}

impl<'a> Package<'a> {
    fn parse(entry: &'a str) -> Self {
        let value = |key: &str| {
            let line = entry.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.map_or("", |text| text.trim_matches('"'))
        };
        let listed = entry.lines().filter_map(|line| line.strip_prefix(" \"")?.strip_suffix("\","));
        Package { name: value("name"), version: value("version"), dependencies: listed.collect() }
    }
}

/// Such as `1.95.0`: what the standard library of the contestants comes with.
fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").expect("cargo sets RUSTC");
    let output =
        Command::new(rustc).arg("--version").output().expect("the compiler that builds this can be run");
    let text = String::from_utf8_lossy(&output.stdout);
    text.split_whitespace().nth(1).unwrap_or("of unknown version").to_owned()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
