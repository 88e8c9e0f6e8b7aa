//! Events that can't be had: why, and whose matter that is.
//!
//! Invariant: an event of a type that a newer version of Tandem may have written is told from one that is damaged, for the
//! first is a matter of upgrading and the second of repair.

use crate::EventSet;

/// Why an event of the log can't be had as one of a set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The set has no such type, but Tandem's own types are named so: a newer version has written it.
    #[error("{0} is unknown here: a newer version has written it, upgrade this one")]
    Newer(String),
    /// No version writes such a type.
    #[error("{0:?} is no type of event")]
    Alien(String),
    /// The bytes are not of the type.
    #[error("{event_type} can't be decoded: {source}")]
    Damaged {
        /// As its header says.
        event_type: String,
        /// What is wrong.
        source: prost::DecodeError,
    },
}

impl Unreadable {
    /// Whether an upgrade will do.
    #[must_use]
    pub fn is_newer(&self) -> bool {
        matches!(self, Self::Newer(_))
    }
}

/// The event of this type.
///
/// # Errors
/// [`Unreadable`].
pub fn read_event<E: EventSet>(event_type: &str, payload: &[u8]) -> Result<E, Unreadable> {
    match E::decode(event_type, payload) {
        Ok(Some(event)) => Ok(event),
        Ok(None) if is_ours(event_type) => Err(Unreadable::Newer(event_type.to_owned())),
        Ok(None) => Err(Unreadable::Alien(event_type.to_owned())),
        Err(source) => Err(Unreadable::Damaged { event_type: event_type.to_owned(), source }),
    }
}

/// `tandem.{package}.v{n}.{Name}`.
fn is_ours(event_type: &str) -> bool {
    let parts: Vec<_> = event_type.split('.').collect();
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    matches!(parts[..], ["tandem", package, version, name]
        if word(package) && version.starts_with('v') && word(version) && word(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::v1::campaign_event::Event;

    #[test]
    fn an_upgrade_is_told_from_damage() {
        let read = |event_type: &str, payload: &[u8]| read_event::<Event>(event_type, payload);
        assert!(read("tandem.campaigns.v1.CampaignClosed", &[]).is_ok());
        for newer in ["tandem.campaigns.v1.CampaignReopened", "tandem.campaigns.v2.CampaignClosed"] {
            let error = read(newer, &[0xff]).unwrap_err();
            assert!(error.is_newer() && error.to_string().contains("upgrade"), "{error}");
        }
        for alien in ["", "CampaignClosed", "com.example.Closed", "tandem.campaigns.v1.", "tandem.a b.v1.C", "tandem"] {
            assert_eq!(read(alien, &[]).unwrap_err(), Unreadable::Alien(alien.to_owned()));
        }
        let damaged = read("tandem.campaigns.v1.CampaignKpisSet", &[0xff]).unwrap_err();
        assert!(!damaged.is_newer() && damaged.to_string().contains("can't be decoded"), "{damaged}");
    }
}
