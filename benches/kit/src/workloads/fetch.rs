//! Ask a slow server many things at once.

use super::{Needs, join_all, scale};
use crate::page::page;
use crate::random::Random;
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Need, Profile, Workload};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;

pub(super) const NEEDS: Needs = Needs { capabilities: &[Capability::Spawn, Capability::Net], units: |n| n };

pub(super) fn about() -> Workload {
    Workload {
        place: 7,
        about: "n HTTP requests to a local server that answers after 20 ms, 200 ms or a heavy-tailed time".into(),
        shows: "how well a model waits: with all requests in flight the whole takes as long as the slowest answer, \
                with W at a time it takes n / W answers"
            .into(),
        verified: "status 200, and the SHA-256 of salt and body; every request target has a body of its own that the \
                   oracle makes itself"
            .into(),
        unit: "request".into(),
        scales: vec![
            scale("20ms", 16, 16, Profile::Quick),
            scale("200ms", 8, 8, Profile::Full),
            scale("tail", 32, 32, Profile::Default),
        ],
        timeout_ms: 60_000,
        needs: vec![Need::Server],
        ..Workload::default()
    }
}

pub(super) fn input(case: &Case) -> Result<Input, String> {
    let server = case.server.as_deref().ok_or("fetch needs the address of its server")?;
    server.parse::<SocketAddr>().map_err(|error| format!("the server's address `{server}`: {error}"))?;
    let mut random = Random::new(case.seed, &case.workload);
    let salt = random.salt();
    let delays = match case.scale.as_str() {
        "20ms" => (0..case.n).map(|_| 20).collect(),
        "200ms" => (0..case.n).map(|_| 200).collect(),
        "tail" => tail_ms(case.n, &mut random),
        other => return Err(format!("fetch has no scale `{other}`: it has `20ms`, `200ms` and `tail`")),
    };
    let target = |delay_ms: u64| format!("/{delay_ms}/{}", random.below(1_000_000_000));
    let texts = std::iter::once(server.to_owned()).chain(delays.into_iter().map(target)).collect();
    Ok(Input { salt, texts, ..Input::default() })
}

/// Delays of a Pareto distribution with the exponent 1.5, from 5 ms on and cut off at 200 ms: most answers come soon, a
/// few keep everybody waiting.
///
/// They are the same in every round, the middles of n equally likely parts, and only their order is drawn: the largest of
/// n draws would decide how long a round takes, and rounds of different work look like a machine that drifts.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "counts of requests are small, and a delay lies between 5 and 200"
)]
fn tail_ms(n: u64, random: &mut Random) -> Vec<u64> {
    let middle = |part: u64| (part as f64 + 0.5) / n as f64;
    let delay = |above: f64| (5.0 / above.powf(1.0 / 1.5)).min(200.0).round() as u64;
    let mut delays: Vec<u64> = (0..n).map(|part| delay(middle(part))).collect();
    random.shuffle(&mut delays);
    delays
}

pub(super) fn expected(input: &Input, _: u64) -> Vec<u64> {
    input.texts[1..].iter().map(|target| result(input.salt, &page(target))).collect()
}

pub(super) async fn run<M: Model>(model: &M, stage: &Stage) -> Vec<u64> {
    let address: SocketAddr = stage.input.texts[0].parse().expect("the oracle has checked the address");
    let salt = stage.input.salt;
    let unit = |target: &str| {
        let request = request(address, target);
        async move {
            match M::exchange(address, request).await {
                Ok(answer) => result_of(salt, &answer),
                Err(error) => panic!("cannot ask {address}: {error}"),
            }
        }
    };
    let tasks = stage.input.texts[1..].iter().map(|target| model.spawn(unit(target))).collect();
    join_all::<M>(tasks).await
}

/// What is sent to the server for one target.
#[must_use]
pub fn request(address: SocketAddr, target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").into_bytes()
}

/// A unit's result from the server's whole answer.
///
/// # Panics
/// If the server did not answer with 200.
#[must_use]
pub fn result_of(salt: u64, answer: &[u8]) -> u64 {
    result(salt, body(answer))
}

/// What follows the head of an answer whose status is 200.
fn body(answer: &[u8]) -> &[u8] {
    let head = String::from_utf8_lossy(&answer[..answer.len().min(60)]);
    assert!(answer.starts_with(b"HTTP/1.1 200"), "the server did not answer with 200: {head:?}");
    let blank = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    &answer[blank.expect("an answer has a head and a body") + 4..]
}

fn result(salt: u64, body: &[u8]) -> u64 {
    let hash = Sha256::new().chain_update(salt.to_be_bytes()).chain_update(body).finalize();
    u64::from(u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_heavy_but_bounded() {
        let mut delays = tail_ms(10_000, &mut Random::new(5, "fetch"));
        delays.sort_unstable();
        assert!(delays[0] == 5 && delays[9_999] == 200);
        // The median of this distribution is 5 * 2^(2/3) = 7.9.
        assert_eq!(delays[5_000], 8);
    }

    #[test]
    fn rounds_of_the_tail_differ_by_order_alone() {
        let targets = |seed| {
            let case = Case {
                seed,
                n: 32,
                scale: "tail".into(),
                server: Some("127.0.0.1:1".into()),
                ..Case::default()
            };
            let texts = input(&case).unwrap().texts;
            let delay = |text: &String| text.split('/').nth(1).unwrap().parse().unwrap();
            texts[1..].iter().map(delay).collect::<Vec<u64>>()
        };
        let (mut one, mut other) = (targets(1), targets(2));
        assert_ne!(one, other);
        one.sort_unstable();
        other.sort_unstable();
        assert_eq!(one, other);
        assert_eq!((one[0], one[31]), (5, 80));
    }

    #[test]
    #[should_panic(expected = "did not answer with 200")]
    fn another_status_is_no_result() {
        body(b"HTTP/1.1 404 Not Found\r\n\r\n");
    }
}
