//! Joining: what a participation starts with, out of campaign and contract.
//!
//! Invariant: a creator joins a running campaign by a signed contract of the campaign's brand.

use tandem_aggregate::Refusal;
use tandem_money::dates::time_zone;
use tandem_proto::campaigns::v1::{
    self as pb, CampaignState, DeliverableState, ParticipationState, TrackingCodeAssigned,
};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1::clause::Clause;
use tandem_proto::contracts::v1::{Contract, ContractState, Terms};

use crate::campaign::Campaign;
use crate::fields::short;

/// The facts by which a creator joins.
#[derive(Clone, Debug, Default)]
pub struct Join {
    /// The campaign as it is now.
    pub campaign: pb::Campaign,
    /// The contract as the contracts service tells it.
    pub contract: Contract,
    /// The code that is to attribute orders to the creator.
    pub tracking_code: String,
}

impl Join {
    /// What the tracking code stands for once `participation` has joined.
    #[must_use]
    pub fn assignment(&self, participation: &str) -> TrackingCodeAssigned {
        let Self { campaign, contract, .. } = self;
        TrackingCodeAssigned {
            participation: participation.to_owned(),
            campaign: campaign.name.clone(),
            contract: contract.name.clone(),
            contract_version: contract.round,
            brand: contract.brand.clone(),
            creator: contract.creator.clone(),
            currency_code: contract.terms.as_ref().map(|terms| terms.currency_code.clone()).unwrap_or_default(),
        }
    }

    pub(super) fn decide(&self) -> Result<pb::CampaignJoined, Refusal> {
        let Self { campaign, contract, tracking_code } = self;
        if campaign.state() != CampaignState::Launched {
            let (name, state) = (&campaign.name, Campaign::state_name(campaign));
            let message = format!("{name} is {state}; creators join a campaign that is LAUNCHED.");
            return Err(Refusal::new(ErrorReason::StateForbids, message));
        }
        if !matches!(contract.state(), ContractState::Upcoming | ContractState::Active) {
            let state = short(contract.state().as_str_name(), "CONTRACT_STATE_");
            let message = format!("{} is {state}; let both parties sign it, then join.", contract.name);
            return Err(Refusal::new(ErrorReason::ContractNotInForce, message));
        }
        if contract.brand != campaign.brand {
            let message = format!(
                "{} is of {}, and {} of {}; join by a contract of the campaign's brand.",
                contract.name, contract.brand, campaign.name, campaign.brand
            );
            return Err(Refusal::new(ErrorReason::ContractNotInForce, message));
        }
        let terms = contract.terms.clone().unwrap_or_default();
        if let Err(error) = time_zone(&terms.time_zone) {
            let message = format!("Days can't be counted by {}: {error}.", contract.name);
            return Err(Refusal::new(ErrorReason::TermsIncomplete, message));
        }
        let participation = pb::Participation {
            campaign: campaign.name.clone(),
            contract: contract.name.clone(),
            contract_version: contract.round,
            brand: contract.brand.clone(),
            creator: contract.creator.clone(),
            // ACTIVE even if nothing is owed: an affiliate goes on selling.
            state: ParticipationState::Active.into(),
            tracking_code: tracking_code.clone(),
            deliverables: deliverables(&terms),
            review_rules: Some(review_rules(terms)),
            ..Default::default()
        };
        Ok(pb::CampaignJoined { participation: Some(participation) })
    }
}

fn deliverables(terms: &Terms) -> Vec<pb::Deliverable> {
    let clauses = terms.clauses.iter().filter_map(|clause| match &clause.clause {
        Some(Clause::Deliverables(clause)) => Some(&clause.deliverables),
        _ => None,
    });
    let owed = clauses.flatten().map(|term| pb::Deliverable {
        deliverable_id: term.deliverable_id.clone(),
        content_type: term.content_type,
        channel: term.channel.clone(),
        due_date: term.due_date,
        draft_due_date: term.draft_due_date,
        state: DeliverableState::Owed.into(),
        ..Default::default()
    });
    owed.collect()
}

fn review_rules(terms: Terms) -> pb::ReviewRules {
    let mut rules = pb::ReviewRules { time_zone: terms.time_zone, ..Default::default() };
    for clause in terms.clauses.into_iter().filter_map(|clause| clause.clause) {
        match clause {
            Clause::Review(clause) => rules.review = Some(clause),
            Clause::Disclosure(clause) => rules.disclosure = Some(clause),
            Clause::GoverningLaw(clause) => rules.governing_law = Some(clause),
            _ => {}
        }
    }
    rules
}
