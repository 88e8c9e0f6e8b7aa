//! Who takes part in the story, each with a token of their own.
//!
//! Invariant: nobody may do more than their part needs.

use tandem_client::{Claims, MintedToken};

/// The tenant of the story.
pub const TENANT: &str = "glowco-inc";

/// Somebody who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    /// Partnership manager of the brand.
    Maria,
    /// Reviewer: vets creators, reviews drafts.
    Rita,
    /// The creator, `creators/{creator}`.
    Creator(String),
    /// The shop and the measuring, machines.
    Shop,
    /// Finance: prepares payouts.
    Fred,
    /// Head of finance: approves payouts.
    Frida,
    /// Operations.
    Olga,
}

impl Person {
    /// Their token.
    #[must_use]
    pub fn token(&self) -> MintedToken {
        let (subject, permissions): (&str, &[&str]) = match self {
            Self::Maria => (
                "users/maria",
                &[
                    "creators.read",
                    "creators.write",
                    "creators.bank.write",
                    "prospects.*",
                    "contracts.*",
                    "rights.read",
                    "campaigns.*",
                    "participations.*",
                    "relationships.read",
                    "audit.read",
                    "events.read",
                ],
            ),
            Self::Rita => ("users/rita", &["prospects.*", "participations.read", "participations.review"]),
            Self::Creator(_) => (
                "users/creator",
                &[
                    "contracts.read",
                    "contracts.negotiate",
                    "contracts.sign",
                    "participations.read",
                    "participations.submit",
                ],
            ),
            Self::Shop => ("services/shop", &["conversions.*", "participations.measure"]),
            Self::Fred => ("users/fred", &["payouts.*", "contracts.read"]),
            Self::Frida => ("users/frida", &["payouts.read", "payouts.runs.approve"]),
            Self::Olga => ("users/olga", &["*"]),
        };
        let mut claims = Claims::new(subject, TENANT).with_permissions(permissions.iter().copied());
        if let Self::Creator(creator) = self {
            claims = claims.with_creator(creator.clone());
        }
        MintedToken::development(claims)
    }
}
