//! The tutorials' example of work for the processor: is this number prime?

use super::{Needs, quick_only, scale};
use crate::random::Random;
use crate::{Capability, Model, Stage};
use compare::protocol::{Case, Input, Profile, Workload};

pub(super) const NEEDS: Needs = Needs { capabilities: &[Capability::Map], units: |_| 0 };

/// The numbers of the tutorials, one of them twice, as they have it. The last is the only composite: 3306091 divides it.
const TUTORIAL: [u64; 6] = [
    112_272_535_095_293,
    112_582_705_942_171,
    112_272_535_095_293,
    115_280_095_190_773,
    115_797_848_077_099,
    1_099_726_899_285_419,
];

pub(super) fn about() -> Workload {
    Workload {
        place: 5,
        about: "test numbers for primality by trial division, as many at a time as there are workers".into(),
        shows: "how much of the processors a model's way for computing work can use; the tutorials' list \
                has five primes of equal size and one number that is done in a third of their time, the scaled list \
                has 32 of equal size"
            .into(),
        verified: "salt * 2 + 1 for a prime and salt * 2 otherwise, against a Miller-Rabin test".into(),
        unit: "number".into(),
        scales: vec![quick_only(scale("scaled", 32, 32, Profile::Quick)), scale("tutorial", 6, 6, Profile::Default)],
        timeout_ms: 60_000,
        cpu_bound: true,
        ..Workload::default()
    }
}

pub(super) fn input(case: &Case) -> Result<Input, String> {
    let mut random = Random::new(case.seed, &case.workload);
    let salt = random.salt();
    let mut numbers = match case.scale.as_str() {
        "tutorial" => TUTORIAL.to_vec(),
        "scaled" => scaled(&mut random, case.n),
        other => return Err(format!("primes has no scale `{other}`: it has `scaled` and `tutorial`")),
    };
    random.shuffle(&mut numbers);
    Ok(Input { salt, numbers, texts: Vec::new() })
}

/// Three primes to each composite, all close to 4e9, and the composites without a small factor: so every test takes
/// nearly the same number of divisions, whatever the seed.
fn scaled(random: &mut Random, n: u64) -> Vec<u64> {
    let composites = n / 4;
    let prime =
        |from: u64| (from..).find(|&number| proved_prime(number)).expect("there is always another prime");
    let mut numbers: Vec<u64> =
        (composites..n).map(|_| prime(4_000_000_000 + random.below(1_000_000))).collect();
    for _ in 0..composites {
        numbers.push(prime(63_000 + random.below(400)) * prime(63_000 + random.below(400)));
    }
    numbers
}

pub(super) fn expected(input: &Input, _: u64) -> Vec<u64> {
    input.numbers.iter().map(|&number| input.salt * 2 + u64::from(proved_prime(number))).collect()
}

pub(super) async fn run<M: Model>(model: &M, stage: &Stage) -> Vec<u64> {
    let salt = stage.input.salt;
    model.map(stage.input.numbers.clone(), move |number| salt * 2 + u64::from(is_prime(number))).await
}

/// Trial division exactly as the tutorials have it: by 2, then by every odd number up to the square root.
#[must_use]
pub fn is_prime(number: u64) -> bool {
    if number < 2 {
        return false;
    }
    if number == 2 {
        return true;
    }
    if number % 2 == 0 {
        return false;
    }
    (3..=number.isqrt()).step_by(2).all(|divisor| number % divisor != 0)
}

/// The oracle's way: Miller-Rabin with the first twelve primes as bases, which decides every number below 2^64 (Jonathan
/// Sorenson, Jonathan Webster, "Strong pseudoprimes to twelve prime bases", Mathematics of Computation, 2017).
fn proved_prime(number: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if number < 2 || BASES.contains(&number) {
        return number >= 2;
    }
    if BASES.iter().any(|base| number % base == 0) {
        return false;
    }
    let halvings = (number - 1).trailing_zeros();
    BASES.iter().all(|&base| {
        let mut power = power_modulo(base, (number - 1) >> halvings, number);
        if power == 1 || power == number - 1 {
            return true;
        }
        (1..halvings).any(|_| {
            power = product_modulo(power, power, number);
            power == number - 1
        })
    })
}

fn power_modulo(mut base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let mut power = 1;
    while exponent > 0 {
        if exponent % 2 == 1 {
            power = product_modulo(power, base, modulus);
        }
        base = product_modulo(base, base, modulus);
        exponent /= 2;
    }
    power
}

fn product_modulo(a: u64, b: u64, modulus: u64) -> u64 {
    u64::try_from(u128::from(a) * u128::from(b) % u128::from(modulus))
        .expect("a remainder is below its modulus")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(number: u64) -> bool {
        number >= 2 && (2..number).all(|divisor| number % divisor != 0)
    }

    #[test]
    fn all_ways_agree_on_small_numbers() {
        for number in 0..3_000 {
            assert_eq!(is_prime(number), naive(number), "{number}");
            assert_eq!(proved_prime(number), naive(number), "{number}");
        }
    }

    #[test]
    fn strong_pseudoprimes_and_the_largest_prime_are_seen_through() {
        // The smallest strong pseudoprimes to the first 4 and to the first 9 prime bases.
        assert!(!proved_prime(3_215_031_751));
        assert!(!proved_prime(3_825_123_056_546_413_051));
        assert!(proved_prime(18_446_744_073_709_551_557));
    }

    #[test]
    fn the_scaled_list_is_as_described_for_every_seed() {
        for seed in 0..20 {
            let case =
                Case { workload: "primes".into(), scale: "scaled".into(), n: 32, seed, ..Case::default() };
            let numbers = input(&case).unwrap().numbers;
            assert_eq!(numbers.len(), 32);
            assert_eq!(numbers.iter().filter(|&&number| proved_prime(number)).count(), 24);
            assert!(
                numbers.iter().all(|number| (3_960_000_000..4_100_000_000).contains(number)),
                "{numbers:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn trial_division_and_miller_rabin_agree(number in 0_u64..1 << 36) {
            prop_assert_eq!(is_prime(number), proved_prime(number));
        }

        #[test]
        fn no_product_is_prime(a in 2_u64..1 << 26, b in 2_u64..1 << 26) {
            prop_assert!(!proved_prime(a * b));
        }
    }
}
