//! The report in English.

use crate::protocol::Uses;
use crate::texts::ReportTexts;
use crate::texts::report::{Facts, ScriptTexts};

pub(super) const REPORT: ReportTexts = ReportTexts {
    product: "Trefoil compare",
    page_title: |run| format!("Trefoil compare: {run}"),
    headline: |models, workloads| {
        let models = if models == 1 { "1 model".to_owned() } else { format!("{models} models") };
        let workloads =
            if workloads == 1 { "1 workload".to_owned() } else { format!("{workloads} workloads") };
        format!("{models} of concurrency on {workloads}")
    },
    skip: "Skip to the answers",
    contents: "Contents",

    run: "Run",
    run_line: |profile, rounds, baseline| format!("{profile}, {rounds}, against {baseline}"),
    when: |started, took| format!("{started}, took {took}"),
    machine: "Machine",
    machine_line: |cpus, memory| match cpus {
        1 => format!("1 CPU, {memory}"),
        _ => format!("{cpus} CPUs, {memory}"),
    },
    noise_floor: "Noise floor",
    margins: |typical, largest| format!("typically {typical}, at most {largest}"),
    margin_means: |most| {
        format!(
            "Within this margin two models are called the same. Above {most}, differences below it cannot be told, and \
             nothing is called the same."
        )
    },
    no_control: "No control was measured.",
    unstable: "Unstable",
    nothing_unstable: "Nothing",
    unstable_means: "The control differs from itself: no verdicts there.",
    missing: "Missing",
    coverage: |ok, all| format!("{ok} of {all} cells have a result"),
    see_missing: "what is missing, and why",

    answers: "Answers",
    overview: "Overview",
    overview_help: "How many times the best model's value each one needs; 1.00 is the best, less is better. Below it the \
        rank. Of a model with two forms it is the better one. Every value is in the tables further down.",
    steps: ["best, or tied with it", "below 1.5×", "below 3×", "below 10×", "below 100×", "100× and more"],
    step_hole: "no result",
    tie_help: "=1 marks models that tie: no difference between them was shown.",
    heat_tip: |model, group, value, ratio| format!("{model}, {group}: {value}, {ratio} the best"),
    holes: "What is missing, and why",
    no_holes: "Nothing: every model did every workload.",
    place: "Workloads",
    everywhere: "all",
    status: "Status",
    reason: "Reason",

    shows: "Shows",
    verified: "Verified",
    forest_caption: |quantity, baseline| format!("Ratio to {baseline} in {quantity}. Less is better."),
    medians_caption: |quantity, best, baseline| {
        format!(
            "{baseline} has no result here: medians as a multiple of {best}'s, in {quantity}. Less is better."
        )
    },
    plots: "How to read the plots below",
    forest_help: |most| {
        format!(
            "Every row is a model, on a logarithmic axis. The sign stands at the ratio to the baseline: ▲ faster, ▼ \
             slower, ■ the same, ○ unclear, ◆ the baseline itself. The bar through it is the 95 % interval. The dots are \
             single rounds, the first on top. The shaded band around 1 is the margin: within it two models are called \
             the same, unless it is wider than {most}; then nothing is."
        )
    },
    memory_caption: |unit| format!("Memory per waiting {unit}. Less is better."),
    memory_help: "Logarithmic: each grid line is four times the one before.",
    outcome_caption: "One of several tasks fails. What is lost with it?",
    outcome_help: "Task: only its own result. Worker: results of others too, or the pool takes no more work. Program: all.",
    causes: "What the handle of the lost task said",
    group_holes: "No result",
    notes: "Remarks",
    figures: "All figures, CPU time, context switches and memory",
    resources_help: "CPU time and context switches are per iteration, over the whole process tree, median of the rounds; \
        memory is the peak of the tree. Their bars are shares of the largest.",
    model: "Model",
    value: "Median",
    range: "Range of the rounds",
    ratio: "Ratio",
    interval: "95 % interval",
    verdict: "Verdict",
    rounds: "Rounds",
    startup: "Start-up",
    cpu: "CPU time",
    switches: "Switches",
    peak: "Peak memory",
    plot: |baseline| format!("Ratio to {baseline}"),

    slopes: "Bytes per further task",
    slopes_help: "The Theil-Sen slope of memory over the number of waiting tasks: what a runtime takes once is not in it.",
    sweeps: "Worker counts",
    sweeps_help: "For each model the count with the smallest value, and the counts that are not shown to be worse.",
    best: "Best",
    by_workers: "Ratio to the best, by count",
    speedups: "Speed-up",
    speedups_help: "How many times as fast with more CPUs, each time at the best worker count. The parallel part is a \
        least-squares fit of Amdahl's law; the ceiling is what it would allow with any number of CPUs.",
    on_cpus: |cpus| if cpus == 1 { "1 CPU".to_owned() } else { format!("{cpus} CPUs") },
    parallel: "Parallel part",
    ceiling: "Ceiling",

    flags: "What disturbed the run",
    no_flags: "Nothing that was noticed.",
    flag_cause: "Likely cause",
    flag_remedy: "Remedy",
    flag_rounds: |rounds| {
        let rounds: Vec<_> = rounds.iter().map(u32::to_string).collect();
        format!("rounds {}", rounds.join(", "))
    },
    method: "Method",
    method_points: &[
        (
            "A round",
            "Every model of a workload runs once, each in a new process, in an order drawn anew for each round. \
             Workloads take turns, so that a slow minute is charged to nobody.",
        ),
        (
            "A value",
            "After a warm-up, batches are timed until they fill their time; the round's value is their median. Start-up \
             is apart and never mixed in.",
        ),
        (
            "Verified",
            "The inputs follow from the round's seed, and every result is compared by digest with what an oracle \
             computed. A wrong answer is reported and never ranked.",
        ),
        (
            "A ratio",
            "Values are paired with the baseline's of the same round: Hodges-Lehmann estimate, exact signed-rank \
             interval at 95 %.",
        ),
        (
            "A verdict",
            "Faster or slower if the whole interval lies beyond the margin, the same if it lies within, otherwise \
             unclear. Unclear does not mean equal. Models whose difference was not shown share a rank.",
        ),
        (
            "The control",
            "The baseline runs twice under two names, or another model where the baseline has no result. Its ratio to \
             itself is the noise floor; where it differs, the group is unstable and gets no verdicts.",
        ),
        (
            "Fairness",
            "All models have the same CPUs and, unless they have one thread by nature, the same number of workers. \
             Each does the work in the idiom that its own project documents.",
        ),
        (
            "Limits",
            "One machine, one day, these versions. Python models run the same loops in Python. Small differences on a \
             virtual machine are worth less than their intervals suggest.",
        ),
    ],
    environment: "Environment",
    facts: Facts {
        cpu: "Processor",
        cpus: "CPUs",
        memory: "Memory",
        os: "System",
        virtualization: "Virtualization",
        clock: "Clock",
        governor: "Governor",
        limits: "Limits",
        rustc: "Rust",
        commit: "Commit",
        seed: "Seed",
        unknown: "unknown",
    },
    models: "Models",
    version: "Version",
    runs_on: "Runs on",
    about: "About",
    uses: |uses| match uses {
        Uses::OneThread { .. } => "one thread",
        Uses::Threads => "threads",
        Uses::Processes => "processes",
    },
    data: "Raw data",
    download: |size| format!("Download summary.json ({size})"),
    data_help: "Numbers in this copy are rounded to seven digits. The exact summary.json and every single sample, in \
        samples.jsonl, are in the run's folder beside this report.",
    reproduce: "Run it again",
    reproduce_help: "The seed repeats all orders and inputs. The machine's mood it cannot repeat.",

    script: ScriptTexts {
        filter: "Show models",
        filter_hint: "part of a name",
        highlight: "Highlight",
        nobody: "nobody",
        sort: "Sort by",
    },
};
