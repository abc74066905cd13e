//! The command line.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::failure::Failure;
use crate::protocol::Profile;
use crate::stats::ties;
use crate::table::Format;

/// Words that no model and no workload may bear: they are commands, now or later.
pub(crate) const RESERVED: [&str; 7] = ["new", "report", "doctor", "peers", "goals", "crash-score", "help"];

/// Measures threads, processes, pools, async runtimes, coroutines, Python and Node on this machine: the same verified work
/// on each, every cell in a fresh process, all models interleaved round by round, ratios with exact intervals.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask compare",
    bin_name = "cargo xtask compare",
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = EXIT_CODES
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) options: Options,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    all went well; cells that this machine cannot run are no error
  1    the engine itself failed
  2    the command line asks for what cannot be, or matches nothing
  3    `goals`: some goal is not met
  4    some cell gave a wrong answer
  5    some cell crashed, hung or left processes behind
  101  the engine does not build
  130  interrupted; what was measured is kept

Results go to standard output, everything else to standard error.
NO_COLOR, CLICOLOR_FORCE and TERM=dumb are honoured.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write the skeleton of a model or a workload that runs at once
    New {
        /// What to write
        kind: NewKind,
        /// Its name: lower-case letters and digits; in a model's also hyphens, in a workload's underscores
        name: String,
    },
    /// Draw table and report of an earlier run again, from its samples
    Report {
        /// The run's folder, or its name below target/compare; the latest if left out
        run: Option<PathBuf>,
        #[command(flatten)]
        show: Show,
    },
    /// Look at this machine as an instrument: what would disturb a measurement, and what to do about it
    Doctor,
    /// Measure our crates head to head with their peers: every contestant of a row in fresh processes, in random order
    Peers(PeerOptions),
    /// Measure what our crates are held to (benches/goals.toml), and say which goals are met
    Goals(GoalOptions),
}

/// What `peers` and `goals` have in common.
#[derive(Clone, Debug, Args)]
pub(crate) struct HeadToHead {
    /// The area, such as sync; all of them if left out
    pub(crate) area: Option<String>,
    /// Only these rows; * and ? match
    #[arg(long, value_name = "GLOB", value_parser = globs)]
    pub(crate) rows: Vec<String>,
    /// Rounds of each row
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// Write the results to this file as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// The seed from which orders follow; by default from the clock
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..1 << 53))]
    pub(crate) seed: Option<u64>,
    /// Longest time for one sample, such as 10s or 2m [default: 1m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Read the command line and what it names, do nothing: asked before peers are built
    #[arg(long, hide = true)]
    pub(crate) check_arguments: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct PeerOptions {
    #[command(flatten)]
    pub(crate) how: HeadToHead,
    /// List the rows with their contestants, run nothing
    #[arg(long)]
    pub(crate) list: bool,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct GoalOptions {
    #[command(flatten)]
    pub(crate) how: HeadToHead,
    /// Append each row to this file when it is measured, and measure no row that it already holds: a run goes on where it
    /// was interrupted
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum NewKind {
    Model,
    Workload,
}

/// How results are shown.
#[derive(Clone, Debug, Args)]
pub(crate) struct Show {
    /// How results are written to standard output
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub(crate) format: Format,
    /// Open the report when it is written
    #[arg(long)]
    pub(crate) open: bool,
    /// Colours
    #[arg(long, value_enum, default_value_t = Choice::Auto, value_name = "WHEN")]
    pub(crate) color: Choice,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Choice {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    Auto,
    Bar,
    Plain,
    None,
}

#[derive(Clone, Debug, Args)]
pub(crate) struct Options {
    /// A workload, a model or WORKLOAD/MODEL; * and ? match; !FILTER takes away
    #[arg(value_name = "FILTER")]
    pub(crate) filters: Vec<String>,
    /// Six rounds at the smallest scales, in two minutes: exploratory
    #[arg(long, conflicts_with = "full")]
    pub(crate) quick: bool,
    /// All scales, 24 rounds
    #[arg(long)]
    pub(crate) full: bool,
    /// Rounds of each workload (quick 6, plain 14, full 24); below 6 there are no intervals
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: Option<u32>,
    /// The seed from which orders and inputs follow; by default from the clock, and always recorded
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..1 << 53))]
    pub(crate) seed: Option<u64>,
    /// Only these workloads
    #[arg(short, long = "workload", value_name = "GLOB", value_parser = globs)]
    pub(crate) workloads: Vec<String>,
    /// Only these models
    #[arg(short, long = "model", value_name = "GLOB", value_parser = globs)]
    pub(crate) models: Vec<String>,
    /// List all cells with their status, run nothing
    #[arg(long, conflicts_with_all = ["test", "plan", "exec"])]
    pub(crate) list: bool,
    /// With --list: as JSON
    #[arg(long, requires = "list")]
    pub(crate) json: bool,
    /// Verify every cell once, measure nothing
    #[arg(long, conflicts_with_all = ["plan", "exec"])]
    pub(crate) test: bool,
    /// Say what would be run and how long it takes, run nothing
    #[arg(long, conflicts_with = "exec")]
    pub(crate) plan: bool,
    /// The model that ratios are taken against [default: threads if picked, else the first]
    #[arg(long, value_name = "MODEL")]
    pub(crate) baseline: Option<String>,
    /// The smallest difference that counts, in percent; the control may widen it
    #[arg(long, value_name = "PERCENT", default_value = "3", value_parser = percent)]
    pub(crate) margin: f64,
    /// Worker counts to measure side by side, such as 1,2,4 [default: as many as CPUs]
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=4096))]
    pub(crate) workers: Vec<u32>,
    /// CPU counts to measure side by side; N stands for all, as in 1,N
    #[arg(long, value_name = "N,...", value_delimiter = ',', value_parser = cpu_count)]
    pub(crate) cpus: Vec<CpuCount>,
    /// The folder that `files` reads [default: $CARGO_HOME/registry/src, where cargo unpacks the sources of all projects]
    #[arg(long, value_name = "DIR")]
    pub(crate) input: Option<PathBuf>,
    /// Where run folders go [default: target/compare]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) show: Show,
    /// Progress on standard error
    #[arg(long, value_enum, default_value_t = ProgressMode::Auto, value_name = "HOW")]
    pub(crate) progress: ProgressMode,
    /// Longest time for one cell, such as 10s or 2m [default: the workload's own]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Run one cell in the foreground, for a profiler
    #[arg(long, value_name = "WORKLOAD/MODEL")]
    pub(crate) exec: Option<String>,
    /// Fetch nothing: use the Python environment that is there, or leave out the models that need one
    #[arg(long)]
    pub(crate) offline: bool,
    /// Read the command line and what it names, do nothing: asked before contestants are built
    #[arg(long, hide = true)]
    pub(crate) check_arguments: bool,
}

/// A number of CPUs, or all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CpuCount {
    Count(u32),
    All,
}

impl Cli {
    /// Reads the command line. `Err` is what to print and the exit code: help is an end, not an error.
    pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        let cli = Self::try_parse_from(arguments)?;
        if let Some(word) = cli.options.filters.iter().find(|word| RESERVED.contains(&word.as_str())) {
            let text = format!(
                "{word:?} is a command, or reserved for one that does not exist yet; it cannot stand here\n"
            );
            return Err(Self::command().error(clap::error::ErrorKind::ArgumentConflict, text));
        }
        Ok(cli)
    }
}

impl Options {
    pub(crate) fn profile(&self) -> Profile {
        match (self.quick, self.full) {
            (true, _) => Profile::Quick,
            (_, true) => Profile::Full,
            _ => Profile::Default,
        }
    }

    /// Rounds after the check.
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(match self.profile() {
            Profile::Quick => 6,
            // With these the ranks of up to 29 models are corrected.
            Profile::Default => ties::CORRECTED_ROUNDS + 1,
            Profile::Full => 24,
        })
    }

    /// The CPU counts, given how many there are.
    pub(crate) fn cpu_counts(&self, all: u32) -> Result<Vec<u32>, Failure> {
        let mut counts: Vec<u32> =
            self.cpus.iter().map(|count| if let CpuCount::Count(n) = count { *n } else { all }).collect();
        if counts.is_empty() {
            counts.push(all);
        }
        if let Some(count) = counts.iter().find(|&&count| count > all) {
            return Err(Failure::usage(format!(
                "--cpus {count}: this process may use {all} CPUs; ask for at most that many"
            )));
        }
        counts.sort_unstable();
        counts.dedup();
        Ok(counts)
    }

    /// The worker counts; empty for one per CPU.
    pub(crate) fn worker_counts(&self) -> Vec<u32> {
        let mut counts = self.workers.clone();
        counts.sort_unstable();
        counts.dedup();
        counts
    }
}

impl Choice {
    /// Whether to colour what goes to standard output.
    pub(crate) fn colours_stdout(self) -> bool {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if set("NO_COLOR") || std::env::var_os("TERM").is_some_and(|term| term == "dumb") => {
                false
            }
            Self::Auto if set("CLICOLOR_FORCE") || set("FORCE_COLOR") => true,
            Self::Auto => std::io::stdout().is_terminal(),
        }
    }
}

/// Globs separated by commas, at least one: none at all would pick everything.
fn globs(text: &str) -> Result<String, String> {
    if text.split(',').all(str::is_empty) {
        return Err("names nothing; give a name or a glob such as 'py-*'".to_owned());
    }
    Ok(text.to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>().map_err(|_| "not a number".to_owned())?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("must lie between 0 and 100".to_owned()) }
}

fn cpu_count(text: &str) -> Result<CpuCount, String> {
    if text.eq_ignore_ascii_case("n") {
        return Ok(CpuCount::All);
    }
    match text.parse() {
        Ok(count @ 1..) => Ok(CpuCount::Count(count)),
        _ => Err("must be a number from 1 on, or N for all".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let factor = match &text[digits..] {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" | "min" => 60.0,
        _ => return Err("must be a number with ms, s or m, such as 30s".to_owned()),
    };
    let seconds = text[..digits]
        .parse::<f64>()
        .map_err(|_| "must be a number with ms, s or m, such as 30s".to_owned())?;
    match Duration::try_from_secs_f64(seconds * factor) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("must be longer than nothing".to_owned()),
        Err(_) => Err("is longer than a clock can count; 60m is an hour".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, clap::Error> {
        Cli::read(std::iter::once("compare").chain(line.split_whitespace()).map(OsString::from))
    }

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_are_read() {
        let cli = read("spawn !py-* --quick --cpus 1,N --workers 4,1,4 --timeout 1.5s --margin 5%")
            .expect("it is valid");
        assert_eq!((cli.options.rounds(), cli.options.profile()), (6, Profile::Quick));
        assert_eq!(cli.options.cpu_counts(8).expect("eight"), [1, 8]);
        assert_eq!(cli.options.worker_counts(), [1, 4]);
        assert_eq!(cli.options.timeout, Some(Duration::from_millis(1500)));
        assert!((cli.options.margin - 5.0).abs() < 1e-9);
        assert!(matches!(read("new model mine").expect("it is valid").command, Some(Command::New { .. })));
        let Some(Command::Peers(peers)) = read("peers sync --rows mutex/*").expect("it is valid").command
        else {
            panic!("another command");
        };
        assert_eq!((peers.how.area.as_deref(), peers.how.rounds), (Some("sync"), 6));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, said) in [
            ("--quick --full", "cannot be used with"),
            ("--rounds 0", "0"),
            ("--timeout soon", "30s"),
            ("--timeout 0s", "longer than nothing"),
            ("--timeout 99999999999999999999s", "longer than a clock can count"),
            ("-w ,", "names nothing"),
            ("-m ,,", "names nothing"),
            ("--workload=", "names nothing"),
            ("--cpus 0", "from 1 on"),
            ("--json", "--list"),
            ("crash-score", "reserved"),
            ("peers --rounds 0", "0"),
            ("goals sync sync", "unexpected"),
            ("--margin 101", "between 0 and 100"),
        ] {
            let error = read(line).expect_err(line);
            assert!(error.to_string().contains(said), "{line}: {error}");
            assert_eq!(error.exit_code(), 2, "{line}");
        }
        let plain = read("").expect("valid").options;
        assert!(plain.cpu_counts(2).is_ok() && plain.rounds() == 14);
        let many =
            read("--cpus 3").expect("valid").options.cpu_counts(2).expect_err("there are two").to_string();
        assert!(many.contains("2 CPUs"), "{many}");
    }
}
