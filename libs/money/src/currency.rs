//! Currencies that can be paid in.
//!
//! Invariant: a [`Currency`] has minor units; gold, test codes and the like can't be one.

use std::fmt;
use std::str::FromStr;

use crate::MoneyError;

/// A currency of ISO 4217 that has minor units.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    iso: iso_currency::Currency,
    exponent: u16,
}

impl Currency {
    /// The euro.
    pub const EUR: Self = Self { iso: iso_currency::Currency::EUR, exponent: 2 };
    /// The United States dollar.
    pub const USD: Self = Self { iso: iso_currency::Currency::USD, exponent: 2 };

    /// The three letters, as "USD".
    #[must_use]
    pub fn code(self) -> &'static str {
        self.iso.code()
    }

    /// Decimals of the major unit: 2 for the dollar, 0 for the yen; at most 4 in ISO 4217.
    #[must_use]
    pub fn exponent(self) -> u32 {
        self.exponent.into()
    }

    /// Minor units in a major one: 100 for the dollar, 1 for the yen.
    #[must_use]
    pub fn minor_per_major(self) -> i64 {
        10_i64.pow(self.exponent())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(code: &str) -> Result<Self, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency { code: code.to_owned() };
        let iso = iso_currency::Currency::from_code(code).ok_or_else(unknown)?;
        Ok(Self { iso, exponent: iso.exponent().ok_or_else(unknown)? })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_those_of_iso_4217() {
        for (code, exponent) in [("EUR", 2), ("JPY", 0), ("BHD", 3), ("CLF", 4)] {
            assert_eq!(code.parse::<Currency>().map(Currency::exponent), Ok(exponent), "{code}");
        }
        assert_eq!("USD".parse(), Ok(Currency::USD));
        assert_eq!("EUR".parse(), Ok(Currency::EUR));
    }

    #[test]
    fn what_can_not_be_paid_is_no_currency() {
        for code in ["XAU", "XXX", "usd", "US", ""] {
            let error = code.parse::<Currency>().unwrap_err();
            assert_eq!(error, MoneyError::UnknownCurrency { code: code.into() });
        }
    }
}
