//! Campaigns: planned, given KPIs, launched, closed.
//!
//! Invariant: a campaign is launched only with KPIs and a budget, and its KPIs don't change from then on.

mod plan;
#[cfg(test)]
mod tests;

use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::campaigns::v1::campaign_event::Event;
use tandem_proto::campaigns::v1::{self as pb, CampaignState as State};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::time::to_proto;
use tandem_service::Resource;
use tandem_views::Column;

use crate::fields::short;

/// A campaign; the aggregate's state is the resource itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Campaign(pub pb::Campaign);

/// What can be asked of a campaign.
#[derive(Clone, Debug)]
pub enum Command {
    /// Plan it: brand, title, objective, brief, KPIs, budgets and dates. What is output only is ignored.
    Plan(Box<pb::Campaign>),
    /// Set its KPIs, in place of those before.
    SetKpis(Vec<pb::Kpi>),
    /// Start it.
    Launch,
    /// End it.
    Close,
}

impl Campaign {
    /// Where it stands, as in messages.
    pub(crate) fn state_name(campaign: &pb::Campaign) -> &'static str {
        short(campaign.state().as_str_name(), "CAMPAIGN_STATE_")
    }

    fn require(&self, allowed: &[State], what: &str, context: &Context<'_>) -> Result<(), Refusal> {
        match self.0.state() {
            State::Unspecified => Err(Refusal::not_found(context)),
            state if allowed.contains(&state) => Ok(()),
            _ => {
                let (resource, state) = (context.resource, Self::state_name(&self.0));
                Err(Refusal::new(ErrorReason::StateForbids, format!("{resource} is {state}; {what}.")))
            }
        }
    }

    fn launch(&self, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        self.require(&[State::Draft], "only a campaign in DRAFT can be launched", context)?;
        let resource = context.resource;
        // First, for nobody is to mend what then turns out to be in vain.
        if self.0.budgets.is_empty() {
            let also = if self.0.kpis.is_empty() { " and `kpis`" } else { "" };
            let message = format!(
                "{resource} has no budget, and none can be added. Create another campaign with `budgets` (at least one \
                 region and amount){also}, and launch that."
            );
            return Err(Refusal::new(ErrorReason::TermsIncomplete, message));
        }
        if self.0.kpis.is_empty() {
            let message = format!(
                "{resource} has no KPIs. Set what is measured and what is to be reached, for example 100000 IMPRESSIONS, \
                 with SetCampaignKpis; then launch it."
            );
            return Err(Refusal::new(ErrorReason::KpisMissing, message));
        }
        Ok(vec![Event::Launched(pb::CampaignLaunched { brand: self.0.brand.clone() })])
    }
}

impl Aggregate for Campaign {
    const KIND: Kind = Kind { context: "campaigns", aggregate: "campaign" };
    const COLLECTION: &'static str = "campaigns";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Plan(_) if self.0.state() != State::Unspecified => Err(Refusal::exists(context)),
            Command::Plan(campaign) => {
                let campaign = Some(plan::checked(campaign)?);
                Ok(vec![Event::Planned(pb::CampaignPlanned { campaign })])
            }
            Command::SetKpis(kpis) => {
                self.require(&[State::Draft], "KPIs are set before the launch", context)?;
                plan::check_kpis("kpis", kpis)?;
                let changed = *kpis != self.0.kpis;
                Ok(changed.then(|| Event::KpisSet(pb::CampaignKpisSet { kpis: kpis.clone() })).into_iter().collect())
            }
            Command::Launch => self.launch(context),
            Command::Close => {
                // A plan that comes to nothing is closed, too.
                self.require(&[State::Draft, State::Launched], "it has ended for good; plan another one", context)?;
                Ok(vec![Event::Closed(pb::CampaignClosed {})])
            }
        }
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        let campaign = &mut self.0;
        let time = Some(to_proto(envelope.time));
        match event {
            Event::Planned(event) => {
                *campaign = event.campaign.clone().unwrap_or_default();
                campaign.name.clone_from(&envelope.resource);
                campaign.set_state(State::Draft);
                campaign.create_time = time;
            }
            Event::KpisSet(event) => campaign.kpis.clone_from(&event.kpis),
            Event::Launched(_) => {
                campaign.set_state(State::Launched);
                campaign.launch_time = time;
            }
            Event::Closed(_) => campaign.set_state(State::Closed),
        }
        campaign.update_time = time;
    }
}

impl Resource for Campaign {
    const VIEW: &'static str = "campaigns";
    const VERSION: i32 = 1;
    type Message = pb::Campaign;

    fn columns() -> Vec<Column<pb::Campaign>> {
        vec![
            Column::text("name", |row: &pb::Campaign| row.name.clone()),
            Column::text("brand", |row: &pb::Campaign| row.brand.clone()).indexed(),
            Column::enumeration("state", "tandem.campaigns.v1.CampaignState", |row: &pb::Campaign| row.state),
            Column::enumeration("objective", "tandem.campaigns.v1.Objective", |row: &pb::Campaign| row.objective),
            Column::text("title", |row: &pb::Campaign| row.title.clone()),
            Column::time("create_time", |row: &pb::Campaign| row.create_time),
            Column::time("update_time", |row: &pb::Campaign| row.update_time),
        ]
    }

    fn from_message(message: pb::Campaign) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> pb::Campaign {
        pb::Campaign { etag, ..self.0 }
    }
}
