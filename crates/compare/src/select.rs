//! What the user picked: `FILTER`, `-w` and `-m`.

use crate::failure::Failure;

/// A choice of cells. With nothing given, everything is picked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    picks: Vec<Pick>,
    drops: Vec<Pick>,
    workloads: Vec<String>,
    models: Vec<String>,
}

#[derive(Clone, Debug)]
enum Pick {
    /// A workload or a model.
    Either(String),
    /// `workload/model`.
    Both(String, String),
}

impl Selection {
    /// `filters` are globs for a workload, a model or `workload/model`; one that starts with `!` takes away. `workloads`
    /// and `models` narrow the choice further, and may hold several globs separated by commas.
    pub(crate) fn new(filters: &[String], workloads: &[String], models: &[String]) -> Self {
        let split = |list: &[String]| -> Vec<String> {
            list.iter()
                .flat_map(|text| text.split(','))
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let mut selection = Self { workloads: split(workloads), models: split(models), ..Self::default() };
        for filter in filters {
            let (list, text) = match filter.strip_prefix('!') {
                Some(rest) => (&mut selection.drops, rest),
                None => (&mut selection.picks, filter.as_str()),
            };
            list.push(match text.split_once('/') {
                Some((workload, model)) => Pick::Both(workload.to_owned(), model.to_owned()),
                None => Pick::Either(text.to_owned()),
            });
        }
        selection
    }

    /// Whether this cell is picked.
    ///
    /// Filters that name workloads and filters that name models narrow each other: `spawn tokio-mt` is one cell, `spawn
    /// switch` is two workloads. `names` tells which is which.
    pub(crate) fn picks(&self, workload: &str, model: &str, names: &Names) -> bool {
        let any =
            |globs: &[String], name: &str| globs.is_empty() || globs.iter().any(|glob| matches(glob, name));
        if !any(&self.workloads, workload) || !any(&self.models, model) {
            return false;
        }
        if self.drops.iter().any(|drop| drop.hits(workload, model)) {
            return false;
        }
        let mut of_workloads = self.picks.iter().filter(|pick| pick.names_any(&names.workloads)).peekable();
        let mut of_models = self.picks.iter().filter(|pick| pick.names_any(&names.models)).peekable();
        let mut cells = self.picks.iter().filter(|pick| matches!(pick, Pick::Both(..))).peekable();
        if cells.peek().is_some() && cells.any(|pick| pick.hits(workload, model)) {
            return true;
        }
        let only_cells = of_workloads.peek().is_none() && of_models.peek().is_none();
        if only_cells {
            return self.picks.is_empty();
        }
        let by_workload = of_workloads.peek().is_none() || of_workloads.any(|pick| pick.is(workload));
        let by_model = of_models.peek().is_none() || of_models.any(|pick| pick.is(model));
        by_workload && by_model
    }

    /// A filter that hits nothing at all is a mistake, and is named.
    pub(crate) fn check(&self, names: &Names) -> Result<(), Failure> {
        let unknown = |text: &str, kind: &str, known: Vec<&String>| {
            let known: Vec<&str> = known.into_iter().map(String::as_str).collect();
            Failure::usage(format!("{text:?} matches no {kind}; there are: {}", known.join(", ")))
        };
        let all = || names.workloads.iter().chain(&names.models).collect::<Vec<_>>();
        for pick in self.picks.iter().chain(&self.drops) {
            match pick {
                Pick::Either(glob) if !pick.names_any(&names.workloads) && !pick.names_any(&names.models) => {
                    return Err(unknown(glob, "workload and no model", all()));
                }
                Pick::Both(workload, _) if !names.workloads.iter().any(|name| matches(workload, name)) => {
                    return Err(unknown(workload, "workload", names.workloads.iter().collect()));
                }
                Pick::Both(_, model) if !names.models.iter().any(|name| matches(model, name)) => {
                    return Err(unknown(model, "model", names.models.iter().collect()));
                }
                _ => {}
            }
        }
        for (globs, list, kind) in
            [(&self.workloads, &names.workloads, "workload"), (&self.models, &names.models, "model")]
        {
            if let Some(glob) = globs.iter().find(|glob| !list.iter().any(|name| matches(glob, name))) {
                return Err(unknown(glob, kind, list.iter().collect()));
            }
        }
        Ok(())
    }
}

/// All names that there are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) workloads: Vec<String>,
    pub(crate) models: Vec<String>,
}

impl Pick {
    fn is(&self, name: &str) -> bool {
        matches!(self, Self::Either(glob) if matches(glob, name))
    }

    fn names_any(&self, names: &[String]) -> bool {
        names.iter().any(|name| self.is(name))
    }

    fn hits(&self, workload: &str, model: &str) -> bool {
        match self {
            Self::Either(_) => self.is(workload) || self.is(model),
            Self::Both(left, right) => matches(left, workload) && matches(right, model),
        }
    }
}

/// Glob matching with `*` (any run) and `?` (any one character).
pub(crate) fn matches(glob: &str, name: &str) -> bool {
    let (glob, name): (Vec<char>, Vec<char>) = (glob.chars().collect(), name.chars().collect());
    let (mut g, mut n) = (0, 0);
    // Where the last `*` stood and how far it has been stretched: going back to it alone is enough.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, n));
                g += 1;
            }
            Some(&c) if c == '?' || c == name[n] => {
                g += 1;
                n += 1;
            }
            _ => match star {
                Some((at, stretched)) => {
                    star = Some((at, stretched + 1));
                    g = at + 1;
                    n = stretched + 1;
                }
                None => return false,
            },
        }
    }
    glob[g..].iter().all(|&c| c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Names {
        let list = |text: &str| text.split(' ').map(str::to_owned).collect();
        Names {
            workloads: list("spawn switch primes"),
            models: list("seq threads tokio-mt tokio-ct py-threading"),
        }
    }

    fn picked(filters: &[&str], workloads: &[&str], models: &[&str]) -> Vec<String> {
        let owned = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let selection = Selection::new(&owned(filters), &owned(workloads), &owned(models));
        let names = names();
        selection.check(&names).expect("every filter hits something");
        let mut found = Vec::new();
        for workload in &names.workloads {
            for model in &names.models {
                if selection.picks(workload, model, &names) {
                    found.push(format!("{workload}/{model}"));
                }
            }
        }
        found
    }

    #[test]
    fn globs() {
        for (glob, name, hit) in [
            ("tokio-*", "tokio-mt", true),
            ("*", "", true),
            ("t?kio-mt", "tokio-mt", true),
            ("*ing*g", "py-threading", false),
            ("py*th*ing", "py-threading", true),
            ("spawn", "spawner", false),
        ] {
            assert_eq!(matches(glob, name), hit, "{glob} {name}");
        }
    }

    #[test]
    fn workloads_and_models_narrow_each_other() {
        assert_eq!(picked(&[], &[], &[]).len(), 15);
        assert_eq!(picked(&["spawn", "tokio-*"], &[], &[]), ["spawn/tokio-mt", "spawn/tokio-ct"]);
        assert_eq!(picked(&["spawn", "switch", "seq"], &[], &[]), ["spawn/seq", "switch/seq"]);
        assert_eq!(
            picked(&["primes/t*"], &[], &[]),
            ["primes/threads", "primes/tokio-mt", "primes/tokio-ct"]
        );
        assert_eq!(picked(&["spawn/seq", "switch"], &[], &["seq"]), ["spawn/seq", "switch/seq"]);
        assert_eq!(picked(&["!py-*", "!tokio*"], &["primes"], &[]), ["primes/seq", "primes/threads"]);
        assert_eq!(picked(&[], &["spawn,switch"], &["seq"]), ["spawn/seq", "switch/seq"]);
    }

    #[test]
    fn a_filter_that_hits_nothing_is_named() {
        let selection = Selection::new(&["spwan".to_owned()], &[], &[]);
        let said = selection.check(&names()).expect_err("it is a mistake").to_string();
        assert!(said.contains("\"spwan\"") && said.contains("spawn, switch"), "{said}");
    }
}
