//! The caller, as their token says.
//!
//! Invariant: tenant and actor are of a form that can stand in the log, and come from the token alone.

use serde::Deserialize;
use tandem_proto::common::v1::ErrorReason;
use tonic::Status;

use crate::error::Problem;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Whose data they may see and change: one tenant's.
    pub tenant: String,
    /// As it stands in the log: `users/{user}`, `services/{service}`, `creators/{creator}`.
    pub actor: String,
    /// `creators/{creator}` if the caller is one; they reach only what is theirs.
    pub creator: Option<String>,
    /// Whether the caller may set the time of what they do: the development key has signed their token.
    pub test_clock: bool,
    permissions: Vec<String>,
}

/// What of a token's claims is read here; issuer, audience and times are checked before.
#[derive(Deserialize)]
pub(crate) struct Claims {
    sub: String,
    tenant: String,
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(default)]
    creator: Option<String>,
    /// Seconds since the epoch; RFC 7519 allows a fraction.
    pub(crate) exp: f64,
}

impl Caller {
    /// The caller that the claims describe; otherwise what is wrong with them.
    pub(crate) fn new(claims: Claims) -> Result<Self, &'static str> {
        let Claims { sub, tenant, permissions, creator, .. } = claims;
        Self::check(&tenant, &sub, creator.as_deref())?;
        let actor = creator.clone().unwrap_or(sub);
        Ok(Self { tenant, actor, creator, test_clock: false, permissions })
    }

    /// Whether the claims `tenant`, `sub` and `creator` of a token describe a caller, for those who mint tokens.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn check(tenant: &str, sub: &str, creator: Option<&str>) -> Result<(), &'static str> {
        if !is_id(tenant) || tenant.contains('~') {
            return Err("its claim `tenant` must be 1 to 128 of A-Z a-z 0-9 _ -");
        }
        if !is_name(sub, "users/") && !is_name(sub, "services/") {
            return Err("its claim `sub` must be users/{user} or services/{service}, the id of A-Z a-z 0-9 _ ~ -");
        }
        if creator.is_some_and(|creator| !is_name(creator, "creators/")) {
            return Err("its claim `creator` must be creators/{creator}, the id of A-Z a-z 0-9 _ ~ -");
        }
        Ok(())
    }

    /// Whether the token permits it, by name, by `contracts.*` or by `*`.
    #[must_use]
    pub fn may(&self, permission: &str) -> bool {
        self.permissions.iter().any(|granted| match granted.strip_suffix('*') {
            Some("") => true,
            Some(prefix) => prefix.ends_with('.') && permission.starts_with(prefix),
            None => granted == permission,
        })
    }

    /// Whether the caller is a service rather than a person.
    #[must_use]
    pub fn is_service(&self) -> bool {
        self.actor.starts_with("services/")
    }

    /// Lets everyone pass but other creators: to be called with the creator whose resource it is.
    ///
    /// # Errors
    /// `NOT_A_PARTY` if the caller is another creator.
    pub fn require_party(&self, creator: &str) -> Result<(), Status> {
        match &self.creator {
            Some(caller) if caller != creator => {
                let message =
                    format!("The token is of {caller}, who is no party to this. Use the creator's own token.");
                Err(Problem::new(ErrorReason::NotAParty, message).into())
            }
            _ => Ok(()),
        }
    }
}

fn is_name(name: &str, collection: &str) -> bool {
    name.strip_prefix(collection).is_some_and(is_id)
}

/// As `tandem_eventlog::Subject` has it.
fn is_id(id: &str) -> bool {
    (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_~-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(sub: &str, tenant: &str, creator: Option<&str>) -> Claims {
        let permissions = vec!["contracts.*".to_owned(), "payouts.read".to_owned()];
        Claims { sub: sub.into(), tenant: tenant.into(), permissions, creator: creator.map(Into::into), exp: 0.0 }
    }

    #[test]
    fn permissions_by_name_and_by_service() {
        let caller = Caller::new(claims("users/ada", "acme", None)).unwrap();
        for granted in ["contracts.sign", "contracts.terms.read", "payouts.read"] {
            assert!(caller.may(granted), "{granted}");
        }
        for denied in ["payouts.write", "payouts.read.all", "contracts", "contractsx.sign", "views.read"] {
            assert!(!caller.may(denied), "{denied}");
        }
        let everything = Caller { permissions: vec!["*".into()], ..caller };
        assert!(everything.may("views.rebuild"));
    }

    #[test]
    fn a_star_stands_for_whole_words_only() {
        let caller = Caller::new(claims("users/ada", "acme", None)).unwrap();
        let caller = Caller { permissions: vec!["contract*".into()], ..caller };
        assert!(!caller.may("contracts.sign"));
    }

    #[test]
    fn names_that_could_reach_elsewhere_are_refused() {
        for (sub, tenant) in [
            ("users/ada", "a.b"),
            ("users/ada", ">"),
            ("users/ada", ""),
            ("ada", "acme"),
            ("users/a b", "acme"),
            ("users/", "acme"),
            ("creators/c1", "acme"),
            ("users/a\nb", "acme"),
        ] {
            assert!(Caller::new(claims(sub, tenant, None)).is_err(), "{sub} {tenant}");
        }
        assert!(Caller::new(claims("users/ada", "acme", Some("users/c1"))).is_err());
    }

    #[test]
    fn a_creator_reaches_what_is_theirs() {
        let creator = Caller::new(claims("users/ada", "acme", Some("creators/c1"))).unwrap();
        assert_eq!(creator.actor, "creators/c1");
        assert!(creator.require_party("creators/c1").is_ok());
        assert_eq!(creator.require_party("creators/c2").unwrap_err().code(), tonic::Code::PermissionDenied);
        let manager = Caller::new(claims("users/ada", "acme", None)).unwrap();
        assert!(manager.require_party("creators/c2").is_ok());
    }
}
