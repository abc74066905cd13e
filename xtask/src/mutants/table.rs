//! The tables of mutants: a small part of TOML, since a reader of all of it would be more than the rest of this program.
//!
//! ```toml
//! [[mutant]]
//! name = 'take-relaxed'                               # the folder's file name goes before it: `lock/take-relaxed`
//! file = 'lock.rs'                                    # below crates/sync/src
//! find = 'let flag = «FLAG.load(Ordering::Acquire)»'  # just once in the file; what is between the marks, or all, is replaced:
//! replace = 'FLAG.load(Ordering::Relaxed)'            # an expression by one, statements up to a `;` or `}` by some
//! why = 'the new owner sees what the last one wrote'
//! models = 'lock:: condvar::one_who'                  # how the names of the models begin that may notice, behind `models::`;
//!                                                     # or with `schedules::`, those of shuttle's
//! ```
//!
//! Values stand between `'` on one line, or between `'''` on several. `equivalent = 'why'` says that the changed code is as
//! right as the other, `unseen = 'why'` that loom cannot see what is wrong with it: such a mutant has to survive. `quick =
//! 'yes'`: the short run has it.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;

/// Where the tables are.
const TABLES: &str = "crates/sync/mutants";
/// What `file` is relative to.
pub(super) const SOURCES: &str = "crates/sync/src";

/// One way to weaken the code.
pub(crate) struct Mutant {
    /// The table's name and its own.
    pub(crate) name: String,
    /// What switches it on.
    pub(super) number: usize,
    pub(crate) file: String,
    pub(super) find: Find,
    pub(super) replace: String,
    pub(crate) why: String,
    pub(super) models: Vec<String>,
    /// Why it is not caught: `equivalent: ..`, or `unseen: ..`.
    pub(crate) survives: Option<String>,
    pub(crate) quick: bool,
}

/// A text that stands once in its file, and the part of it that is replaced.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Find {
    text: String,
    part: Range<usize>,
}

impl Find {
    fn new(marked: &str) -> Self {
        match marked.split_once('«').and_then(|(before, rest)| Some((before, rest.split_once('»')?))) {
            None => Find { text: marked.to_owned(), part: 0..marked.len() },
            Some((before, (part, after))) => {
                Find { text: [before, part, after].concat(), part: before.len()..before.len() + part.len() }
            }
        }
    }

    /// The part that is replaced.
    fn part(&self) -> &str {
        &self.text[self.part.clone()]
    }

    /// Where that begins in `source`.
    fn place(&self, source: &str) -> Option<usize> {
        Some(source.find(&self.text)? + self.part.start)
    }
}

/// All mutants, in the order of their numbers.
pub(super) struct Table(Vec<Mutant>);

impl Table {
    /// Reads all tables below `root`, and holds them against the sources.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        let folder = root.join(TABLES);
        let mut paths: Vec<_> = fs::read_dir(&folder)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("cannot read {TABLES}: {error}"))?
            .into_iter()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
            .collect();
        paths.sort();
        let mut mutants = Vec::new();
        for path in paths {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("cannot read {TABLES}/{name}.toml: {error}"))?;
            parse(&name, &text, &mut mutants).map_err(|why| format!("{TABLES}/{name}.toml, {why}"))?;
        }
        let table = Table(mutants);
        table.check(&|file| fs::read_to_string(root.join(SOURCES).join(file)).unwrap_or_default())?;
        Ok(table)
    }

    pub(super) fn mutants(&self) -> &[Mutant] {
        &self.0
    }

    /// The text of a file with all its mutants.
    pub(super) fn mutate(&self, file: &str, text: &str) -> String {
        let mut alternatives: BTreeMap<usize, Vec<&Mutant>> = BTreeMap::new();
        for mutant in self.0.iter().filter(|mutant| mutant.file == file) {
            if let Some(place) = mutant.find.place(text) {
                alternatives.entry(place).or_default().push(mutant);
            }
        }
        let (mut mutated, mut done) = (String::new(), 0);
        for (place, mutants) in alternatives {
            let find = mutants[0].find.part();
            mutated.push_str(&text[done..place]);
            let mut choice = String::new();
            for Mutant { number, replace, .. } in &mutants {
                choice.push_str(&format!("if crate::mutant::is({number}) {{ {replace} }} else "));
            }
            choice.push_str(&format!("{{ {find} }}"));
            match is_statement(find) {
                true => mutated.push_str(&choice),
                false => mutated.push_str(&format!("({choice})")),
            }
            done = place + find.len();
        }
        mutated.push_str(&text[done..]);
        mutated
    }

    /// Whether each text stands just once in its file, no two of them overlap but those that are the same, and no name is
    /// given twice.
    fn check(&self, source: &dyn Fn(&str) -> String) -> Result<(), String> {
        let mut wrong = Vec::new();
        let mut places: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
        for mutant in &self.0 {
            let Mutant { name, file, find, .. } = mutant;
            let text = source(file);
            match text.matches(&find.text).count() {
                1 => places.entry(file).or_default().push((find.place(&text).unwrap_or(0), mutant)),
                count => wrong.push(format!(
                    "{name}: its `find` stands {count} times in {SOURCES}/{file}, and has to stand once: give it the text that \
                     is there now"
                )),
            }
            if find.part() == mutant.replace {
                wrong.push(format!("{name}: `find` and `replace` are the same"));
            }
            if self.0.iter().any(|other| other.name == *name && other.number < mutant.number) {
                wrong.push(format!("{name}: two mutants have this name"));
            }
        }
        for places in places.values_mut() {
            places.sort_by_key(|(place, _)| *place);
            for pair in places.windows(2) {
                let [(first, before), (second, after)] = pair else { continue };
                let (one, other) = (before.find.part(), after.find.part());
                if first + one.len() > *second && (first != second || one != other) {
                    wrong.push(format!(
                        "{} and {} change the same place: give both the same text to be replaced",
                        before.name, after.name
                    ));
                }
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }
}

/// Statements are replaced by statements, and an expression by one in parentheses.
fn is_statement(find: &str) -> bool {
    find.ends_with(';') || find.ends_with('}')
}

fn parse(table: &str, text: &str, mutants: &mut Vec<Mutant>) -> Result<(), String> {
    let mut entry: Option<(usize, BTreeMap<String, String>)> = None;
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let at = |why: &str| format!("line {}: {why}", number + 1);
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if line == "[[mutant]]" {
            if let Some((begin, values)) = entry.replace((number + 1, BTreeMap::new())) {
                mutants.push(mutant(table, mutants.len() + 1, begin, values)?);
            }
            continue;
        }
        let (key, value) =
            line.split_once(" = ").ok_or_else(|| at("neither `[[mutant]]` nor `key = 'value'`"))?;
        let value = if let Some(begin) = value.strip_prefix("'''") {
            let mut value = begin.to_owned();
            while !value.ends_with("'''") {
                let (_, more) = lines.next().ok_or_else(|| at("the `'''` that ends it is missing"))?;
                // A line break right behind the opening is none, as in TOML.
                if !value.is_empty() {
                    value.push('\n');
                }
                value.push_str(more);
            }
            value.truncate(value.len() - 3);
            value
        } else {
            let inside = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
            let inside = inside.filter(|inside| !inside.contains('\''));
            inside.ok_or_else(|| at("a value stands between `'`, or between `'''`"))?.to_owned()
        };
        let (_, values) = entry.as_mut().ok_or_else(|| at("`[[mutant]]` goes first"))?;
        if values.insert(key.to_owned(), value).is_some() {
            return Err(at("this key stands here twice"));
        }
    }
    if let Some((begin, values)) = entry {
        mutants.push(mutant(table, mutants.len() + 1, begin, values)?);
    }
    Ok(())
}

fn mutant(
    table: &str,
    number: usize,
    line: usize,
    mut values: BTreeMap<String, String>,
) -> Result<Mutant, String> {
    let mut needed = |key: &str| {
        values.remove(key).ok_or_else(|| format!("the mutant of line {line}: `{key}` is missing"))
    };
    let name = format!("{table}/{}", needed("name")?);
    let (file, find, replace) = (needed("file")?, Find::new(&needed("find")?), needed("replace")?);
    let (why, models) = (needed("why")?, needed("models")?);
    let mut reason = |key: &str| values.remove(key).map(|why| format!("{key}: {why}"));
    let survives = reason("equivalent").or_else(|| reason("unseen"));
    let quick = values.remove("quick").is_some();
    if let Some(unknown) = values.keys().next() {
        return Err(format!("{name}: there is no key `{unknown}`"));
    }
    let models = models.split_whitespace().map(str::to_owned).collect();
    Ok(Mutant { name, number, file, find, replace, why, models, survives, quick })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    const TWO: &str = "
# A comment.
[[mutant]]
name = 'relaxed'
file = 'a.rs'
find = 'A.load(Acquire)'
replace = 'A.load(Relaxed)'
why = 'because'
models = 'one two::'

[[mutant]]
name = 'untold'
file = 'a.rs'
find = '''
tell(
    'x',
);'''
replace = ''
why = 'because'
models = 'one'
equivalent = 'nobody is there'
quick = 'yes'
";
    const SOURCE: &str = "fn f() {\n    if A.load(Acquire) {\n        tell(\n    'x',\n);\n    }\n}\n";

    fn table(text: &str) -> Result<Table, String> {
        let mut mutants = Vec::new();
        parse("t", text, &mut mutants)?;
        let table = Table(mutants);
        table.check(&|_| SOURCE.to_owned())?;
        Ok(table)
    }

    #[test]
    fn the_tables_of_the_project_fit_its_sources() {
        let root = Project::find().unwrap().root().to_owned();
        let table = Table::read(&root).unwrap();
        assert!(table.mutants().iter().any(|mutant| mutant.quick), "the short run is not empty");
        // A model that a mutant names is there.
        let mut models = String::new();
        for path in crate::tidy::Tree::of(&root).unwrap().files() {
            if ["models", "schedules"].iter().any(|folder| path.starts_with(&format!("{SOURCES}/{folder}"))) {
                models.push_str(&fs::read_to_string(root.join(path)).unwrap());
            }
        }
        for mutant in table.mutants() {
            for model in &mutant.models {
                let last = model.rsplit("::").next().unwrap();
                let is_there = ["fn", "mod"].iter().any(|what| models.contains(&format!("{what} {last}")));
                assert!(is_there, "{}: no model is called {model}", mutant.name);
            }
        }
    }

    /// Orderings that no mutant weakens, and why.
    const WITHOUT: &[(&str, &str, &str)] = &[
        (
            "lock.rs",
            "compiler_fence(Ordering::SeqCst)",
            "no model knows the compiler: look at the machine code",
        ),
        ("queue/side.rs", "compiler_fence(Ordering::SeqCst)", "as above"),
        ("rwlock/raw.rs", "compiler_fence(Ordering::SeqCst)", "as above"),
        ("queue/side.rs", "fetch_or(FENCED | SURE, Ordering::SeqCst)", "a model's own step"),
        (
            "primitive.rs",
            "compare_exchange_weak(0, 1, Ordering::Acquire",
            "models have a lock of loom's there",
        ),
        ("primitive.rs", "self.0.0.store(0, Ordering::Release)", "as above"),
        ("primitive.rs", "fence(Ordering::SeqCst)", "for loom alone, which needs it"),
    ];

    #[test]
    fn every_ordering_has_a_mutant_or_a_reason_to_have_none() {
        let root = Project::find().unwrap().root().to_owned();
        let table = Table::read(&root).unwrap();
        let (mut without, mut unused) = (Vec::new(), WITHOUT.to_vec());
        for path in crate::tidy::Tree::of(&root).unwrap().files() {
            let Some(file) = path.strip_prefix(&format!("{SOURCES}/")) else { continue };
            if ["models", "schedules", "os/"].iter().any(|folder| file.starts_with(folder)) {
                continue;
            }
            let text = fs::read_to_string(root.join(path)).unwrap();
            let mutants = table.mutants().iter().filter(|mutant| mutant.file == file);
            let parts = mutants.map(|mutant| {
                let place = mutant.find.place(&text).unwrap();
                place..place + mutant.find.part.len()
            });
            let parts: Vec<Range<usize>> = parts.collect();
            let mut begin = 0;
            for line in text.split("\nmod tests {").next().unwrap().split_inclusive('\n') {
                for (at, _) in line.split("//").next().unwrap().match_indices("Ordering::") {
                    let strong = ["Acquire", "Release", "AcqRel", "SeqCst"]
                        .iter()
                        .any(|strong| line[at + "Ordering::".len()..].starts_with(strong));
                    if !strong || parts.iter().any(|part| part.contains(&(begin + at))) {
                        continue;
                    }
                    let is_excused =
                        |excused: &(&str, &str, &str)| excused.0 == file && line.contains(excused.1);
                    if WITHOUT.iter().any(is_excused) {
                        unused.retain(|excused| !is_excused(excused));
                    } else {
                        without.push(format!("{file}: {}", line.trim()));
                    }
                }
                begin += line.len();
            }
        }
        assert!(without.is_empty(), "these have no mutant:\n{}", without.join("\n"));
        assert!(unused.is_empty(), "nothing is there of {unused:?}");
    }

    #[test]
    fn an_expression_is_replaced_in_parentheses_and_a_statement_without() {
        let mutated = table(TWO).unwrap().mutate("a.rs", SOURCE);
        let expected = "fn f() {\n    if (if crate::mutant::is(1) { A.load(Relaxed) } else { A.load(Acquire) }) {\n        if \
                        crate::mutant::is(2) {  } else { tell(\n    'x',\n); }\n    }\n}\n";
        assert_eq!(mutated, expected);
        assert_eq!(table(TWO).unwrap().mutate("b.rs", SOURCE), SOURCE);
    }

    #[test]
    fn two_mutants_of_one_place_are_two_alternatives() {
        let twice = format!("{TWO}{}", TWO.replace("relaxed", "gone").replace("untold", "told twice"));
        let table = table(&twice).unwrap();
        assert!(table.mutate("a.rs", SOURCE).contains(
            "(if crate::mutant::is(1) { A.load(Relaxed) } else if crate::mutant::is(3) { A.load(Relaxed) } else { \
             A.load(Acquire) })"
        ));
        let mutant = &table.mutants()[3];
        assert_eq!((mutant.name.as_str(), mutant.quick), ("t/told twice", true));
        assert_eq!(mutant.survives.as_deref(), Some("equivalent: nobody is there"));
    }

    #[test]
    fn a_table_that_does_not_fit_is_refused() {
        for (from, to, why) in [
            ("A.load(Acquire)", "A.load(SeqCst)", "stands 0 times"),
            ("A.load(Acquire)", "l", "and has to stand once"),
            ("A.load(Relaxed)", "A.load(Acquire)", "are the same"),
            ("untold", "relaxed", "two mutants have this name"),
            ("A.load(Acquire)", "A.load(Acquire) {\n        tell", "a value stands between"),
            ("why = 'because'\n", "", "`why` is missing"),
            ("quick", "quickly", "no key `quickly`"),
            ("[[mutant]]", "[[mutants]]", "neither `[[mutant]]` nor"),
        ] {
            let refused = table(&TWO.replace(from, to)).err();
            assert!(refused.as_ref().is_some_and(|said| said.contains(why)), "{to}: {refused:?}");
        }
        let overlapping = TWO.replace("'A.load(Acquire)'", "'''A.load(Acquire) {\n        tell'''");
        assert!(table(&overlapping).is_err_and(|why| why.contains("change the same place")));
    }
}
