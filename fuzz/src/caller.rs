//! Who calls.
//!
//! Invariant: only a token that is valid, and has the permission, gets past the authorization; each caller here but the
//! last three lacks one thing alone.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use tandem_client::{Claims, DEVELOPMENT_KEY, DEVELOPMENT_KEY_ID, SigningKey};
use tandem_demo::TENANT;
use tonic::Code;
use tonic::metadata::MetadataMap;

const AN_HOUR: Duration = Duration::from_secs(3600);

/// A caller, by what is wrong with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// Has no token.
    Nobody,
    /// Has something that is no token.
    Garbage,
    /// Has a token that nobody has signed.
    Forger,
    /// Has a token that was valid an hour ago.
    Expired,
    /// Has a token for another system.
    Misdirected,
    /// Has a token without the permission.
    Unpermitted,
    /// May do everything, in a tenant where nothing has happened.
    Stranger,
    /// May do everything as a creator who is party to nothing.
    Creator,
    /// May do everything in the tenant of the story.
    Owner,
}

impl Caller {
    /// Who makes a call of this number, where each method is called in turn: over and over all callers, those the most
    /// of whose calls differ the most.
    pub(crate) fn of_round(round: u64) -> Self {
        use Caller::*;
        const ROUNDS: [Caller; 20] = [
            Nobody,
            Owner,
            Stranger,
            Owner,
            Expired,
            Owner,
            Stranger,
            Owner,
            Unpermitted,
            Owner,
            Creator,
            Owner,
            Garbage,
            Owner,
            Stranger,
            Owner,
            Forger,
            Owner,
            Misdirected,
            Stranger,
        ];
        ROUNDS[usize::try_from(round % ROUNDS.len() as u64).unwrap_or_default()]
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Garbage => "garbage",
            Self::Forger => "forger",
            Self::Expired => "expired",
            Self::Misdirected => "misdirected",
            Self::Unpermitted => "unpermitted",
            Self::Stranger => "stranger",
            Self::Creator => "creator",
            Self::Owner => "owner",
        }
    }

    /// The one answer that they get, whatever they send.
    pub(crate) fn refusal(self) -> Option<Code> {
        match self {
            Self::Nobody | Self::Garbage | Self::Forger | Self::Expired | Self::Misdirected => {
                Some(Code::Unauthenticated)
            }
            Self::Unpermitted => Some(Code::PermissionDenied),
            Self::Stranger | Self::Creator | Self::Owner => None,
        }
    }

    /// The metadata of their call. A stranger is of the tenant `stranger`.
    pub(crate) fn metadata(self, stranger: &str) -> anyhow::Result<MetadataMap> {
        let mut metadata = MetadataMap::new();
        if let Some(token) = self.token(stranger)? {
            metadata.insert("authorization", format!("Bearer {token}").parse()?);
        }
        Ok(metadata)
    }

    fn token(self, stranger: &str) -> anyhow::Result<Option<String>> {
        let everything = |tenant: &str| Claims::new("users/fuzz", tenant).with_permissions(["*"]);
        let mint = |claims: &Claims| SigningKey::development().mint(claims, AN_HOUR);
        Ok(match self {
            Self::Nobody => None,
            Self::Garbage => Some("x.y.z".to_owned()),
            Self::Forger => {
                let token = mint(&everything(TENANT));
                let (signed, _) = token.rsplit_once('.').unwrap_or_default();
                Some(format!("{signed}.{}", "A".repeat(86)))
            }
            Self::Expired => Some(expired(&everything(TENANT))?),
            Self::Misdirected => Some(mint(&Claims { aud: "elsewhere".to_owned(), ..everything(TENANT) })),
            Self::Unpermitted => Some(mint(&Claims::new("users/fuzz", TENANT).with_permissions(["none.such"]))),
            Self::Stranger => Some(mint(&everything(stranger))),
            Self::Creator => Some(mint(&everything(TENANT).with_creator("creators/nobody-of-the-story"))),
            Self::Owner => Some(mint(&everything(TENANT))),
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "tokens are checked by the wall clock")]
fn expired(claims: &Claims) -> anyhow::Result<String> {
    let mut claims = serde_json::to_value(claims)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    claims["exp"] = (now - AN_HOUR).as_secs().into();
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(DEVELOPMENT_KEY_ID.to_owned());
    Ok(encode(&header, &claims, &EncodingKey::from_ed_pem(DEVELOPMENT_KEY.as_bytes())?)?)
}
