//! Does each library stand alone?
//!
//! Within the workspace a crate may lean on what its neighbours switched on: a feature of a shared dependency, a file
//! outside its folder, a dependency that only its tests name. So each library is imported the way a stranger does it,
//! by git into an empty project that lies elsewhere, and the first example of its README is built and run there. Then
//! each is packed into the archive that a registry would get, and built from that.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::Outcome;
use super::output::outcome_of;
use crate::project::{Project, answers};

/// Imports and packages every crate below `crates/`. What is imported is the last commit.
pub(super) fn import(project: &Project) -> Outcome {
    if !answers(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(project.root())) {
        return Outcome::Skipped("this is no git checkout, and the import is by git".into());
    }
    match import_and_package(project) {
        Ok(outcome) => outcome,
        Err(why) => Outcome::Failed(why),
    }
}

fn import_and_package(project: &Project) -> Result<Outcome, String> {
    let folder = Scratch::new()?;
    let home = cargo_home_of_this_run(&real_cargo_home()?, &folder.0)?;
    import_each(project, &folder.0, &home)?;
    package_all(project, &home)
}

fn import_each(project: &Project, folder: &Path, home: &Path) -> Result<(), String> {
    let revision = said_by(Command::new("git").args(["rev-parse", "HEAD"]).current_dir(project.root()))?;
    let changes = said_by(
        Command::new("git").args(["status", "--porcelain", "--", "crates"]).current_dir(project.root()),
    )?;
    if !changes.is_empty() {
        println!("    note: what is imported is the last commit, without the changes in this checkout");
    }
    for name in libraries(project)? {
        let example = first_example(&project.root().join("crates").join(&name).join("README.md"))?;
        let place = folder.join(&name);
        fs::create_dir_all(place.join("src")).map_err(|error| format!("{}: {error}", place.display()))?;
        let manifest = manifest(&name, &url(project.root()), &revision);
        write(&place.join("Cargo.toml"), &manifest)?;
        write(&place.join("src/main.rs"), &example)?;
        // The same versions as here, so that nothing has to be fetched.
        fs::copy(project.root().join("Cargo.lock"), place.join("Cargo.lock"))
            .map_err(|error| format!("Cargo.lock cannot be copied: {error}"))?;
        println!(
            "    {name} = {{ git = .., rev = \"{revision}\" }} in an empty project, with its first example"
        );
        let mut command = project.cargo();
        // Not offline: to cargo, a checkout in another folder of this machine is network, too.
        command.args(["run", "--quiet"]).current_dir(&place);
        // Outside the workspace, and one for all: what several need is built once.
        command.env("CARGO_TARGET_DIR", folder.join("target")).env("CARGO_HOME", home);
        if let Outcome::Failed(why) = outcome_of(&mut command) {
            return Err(format!(
                "the first example of crates/{name}/README.md does not run in an empty project: {why}"
            ));
        }
    }
    Ok(())
}

/// Archives that depend on each other are built from each other, not from this checkout.
fn package_all(project: &Project, home: &Path) -> Result<Outcome, String> {
    let names = libraries(project)?;
    println!("    cargo package --offline --package {}", names.join(" --package "));
    let mut command = project.cargo();
    command.args(["package", "--quiet", "--offline", "--allow-dirty"]).env("CARGO_HOME", home);
    command.args(names.iter().flat_map(|name| ["--package", name]));
    Ok(outcome_of(&mut command))
}

/// The libraries by folder, which is also their name.
pub(super) fn libraries(project: &Project) -> Result<Vec<String>, String> {
    let folder = project.root().join("crates");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter(|entry| entry.path().join("Cargo.toml").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    Ok(names)
}

fn manifest(name: &str, url: &str, revision: &str) -> String {
    format!(
        "[package]\nname = \"import-of-{name}\"\nedition = \"2024\"\n\n\
         [dependencies]\n{name} = {{ git = \"{url}\", rev = \"{revision}\" }}\n"
    )
}

/// A folder as a URL.
fn url(folder: &Path) -> String {
    let mut url = String::from("file://");
    for byte in folder.to_string_lossy().bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url += &format!("%{byte:02X}");
        }
    }
    url
}

/// The first block of Rust in a page: a whole program.
fn first_example(page: &Path) -> Result<String, String> {
    let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
    let example = first_block(&text).ok_or_else(|| {
        format!("{} has no block of Rust, and should begin with an example", page.display())
    })?;
    if !example.contains("fn main()") {
        return Err(format!(
            "the first example of {} is no whole program: write it with `fn main()`, so that a reader can paste it",
            page.display()
        ));
    }
    Ok(example)
}

fn first_block(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with("```rust"));
    lines.next()?;
    let block = lines.take_while(|line| !line.starts_with("```"));
    Some(block.flat_map(|line| [line, "\n"]).collect())
}

fn real_cargo_home() -> Result<PathBuf, String> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
        let user = env::var_os("HOME").or_else(|| env::var_os("USERPROFILE"))?;
        Some(PathBuf::from(user).join(".cargo"))
    });
    home.ok_or_else(|| "neither CARGO_HOME nor HOME says where cargo keeps its things".to_owned())
}

/// A home for cargo that shares all with the `real` one but what cargo makes of this checkout, which goes when the check
/// is over: the copy that it fetches by git, and the sources that it unpacks from our archives. It takes those for good
/// as long as path and version are the same, and would build today's crates against yesterday's.
fn cargo_home_of_this_run(real: &Path, folder: &Path) -> Result<PathBuf, String> {
    let home = folder.join("cargo-home");
    link_entries(real, &home, |name| name != "git" && name != "registry")?;
    link_entries(&real.join("registry"), &home.join("registry"), |name| name != "src")?;
    // The sources of a registry on this machine lie in a folder that has no host before the dash.
    let sources = Path::new("registry").join("src");
    link_entries(&real.join(&sources), &home.join(&sources), |name| !name.starts_with('-'))?;
    Ok(home)
}

/// Makes the folder `here` with links to the entries of `real` that `wanted` picks by name. What is not there has no
/// entries.
fn link_entries(real: &Path, here: &Path, wanted: impl Fn(&str) -> bool) -> Result<(), String> {
    fs::create_dir_all(here).map_err(|error| format!("{}: {error}", here.display()))?;
    for entry in fs::read_dir(real).into_iter().flatten().flatten() {
        if wanted(&entry.file_name().to_string_lossy()) {
            link(&entry.path(), &here.join(entry.file_name()))?;
        }
    }
    Ok(())
}

#[cfg(unix)]
fn link(real: &Path, here: &Path) -> Result<(), String> {
    std::os::unix::fs::symlink(real, here).map_err(|error| format!("{}: {error}", here.display()))
}

#[cfg(not(unix))]
fn link(_: &Path, here: &Path) -> Result<(), String> {
    Err(format!("{}: this check makes symbolic links and runs on Unix only", here.display()))
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
}

/// What a command prints, in one line.
fn said_by(command: &mut Command) -> Result<String, String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| format!("git: {error}"))?;
    if !output.status.success() {
        return Err(format!("git: {}", output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// A folder outside every workspace, which goes when this goes.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let folder = env::temp_dir().join(format!("trefoil-import-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays behind: {error}", self.0.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_block_of_rust_is_taken_whole() {
        let text =
            "# x\n```sh\ncargo add x\n```\n```rust\nfn main() {}\n\n// end\n```\n```rust\nother\n```\n";
        assert_eq!(first_block(text).as_deref(), Some("fn main() {}\n\n// end\n"));
        assert_eq!(first_block("no code\n"), None);
    }

    #[cfg(unix)]
    #[test]
    fn cargo_finds_what_it_has_but_nothing_that_it_made_of_this_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        for place in
            ["bin", "git/db", "registry/index/a", "registry/cache/a", "registry/src/a-1", "registry/src/-2"]
        {
            fs::create_dir_all(real.join(place)).unwrap();
        }
        let home = cargo_home_of_this_run(&real, &folder.path().join("run")).unwrap();
        for there in ["bin", "registry/index/a", "registry/cache/a", "registry/src/a-1"] {
            assert!(home.join(there).is_dir(), "{there}");
        }
        for own in ["git", "registry/src/-2"] {
            assert!(!home.join(own).exists(), "{own}");
        }
        fs::create_dir(home.join("registry/src/-3")).unwrap();
        assert!(!real.join("registry/src/-3").exists(), "what a run unpacks stays with it");
        let nothing = cargo_home_of_this_run(&folder.path().join("none"), &folder.path().join("two"));
        assert!(nothing.unwrap().join("registry/src").is_dir(), "a machine without a cargo home");
    }

    #[test]
    fn a_folder_with_a_space_becomes_a_url() {
        assert_eq!(url(Path::new("/a b/c-d_1")), "file:///a%20b/c-d_1");
    }
}
