//! What `cargo xtask compare new` writes, compiled: the model is this very program, the workload is run by it in a test.

#![forbid(unsafe_code)]

include!(concat!(env!("OUT_DIR"), "/model.rs"));

#[cfg(test)]
use kit::Stage;

/// Stands where the kit's own `workloads` stands, with what a file of that folder finds there.
#[cfg(test)]
mod workloads {
    use crate::{Model, SkeletonContestant};
    use compare::protocol::{Case, Input, Profile, Scale};
    use std::sync::Arc;

    pub(crate) use kit::workloads::{Needs, join_all};

    mod skeleton {
        include!(concat!(env!("OUT_DIR"), "/workload.rs"));
    }

    fn salted(case: &Case) -> Input {
        let salt = kit::random::Random::new(case.seed, &case.workload).salt();
        Input { salt, ..Input::default() }
    }

    fn scale(label: &str, n: u64, units: u64, profile: Profile) -> Scale {
        Scale { label: label.to_owned(), n, units, profile, ..Scale::default() }
    }

    #[test]
    fn the_workload_gives_what_its_oracle_expects() {
        let about = skeleton::about();
        let n = about.scales[0].n;
        assert!((skeleton::NEEDS.units)(n) >= n && skeleton::NEEDS.capabilities.len() == 1);
        let input = skeleton::input(&Case { seed: 7, n, ..Case::default() }).expect("it needs nothing else");
        let expected = skeleton::expected(&input, n);
        let model = Arc::new(SkeletonContestant::start(2).expect("it starts"));
        let stage = Arc::new(kit::Stage { input, scale: about.scales[0].label.clone(), n, workers: 2 });
        let (own_model, own_stage) = (Arc::clone(&model), Arc::clone(&stage));
        let results = model.run(async move { skeleton::run(&*own_model, &own_stage).await });
        assert_eq!(results, expected);
    }
}
