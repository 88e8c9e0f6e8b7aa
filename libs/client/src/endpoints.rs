//! Endpoints: where the services are reached.
//!
//! Invariant: the default is a whole Tandem on this machine, so that a client without settings works there.

use std::fmt;
use std::str::FromStr;

/// A service of Tandem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Service {
    /// Creators and prospects.
    Creators,
    /// Contracts.
    Contracts,
    /// Campaigns, participations, conversions.
    Campaigns,
    /// Earnings and payout runs.
    Payouts,
    /// Relationships and the stream of events.
    Relationships,
}

impl Service {
    /// All services.
    pub const ALL: [Self; 5] = [Self::Creators, Self::Contracts, Self::Campaigns, Self::Payouts, Self::Relationships];

    /// Its name, as "creators".
    pub fn name(self) -> &'static str {
        match self {
            Self::Creators => "creators",
            Self::Contracts => "contracts",
            Self::Campaigns => "campaigns",
            Self::Payouts => "payouts",
            Self::Relationships => "relationships",
        }
    }

    /// The environment variable of its endpoint, as "TANDEM_CREATORS_ENDPOINT".
    pub fn variable(self) -> String {
        format!("TANDEM_{}_ENDPOINT", self.name().to_ascii_uppercase())
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No service has this name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no service {0:?}: name one of creators, contracts, campaigns, payouts, relationships")]
pub struct UnknownService(String);

impl FromStr for Service {
    type Err = UnknownService;

    fn from_str(name: &str) -> Result<Self, UnknownService> {
        Self::ALL.into_iter().find(|service| service.name() == name).ok_or_else(|| UnknownService(name.to_owned()))
    }
}

/// URL of each service: "http://host:port", or "https://host:port" for TLS.
///
/// With the feature `clap` it is a group of command line arguments (`#[command(flatten)]`), each with its environment
/// variable.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
pub struct Endpoints {
    /// URL of the creators service.
    #[cfg_attr(
        feature = "clap",
        arg(
            long = "creators-endpoint",
            env = "TANDEM_CREATORS_ENDPOINT",
            value_name = "URL",
            default_value_t = Self::default().creators
        )
    )]
    pub creators: String,
    /// URL of the contracts service.
    #[cfg_attr(
        feature = "clap",
        arg(
            long = "contracts-endpoint",
            env = "TANDEM_CONTRACTS_ENDPOINT",
            value_name = "URL",
            default_value_t = Self::default().contracts
        )
    )]
    pub contracts: String,
    /// URL of the campaigns service.
    #[cfg_attr(
        feature = "clap",
        arg(
            long = "campaigns-endpoint",
            env = "TANDEM_CAMPAIGNS_ENDPOINT",
            value_name = "URL",
            default_value_t = Self::default().campaigns
        )
    )]
    pub campaigns: String,
    /// URL of the payouts service.
    #[cfg_attr(
        feature = "clap",
        arg(
            long = "payouts-endpoint",
            env = "TANDEM_PAYOUTS_ENDPOINT",
            value_name = "URL",
            default_value_t = Self::default().payouts
        )
    )]
    pub payouts: String,
    /// URL of the relationships service.
    #[cfg_attr(
        feature = "clap",
        arg(
            long = "relationships-endpoint",
            env = "TANDEM_RELATIONSHIPS_ENDPOINT",
            value_name = "URL",
            default_value_t = Self::default().relationships
        )
    )]
    pub relationships: String,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            creators: "http://127.0.0.1:7401".into(),
            contracts: "http://127.0.0.1:7402".into(),
            campaigns: "http://127.0.0.1:7403".into(),
            payouts: "http://127.0.0.1:7404".into(),
            relationships: "http://127.0.0.1:7405".into(),
        }
    }
}

impl Endpoints {
    /// All services behind one URL, as a gateway offers them.
    pub fn behind(url: impl Into<String>) -> Self {
        let url = url.into();
        Self {
            creators: url.clone(),
            contracts: url.clone(),
            campaigns: url.clone(),
            payouts: url.clone(),
            relationships: url,
        }
    }

    /// The defaults, each replaced by its environment variable ([`Service::variable`]) where that is set.
    pub fn from_env() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let mut endpoints = Self::default();
        for service in Service::ALL {
            if let Some(url) = variable(&service.variable()).filter(|url| !url.is_empty()) {
                *endpoints.of_mut(service) = url;
            }
        }
        endpoints
    }

    /// The URL of a service.
    pub fn of(&self, service: Service) -> &str {
        match service {
            Service::Creators => &self.creators,
            Service::Contracts => &self.contracts,
            Service::Campaigns => &self.campaigns,
            Service::Payouts => &self.payouts,
            Service::Relationships => &self.relationships,
        }
    }

    /// The URL of a service, to be replaced.
    pub fn of_mut(&mut self, service: Service) -> &mut String {
        match service {
            Service::Creators => &mut self.creators,
            Service::Contracts => &mut self.contracts,
            Service::Campaigns => &mut self.campaigns,
            Service::Payouts => &mut self.payouts,
            Service::Relationships => &mut self.relationships,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_replaces_the_default() {
        let set = |name: &str| (name == "TANDEM_PAYOUTS_ENDPOINT").then(|| "https://payouts.example".to_owned());
        let endpoints = Endpoints::from_variables(set);
        assert_eq!(endpoints.of(Service::Payouts), "https://payouts.example");
        assert_eq!(endpoints.of(Service::Creators), "http://127.0.0.1:7401");
    }

    #[test]
    fn a_service_is_found_by_name() {
        for service in Service::ALL {
            assert_eq!(service.to_string().parse(), Ok(service));
        }
        assert!("payout".parse::<Service>().unwrap_err().to_string().contains("payouts"));
    }

    #[cfg(feature = "clap")]
    #[test]
    fn the_arguments_have_the_same_defaults() {
        use clap::{Args as _, FromArgMatches as _};
        let command = Endpoints::augment_args(clap::Command::new("test"));
        let matches = command.try_get_matches_from(["test", "--payouts-endpoint", "http://b"]).unwrap();
        let expected = Endpoints { payouts: "http://b".into(), ..Endpoints::default() };
        assert_eq!(Endpoints::from_arg_matches(&matches).unwrap(), expected);
    }
}
