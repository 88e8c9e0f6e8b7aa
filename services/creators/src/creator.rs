//! The creator: which channels are theirs, what was reported of them, and whether their record is still in use.
//!
//! Invariant: no personal data in here. Channels and payout accounts are known by their keyed hashes alone; what the
//! hashes stand for lies in the vault.

mod channel;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tandem_aggregate::{Aggregate, Context, ExecuteError, Executor, Loaded, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1 as pb;
use tandem_proto::creators::v1::creator_event::Event;
use tandem_proto::creators::v1::{Channel, CreatorState};
use tandem_proto::time;
use tandem_service::Resource;
use tandem_views::Column;

/// A creator, without what the vault holds of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Creator(pub(crate) pb::Creator);

/// What can be asked of a creator.
#[derive(Clone, Debug)]
pub(crate) enum Command {
    /// Take in a report on a channel; the first one makes the creator. Without handle.
    Observe(Channel),
    /// Live on as another creator, of this name.
    MergeInto(String),
    /// Take over the channels of a creator who is the same person.
    Adopt(pb::Creator),
    /// Pay into this account from now on. It is in the vault already.
    SetPayoutAccount {
        /// Keyed hash of the account.
        account_id: String,
        /// ISO 3166-1 alpha-2, of the account.
        country_code: String,
    },
    /// Record that the vault has forgotten the person.
    Erase,
}

impl Creator {
    fn exists(&self) -> bool {
        self.0.state() != CreatorState::Unspecified
    }

    /// Passes if the creator exists and their record is in use.
    pub(crate) fn require_active(&self, name: &str) -> Result<(), Refusal> {
        match self.0.state() {
            CreatorState::Active => Ok(()),
            CreatorState::Merged => {
                let into = &self.0.merged_into;
                let message = format!("{name} was merged into {into}. Use {into} instead.");
                Err(Refusal::new(ErrorReason::CreatorMerged, message))
            }
            CreatorState::Erased => {
                let message = format!("The personal data of {name} was erased for good. Nothing can be added to it.");
                Err(Refusal::new(ErrorReason::PersonErased, message))
            }
            CreatorState::Unspecified => {
                Err(Refusal::new(ErrorReason::ResourceNotFound, format!("{name} does not exist.")))
            }
        }
    }

    fn observe(&self, report: &Channel) -> Vec<Event> {
        let known = self.0.channels.iter().find(|channel| channel.channel_id == report.channel_id);
        match known.map(|known| (known, channel::join(known, report))) {
            Some((known, joined)) if joined == *known => Vec::new(),
            Some((_, joined)) => vec![Event::ChannelObserved(pb::ChannelObserved { channel: Some(joined) })],
            None => vec![Event::ChannelObserved(pb::ChannelObserved { channel: Some(report.clone()) })],
        }
    }

    /// The channel as it now stands, in its place or as a new one.
    fn put_channel(&mut self, channel: &Channel) {
        let channels = &mut self.0.channels;
        match channels.iter_mut().find(|known| known.channel_id == channel.channel_id) {
            Some(known) => known.clone_from(channel),
            None => channels.push(channel.clone()),
        }
        let followers = channels.iter().filter_map(|channel| channel.figures).map(|figures| figures.followers);
        self.0.follower_count = followers.max().unwrap_or_default();
        self.0.set_tier(channel::tier(self.0.follower_count));
    }

    fn put_account(&mut self, account_id: &str) {
        account_id.clone_into(&mut self.0.payout_account_id);
        self.0.has_payout_account = !account_id.is_empty();
    }
}

impl Aggregate for Creator {
    const KIND: Kind = Kind { context: "creators", aggregate: "creator" };
    const COLLECTION: &'static str = "creators";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Observe(report) if !self.exists() => {
                return Ok(vec![Event::Registered(pb::CreatorRegistered { channel: Some(report.clone()) })]);
            }
            Command::MergeInto(into) if into == context.resource => {
                return Err(Refusal::field("source", "is the creator itself; name another one who is the same person"));
            }
            Command::Erase if self.0.state() == CreatorState::Erased => return Ok(Vec::new()),
            _ => self.require_active(context.resource)?,
        }
        Ok(match command {
            Command::Observe(report) => self.observe(report),
            Command::MergeInto(into) => vec![Event::Merged(pb::CreatorMerged { into: into.clone() })],
            Command::Adopt(source) => vec![Event::ChannelsAdopted(pb::ChannelsAdopted {
                source: source.name.clone(),
                channels: source.channels.clone(),
                payout_account_id: source.payout_account_id.clone(),
            })],
            Command::SetPayoutAccount { account_id, .. } if *account_id == self.0.payout_account_id => Vec::new(),
            Command::SetPayoutAccount { account_id, country_code } => {
                vec![Event::PayoutAccountSet(pb::PayoutAccountSet {
                    account_country_code: country_code.clone(),
                    payout_account_id: account_id.clone(),
                })]
            }
            Command::Erase => vec![Event::Erased(pb::CreatorErased {})],
        })
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        let now = Some(time::to_proto(envelope.time));
        match event {
            Event::Registered(pb::CreatorRegistered { channel }) => {
                self.0.name.clone_from(&envelope.resource);
                self.0.create_time = now;
                self.0.set_state(CreatorState::Active);
                channel.iter().for_each(|channel| self.put_channel(channel));
            }
            Event::ChannelObserved(pb::ChannelObserved { channel }) => {
                channel.iter().for_each(|channel| self.put_channel(channel));
            }
            Event::Merged(pb::CreatorMerged { into }) => {
                self.0.set_state(CreatorState::Merged);
                self.0.merged_into.clone_from(into);
            }
            Event::ChannelsAdopted(pb::ChannelsAdopted { channels, payout_account_id, .. }) => {
                channels.iter().for_each(|channel| self.put_channel(channel));
                if !self.0.has_payout_account {
                    self.put_account(payout_account_id);
                }
            }
            Event::PayoutAccountSet(set) => self.put_account(&set.payout_account_id),
            Event::Erased(pb::CreatorErased {}) => {
                self.0.set_state(CreatorState::Erased);
                self.put_account("");
            }
        }
        self.0.update_time = now;
    }
}

impl Resource for Creator {
    const VIEW: &'static str = "creators";
    const VERSION: i32 = 1;
    type Message = pb::Creator;

    fn columns() -> Vec<Column<pb::Creator>> {
        fn each(of: fn(&Channel) -> Vec<String>) -> impl Fn(&pb::Creator) -> Vec<String> {
            move |creator| creator.channels.iter().flat_map(of).filter(|member| !member.is_empty()).collect()
        }
        vec![
            Column::text("name", |creator: &pb::Creator| creator.name.clone()),
            Column::enumeration("tier", "tandem.creators.v1.Tier", |creator: &pb::Creator| creator.tier).indexed(),
            Column::enumeration("state", "tandem.creators.v1.CreatorState", |creator: &pb::Creator| creator.state),
            Column::integer("follower_count", |creator: &pb::Creator| creator.follower_count).indexed(),
            Column::time("create_time", |creator: &pb::Creator| creator.create_time),
            Column::set("country", each(|channel| vec![channel.audience_country.clone()])),
            Column::set("category", each(|channel| channel.categories.clone())),
            Column::enumeration_set("platform", "tandem.creators.v1.Platform", |creator: &pb::Creator| {
                creator.channels.iter().map(|channel| channel.platform).collect()
            }),
        ]
    }

    fn from_message(message: pb::Creator) -> Self {
        Self(message)
    }

    fn into_message(self, etag: String) -> pb::Creator {
        pb::Creator { etag, ..self.0 }
    }
}

/// The creator of an id or, if they were merged, the one that remains, with their id. Ends: what was merged is never
/// merged into, so each step leads to a creator that was merged later, or not at all.
pub(crate) async fn remaining(
    creators: &Executor<Creator>,
    tenant: &str,
    id: &str,
) -> Result<(String, Arc<Loaded<Creator>>), ExecuteError> {
    let mut id = id.to_owned();
    loop {
        let loaded = creators.get(tenant, &id).await?;
        match loaded.state.0.merged_into.strip_prefix("creators/") {
            Some(into) => into.clone_into(&mut id),
            None => return Ok((id, loaded)),
        }
    }
}
