//! The run folder: `samples.jsonl`, to which every round is appended and flushed, and what is drawn from it at the end.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::cell::Sample;
use crate::failure::Failure;
use crate::noise::Disturbance;
use crate::protocol::Workload;
use crate::summary::{Cell, Flag, Machine, ModelInfo, RunInfo};

/// The version of the lines of `samples.jsonl`.
const VERSION: u32 = 1;

/// One line of `samples.jsonl`. All that a summary says follows from these lines.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Record {
    /// The first line: what is going to be done, by whom and where.
    Run {
        v: u32,
        run: Box<RunInfo>,
        machine: Box<Machine>,
        workloads: Vec<Workload>,
        models: Vec<ModelInfo>,
        /// Every cell, those that cannot run with their reason.
        cells: Vec<Cell>,
        flags: Vec<Flag>,
        /// The smallest margin, as a fraction.
        margin: f64,
    },
    /// One cell in one round.
    Sample(Box<Sample>),
    /// A round that someone else disturbed.
    Disturbed(Disturbance),
    /// The last line of a run that was not killed.
    End { seconds: f64, interrupted: bool },
}

impl Record {
    pub(crate) fn run(
        run: RunInfo,
        machine: Machine,
        (workloads, models): (Vec<Workload>, Vec<ModelInfo>),
        cells: Vec<Cell>,
        flags: Vec<Flag>,
        margin: f64,
    ) -> Self {
        Self::Run {
            v: VERSION,
            run: Box::new(run),
            machine: Box::new(machine),
            workloads,
            models,
            cells,
            flags,
            margin,
        }
    }
}

/// The folder of one run, open for appending.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) folder: PathBuf,
    samples: File,
    pub(crate) records: Vec<Record>,
}

impl Store {
    /// Makes the folder `id` below `out`; if `latest`, the link of that name beside it points to it.
    pub(crate) fn create(out: &Path, id: &str, latest: bool) -> io::Result<Self> {
        fs::create_dir_all(out)?;
        let folder = out.join(id);
        fs::create_dir(&folder)?;
        let samples = OpenOptions::new().create_new(true).append(true).open(folder.join("samples.jsonl"))?;
        if !latest {
            return Ok(Self { folder, samples, records: Vec::new() });
        }
        // Beside and renamed, so that there is a `latest` at every moment.
        let (link, fresh) = (out.join("latest"), out.join(format!(".latest-{id}")));
        std::os::unix::fs::symlink(id, &fresh).and_then(|()| fs::rename(&fresh, &link))?;
        Ok(Self { folder, samples, records: Vec::new() })
    }

    /// Keeps records and writes them through to the disk: a round that was paid for is not lost.
    pub(crate) fn append(&mut self, records: Vec<Record>) -> Result<(), Failure> {
        let mut text = String::new();
        for record in &records {
            text += &serde_json::to_string(record)
                .map_err(Failure::doing("a record cannot be written as JSON"))?;
            text.push('\n');
        }
        let at = self.folder.join("samples.jsonl");
        self.samples.write_all(text.as_bytes()).and_then(|()| self.samples.sync_data()).map_err(
            Failure::doing(format!(
                "cannot append to {}; free some space, or choose another folder by --out",
                at.display()
            )),
        )?;
        self.records.extend(records);
        Ok(())
    }
}

/// Reads a run back. A last line that was cut off by the end of the engine is left out.
pub(crate) fn read(folder: &Path) -> Result<Vec<Record>, Failure> {
    let path = folder.join("samples.jsonl");
    let file = File::open(&path).map_err(|error| {
        Failure::usage(format!(
            "no run there: cannot open {}: {error}; name a folder in target/compare, or none for the latest",
            path.display()
        ))
    })?;
    let mut records = Vec::new();
    let mut lines = BufReader::new(file).split(b'\n').enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        let line = line.map_err(Failure::doing(format!("cannot read {}", path.display())))?;
        match serde_json::from_slice(&line) {
            Ok(record) => records.push(record),
            Err(_) if lines.peek().is_none() => {}
            Err(error) => {
                return Err(Failure::usage(format!(
                    "{}: line {} is no record of a run: {error}; name another run",
                    path.display(),
                    index + 1
                )));
            }
        }
    }
    match records.first() {
        Some(Record::Run { v, .. }) if *v == VERSION => Ok(records),
        Some(Record::Run { v, .. }) => {
            Err(Failure::usage(format!("{} has version {v}, this engine reads {VERSION}", path.display())))
        }
        _ => Err(Failure::usage(format!("{} does not begin with a run", path.display()))),
    }
}

/// A moment in UTC, as RFC 3339 and as a folder's name.
pub(crate) fn now() -> (String, String) {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let millis = since.subsec_millis();
    (
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"),
        format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}.{millis:03}"),
    )
}

/// Year, month and day of a count of days since 1970-01-01: 400 Gregorian years have 146,097 days, and a year that
/// begins in March has its leap day last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (days, day) in
            [(0, (1970, 1, 1)), (59, (1970, 3, 1)), (11_016, (2000, 2, 29)), (20_777, (2026, 11, 20))]
        {
            assert_eq!(date(days), day);
        }
    }

    #[test]
    fn a_run_is_read_back_and_a_torn_line_is_left_out() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::create(folder.path(), "one", true).expect("it is new");
        let run = Record::run(
            RunInfo::default(),
            Machine::default(),
            (Vec::new(), Vec::new()),
            Vec::new(),
            Vec::new(),
            0.03,
        );
        store.append(vec![run, Record::Sample(Box::default())]).expect("there is space");
        let path = folder.path().join("latest").join("samples.jsonl");
        let whole = fs::read_to_string(&path).expect("latest leads there");
        fs::write(&path, format!("{whole}{{\"kind\":\"sam")).expect("it is ours");
        assert_eq!(read(&folder.path().join("one")).expect("it is valid").len(), 2);
        fs::write(&path, format!("{{\"kind\":\"sam\n{whole}")).expect("it is ours");
        assert!(
            read(&folder.path().join("one")).is_err(),
            "a torn line in the middle is no accident of the end"
        );
    }
}
