//! Handles: by what name an account is known on its platform.
//!
//! Invariant: however a handle is written, `@` or not, in whatever case and Unicode form, it is the same handle and
//! gives the same channel id; and the id tells nobody the handle.

use tandem_proto::FieldViolation;
use tandem_proto::creators::v1::Platform;
use unicode_normalization::UnicodeNormalization as _;

/// The longest handle, in characters. No platform allows more than 30; exports may hold page ids.
const LONGEST: usize = 100;
/// What stands in addresses and lists, but in no platform's handles.
const FOREIGN: &str = "@/\\:?#&=%,;|<>()[]{}\"'`*!+";

/// A handle in its one normal form: without `@`, lower case, Unicode NFC.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Handle(String);

impl Handle {
    /// Reads a handle as people and exports write it. Case is folded because no platform has two accounts whose
    /// handles differ by it; composed and decomposed letters are made the same because copying changes them.
    pub(crate) fn parse(text: &str) -> Result<Self, FieldViolation> {
        let violation = |description: &str| Err(FieldViolation::new("handle", description));
        let bare = text.trim();
        let bare = bare.strip_prefix('@').unwrap_or(bare);
        // Lower case first: it can decompose a letter (U+0130), which NFC then composes.
        let handle: String = bare.to_lowercase().nfc().collect();
        if handle.is_empty() {
            return violation("is empty; give the account's name on the platform, as \"khaby.lame\"");
        }
        if handle.chars().count() > LONGEST {
            return violation("is longer than 100 characters; give the account's name on the platform");
        }
        if handle.chars().any(|c| c.is_whitespace() || c.is_control() || FOREIGN.contains(c)) {
            return violation(
                "has characters that no handle has; give the account's name alone, not its address or display name",
            );
        }
        Ok(Self(handle))
    }

    /// Without `@`.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Keyed hash of platform and handle for one tenant. The id of the creator who is first known by this channel,
    /// and of the person in the vault under whom the channel's personal data lies.
    /// `keyed_hash` is the vault's, of a domain and a value.
    pub(crate) fn channel_id(&self, platform: Platform, keyed_hash: impl Fn(&str, &str) -> String) -> String {
        // Stored in the log for good: these names must never change.
        let domain = match platform {
            Platform::Instagram => "instagram",
            Platform::Tiktok => "tiktok",
            Platform::Youtube => "youtube",
            Platform::Unspecified => "",
        };
        keyed_hash(domain, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_handle_however_it_is_written() {
        for written in ["khaby.lame", "@khaby.lame", " @Khaby.Lame\t", "KHABY.LAME"] {
            assert_eq!(Handle::parse(written).unwrap().as_str(), "khaby.lame", "{written:?}");
        }
        let composed = Handle::parse("Andr\u{e9}").unwrap();
        assert_eq!(Handle::parse("ANDRE\u{301}").unwrap(), composed);
        assert_eq!(Handle::parse("@\u{41c}\u{430}\u{448}\u{430}").unwrap().as_str(), "\u{43c}\u{430}\u{448}\u{430}");
    }

    #[test]
    fn normalizing_twice_changes_nothing() {
        for written in ["\u{130}stanbul", "Stra\u{df}e", "\u{3a3}", "\u{1e9b}\u{323}", "\u{212b}ngstr\u{f6}m"] {
            let once = Handle::parse(written).unwrap();
            assert_eq!(Handle::parse(once.as_str()).unwrap(), once, "{written}");
        }
    }

    #[test]
    fn what_is_no_handle_is_refused_with_a_remedy() {
        let long = "x".repeat(101);
        for (written, says) in [
            ("", "is empty"),
            (" @ ", "is empty"),
            ("Khaby Lame", "not its address or display name"),
            ("https://instagram.com/khaby", "not its address"),
            ("a@b.example", "not its address"),
            ("@@khaby", "no handle has"),
            ("a\u{0}b", "no handle has"),
            (&long, "longer than 100"),
        ] {
            let violation = Handle::parse(written).unwrap_err();
            assert_eq!(violation.field, "handle");
            assert!(violation.description.contains(says), "{written:?}: {}", violation.description);
            assert!(written.is_empty() || !violation.description.contains(written), "personal data in a message");
        }
    }
}
