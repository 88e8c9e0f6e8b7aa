//! Whether a use of published content is covered, and why, or why not and what would have to be agreed.
//!
//! * Full commercial use covers organic use and paid amplification, and neither AI training nor likeness.
//! * WORLD in a clause covers every country; asking for it needs it.
//! * While the contract is suspended after an incident, the content is not used for what is advertising: paid
//!   amplification, full commercial use, likeness. Whether it may be again is what is being decided.
//!
//! Invariant: the instant decides, by the terms that apply at it; what a timer has done or not yet done doesn't matter.

use jiff::Timestamp;
use tandem_money::dates::DateError;
use tandem_proto::contracts::v1::{CheckRightsResponse, Contract, ContractState, UsageKind};
use tandem_proto::time;

use super::derivation::{End, Entitlement, Phase, early_end, entitlements};
use super::grants::WORLD;
use super::publications::Publication;
use super::register::id;
use super::words::{end, list, use_of};

/// A use of published content.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// What for.
    pub kind: UsageKind,
    /// Where: `instagram`.
    pub channel: &'a str,
    /// ISO 3166-1 alpha-2 country, or `WORLD`.
    pub territory: &'a str,
    /// When.
    pub time: Timestamp,
}

/// The answer for a use of a publication under its contract.
///
/// # Errors
/// As [`entitlements`].
pub fn check(
    contract: &Contract,
    publication: &Publication,
    wanted: Use<'_>,
) -> Result<CheckRightsResponse, DateError> {
    let entitlements = entitlements(contract, publication, early_end(contract))?;
    let of_kind = entitlements.iter().filter(|entitlement| covers(entitlement.kind, wanted.kind));
    let candidates: Vec<_> = of_kind
        .flat_map(|entitlement| entitlement.phases.iter().map(move |phase| Candidate { entitlement, phase, wanted }))
        .collect();
    let refused =
        |explanation| CheckRightsResponse { contract: contract.name.clone(), explanation, ..Default::default() };
    let Some(best) = candidates.iter().max_by_key(|candidate| candidate.rank()) else {
        return Ok(refused(nothing_of_kind(contract, wanted)));
    };
    let named = |response: CheckRightsResponse| {
        let Entitlement { clause_id, kind, .. } = best.entitlement;
        let id = id(&contract.name, clause_id, *kind, &publication.deliverable);
        CheckRightsResponse { clause_id: clause_id.clone(), usage_right: format!("usageRights/{id}"), ..response }
    };
    if !best.allows() {
        return Ok(named(refused(best.refusal(contract))));
    }
    if let Some(explanation) = suspended(contract, wanted) {
        return Ok(named(refused(explanation)));
    }
    let until = until(&candidates, best.phase.window.end);
    Ok(named(CheckRightsResponse {
        allowed: true,
        end_time: Some(time::to_proto(until)),
        contract: contract.name.clone(),
        contract_version: best.phase.version,
        explanation: format!(
            "{} in version {} of {} allows {} on {} in {} until {}.",
            best.clause(),
            best.phase.version,
            contract.name,
            use_of(wanted.kind),
            wanted.channel,
            wanted.territory,
            end(until, &best.phase.zone),
        ),
        ..Default::default()
    }))
}

/// Whether a right to the one is a right to the other.
fn covers(granted: UsageKind, wanted: UsageKind) -> bool {
    use UsageKind::{FullCommercial, Organic, PaidAmplification};
    granted == wanted || (granted == FullCommercial && matches!(wanted, Organic | PaidAmplification))
}

/// What is granted of the right kind, beside what is wanted.
struct Candidate<'a> {
    entitlement: &'a Entitlement,
    phase: &'a Phase,
    wanted: Use<'a>,
}

impl Candidate<'_> {
    fn in_time(&self) -> bool {
        self.phase.window.contains(self.wanted.time)
    }

    fn on_channel(&self) -> bool {
        let channels = &self.phase.channels;
        channels.is_empty() || channels.iter().any(|channel| channel.eq_ignore_ascii_case(self.wanted.channel))
    }

    fn in_territory(&self) -> bool {
        self.phase.territories.iter().any(|territory| territory == WORLD || territory == self.wanted.territory)
    }

    fn allows(&self) -> bool {
        self.in_time() && self.on_channel() && self.in_territory()
    }

    /// What allows it before what doesn't, then what comes closest, then what lasts longest.
    fn rank(&self) -> (bool, bool, bool, bool, Timestamp) {
        (self.allows(), self.in_time(), self.on_channel(), self.in_territory(), self.phase.window.end)
    }

    fn clause(&self) -> String {
        format!("Clause {:?}", self.entitlement.clause_id)
    }

    /// All that stands against it, and what to do.
    fn refusal(&self, contract: &Contract) -> String {
        let (phase, wanted) = (self.phase, self.wanted);
        let (mut against, mut missing) = (Vec::new(), Vec::new());
        let early = wanted.time < phase.window.start;
        if early {
            against.push(format!("does not begin before {}", phase.window.start));
        } else if !self.in_time() {
            let with = if phase.end == End::Terminated { "the contract, at " } else { "" };
            against.push(format!("ended with {with}{}", end(phase.window.end, &phase.zone)));
            missing.push("prolong it".to_owned());
        }
        if !self.on_channel() {
            against.push(format!("is for {}, not {}", list(&phase.channels), wanted.channel));
            missing.push(format!("add {} to its channels", wanted.channel));
        }
        if !self.in_territory() {
            against.push(format!("is for {}, not {}", list(&phase.territories), wanted.territory));
            missing.push(format!("add {} to its territories", wanted.territory));
        }
        let kind = use_of(self.entitlement.kind);
        let mut said =
            format!("{} of {}, which grants {kind}, {}.", self.clause(), contract.name, against.join(" and "));
        if !missing.is_empty() {
            said.push_str(&format!(" To use it so, {} by {}.", missing.join(" and "), agreement(contract)));
        }
        if early {
            said.push_str(" Use it from then on.");
        }
        said
    }
}

/// Until when it is allowed without a break: one phase may take over from another.
fn until(candidates: &[Candidate<'_>], end: Timestamp) -> Timestamp {
    let mut until = end;
    let fit = || candidates.iter().filter(|candidate| candidate.on_channel() && candidate.in_territory());
    while let Some(further) =
        fit().map(|fit| fit.phase.window).find(|window| window.start <= until && until < window.end)
    {
        until = further.end;
    }
    until
}

/// Why what the clauses allow is refused for the time being.
fn suspended(contract: &Contract, wanted: Use<'_>) -> Option<String> {
    use UsageKind::{FullCommercial, Likeness, PaidAmplification};
    let suspension = contract.suspension.as_ref().filter(|_| contract.state() == ContractState::Suspended)?;
    let since = suspension.suspend_time.as_ref().and_then(time::from_proto)?;
    let advertises = matches!(wanted.kind, PaidAmplification | FullCommercial | Likeness);
    (advertises && since <= wanted.time).then(|| {
        format!(
            "{} is suspended after an incident since {since}; until that is decided on there is no {}. Reinstate the \
             contract first.",
            contract.name,
            use_of(wanted.kind)
        )
    })
}

fn nothing_of_kind(contract: &Contract, wanted: Use<'_>) -> String {
    format!(
        "{} grants no right to {}. To use it so, agree on a usage-rights clause of kind {} for {} in {} by {}.",
        contract.name,
        use_of(wanted.kind),
        wanted.kind.as_str_name().trim_start_matches("USAGE_KIND_"),
        wanted.channel,
        wanted.territory,
        agreement(contract),
    )
}

/// By what more can be agreed.
fn agreement(contract: &Contract) -> &'static str {
    match contract.state() {
        ContractState::Expired | ContractState::Terminated => "a new contract",
        _ => "an amendment",
    }
}
