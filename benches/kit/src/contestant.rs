//! A contestant's life: one request in, answers out.

use crate::describe::{GENERIC, IDIOMATIC, ability, describe};
use crate::measure::{Batch, Event, distinct, measure};
use crate::workloads::{self, Entry};
use crate::{Model, Stage, answers, planted, refused};
use compare::protocol::{Answer, Case, Metric, Request, Run, VERSION, digest};
use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};
use std::sync::Arc;

/// A contestant's `main`, and the test that it ends with: [`check`](crate::check()).
#[macro_export]
macro_rules! main {
    ($model:ty) => {
        fn main() -> std::process::ExitCode {
            $crate::main::<$model>()
        }

        #[cfg(test)]
        #[test]
        fn every_workload_gives_the_results_of_the_oracle() {
            $crate::check::<$model>();
        }
    };
}

/// What [`main!`](crate::main!) puts into a contestant's `main`.
///
/// It reads a request, carries it out and answers; whatever goes wrong is told on standard error, with exit code 1.
#[must_use]
pub fn main<M: Model>() -> ExitCode {
    match serve::<M>() {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{}: {why}", M::facts().name);
            ExitCode::FAILURE
        }
    }
}

fn serve<M: Model>() -> Result<(), String> {
    die_with_the_engine();
    let line = match env::var(REQUEST_VARIABLE) {
        Ok(line) => line,
        Err(_) => answers::listen()
            .map_err(|error| format!("cannot read a request from standard input: {error}"))?,
    };
    let request = serde_json::from_str(&line).map_err(|error| {
        format!("`{}` is not a request: {error}; by hand, try: echo '{{\"call\":\"describe\"}}'", line.trim())
    })?;
    match request {
        Request::Describe => {
            answers::connect()?;
            answers::say(&Answer::Description(describe(&M::facts())));
        }
        Request::Expect(case) => {
            answers::connect()?;
            answers::say(&expect(&case)?);
        }
        Request::Run(order) => {
            tell_workers(M::facts().worker_variables, order.workers, &line)?;
            answers::connect()?;
            run::<M>(order)?;
        }
        other => return Err(format!("this contestant does not know the request {other:?}: rebuild it")),
    }
    Ok(())
}

/// The oracle's answer.
fn expect(case: &Case) -> Result<Answer, String> {
    let entry = known(&case.workload)?;
    let input = (entry.input)(case)?;
    let results = (entry.expected)(&input, case.n);
    let digest = digest(&results);
    // Only where some results may be missing does the engine need them one by one.
    let results = if entry.workload().metric == Metric::Outcome { results } else { Vec::new() };
    Ok(Answer::Expected { input, digest, results })
}

fn run<M: Model>(order: Run) -> Result<(), String> {
    if order.v != VERSION {
        return Err(format!("the engine speaks version {} and I {VERSION}: rebuild both", order.v));
    }
    let entry = known(&order.workload)?;
    let ability = ability(&M::facts(), entry);
    if !ability.forms.contains(&order.form) {
        let why = ability.why.unwrap_or_default();
        return Err(format!(
            "no {} form of {}; there is {:?} {why}",
            order.form, order.workload, ability.forms
        ));
    }
    let workers = usize::try_from(order.workers.max(1)).expect("a number of workers fits");
    let model = match M::start(workers) {
        Ok(model) => Arc::new(model),
        Err(error) => answers::limit(format!(
            "cannot start {workers} workers: {}; try fewer with --workers",
            refused(error)
        )),
    };
    let stage = Arc::new(Stage { input: order.input, scale: order.scale, n: order.n, workers });
    answers::say(&Answer::Ready);
    let execute = |iterations| batch(&model, &stage, entry.name, &order.form, iterations);
    match entry.workload().metric {
        Metric::Time => measure(order.timing, execute, |event| answers::say(&event.into())),
        // The engine measures at the two holds in the middle of the one iteration.
        Metric::Memory => {
            let digests = distinct(&execute(1).results);
            answers::say(&Answer::Warm { iterations: 1, digests });
        }
        // The one iteration tells its outcome itself, if the program lives to tell it.
        Metric::Outcome => drop(execute(1)),
    }
    answers::say(&Answer::Done);
    // The engine reads our memory before it lets go of standard input.
    answers::await_word();
    Ok(())
}

/// Executes a number of iterations as the model's root unit.
pub(crate) fn batch<M: Model>(
    model: &Arc<M>,
    stage: &Arc<Stage>,
    workload: &'static str,
    form: &str,
    iterations: u64,
) -> Batch {
    let (own_model, own_stage) = (Arc::clone(model), Arc::clone(stage));
    let mut batch = match form {
        GENERIC => {
            model.run(async move { workloads::generic(workload, &*own_model, &own_stage, iterations).await })
        }
        IDIOMATIC => {
            model.run(async move { workloads::own(workload, &*own_model, &own_stage, iterations).await })
        }
        other => panic!("no form is called `{other}`"),
    };
    if planted::corrupt() {
        batch.results.iter_mut().for_each(|results| planted::flip(results.iter_mut()));
    }
    batch
}

impl From<Event> for Answer {
    fn from(event: Event) -> Self {
        match event {
            Event::Warm { iterations, digests } => Answer::Warm { iterations, digests },
            Event::Batch { ns, iterations, digests } => Answer::Batch { ns, iterations, digests },
        }
    }
}

fn known(workload: &str) -> Result<&'static Entry, String> {
    let names: Vec<&str> = workloads::ALL.iter().map(|entry| entry.name).collect();
    workloads::named(workload)
        .ok_or_else(|| format!("no workload is called `{workload}`; there are {names:?}"))
}

/// Runtimes that read their number of workers from the environment must find it there before they start, and a program
/// cannot safely change its own environment: so it starts itself again, once, with the request in a variable.
fn tell_workers(variables: &[&str], workers: u32, request: &str) -> Result<(), String> {
    let workers = workers.max(1).to_string();
    if variables.iter().all(|name| env::var(name).is_ok_and(|value| value == workers)) {
        return Ok(());
    }
    let program = env::current_exe().map_err(|error| format!("cannot find my own program: {error}"))?;
    let mut again = Command::new(program);
    again.env(REQUEST_VARIABLE, request).envs(variables.iter().map(|name| (name, &workers)));
    Err(format!("cannot start myself again with {variables:?} set: {}", again.exec()))
}

/// Carries the request over to the program's second start.
const REQUEST_VARIABLE: &str = "COMPARE_KIT_REQUEST";

/// Whatever happens to the engine, no contestant is left behind computing.
fn die_with_the_engine() {
    #[cfg(target_os = "linux")]
    if let Err(error) = nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL) {
        eprintln!("cannot ask to die with the engine: {error}");
    }
}
