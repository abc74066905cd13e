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
    let mut texts = vec![server.to_owned()];
    for _ in 0..case.n {
        let delay_ms = match case.scale.as_str() {
            "20ms" => 20,
            "200ms" => 200,
            "tail" => tail_ms(&mut random),
            other => return Err(format!("fetch has no scale `{other}`: it has `20ms`, `200ms` and `tail`")),
        };
        texts.push(format!("/{delay_ms}/{}", random.below(1_000_000_000)));
    }
    Ok(Input { salt, texts, ..Input::default() })
}

/// A delay of a Pareto distribution with the exponent 1.5, from 5 ms on and cut off at 200 ms: most answers come soon,
/// a few keep everybody waiting.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 5 and 200")]
fn tail_ms(random: &mut Random) -> u64 {
    (5.0 / random.fraction().powf(1.0 / 1.5)).min(200.0) as u64
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
pub(crate) fn request(address: SocketAddr, target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").into_bytes()
}

/// A unit's result from the server's whole answer.
///
/// # Panics
/// If the server did not answer with 200.
pub(crate) fn result_of(salt: u64, answer: &[u8]) -> u64 {
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
        let mut random = Random::new(5, "fetch");
        let mut delays: Vec<u64> = (0..10_000).map(|_| tail_ms(&mut random)).collect();
        delays.sort_unstable();
        assert!(delays[0] >= 5 && delays[9_999] == 200);
        // The median of this distribution is 5 * 2^(2/3) = 7.9.
        assert!((7..=8).contains(&delays[5_000]), "{}", delays[5_000]);
    }

    #[test]
    #[should_panic(expected = "did not answer with 200")]
    fn another_status_is_no_result() {
        body(b"HTTP/1.1 404 Not Found\r\n\r\n");
    }
}
