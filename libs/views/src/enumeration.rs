//! Enums of the proto files, as columns store them and as filters name their values.
//!
//! Invariant: a value is stored by its name without the enum's prefix (`SIGNED`), and the zero value as no text at all;
//! a filter's value is either one of these names or refused, so that a misspelt one never silently matches nothing.

use std::fmt;

use tandem_proto::POOL;

/// What ends the name of an enum's zero value; what stands before it is the prefix of all its values.
const ZERO: &str = "UNSPECIFIED";

/// The values of an enum, but for its zero value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Enumeration {
    /// `tandem.contracts.v1.ContractState`.
    full_name: &'static str,
    /// `CONTRACT_STATE_`.
    prefix: String,
    /// In the order of the proto file, without the prefix.
    values: Vec<(i32, String)>,
}

impl Enumeration {
    /// The enum of this full name; one without values if there is none, which [`Self::check`] finds.
    pub(crate) fn of(full_name: &'static str) -> Self {
        let descriptor = POOL.get_enum_by_name(full_name);
        let zero = descriptor.as_ref().and_then(|descriptor| descriptor.get_value(0));
        let prefix = zero.and_then(|zero| zero.name().strip_suffix(ZERO).map(str::to_owned)).unwrap_or_default();
        let short = |name: &str| name.strip_prefix(&prefix).unwrap_or(name).to_owned();
        let values = descriptor.iter().flat_map(|descriptor| descriptor.values().collect::<Vec<_>>());
        let values = values.filter(|value| value.number() != 0);
        let values = values.map(|value| (value.number(), short(value.name()))).collect();
        Self { full_name, prefix, values }
    }

    /// Refuses an enum that is not in the proto files.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.values.is_empty() {
            return Err(format!("there is no enum {} with values in the proto files", self.full_name));
        }
        Ok(())
    }

    /// As it is stored. A number that a newer writer knows and this reader does not stands for itself.
    pub(crate) fn stored(&self, number: i32) -> String {
        match self.values.iter().find(|(known, _)| *known == number) {
            Some((_, name)) => name.clone(),
            None if number == 0 => String::new(),
            None => number.to_string(),
        }
    }

    /// The stored form of what a filter says: with the prefix or without, in upper or lower case.
    pub(crate) fn parse(&self, text: &str) -> Option<&str> {
        let upper = text.to_ascii_uppercase();
        let short = upper.strip_prefix(&self.prefix).unwrap_or(&upper);
        self.values.iter().map(|(_, name)| name.as_str()).find(|name| *name == short || *name == upper)
    }

    /// A value, to show how one is written.
    pub(crate) fn example(&self) -> &str {
        self.values.first().map_or("", |(_, name)| name)
    }
}

/// `DRAFT, SIGNED`.
impl fmt::Display for Enumeration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.values.iter().map(|(_, name)| name.as_str()).collect();
        f.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lose_what_the_zero_value_begins_with() {
        let states = Enumeration::of("tandem.contracts.v1.ContractState");
        states.check().unwrap();
        assert!(states.to_string().starts_with("DRAFT, "), "{states}");
        assert_eq!(
            (states.example(), states.stored(0), states.stored(1)),
            ("DRAFT", String::new(), "DRAFT".to_owned())
        );
        assert_eq!(states.stored(4711), "4711");
    }

    #[test]
    fn a_value_is_taken_in_any_case_with_the_prefix_or_without() {
        let tiers = Enumeration::of("tandem.creators.v1.Tier");
        for text in ["MEGA", "mega", "TIER_MEGA", "tier_Mega"] {
            assert_eq!(tiers.parse(text), Some("MEGA"), "{text}");
        }
        for text in ["", "HUGE", "TIER_", "TIER_TIER_MEGA", "UNSPECIFIED", "CREATOR_STATE_MEGA", "5", "MEGA "] {
            assert_eq!(tiers.parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_enum_that_is_not_there_is_refused() {
        let error = Enumeration::of("tandem.contracts.v1.Weather").check().unwrap_err();
        assert!(error.contains("tandem.contracts.v1.Weather"), "{error}");
    }
}
