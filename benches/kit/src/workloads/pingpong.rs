//! Pairs of units that answer each other.

use super::{Needs, join_all, salted, scale};
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Profile, Workload};

/// How many questions each client asks.
pub const ROUND_TRIPS: u64 = 100;

pub(super) const NEEDS: Needs =
    Needs { capabilities: &[Capability::Spawn, Capability::Channel], units: |n| 2 * n };

pub(super) fn about() -> Workload {
    Workload {
        place: 3,
        about: "n pairs of units; in each, a client asks and a server answers 100 times over two channels that hold \
                one message"
            .into(),
        shows: "what it costs to hand something over and wait for the answer: two wake-ups, with nothing to do between"
            .into(),
        verified: "the server answers x with x + 1, the client checks it and asks with the answer + 1; the last answer \
                   of each pair is its result"
            .into(),
        unit: "round trip".into(),
        scales: vec![
            scale("1", 1, ROUND_TRIPS, Profile::Quick),
            scale("16", 16, 16 * ROUND_TRIPS, Profile::Full),
            scale("256", 256, 256 * ROUND_TRIPS, Profile::Full),
        ],
        timeout_ms: 60_000,
        ..Workload::default()
    }
}

pub(super) fn input(case: &Case) -> Result<Input, String> {
    Ok(salted(case))
}

/// Each question and each answer adds one, except the first question.
pub(super) fn expected(input: &Input, n: u64) -> Vec<u64> {
    (0..n).map(|pair| input.salt + pair + 2 * ROUND_TRIPS - 1).collect()
}

pub(super) async fn run<M: Model>(model: &M, stage: &Stage) -> Vec<u64> {
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for pair in 0..stage.n {
        let (questions_in, questions) = M::channel(1);
        let (answers_in, answers) = M::channel(1);
        servers.push(model.spawn(serve::<M>(questions, answers_in)));
        clients.push(model.spawn(ask::<M>(stage.input.salt + pair, questions_in, answers)));
    }
    let results = join_all::<M>(clients).await;
    let served = join_all::<M>(servers).await;
    assert!(served.iter().all(|&count| count == ROUND_TRIPS), "a server answered {served:?} questions");
    results
}

async fn ask<M: Model>(first: u64, mut questions: M::Sender, mut answers: M::Receiver) -> u64 {
    let (mut question, mut answer) = (first, 0);
    for _ in 0..ROUND_TRIPS {
        assert!(M::send(&mut questions, question).await, "the server left before the question {question}");
        answer = M::receive(&mut answers).await.expect("the server answers every question");
        assert_eq!(answer, question + 1, "the server answered something else");
        question = answer + 1;
    }
    answer
}

async fn serve<M: Model>(mut questions: M::Receiver, mut answers: M::Sender) -> u64 {
    let mut served = 0;
    while let Some(question) = M::receive(&mut questions).await {
        assert!(M::send(&mut answers, question + 1).await, "the client left before the answer to {question}");
        served += 1;
    }
    served
}
