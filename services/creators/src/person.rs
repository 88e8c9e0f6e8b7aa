//! What the vault holds of creators: handles, names, payout accounts.
//!
//! Invariant: what belongs to a channel lies under the person whose id is the channel's, wherever the channel's
//! creator has been merged into since. So merging moves nothing, no crash can leave half of it moved, and a person is
//! erased by erasing all of their channels.

use std::collections::HashMap;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use prost::Message as _;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1::{Creator, CreatorState, PayoutAccount};
use tandem_service::Problem;
use tandem_vault::{Vault, VaultError};

use crate::handle::Handle;

/// Field of a channel's person: its [`Profile`].
const PROFILE: &str = "profile";
/// Erasures in flight for one person of many channels.
const ERASURES_IN_FLIGHT: usize = 8;

/// What is personal of a channel.
#[derive(Clone, PartialEq, Eq, prost::Message)]
struct Profile {
    #[prost(string, tag = "1")]
    handle: String,
    /// Of the newest report that gave one; of several that day, the last in the order of letters.
    #[prost(string, tag = "2")]
    display_name: String,
    /// Day of that report, as a number: 20220930.
    #[prost(int32, tag = "3")]
    display_name_day: i32,
}

impl Profile {
    fn join(self, other: Self) -> Self {
        let rank =
            |profile: &Self| (!profile.display_name.is_empty(), profile.display_name_day, profile.display_name.clone());
        if rank(&other) > rank(&self) { other } else { self }
    }
}

/// The personal data of all creators of a tenant.
#[derive(Clone, Copy)]
pub(crate) struct Persons<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) tenant: &'a str,
}

impl Persons<'_> {
    /// Remembers what a report says of a channel, merged with what is held: the order of reports does not matter.
    pub(crate) async fn remember(
        &self,
        channel_id: &str,
        handle: &Handle,
        display_name: &str,
        day: i32,
    ) -> Result<(), VaultError> {
        let (handle, named) = (handle.as_str().to_owned(), !display_name.is_empty());
        let display_name_day = if named { day } else { 0 };
        let reported = Profile { handle, display_name: display_name.to_owned(), display_name_day };
        let change = |held: Option<&[u8]>| {
            // What can't be read is of no use to anyone; the report takes its place.
            let held = held.and_then(|held| Profile::decode(held).ok());
            let joined = held.clone().map_or_else(|| reported.clone(), |held| held.join(reported.clone()));
            (held.as_ref() != Some(&joined)).then(|| joined.encode_to_vec())
        };
        self.vault.update(self.tenant, channel_id, PROFILE, change).await
    }

    /// Fills in names and handles. Who is erased has none.
    pub(crate) async fn fill(&self, creators: &mut [Creator]) -> Result<(), VaultError> {
        let readable = |creator: &&mut Creator| creator.state() != CreatorState::Erased;
        let mut channels: Vec<_> =
            creators.iter_mut().filter(readable).flat_map(|creator| channel_ids(creator)).collect();
        channels.sort_unstable();
        channels.dedup();
        let sealed = self.vault.get_many(self.tenant, &channels, PROFILE).await?;
        let profiles: HashMap<_, _> =
            sealed.iter().filter_map(|(id, bytes)| Some((id.as_str(), Profile::decode(&bytes[..]).ok()?))).collect();
        for creator in creators.iter_mut().filter(readable) {
            for channel in &mut creator.channels {
                let Some(profile) = profiles.get(channel.channel_id.as_str()) else { continue };
                channel.handle.clone_from(&profile.handle);
                // The name on the channel that became known first.
                if creator.display_name.is_empty() {
                    creator.display_name.clone_from(&profile.display_name);
                }
            }
        }
        Ok(())
    }

    /// Keyed hash of an account, for the log.
    pub(crate) fn account_id(&self, account: &PayoutAccount) -> String {
        let PayoutAccount { holder_name, iban, bic, country_code } = account;
        self.vault.identity(self.tenant, "payout-account", &[&holder_name[..], iban, bic, country_code].join("\n"))
    }

    /// Keyed hash of what a request says, for the log: an unkeyed one would let whoever reads the log try out guesses
    /// at the personal data in it.
    pub(crate) fn fingerprint(&self, of: &[u8]) -> String {
        self.vault.identity(self.tenant, "request", &hex::encode(of))
    }

    /// Puts an account into the vault beside those there were. It counts once the log names it, so that no crash
    /// can change where money goes without an event that says so.
    pub(crate) async fn put_account(&self, creator_id: &str, account: &PayoutAccount) -> Result<(), VaultError> {
        let field = account_field(&self.account_id(account));
        self.vault.put(self.tenant, creator_id, &field, &account.encode_to_vec()).await
    }

    /// The account that the log names. It lies under the creator by whom it was set, who may have been merged since.
    pub(crate) async fn account(&self, creator: &Creator) -> Result<Option<PayoutAccount>, VaultError> {
        let field = account_field(&creator.payout_account_id);
        let found = self.vault.get_many(self.tenant, &channel_ids(creator), &field).await?;
        Ok(found.into_values().find_map(|bytes| PayoutAccount::decode(&bytes[..]).ok()))
    }

    /// Erases all that is held of a creator, for good. Can be repeated.
    pub(crate) async fn erase(&self, creator: &Creator) -> Result<(), VaultError> {
        let channels = channel_ids(creator);
        let erasures: Vec<_> = channels.iter().map(|channel| self.vault.erase(self.tenant, channel)).collect();
        stream::iter(erasures).buffer_unordered(ERASURES_IN_FLIGHT).try_collect().await
    }
}

/// The persons of the vault under whom something of the creator can lie: their channels, of which the first has the
/// creator's own id, and that of a merged creator the id of theirs.
fn channel_ids(creator: &Creator) -> Vec<String> {
    creator.channels.iter().map(|channel| channel.channel_id.clone()).collect()
}

/// What a client is told when the vault did not do what was asked.
pub(crate) fn problem(error: VaultError) -> Problem {
    match error {
        VaultError::Erased { person } => Problem::new(
            ErrorReason::PersonErased,
            format!("The personal data of creators/{person} was erased for good. Nothing can be stored of them again."),
        ),
        VaultError::Unavailable { .. } => {
            tracing::warn!(error = %error, cause = std::error::Error::source(&error), "the vault can't be reached");
            let message = "The vault can't be reached. Repeat after the delay, a write with the same request_id.";
            Problem::new(ErrorReason::DependencyUnavailable, message)
        }
        error => Problem::internal(error),
    }
}

fn account_field(account_id: &str) -> String {
    format!("payout-account.{account_id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_out_the_same_in_any_order() {
        let named = |name: &str, day| Profile { handle: "h".into(), display_name: name.into(), display_name_day: day };
        let reports = [named("", 0), named("Old", 20220101), named("New", 20220930), named("Newer", 20220930)];
        for first in &reports {
            for second in &reports {
                for third in &reports {
                    let one = first.clone().join(second.clone()).join(third.clone());
                    let other = third.clone().join(first.clone()).join(second.clone());
                    assert_eq!(one, other);
                }
            }
        }
        let all = reports.iter().cloned().reduce(Profile::join).unwrap();
        assert_eq!(all, named("Newer", 20220930));
    }
}
