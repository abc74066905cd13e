//! What is wrong with a cell, in English.

use std::time::Duration;

use super::counted;
use super::report::REPORT;
use crate::protocol::Uses;
use crate::texts::FaultTexts;

pub(super) const FAULTS: FaultTexts = FaultTexts {
    no_end: |limit| format!("no end within {}", seconds(limit)),
    not_an_answer: |line, error| format!("not an answer: {line} ({error})"),
    out_of_turn: |answer, state| format!("{answer} is no answer here (it is {state})"),
    wrong_digest: |batch, got, right| {
        let what = batch.map_or_else(|| "the warm-up".to_owned(), |batch| format!("timed batch {batch}"));
        format!("{what} gave digest [{got}], which must be {right}")
    },
    empty_batch: |iterations, ns| format!("reported a batch of {iterations} iterations in {ns} ns"),
    no_batch: "said that it was done without a timed batch",
    impossible_time: |claimed, passed| format!("reported {claimed} ns of work within {passed} ns"),
    too_little_time: |spent, asked| format!("was done after {spent} ns of batches, which must be {asked} ns"),
    no_outcome: "said that it was done without an outcome",
    no_memory: "never held for its memory to be measured",
    took_memory: |left, start| {
        let mib = |bytes: u64| bytes / (1024 * 1024);
        format!("took more than 60 % of the memory: {} MiB of {} MiB were left", mib(left), mib(start))
    },

    wrong_count: |results, tasks| format!("gave {results} results for {tasks} tasks"),
    victim_lives: |task, got| format!("task {task} was to fail and gave {got}"),
    wrong_result: |task, got, right| format!("task {task} gave {got}, which must be {right}"),
    wrong_outcome: |outcome, lost, of| format!("called it {outcome:?} with {lost} of {of} results lost"),
    cause_and_losses: |cause, lost, of| format!("{cause}; {lost} of {of} results lost"),
    ended_program: |exit| format!("{exit} ended the program"),
    unsteady_outcome: |outcomes| format!("its outcome changed from round to round: {}", outcomes.join(", ")),

    exit_code: |code| format!("exit code {code}"),
    signal: |number| format!("signal {number}"),
    no_exit: |limit| format!("answered, then did not exit within {}", seconds(limit)),
    closed_answers: "closed its answers and did not end",
    bad_exit: |exit| format!("answered, then ended with {exit}"),
    early_exit: |exit, said| match said {
        Some(said) => format!("ended with {exit} before its answer: {said}"),
        None => format!("ended with {exit} before its answer"),
    },
    process: |name, pid| format!("{name} (pid {pid})"),
    left_behind: |names| format!("left {} behind: {}", counted(names.len(), "process"), names.join(", ")),
    left_behind_note: |processes| format!("left {} behind", counted(processes, "process")),
    wrote_to_stdout: |text| {
        format!("wrote to standard output: {text:?}; only answers may be written, to descriptor 3")
    },

    not_its_model: |uses, (processes, threads, looks)| {
        let (processes, threads) = (counted(processes, "process"), counted(threads, "thread"));
        let seen = format!("in {looks} looks it had at most {processes} and {threads}");
        format!("does not use its model, which is {}: {seen}", (REPORT.uses)(uses))
    },
    one_did_all: |uses, workers| {
        let one = if uses == Uses::Processes { "process" } else { "thread" };
        let declared = (REPORT.uses)(uses);
        format!(
            "does not use its model, which is {declared}: one {one} did all the work for {workers} workers"
        )
    },
    much_cpu_time: "used more CPU time than its CPUs have",
    too_fast: |factor, cpus| format!("check this: {factor:.1} times as fast as one thread, on {cpus} CPUs"),

    in_round: |why, round| {
        let when = if round == 0 { "in the check".to_owned() } else { format!("in round {round}") };
        format!("{} ({when})", why.unwrap_or("no reason given"))
    },
};

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_fit_their_values() {
        let names = |count: i32| (1..=count).map(|pid| (FAULTS.process)("sleep", pid)).collect::<Vec<_>>();
        assert_eq!((FAULTS.left_behind)(&names(1)), "left 1 process behind: sleep (pid 1)");
        assert_eq!((FAULTS.left_behind)(&names(2)), "left 2 processes behind: sleep (pid 1), sleep (pid 2)");
        assert_eq!((FAULTS.wrong_digest)(None, "a", "b"), "the warm-up gave digest [a], which must be b");
        assert_eq!((FAULTS.wrong_digest)(Some(3), "", "b"), "timed batch 3 gave digest [], which must be b");
        assert_eq!(
            (FAULTS.early_exit)(&"SIGABRT", Some("it broke")),
            "ended with SIGABRT before its answer: it broke"
        );
        assert_eq!(
            (FAULTS.not_its_model)(Uses::Threads, (1, 1, 9)),
            "does not use its model, which is threads: in 9 looks it had at most 1 process and 1 thread"
        );
        assert_eq!(
            (FAULTS.one_did_all)(Uses::Processes, 4),
            "does not use its model, which is processes: one process did all the work for 4 workers"
        );
        assert_eq!((FAULTS.in_round)(None, 0), "no reason given (in the check)");
        assert_eq!((FAULTS.in_round)(Some("hung"), 2), "hung (in round 2)");
        assert_eq!((FAULTS.no_end)(Duration::from_millis(1500)), "no end within 1.5 s");
    }
}
