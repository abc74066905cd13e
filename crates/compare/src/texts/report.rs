//! The words of the report.

use crate::protocol::Uses;

/// See the module.
#[derive(Debug)]
pub(crate) struct ReportTexts {
    /// In front of the heading: whose report this is.
    pub(crate) product: &'static str,
    /// The page's title, from the run's name.
    pub(crate) page_title: fn(&str) -> String,
    /// The heading: how many models on how many workloads.
    pub(crate) headline: fn(usize, usize) -> String,
    /// The link past the navigation.
    pub(crate) skip: &'static str,
    /// What the navigation is called for those who hear it.
    pub(crate) contents: &'static str,

    /// Heading of the strip: the run.
    pub(crate) run: &'static str,
    /// The run in one line: profile, rounds, baseline.
    pub(crate) run_line: fn(&str, &str, &str) -> String,
    /// When it started and how long it took.
    pub(crate) when: fn(&str, &str) -> String,
    /// Heading of the strip: the machine.
    pub(crate) machine: &'static str,
    /// CPUs and memory.
    pub(crate) machine_line: fn(u32, &str) -> String,
    /// Heading of the strip: the noise floor.
    pub(crate) noise_floor: &'static str,
    /// The typical and the largest margin.
    pub(crate) margins: fn(&str, &str) -> String,
    /// What the margin means, and from where on nothing is called the same.
    pub(crate) margin_means: fn(&str) -> String,
    /// No control in this run.
    pub(crate) no_control: &'static str,
    /// Heading of the strip: what is unstable.
    pub(crate) unstable: &'static str,
    /// Nothing is.
    pub(crate) nothing_unstable: &'static str,
    /// What it means.
    pub(crate) unstable_means: &'static str,
    /// Heading of the strip: what is missing.
    pub(crate) missing: &'static str,
    /// How many of all cells have a result.
    pub(crate) coverage: fn(usize, usize) -> String,
    /// Link to the list of holes.
    pub(crate) see_missing: &'static str,

    /// Heading of the answers.
    pub(crate) answers: &'static str,
    /// Heading of the heat map.
    pub(crate) overview: &'static str,
    /// How to read the heat map.
    pub(crate) overview_help: &'static str,
    /// The legend's words for its steps, from the best on.
    pub(crate) steps: [&'static str; 6],
    /// The legend's word for a hole.
    pub(crate) step_hole: &'static str,
    /// What the mark of a tie means.
    pub(crate) tie_help: &'static str,
    /// The tip of a heat-map cell: model, group, value, ratio to the best.
    pub(crate) heat_tip: fn(&str, &str, &str, &str) -> String,
    /// Heading of the holes.
    pub(crate) holes: &'static str,
    /// There are none.
    pub(crate) no_holes: &'static str,
    /// Column of the holes: where.
    pub(crate) place: &'static str,
    /// In that column: all of them.
    pub(crate) everywhere: &'static str,
    /// Column of the holes: status.
    pub(crate) status: &'static str,
    /// Column of the holes: reason.
    pub(crate) reason: &'static str,

    /// Heading: what a workload shows.
    pub(crate) shows: &'static str,
    /// Heading: how it is verified.
    pub(crate) verified: &'static str,
    /// What the plot shows, from what is measured and the baseline.
    pub(crate) forest_caption: fn(&str, &str) -> String,
    /// What it shows where the baseline has no result: what is measured, the best model, the baseline.
    pub(crate) medians_caption: fn(&str, &str, &str) -> String,
    /// Heading: how to read the plots.
    pub(crate) plots: &'static str,
    /// What their signs mean, and at which margin nothing is called the same any more.
    pub(crate) forest_help: fn(&str) -> String,
    /// What the bars of memory show.
    pub(crate) memory_caption: fn(&str) -> String,
    /// How to read them.
    pub(crate) memory_help: &'static str,
    /// What the strip of outcomes shows.
    pub(crate) outcome_caption: &'static str,
    /// What its words mean.
    pub(crate) outcome_help: &'static str,
    /// The causes below the strip.
    pub(crate) causes: &'static str,
    /// The list of holes of one group.
    pub(crate) group_holes: &'static str,
    /// The remarks on single cells.
    pub(crate) notes: &'static str,
    /// The fold with all figures.
    pub(crate) figures: &'static str,
    /// How to read what it cost.
    pub(crate) resources_help: &'static str,
    /// Columns.
    pub(crate) model: &'static str,
    pub(crate) value: &'static str,
    pub(crate) range: &'static str,
    pub(crate) ratio: &'static str,
    pub(crate) interval: &'static str,
    pub(crate) verdict: &'static str,
    pub(crate) rounds: &'static str,
    pub(crate) startup: &'static str,
    pub(crate) cpu: &'static str,
    pub(crate) switches: &'static str,
    pub(crate) peak: &'static str,
    /// The plot's column.
    pub(crate) plot: fn(&str) -> String,

    /// Heading of the worker counts.
    pub(crate) sweeps: &'static str,
    /// What they show.
    pub(crate) sweeps_help: &'static str,
    /// The heading of the bytes per further task.
    pub(crate) slopes: &'static str,
    /// What they are.
    pub(crate) slopes_help: &'static str,
    /// Column: the best count.
    pub(crate) best: &'static str,
    /// Column: the ratio of each count to the best.
    pub(crate) by_workers: &'static str,
    /// Heading of the speed-ups.
    pub(crate) speedups: &'static str,
    /// What they show.
    pub(crate) speedups_help: &'static str,
    /// Column: the factor on so many CPUs.
    pub(crate) on_cpus: fn(u32) -> String,
    /// Column: the parallel part.
    pub(crate) parallel: &'static str,
    /// Column: the most that any number of CPUs could bring.
    pub(crate) ceiling: &'static str,

    /// Heading of the flags.
    pub(crate) flags: &'static str,
    /// There are none.
    pub(crate) no_flags: &'static str,
    /// In front of a flag's cause and remedy, and of the rounds it is about.
    pub(crate) flag_cause: &'static str,
    pub(crate) flag_remedy: &'static str,
    pub(crate) flag_rounds: fn(&[u32]) -> String,
    /// Heading of the method.
    pub(crate) method: &'static str,
    /// The method, point by point: a word and what it means.
    pub(crate) method_points: &'static [(&'static str, &'static str)],
    /// Heading of the environment.
    pub(crate) environment: &'static str,
    /// Names of the machine's facts.
    pub(crate) facts: Facts,
    /// Heading of the models.
    pub(crate) models: &'static str,
    /// Column: version.
    pub(crate) version: &'static str,
    /// Column: where its work runs.
    pub(crate) runs_on: &'static str,
    /// Column: what it is.
    pub(crate) about: &'static str,
    /// Where a model's work runs.
    pub(crate) uses: fn(Uses) -> &'static str,
    /// Heading of the raw data.
    pub(crate) data: &'static str,
    /// The link to it.
    pub(crate) download: fn(&str) -> String,
    /// How exact it is, and what lies beside the report.
    pub(crate) data_help: &'static str,
    /// Heading of the command.
    pub(crate) reproduce: &'static str,
    /// What the command does and does not repeat.
    pub(crate) reproduce_help: &'static str,

    /// For the script: what it puts on the page.
    pub(crate) script: ScriptTexts,
}

/// The names of what is known of the machine and the build.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) cpu: &'static str,
    pub(crate) cpus: &'static str,
    pub(crate) memory: &'static str,
    pub(crate) os: &'static str,
    pub(crate) virtualization: &'static str,
    pub(crate) clock: &'static str,
    pub(crate) governor: &'static str,
    pub(crate) limits: &'static str,
    pub(crate) rustc: &'static str,
    pub(crate) commit: &'static str,
    pub(crate) seed: &'static str,
    /// What is not known.
    pub(crate) unknown: &'static str,
}

/// What only exists where scripts run; handed to the script in the page.
#[derive(Debug)]
pub(crate) struct ScriptTexts {
    pub(crate) filter: &'static str,
    pub(crate) filter_hint: &'static str,
    pub(crate) highlight: &'static str,
    pub(crate) nobody: &'static str,
    pub(crate) sort: &'static str,
}
