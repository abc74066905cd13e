//! What a contestant answers to `describe`: the model's facts against the workloads' needs.

use crate::model::Facts;
use crate::workloads::{self, Entry};
use compare::protocol::{Ability, Description, VERSION};

/// The form that is written once for all models.
pub(crate) const GENERIC: &str = "generic";
/// The form that is the model's own.
pub(crate) const IDIOMATIC: &str = "idiomatic";

pub(crate) fn describe(facts: &Facts) -> Description {
    Description {
        v: VERSION,
        model: facts.name.to_owned(),
        version: facts.version.clone(),
        about: facts.about.to_owned(),
        uses: facts.uses,
        worker_variables: facts.worker_variables.iter().map(|&name| name.to_owned()).collect(),
        abilities: workloads::ALL.iter().map(|entry| ability(facts, entry)).collect(),
        workloads: workloads::ALL.iter().map(Entry::workload).collect(),
    }
}

/// What the model can do of one workload.
pub(crate) fn ability(facts: &Facts, entry: &Entry) -> Ability {
    let lacking = facts.cannot.iter().find(|(lacking, _)| entry.needs.capabilities.contains(lacking));
    let own = facts.own_forms.contains(&entry.name);
    let mut ability = Ability { workload: entry.name.to_owned(), ..Ability::default() };
    match lacking {
        None => ability.forms.push(GENERIC.to_owned()),
        Some((_, why)) if !own => ability.why = Some((*why).to_owned()),
        Some(_) => {}
    }
    if own {
        ability.forms.push(IDIOMATIC.to_owned());
    }
    if let Some((most_units, why)) = facts.most_units {
        limit(&mut ability, entry, most_units, why);
    }
    ability
}

/// Holds the ability to the scales that keep no more than `most_units` units alive.
fn limit(ability: &mut Ability, entry: &Entry, most_units: u64, why: &str) {
    let scales = entry.workload().scales;
    let fits = |n: u64| (entry.needs.units)(n) <= most_units;
    if scales.iter().all(|scale| fits(scale.n)) || ability.forms.is_empty() {
        return;
    }
    match scales.iter().map(|scale| scale.n).filter(|&n| fits(n)).max() {
        Some(most) => {
            ability.most = Some(most);
            ability.most_why = Some(why.to_owned());
        }
        None => {
            ability.forms.clear();
            ability.why = Some(why.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capability;

    fn of(facts: &Facts, workload: &str) -> Ability {
        ability(facts, workloads::named(workload).expect("the workload exists"))
    }

    #[test]
    fn a_model_without_gaps_has_every_generic_form() {
        let abilities = describe(&Facts::default()).abilities;
        assert_eq!(abilities.len(), workloads::ALL.len());
        assert!(abilities.iter().all(|ability| ability.forms == [GENERIC] && ability.why.is_none()));
    }

    #[test]
    fn a_lacking_capability_closes_the_workloads_that_need_it() {
        let facts = Facts { cannot: &[(Capability::Channel, "no")], ..Facts::default() };
        assert_eq!(of(&facts, "pingpong").why.as_deref(), Some("no"));
        assert!(of(&facts, "pingpong").forms.is_empty());
        assert_eq!(of(&facts, "spawn").forms, [GENERIC]);
    }

    #[test]
    fn a_form_of_its_own_needs_no_capability() {
        let facts = Facts {
            cannot: &[(Capability::Channel, "no")],
            own_forms: &["pipeline", "spawn"],
            ..Facts::default()
        };
        assert_eq!(of(&facts, "pipeline").forms, [IDIOMATIC]);
        assert_eq!(of(&facts, "spawn").forms, [GENERIC, IDIOMATIC]);
    }

    #[test]
    fn a_limit_on_units_becomes_one_on_scales() {
        let facts = Facts { most_units: Some((10_000, "too many")), ..Facts::default() };
        assert_eq!(of(&facts, "sleepers").most, Some(10_000));
        assert_eq!(of(&facts, "sleepers").most_why.as_deref(), Some("too many"));
        assert_eq!(of(&facts, "pingpong").most, None);
        let facts = Facts { most_units: Some((10, "too many")), ..Facts::default() };
        assert_eq!(of(&facts, "sleepers").why.as_deref(), Some("too many"));
    }
}
