//! A rule: where and when it holds, what it asks for.
//!
//! Invariant: whatever stands in the file is understood, or the file is not taken.

use jiff::civil::Date;
use serde::Deserialize;
use tandem_money::Money;
use tandem_proto::contracts::v1::{StatutoryFinding, Terms};

use super::measure;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Book {
    pub(super) statute: Vec<Statute>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statute {
    pub(super) id: String,
    #[serde(rename = "where")]
    place: Place,
    nexus: Nexus,
    pub(super) valid: Validity,
    #[serde(default)]
    pub(super) when: When,
    pub(super) require: Requirement,
    pub(super) message: String,
    citation: String,
    pub(super) url: String,
}

/// Whose law it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    countries: Vec<String>,
    subdivision: Option<String>,
}

/// What binds a contract to the place.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Nexus {
    /// It is the law agreed on.
    GoverningLaw,
    /// That, or a usage right that names the country.
    Market,
}

/// First and last day; open if not given.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Validity {
    #[serde(deserialize_with = "day")]
    pub(super) from: Date,
    #[serde(default, deserialize_with = "last_day")]
    pub(super) until: Option<Date>,
}

/// What terms have to be like; any will do by default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    #[serde(default, deserialize_with = "amount")]
    amount_from: Option<Money>,
    #[serde(default)]
    pub(super) clauses: Vec<String>,
}

/// What terms have to say.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Requirement {
    /// Have a clause of one of these kinds.
    Clause { any_of: Vec<String> },
    /// Pay so many days after the earning at the latest, where they say when.
    PaymentWithin { days: i32 },
    /// Accept one of these labels as a disclosure.
    Label { any_of: Vec<String> },
    /// Agree on this country's law.
    GoverningLaw { country_code: String },
    /// Have AI-made content labelled.
    AiContentLabel,
}

impl Statute {
    /// Whether terms of that day are measured by it.
    pub(super) fn applies(&self, terms: &Terms, day: Date) -> bool {
        self.valid.from <= day
            && self.valid.until.is_none_or(|until| day <= until)
            && self.binds(terms)
            && self.meant(terms)
    }

    fn binds(&self, terms: &Terms) -> bool {
        let of = |country: &str| self.place.countries.iter().any(|known| known == country);
        let governed = measure::governing_law(terms).is_some_and(|law| {
            let subdivision = self.place.subdivision.as_ref();
            of(&law.country_code) && subdivision.is_none_or(|subdivision| *subdivision == law.subdivision_code)
        });
        match self.nexus {
            Nexus::GoverningLaw => governed,
            Nexus::Market => governed || measure::territories(terms).any(of),
        }
    }

    fn meant(&self, terms: &Terms) -> bool {
        let When { amount_from, clauses } = &self.when;
        let reaches = |from: &Money| {
            measure::certain_pay(terms).is_none_or(|pay| {
                pay.is_positive() && (pay.currency() != from.currency() || pay.minor() >= from.minor())
            })
        };
        amount_from.as_ref().is_none_or(reaches) && (clauses.is_empty() || measure::has(terms, clauses))
    }

    /// Whether terms say what it asks for.
    pub(super) fn is_kept(&self, terms: &Terms) -> bool {
        match &self.require {
            Requirement::Clause { any_of } => measure::has(terms, any_of),
            Requirement::PaymentWithin { days } => {
                measure::latest_payment_days(terms).is_none_or(|latest| latest <= *days)
            }
            Requirement::Label { any_of } => measure::labels(terms).any(|label| {
                let label = plain(label);
                any_of.iter().any(|sufficient| plain(sufficient) == label)
            }),
            Requirement::GoverningLaw { country_code } => {
                measure::governing_law(terms).is_some_and(|law| law.country_code == *country_code)
            }
            Requirement::AiContentLabel => measure::ai_content_is_labelled(terms),
        }
    }

    pub(super) fn finding(&self) -> StatutoryFinding {
        StatutoryFinding {
            rule: self.id.clone(),
            message: self.message.clone(),
            source: format!("{}, {}", self.citation, self.url),
        }
    }
}

/// A label without what doesn't change its sense: `#Ad` is `ad`.
fn plain(label: &str) -> String {
    label.trim().trim_start_matches('#').to_lowercase()
}

fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn last_day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    day(deserializer).map(Some)
}

fn amount<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Money>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(serde::de::Error::custom)
}
