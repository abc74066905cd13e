//! The file of `compare goals --resume`: a line for each row, written when the row is measured.
//!
//! Each line says which build of the program it is of, on which machine, and how many rounds: a run that goes on mixes none
//! of these. One run at a time has the file, for two would write over each other's lines.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use serde::{Deserialize, Serialize};

use super::program::Row;
use super::rounds::{Measured, Series};
use crate::failure::Failure;

/// What each line begins with: the first field of [`Key`].
const BEGIN: &str = r#"{"area":""#;

/// The rows that were measured before, and the file that the next ones are appended to.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    file: Flock<File>,
    /// This machine.
    machine: String,
    lines: Vec<Line>,
}

#[derive(Debug, Deserialize)]
struct Line {
    #[serde(flatten)]
    key: Key,
    attempts: u32,
    series: Vec<Series>,
    twin: Option<Series>,
}

/// A line that is written.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    key: &'a Key,
    attempts: u32,
    series: &'a [Series],
    twin: Option<&'a Series>,
}

/// What was measured, and how.
#[derive(Debug, Deserialize, Serialize)]
struct Key {
    area: String,
    row: String,
    /// The program's fingerprint.
    program: String,
    machine: String,
    rounds: u32,
}

impl Log {
    /// Opens the file, and creates it where there is none. A last line that was not written to its end is cut off.
    /// The file belongs to this run until it ends, however it ends.
    pub(super) fn open(path: &Path, machine: &str) -> Result<Self, Failure> {
        let refused = |what: &dyn std::fmt::Display, remedy: &str| {
            Failure::usage(format!("--resume {}: {what}; {remedy}", path.display()))
        };
        let unusable = |error: std::io::Error| refused(&error, "name a file that can be written");
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).create(true).truncate(false).open(path).map_err(unusable)?;
        if !file.metadata().map_err(unusable)?.is_file() {
            // A pipe or a device may have no end.
            return Err(refused(&"not a regular file", "name one, or one that is not there yet"));
        }
        let mut file = Flock::lock(file, FlockArg::LockExclusiveNonblock).map_err(|(_, why)| match why {
            Errno::EWOULDBLOCK => {
                refused(&"another run is writing to it", "wait for its end, or name another file")
            }
            why => unusable(why.into()),
        })?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(|error| match error.kind() {
            ErrorKind::InvalidData => refused(&"it is not text, so no run", "name another file"),
            _ => unusable(error),
        })?;
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let torn = &text[whole..];
        if whole == 0 && !torn.starts_with(BEGIN) && !BEGIN.starts_with(torn) {
            return Err(refused(&"its one line is no row of a run", "name another file"));
        }
        let lines = (1..).zip(text[..whole].lines()).map(|(number, line)| {
            serde_json::from_str(line).map_err(|error| {
                refused(&format!("line {number} is no row of a run: {error}"), "name another file")
            })
        });
        let lines = lines.collect::<Result<_, _>>()?;
        // Only of a file that is one of ours.
        file.set_len(whole as u64).map_err(unusable)?;
        file.seek(SeekFrom::End(0)).map_err(unusable)?;
        Ok(Self { path: path.to_owned(), file, machine: machine.to_owned(), lines })
    }

    /// A row as it was measured before by this program on this machine, in so many rounds. Any other is refused: numbers of
    /// two builds do not belong together, nor do those of two machines.
    pub(super) fn take<'a>(
        &mut self,
        area: &str,
        fingerprint: &str,
        row: &'a Row,
        rounds: u32,
    ) -> Result<Option<Measured<'a>>, Failure> {
        let is_it = |line: &Line| line.key.area == area && line.key.row == row.row;
        let Some(at) = self.lines.iter().position(is_it) else { return Ok(None) };
        let Line { key, attempts, series, twin } = self.lines.swap_remove(at);
        let differs = if key.machine != self.machine {
            format!("was measured on another machine ({}; this one is {})", key.machine, self.machine)
        } else if key.program != fingerprint || series.len() != row.contestants.len() {
            "was measured by another build of the program".to_owned()
        } else if key.rounds != rounds {
            format!("was measured in {} rounds, and --rounds is {rounds}", key.rounds)
        } else if !series.iter().chain(&twin).all(|it| it.has(rounds)) {
            format!("has not all of its {rounds} rounds")
        } else {
            return Ok(Some(Measured { row, series, twin, rounds, attempts }));
        };
        Err(Failure::usage(format!(
            "--resume {}: {} {differs}; name another file, or remove this one",
            self.path.display(),
            key.row
        )))
    }

    /// Whether this is that file.
    pub(super) fn is(&self, other: &Metadata) -> bool {
        self.file.metadata().is_ok_and(|own| (own.dev(), own.ino()) == (other.dev(), other.ino()))
    }

    /// Appends a row, in one piece.
    pub(super) fn add(
        &mut self,
        area: &str,
        fingerprint: &str,
        measured: &Measured<'_>,
    ) -> Result<(), Failure> {
        let key = Key {
            area: area.to_owned(),
            row: measured.row.row.clone(),
            program: fingerprint.to_owned(),
            machine: self.machine.clone(),
            rounds: measured.rounds,
        };
        let (attempts, series, twin) = (measured.attempts, &*measured.series, measured.twin.as_ref());
        let line = serde_json::to_string(&Written { key: &key, attempts, series, twin })
            .map_err(Failure::doing("a row cannot be written as JSON"))?;
        let written = self.file.write_all((line + "\n").as_bytes());
        written.map_err(|error| {
            Failure::internal(format!(
                "--resume {}: cannot append {}: {error}; free some space and start again: the rows before it are kept",
                self.path.display(),
                key.row
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::{Contestant, Row};
    use super::super::rounds::Status;
    use super::*;

    fn open(path: &Path) -> Result<Log, Failure> {
        Log::open(path, "this one")
    }

    fn row() -> Row {
        let contestant = |name: &str| Contestant { name: name.to_owned(), blocks: true, also_ours: false };
        Row {
            row: "a/b".to_owned(),
            about: String::new(),
            contestants: vec![contestant("sync"), contestant("std")],
            measures: Vec::new(),
        }
    }

    fn measured(row: &Row) -> Measured<'_> {
        let mut crashed = Series::of(&[("ns", &[9.0, 8.5])]);
        crashed.failure = Some((Status::Crashed, "SIGSEGV".to_owned()));
        let series = vec![Series::of(&[("ns", &[1.5, 1.25])]), crashed];
        Measured { row, series, twin: Some(Series::of(&[("ns", &[1.0, 2.0])])), rounds: 2, attempts: 3 }
    }

    #[test]
    fn a_row_comes_back_as_it_was_measured_and_a_torn_one_does_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.jsonl");
        let row = row();
        let mut log = open(&path).expect("it is new");
        assert!(log.take("sync", "f00d", &row, 2).expect("it fits").is_none());
        log.add("sync", "f00d", &measured(&row)).expect("it is open");
        let text = std::fs::read_to_string(&path).expect("it is there");
        std::fs::write(&path, format!("{text}{}", &text[..text.len() / 2])).expect("it is ours");
        drop(log);

        let mut log = open(&path).expect("one row is whole");
        let found = log.take("sync", "f00d", &row, 2).expect("it fits").expect("it is there");
        assert_eq!((found.attempts, found.rounds), (3, 2));
        assert_eq!(found.series[0].values("ns"), [Some(1.5), Some(1.25)]);
        assert_eq!(found.series[1].failure, Some((Status::Crashed, "SIGSEGV".to_owned())));
        assert_eq!(found.twin.expect("ours takes part").values("ns"), [Some(1.0), Some(2.0)]);
        log.add("sync", "f00d", &measured(&row)).expect("it is open");
        drop(log);
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), format!("{text}{text}"));

        // Of the very first row as little as one letter may be there.
        for end in [0, 1, BEGIN.len(), text.len() - 1] {
            std::fs::write(&path, &text[..end]).expect("it is ours");
            open(&path).expect("it is one of ours").add("sync", "f00d", &measured(&row)).expect("it is open");
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_refused_and_stays_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("package.json");
        for foreign in [&b"{\"name\": \"not a run, and without a line's end\"}"[..], b"[1]", b"\xff\xfe"] {
            std::fs::write(&path, foreign).expect("it is ours");
            let refused = open(&path).expect_err("it is no run").to_string();
            assert!(refused.contains("package.json") && refused.contains("name another file"), "{refused}");
            assert_eq!(std::fs::read(&path).expect("it is there"), foreign);
        }
        // One without an end would be read for ever.
        let refused = open(Path::new("/dev/zero")).expect_err("it is a device").to_string();
        assert!(refused.contains("/dev/zero: not a regular file"), "{refused}");
    }

    #[test]
    fn a_full_disk_is_told_with_the_row_and_the_remedy() {
        let file = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let file = Flock::lock(file, FlockArg::LockSharedNonblock).expect("nobody locks it");
        let mut log =
            Log { path: "run.jsonl".into(), file, machine: "this one".to_owned(), lines: Vec::new() };
        let refused = log.add("sync", "f00d", &measured(&row())).expect_err("it is full").to_string();
        assert!(
            refused.contains("run.jsonl: cannot append a/b") && refused.contains("free some space"),
            "{refused}"
        );
    }

    #[test]
    fn rows_of_another_build_or_machine_or_other_rounds_and_other_files_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.jsonl");
        let row = row();
        open(&path).expect("it is new").add("sync", "f00d", &measured(&row)).expect("it is open");
        for (machine, fingerprint, rounds, why) in [
            ("this one", "beef", 2, "another build"),
            ("this one", "f00d", 6, "in 2 rounds, and --rounds is 6"),
            ("another", "f00d", 2, "another machine (this one; this one is another)"),
        ] {
            let mut log = Log::open(&path, machine).expect("its lines are rows");
            let refused = log.take("sync", fingerprint, &row, rounds).expect_err("they differ").to_string();
            assert!(refused.contains("a/b was measured") && refused.contains(why), "{refused}");
            assert!(refused.contains("name another file"), "{refused}");
            assert!(log.take("coro", fingerprint, &row, rounds).expect("not of that area").is_none());
        }
        let text = std::fs::read_to_string(&path).expect("it is there");
        std::fs::write(&path, text.replace(r#"[{"ns":1.5},"#, "[")).expect("it is ours");
        let refused = open(&path).expect("its lines are rows").take("sync", "f00d", &row, 2);
        let refused = refused.expect_err("a round is gone").to_string();
        assert!(refused.contains("has not all of its 2 rounds"), "{refused}");

        std::fs::write(&path, "a letter\n").expect("it is ours");
        let refused = open(&path).expect_err("it is no log").to_string();
        assert!(refused.contains("line 1 is no row"), "{refused}");
        assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "a letter\n");
    }

    #[test]
    fn a_file_that_another_run_writes_to_is_refused_until_that_has_ended() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run.jsonl");
        let first = open(&path).expect("it is new");
        let refused = open(&path).expect_err("somebody has it").to_string();
        assert!(refused.contains("another run is writing to it; wait for its end"), "{refused}");
        assert!(first.is(&std::fs::metadata(&path).expect("it is there")));
        assert!(!first.is(&std::fs::metadata(folder.path()).expect("it is there")));
        drop(first);
        open(&path).expect("nobody has it");
    }
}
