//! A brand and a creator: from the first offer to the end of the contract.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::{join, join3};
use tandem_campaigns::campaign::Campaign;
use tandem_campaigns::participation::Participation;
use tandem_contracts::contract::Contract;
use tandem_eventlog::ambient;
use tandem_proto::campaigns::v1 as campaigns;
use tandem_proto::contracts::v1 as pb;

use super::caller::Caller;
use super::requests::{BRAND, terms, usd, wire, with_fee};
use super::{Told, shop};
use crate::world::World;

const CAMPAIGN: &str = "campaigns/winter";
const A_MINUTE: Duration = Duration::from_secs(60);
const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// Plans the campaign that all take part in.
pub(super) async fn plan_campaign(mut brand: Caller) {
    let campaign = campaigns::Campaign {
        brand: BRAND.into(),
        title: "Winter glow".into(),
        objective: campaigns::Objective::Conversion.into(),
        brief: "Show the serum in your own routine.".into(),
        kpis: vec![campaigns::Kpi { metric: campaigns::Metric::Orders.into(), target: 500 }],
        budgets: vec![campaigns::RegionBudget { region: "US".into(), amount: usd(2_000_000) }],
        ..Default::default()
    };
    let create = campaigns::CreateCampaignRequest {
        campaign: Some(campaign),
        campaign_id: "winter".into(),
        ..Default::default()
    };
    brand
        .command::<Campaign, _>("CreateCampaign", |client, request_id| {
            let request = campaigns::CreateCampaignRequest { request_id, ..create.clone() };
            async move { client.campaigns().create_campaign(request).await }
        })
        .await;
    brand
        .command::<Campaign, _>("LaunchCampaign", |client, request_id| async move {
            let request = campaigns::LaunchCampaignRequest { name: CAMPAIGN.into(), request_id, ..Default::default() };
            client.campaigns().launch_campaign(request).await
        })
        .await;
}

/// All that happens between two who agree.
pub(super) async fn partner(world: &Arc<World>, told: &Arc<Mutex<Told>>, seed: u64, number: i64) {
    let creator = ["zoe", "adam"][usize::try_from((seed ^ number.unsigned_abs()) % 2).unwrap_or_default()];
    let mut both = Both {
        brand: Caller::new(world, told, seed, &format!("users/ada{number}")),
        creator: Caller::new(world, told, seed, &format!("creators/{creator}@{number}")),
        name: format!("contracts/c{number}"),
        participation: format!("participations/p{number}"),
        number,
    };
    let Some(signed) = both.agree(creator).await else { return };
    let caller = |name: String| Caller::new(world, told, seed, &name);
    let shop = caller(format!("users/shop{number}"));
    let (manager, assistant) =
        (caller(format!("users/eve{number}")), caller(format!("creators/{creator}@too{number}")));
    let deliverables =
        match signed.terms.iter().flat_map(|terms| &terms.clauses).find_map(|clause| clause.clause.clone()) {
            Some(pb::clause::Clause::Deliverables(owed)) => owed.deliverables,
            _ => Vec::new(),
        };
    if !both.join_campaign().await {
        return;
    }
    let (name, terms) = (both.name.clone(), signed.terms.unwrap_or_default());
    join3(both.publish(&deliverables), shop::sell(shop, number), change(manager, assistant, &name, terms)).await;
    both.end().await;
}

struct Both {
    brand: Caller,
    creator: Caller,
    name: String,
    participation: String,
    number: i64,
}

impl Both {
    /// Offers, counter-offers, acceptance, signatures.
    async fn agree(&mut self, creator: &str) -> Option<pb::Contract> {
        let Self { brand, creator: other, name, number, .. } = self;
        let contract = pb::Contract {
            brand: BRAND.into(),
            creator: format!("creators/{creator}"),
            title: "Summer".into(),
            terms: Some(terms(&brand.chance)),
            ..Default::default()
        };
        let create = pb::CreateContractRequest {
            contract: Some(contract),
            contract_id: format!("c{number}"),
            ..Default::default()
        };
        let mut last = brand
            .command::<Contract, _>("CreateContract", |client, request_id| {
                let request = pb::CreateContractRequest { request_id, ..create.clone() };
                async move { client.contracts().create_contract(request).await }
            })
            .await?;
        sees(brand, name).await;
        brand
            .command::<Contract, _>("ProposeContract", |client, request_id| {
                let request = pb::ProposeContractRequest { name: name.clone(), request_id, ..Default::default() };
                async move { client.contracts().propose_contract(request).await }
            })
            .await?;
        let rounds = brand.chance.below(4);
        for round in 0..rounds {
            let by = if round % 2 == 0 { &mut *other } else { &mut *brand };
            let offer = with_fee(last.terms.clone()?, by.chance.between(10_000, 900_000));
            last = by
                .command::<Contract, _>("CounterContract", |client, request_id| {
                    let (name, terms) = (name.clone(), Some(offer.clone()));
                    let request = pb::CounterContractRequest { name, terms, request_id, ..Default::default() };
                    async move { client.contracts().counter_contract(request).await }
                })
                .await?;
        }
        let by = if rounds % 2 == 0 { &mut *other } else { &mut *brand };
        let accepted = by
            .command::<Contract, _>("AcceptContract", |client, request_id| {
                let request = pb::AcceptContractRequest { name: name.clone(), request_id, ..Default::default() };
                async move { client.contracts().accept_contract(request).await }
            })
            .await?;
        // Both at once, more often than people do.
        let (one, two) = join(sign(brand, name, &accepted.terms_hash), sign(other, name, &accepted.terms_hash)).await;
        [one?, two?].into_iter().find(|contract| contract.sign_time.is_some())
    }

    async fn join_campaign(&mut self) -> bool {
        let participation = campaigns::Participation {
            campaign: CAMPAIGN.into(),
            contract: self.name.clone(),
            tracking_code: format!("CODE{}", self.number),
            ..Default::default()
        };
        let create = campaigns::CreateParticipationRequest {
            participation: Some(participation),
            participation_id: format!("p{}", self.number),
            ..Default::default()
        };
        // The campaign may not be launched yet.
        for _ in 0..5 {
            let joined = self.brand.command::<Participation, _>("CreateParticipation", |client, request_id| {
                let request = campaigns::CreateParticipationRequest { request_id, ..create.clone() };
                async move { client.participations().create_participation(request).await }
            });
            if joined.await.is_some() {
                return true;
            }
            self.brand.pause(A_MINUTE).await;
        }
        false
    }

    async fn publish(&mut self, deliverables: &[pb::DeliverableTerm]) {
        for deliverable in deliverables {
            let (name, deliverable_id) = (&self.participation, &deliverable.deliverable_id);
            let draft = campaigns::Draft {
                caption: "#ad My winter routine with @glowco".into(),
                media_uri: "https://media.example/1".into(),
                platform_label: true,
                ..Default::default()
            };
            self.creator
                .command::<Participation, _>("SubmitDraft", |client, request_id| {
                    let (name, deliverable_id, draft) = (name.clone(), deliverable_id.clone(), Some(draft.clone()));
                    let request = campaigns::SubmitDraftRequest { name, deliverable_id, draft, request_id };
                    async move { client.participations().submit_draft(request).await }
                })
                .await;
            if self.brand.chance.one_in(3) {
                // Silence approves, which is for timers to see to.
                self.brand.pause(A_DAY * 9).await;
            } else {
                self.brand
                    .command::<Participation, _>("ApproveDraft", |client, request_id| {
                        let (name, deliverable_id) = (name.clone(), deliverable_id.clone());
                        let request = campaigns::ApproveDraftRequest { name, deliverable_id, request_id };
                        async move { client.participations().approve_draft(request).await }
                    })
                    .await;
            }
            self.creator.pause(A_MINUTE).await;
            self.creator
                .command::<Participation, _>("RecordPublication", |client, request_id| {
                    let (name, deliverable_id) = (name.clone(), deliverable_id.clone());
                    let published_uri = format!("https://tiktok.example/{deliverable_id}");
                    let request = campaigns::RecordPublicationRequest {
                        name,
                        deliverable_id,
                        published_uri,
                        request_id,
                        ..Default::default()
                    };
                    async move { client.participations().record_publication(request).await }
                })
                .await;
        }
    }

    /// With notice, by agreement, or by time.
    async fn end(&mut self) {
        let Self { brand, creator, name, .. } = self;
        brand.pause(A_DAY).await;
        let reason = String::from("Plans have changed.");
        match brand.chance.below(4) {
            0 => {
                let terminate = pb::TerminateContractRequest {
                    name: name.clone(),
                    kind: pb::TerminationKind::Convenience.into(),
                    reason,
                    progress: pb::WorkProgress::DraftSubmitted.into(),
                    ..Default::default()
                };
                brand
                    .command::<Contract, _>("TerminateContract", |client, request_id| {
                        let request = pb::TerminateContractRequest { request_id, ..terminate.clone() };
                        async move { client.contracts().terminate_contract(request).await }
                    })
                    .await;
            }
            1 => {
                let end_date = soon(2);
                brand
                    .command::<Contract, _>("ProposeTermination", |client, request_id| {
                        let (name, reason) = (name.clone(), reason.clone());
                        let request =
                            pb::ProposeTerminationRequest { name, reason, end_date, request_id, ..Default::default() };
                        async move { client.contracts().propose_termination(request).await }
                    })
                    .await;
                creator
                    .command::<Contract, _>("AcceptTermination", |client, request_id| {
                        let request =
                            pb::AcceptTerminationRequest { name: name.clone(), request_id, ..Default::default() };
                        async move { client.contracts().accept_termination(request).await }
                    })
                    .await;
            }
            _ => {}
        }
    }
}

async fn sign(by: &mut Caller, name: &str, terms_hash: &str) -> Option<pb::Contract> {
    by.command::<Contract, _>("SignContract", |client, request_id| {
        let request = pb::SignContractRequest {
            name: name.into(),
            terms_hash: terms_hash.into(),
            capacity: "Head of Partnerships".into(),
            method: pb::SignatureMethod::Click.into(),
            request_id,
            ..Default::default()
        };
        async move { client.contracts().sign_contract(request).await }
    })
    .await
}

/// Whoever has written sees it in the next list.
async fn sees(by: &mut Caller, name: &str) {
    let listed = by
        .query("ListContracts", |client| {
            let filter = format!("id = \"{}\"", name.trim_start_matches("contracts/"));
            let request = pb::ListContractsRequest { filter, ..Default::default() };
            async move { client.contracts().list_contracts(request).await }
        })
        .await;
    if listed.is_some_and(|listed| listed.contracts.is_empty()) {
        by.world.violation(format!("{name} was created, and is not in the list that was asked for after it"));
    }
}

/// The fee changes on the way, perhaps.
async fn change(mut manager: Caller, mut creator: Caller, name: &str, terms: pb::Terms) {
    if !manager.chance.one_in(3) {
        return;
    }
    manager.pause(A_DAY * 4).await;
    let (terms, effective_date) = (with_fee(terms, manager.chance.between(10_000, 900_000)), soon(1));
    let proposed = manager
        .command::<Contract, _>("ProposeAmendment", |client, request_id| {
            let (name, terms, reason) = (name.to_owned(), Some(terms.clone()), "More work.".to_owned());
            let request =
                pb::ProposeAmendmentRequest { name, terms, effective_date, reason, request_id, ..Default::default() };
            async move { client.contracts().propose_amendment(request).await }
        })
        .await;
    let Some(amendment) = proposed.and_then(|contract| contract.amendments.last().cloned()) else { return };
    creator
        .command::<Contract, _>("AcceptAmendment", |client, request_id| {
            let (name, number, terms_hash) = (name.to_owned(), amendment.number, amendment.terms_hash.clone());
            let request = pb::AcceptAmendmentRequest { name, number, terms_hash, request_id, ..Default::default() };
            async move { client.contracts().accept_amendment(request).await }
        })
        .await;
}

fn soon(days: i32) -> Option<tandem_proto::google::r#type::Date> {
    #[expect(clippy::disallowed_methods, reason = "actors look at the clock, too")]
    let today = ambient::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    wire(today.saturating_add(jiff::Span::new().days(days)))
}
