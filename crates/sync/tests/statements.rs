//! Every public item that waits says what that means: read from the sources, so that nobody has to remember it.
//!
//! - A function that returns a future has a section `# Cancel safety`, one that returns a `Result` has `# Errors`.
//! - The blocking kin of a future says that it blocks, and so does whatever has a limit and is no future.
//! - A type with such a function, or its module, has a section `# Waiting` that says that nothing else blocks, what a wait allocates,
//!   in which order those who wait go on, what dropping does, and what becomes of a waker that panics; or says of which other it holds.
//!   So has what is in a table here, because its name does not show that it waits.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What a section `# Waiting` has to speak of.
const WAITING: [&str; 5] =
    ["**Blocks**", "**Allocates**", "**Order**", "**Dropped**", "**A waker that panics**"];

/// One public function, as its source says it.
struct Function {
    name: String,
    /// The type whose `impl` it stands in, if any.
    of: Option<String>,
    signature: String,
    docs: String,
    place: String,
}

impl Function {
    fn is_awaited(&self) -> bool {
        let made = self.name.starts_with("new");
        let named = !made && (self.name.ends_with("_async") || self.name.ends_with("_async_timeout"));
        named || self.signature.contains("async fn ") || self.signature.contains("-> impl Future")
    }

    fn may_fail(&self) -> bool {
        let returned = self.signature.split("-> ").last().unwrap_or_default();
        let result =
            ["Result<", "LockResult<", "TryLockResult<"].iter().any(|name| returned.starts_with(name));
        self.signature.contains("-> ") && result && !self.signature.contains("fmt::")
    }
}

#[derive(Default)]
struct Source {
    functions: Vec<Function>,
    /// The documents of each public type.
    types: BTreeMap<String, String>,
    /// Those of each public item that stands in no `impl`.
    items: BTreeMap<String, String>,
    /// Those of the module.
    essay: String,
}

#[test]
fn every_future_says_what_dropping_it_loses() {
    let missing = complaints(|function| function.is_awaited() && !function.docs.contains("# Cancel safety"));
    assert!(missing.is_empty(), "add a section `# Cancel safety` to:\n{}", missing.join("\n"));
}

#[test]
fn every_result_says_which_errors_it_has() {
    let missing = complaints(|function| function.may_fail() && !function.docs.contains("# Errors"));
    assert!(missing.is_empty(), "add a section `# Errors` to:\n{}", missing.join("\n"));
}

#[test]
fn what_blocks_says_so() {
    let mut missing = Vec::new();
    for (_, source) in sources() {
        let awaited: BTreeSet<_> =
            source.functions.iter().filter(|f| f.is_awaited()).map(|f| &f.name).collect();
        for function in &source.functions {
            let stem = function.name.strip_suffix("_timeout").unwrap_or(&function.name);
            let has_kin = awaited.contains(&format!("{stem}_async")) || stem != function.name;
            let says = function.name.starts_with("is_");
            if (has_kin || function.name.starts_with("block_on"))
                && !says
                && !function.is_awaited()
                && !function.docs.contains("Blocks")
            {
                missing.push(function.place.clone());
            }
        }
    }
    assert!(missing.is_empty(), "say `Blocks.` in the documents of:\n{}", missing.join("\n"));
}

#[test]
fn what_is_waited_for_says_what_waiting_means() {
    let mut missing = BTreeSet::new();
    for (path, source) in sources() {
        let kin = ["_async", "_timeout"];
        let waits = source
            .functions
            .iter()
            .filter(|f| !f.name.starts_with("is_") && kin.iter().any(|ending| f.name.ends_with(ending)));
        for owner in waits.filter_map(|function| function.of.as_ref()) {
            // A type that is made by a macro, or declared in another file, is described there, or by its module.
            let Some(docs) = source.types.get(owner) else { continue };
            let section = [docs, &source.essay].into_iter().find_map(|docs| docs.split("# Waiting").nth(1));
            for word in lacks(section) {
                missing.insert(format!("{}: `{owner}`: {word}", path.display()));
            }
        }
    }
    let missing: Vec<_> = missing.into_iter().collect();
    assert!(missing.is_empty(), "a section `# Waiting` should speak of:\n{}", missing.join("\n"));
}

/// That each is there by its name; what is done with it, those programs say.
#[test]
fn every_wait_is_dropped_and_limited_somewhere() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let text = |folder: &str| -> String {
        let files = fs::read_dir(tests.join(folder)).expect("it is there");
        files.map(|file| fs::read_to_string(file.expect("it is there").path()).expect("it is text")).collect()
    };
    let (sources, dropped, limited) = (sources(), text("polled_and_dropped"), text("limits"));
    let mut missing = BTreeSet::new();
    for function in sources.values().flat_map(|source| &source.functions) {
        let is_in = |text: &str| {
            text.split(|sign: char| !sign.is_alphanumeric() && sign != '_').any(|word| word == function.name)
        };
        if function.is_awaited() && !is_in(&dropped) {
            missing.insert(format!("polled_and_dropped: {}", function.place));
        }
        let has_a_limit = function.name.ends_with("_timeout") && !function.name.starts_with("is_");
        if has_a_limit && !is_in(&limited) {
            missing.insert(format!("limits: {}", function.place));
        }
    }
    let missing: Vec<_> = missing.into_iter().collect();
    assert!(missing.is_empty(), "these stand in no test of\n{}", missing.join("\n"));
}

/// What is waited for, or waits, and has no function by whose name that could be seen: the end of its path, and its name.
const WAITS_TOO: [(&str, &str); 17] = [
    ("completion/gather.rs", "Gather"),
    ("completion/gather.rs", "GatherAll"),
    ("extra/once/lazy.rs", "Awaited"),
    ("park.rs", "block_on"),
    ("park.rs", "block_on_timeout"),
    ("park.rs", "block_on_until"),
    ("park/signal.rs", "Signal"),
    ("queue/iter.rs", "Iter"),
    ("queue/kind/handles.rs", "IterOf"),
    ("queue/kind/stream.rs", "StreamOf"),
    ("queue/stream.rs", "Stream"),
    ("task.rs", "Task"),
    ("task/promise.rs", "Promise"),
    ("timer.rs", "sleep"),
    ("timer.rs", "sleep_until"),
    ("timer.rs", "timeout"),
    ("timer/sleep.rs", "Sleep"),
];

/// What looks like one of those and is none.
const NEVER_WAITS: [(&str, &str); 4] = [
    ("queue/iter.rs", "IntoIter"),
    ("queue/iter.rs", "TryIter"),
    ("queue/kind/handles.rs", "Drained"),
    ("queue/kind/handles.rs", "TryIterOf"),
];

#[test]
fn what_waits_under_other_names_says_what_waiting_means() {
    let sources = sources();
    let docs = |(path, name): (&str, &str)| {
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path);
        let source = sources.get(&ours).unwrap_or_else(|| panic!("{path} is not there"));
        let mut free = source.functions.iter().filter(|function| function.of.is_none());
        let of_function = || free.find(|function| function.name == name).map(|function| &function.docs);
        source.types.get(name).or_else(of_function).unwrap_or_else(|| panic!("{path} has no `{name}`"))
    };
    let mut missing = Vec::new();
    for (path, name) in WAITS_TOO {
        let lacks = lacks(docs((path, name)).split("# Waiting").nth(1));
        missing.extend(lacks.into_iter().map(|word| format!("{path}: `{name}`: {word}")));
    }
    assert!(missing.is_empty(), "a section `# Waiting` should speak of:\n{}", missing.join("\n"));
    let silent: Vec<_> =
        NEVER_WAITS.into_iter().filter(|&item| !docs(item).contains("Never waits")).collect();
    assert!(silent.is_empty(), "say `Never waits` of {silent:?}");
}

/// Whatever takes or gives items one by one is in one of the tables.
#[test]
fn every_iterator_and_stream_is_in_a_table() {
    let known: Vec<_> = WAITS_TOO.into_iter().chain(NEVER_WAITS).map(|(_, name)| name).collect();
    let sources = sources();
    let is_meant = |name: &&String| name.contains("Iter") || name.starts_with("Stream");
    let types = sources.values().flat_map(|source| source.types.keys()).filter(is_meant);
    let unknown: Vec<_> = types.filter(|name| !known.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "do {unknown:?} wait?");
}

/// What is neither waited for nor used while one waits: answers, items, and what says how something is to be done.
const PLAIN: &[&str] = &[
    "AcquireError",
    "AlreadyToldApart",
    "BarrierError",
    "BarrierPlace",
    "Delay",
    "Delayed",
    "Fifo",
    "Finished",
    "Full",
    "GetError",
    "JoinError",
    "Lifo",
    "NobodyIsIn",
    "NotExchanged",
    "Overflow",
    "OverRelease",
    "Panic",
    "Plain",
    "Prioritized",
    "Priority",
    "Sealed",
    "PutError",
    "ReceiveError",
    "SendError",
    "SetError",
    "TaskId",
    "TimedLockError",
    "TimedOut",
    "Unfinished",
    "When",
    "Word",
    "Words",
];

/// What pools implement or bring along, in place of waiting by themselves; and files whose items have no name outside of the crate.
const NOT_FOR_WAITING: &[&str] =
    &["cell.rs", "hook.rs", "queue/kind/attempts.rs", "select/arms.rs", "select/first.rs", "select/order.rs"];

/// Blocks, allocates, is fair, may be dropped: each public item says so by a section `# Waiting`, its own or that of its module or of
/// the module above, or says that it never waits.
#[test]
fn every_public_item_says_whether_it_waits() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = sources();
    let mut silent = Vec::new();
    for (path, source) in &sources {
        let file = path.strip_prefix(&src).expect("it is below").to_str().expect("it is text");
        if NOT_FOR_WAITING.contains(&file) || file.starts_with("models") {
            continue;
        }
        let above =
            path.parent().map(|folder| folder.with_extension("rs")).and_then(|above| sources.get(&above));
        let essays = [Some(&source.essay), above.map(|above| &above.essay)];
        let is_said_above = essays.into_iter().flatten().any(|essay| essay.contains("# Waiting"));
        for (name, docs) in &source.items {
            let says = docs.contains("# Waiting") || docs.contains("Never waits");
            if !says && !is_said_above && !PLAIN.contains(&name.as_str()) {
                silent.push(format!("{file}: `{name}`"));
            }
        }
    }
    let known: BTreeSet<_> = sources.values().flat_map(|source| source.items.keys()).collect();
    let gone: Vec<_> = PLAIN.iter().filter(|name| !known.contains(&(**name).to_owned())).collect();
    assert!(gone.is_empty(), "{gone:?} are no public items");
    assert!(known.len() > 100, "the sources are understood");
    assert!(silent.is_empty(), "say what waiting means, or `Never waits`, of:\n{}", silent.join("\n"));
}

/// What a section `# Waiting` does not speak of; nothing, if it says of which other it holds.
fn lacks(section: Option<&str>) -> Vec<&'static str> {
    if section.is_some_and(|section| section.trim_start().starts_with("As [")) {
        return Vec::new();
    }
    WAITING.into_iter().filter(|word| !section.is_some_and(|section| section.contains(word))).collect()
}

/// A name in the table that nobody has any more sends its reader looking for nothing.
/// A title in quotation marks, and a year behind it.
#[test]
fn every_lockfree_structure_cites_its_source() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join("lockfree");
    let index = fs::read_to_string(folder.with_extension("rs")).expect("there is a list of them");
    // What the structures are made of is none, nor is an error.
    let parts = ["full", "plain"];
    let shown = index.lines().filter_map(|line| line.strip_prefix("pub use ")?.split("::").next());
    let structures: BTreeSet<_> = shown.filter(|name| !parts.contains(name)).chain(["hazard"]).collect();
    assert!(structures.len() >= 9, "{structures:?}");
    let sources = sources();
    let cites = |name: &str| {
        let essay = &sources[&folder.join(name).with_extension("rs")].essay;
        let behind = essay.split_once('"').and_then(|(_, rest)| rest.split_once('"')).map(|(_, rest)| rest);
        let numbers = behind.unwrap_or_default().split(|sign: char| !sign.is_ascii_digit());
        numbers.filter_map(|number| number.parse().ok()).any(|year: u32| (1960..2100).contains(&year))
    };
    let missing: Vec<_> = structures.iter().filter(|name| !cites(name)).collect();
    assert!(missing.is_empty(), "say in the head of the file whose idea it is: {missing:?}");
}

#[test]
fn the_readme_names_ways_to_wait_that_are_there() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("it is there");
    let section = readme.split("## Five ways to wait").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows = section.expect("it has that section").lines().filter(|line| line.starts_with("| "));
    let named =
        rows.flat_map(|row| row.split('|').skip(2).flat_map(|cell| cell.split('`').skip(1).step_by(2)));
    let is_name = |name: &&str| name.chars().all(|letter| letter.is_lowercase() || letter == '_');
    let named: BTreeSet<_> = named.filter(is_name).filter(|name| !KEYWORDS.contains(name)).collect();
    let sources = sources();
    let functions: BTreeSet<_> =
        sources.values().flat_map(|source| &source.functions).map(|f| f.name.as_str()).collect();
    let missing: Vec<_> = named.difference(&functions).collect();
    assert!(named.len() > 50, "the table is understood");
    assert!(missing.is_empty(), "the README names {missing:?}, which are not there");
}

/// Words of `select!` that the table names.
const KEYWORDS: [&str; 3] = ["default", "after", "until"];

/// The table beside others says how large ours are; what has grown since is to be said.
#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64", not(feature = "check")))]
fn the_readme_says_how_large_locks_are() {
    use std::mem::size_of;
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(readme).expect("it is there");
    let says = |row: &str| {
        let row = readme.lines().find_map(|line| line.strip_prefix(&format!("| {row} | ")));
        row.and_then(|rest| rest.split(" |").next()).expect("the table has that row").to_owned()
    };
    assert_eq!(says("bytes of `Mutex<()>`"), size_of::<sync::Mutex<()>>().to_string());
    assert_eq!(says("bytes of `RwLock<()>`"), size_of::<sync::RwLock<()>>().to_string());
    let signals = format!("{}, {}", size_of::<sync::Condvar>(), size_of::<sync::Semaphore>());
    assert_eq!(says("bytes of `Condvar`, of a semaphore"), signals);
}

#[test]
fn the_sources_are_understood() {
    let sources = sources();
    let functions: Vec<_> = sources.values().flat_map(|source| &source.functions).collect();
    let found = |name: &str| functions.iter().any(|function| function.name == name);
    assert!(
        ["lock_async", "acquire_many_async_timeout", "upgrade_async", "join_async"].into_iter().all(found)
    );
    assert!(functions.iter().any(|function| function.may_fail() && function.name == "put_async_timeout"));
    assert!(sources.values().any(|source| source.types.contains_key("Mutex")));
}

fn complaints(is_wrong: impl Fn(&Function) -> bool) -> Vec<String> {
    let sources = sources();
    let functions = sources.values().flat_map(|source| &source.functions);
    functions.filter(|function| is_wrong(function)).map(|function| function.place.clone()).collect()
}

fn sources() -> BTreeMap<PathBuf, Source> {
    let mut sources = BTreeMap::new();
    read_folder(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    sources
}

fn read_folder(folder: &Path, sources: &mut BTreeMap<PathBuf, Source>) {
    let entries = fs::read_dir(folder)
        .expect("the sources are there")
        .map(|entry| entry.expect("it can be read").path());
    for path in entries {
        // Models are tests; `os` and `primitive` are private.
        if path.is_dir() && !path.ends_with("models") && !path.ends_with("os") {
            read_folder(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).expect("a source is text");
            sources.insert(path.clone(), Source::read(&path, &text));
        }
    }
}

impl Source {
    fn read(path: &Path, text: &str) -> Self {
        let mut source = Source::default();
        let (mut docs, mut of) = (String::new(), None);
        let lines: Vec<_> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let code = line.trim_start();
            if let Some(essay) = code.strip_prefix("//!") {
                source.essay += &format!("{essay}\n");
            } else if let Some(doc) = code.strip_prefix("///") {
                docs += &format!("{doc}\n");
            } else if is_attribute(code) {
                // Between a document and its item.
            } else {
                if let Some(name) = item_name(line) {
                    source.items.insert(name, docs.clone());
                }
                if code.starts_with("impl") {
                    of = Some(implemented(code));
                } else if *line == "}" {
                    of = None;
                } else if let Some(name) = line.strip_prefix("pub struct ") {
                    source.types.insert(word(name), docs.clone());
                } else if let Some(name) = function_name(code) {
                    let signature = signature(&lines[index..]);
                    let place = format!("{}:{}: `{name}`", path.display(), index + 1);
                    let of = of.clone();
                    source.functions.push(Function { name, of, signature, docs: docs.clone(), place });
                }
                docs.clear();
            }
        }
        source
    }
}

/// The lines of attributes as they are written here: one line each, or several of which the others are indented or close it.
fn is_attribute(code: &str) -> bool {
    let inside = ["reason =", "unsafe_code,", "clippy::", ")]"];
    code.starts_with("#[") || code.starts_with("#![") || inside.iter().any(|start| code.starts_with(start))
}

/// The type of an `impl`: `Mutex` in `impl<T: ?Sized> Mutex<T> {`.
fn implemented(code: &str) -> String {
    let code = code.strip_prefix("impl").unwrap_or(code);
    let mut depth = 0_i32;
    let after = code.char_indices().find(|(_, letter)| {
        depth += i32::from(*letter == '<') - i32::from(*letter == '>');
        depth == 0 && *letter == ' '
    });
    let header = after.map_or(code, |(at, _)| &code[at + 1..]);
    word(header.split(" for ").last().unwrap_or(header))
}

fn function_name(code: &str) -> Option<String> {
    let rest = code.strip_prefix("pub ")?;
    let rest = ["const ", "async ", "unsafe "]
        .iter()
        .fold(rest, |rest, kind| rest.strip_prefix(kind).unwrap_or(rest));
    Some(word(rest.strip_prefix("fn ")?))
}

/// Of a type, a trait or a free function.
fn item_name(line: &str) -> Option<String> {
    let rest = line.strip_prefix("pub ")?;
    let kinds = ["struct ", "enum ", "trait ", "type ", "union "];
    let name = kinds.iter().find_map(|kind| rest.strip_prefix(kind));
    name.map(word).or_else(|| function_name(line))
}

fn signature(lines: &[&str]) -> String {
    let mut signature = String::new();
    for line in lines {
        signature += line.trim();
        signature.push(' ');
        if line.contains('{') || line.trim_end().ends_with(';') {
            break;
        }
    }
    signature
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}
