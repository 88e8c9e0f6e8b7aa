//! Amounts as people write and read them: "USD 1,234.50".
//!
//! Invariant: what is written is read back as the same amount.

use std::fmt;
use std::str::FromStr;

use crate::{Currency, Money, MoneyError};

/// Writes all decimals of the currency and groups thousands: "USD -1,234.50", "JPY 1,234".
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_major = self.currency().minor_per_major().unsigned_abs();
        let (major, minor) = (self.minor().unsigned_abs() / per_major, self.minor().unsigned_abs() % per_major);
        let sign = if self.is_negative() { "-" } else { "" };
        let mut text = format!("{} {sign}", self.currency());
        let digits = major.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                text.push(',');
            }
            text.push(digit);
        }
        if self.currency().exponent() > 0 {
            text.push_str(&format!(".{minor:0width$}", width = self.currency().exponent() as usize));
        }
        f.pad(&text)
    }
}

/// Reads "USD 1234.5", "USD -1,234.50", "JPY 1234": commas, if any, group thousands; decimals may be fewer than
/// the currency has, not more.
impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let malformed = || MoneyError::Malformed { text: text.to_owned() };
        let (code, amount) = text.trim().split_once(' ').ok_or_else(malformed)?;
        let currency: Currency = code.parse()?;
        let (sign, amount) = amount.strip_prefix('-').map_or((1, amount), |rest| (-1, rest));
        let (major, decimals) = match amount.split_once('.') {
            Some((_, "")) => return Err(malformed()),
            Some(parts) => parts,
            None => (amount, ""),
        };
        let major = ungrouped(major).filter(|_| is_digits(decimals)).ok_or_else(malformed)?;
        let exponent = currency.exponent() as usize;
        if decimals.len() > exponent {
            return Err(MoneyError::FractionOfMinorUnit { currency });
        }
        // The sign goes first so that the least amount, which has no positive twin, is read as well.
        let digits = format!("{}{major}{decimals:0<exponent$}", if sign < 0 { "-" } else { "" });
        let minor = digits.parse().map_err(|_| MoneyError::Overflow)?;
        Ok(Self::new(minor, currency))
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits of "1234" or "1,234" without commas; none if it is neither.
fn ungrouped(text: &str) -> Option<String> {
    let mut groups = text.split(',');
    let first = groups.next().filter(|first| !first.is_empty() && is_digits(first))?;
    let rest: Vec<&str> = groups.collect();
    let grouped = first.len() <= 3 && rest.iter().all(|group| group.len() == 3 && is_digits(group));
    (rest.is_empty() || grouped).then(|| format!("{first}{}", rest.concat()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_written_with_the_decimals_of_its_currency() {
        for (code, minor, text) in [
            ("USD", 123_450, "USD 1,234.50"),
            ("USD", -5, "USD -0.05"),
            ("EUR", 100, "EUR 1.00"),
            ("JPY", 1_234_567, "JPY 1,234,567"),
            ("BHD", 1_001, "BHD 1.001"),
            ("USD", i64::MIN, "USD -92,233,720,368,547,758.08"),
        ] {
            let money = Money::new(minor, code.parse().unwrap());
            assert_eq!(money.to_string(), text);
            assert_eq!(text.parse(), Ok(money));
        }
        assert_eq!(format!("{:>10}", Money::new(5, Currency::USD)), "  USD 0.05");
    }

    #[test]
    fn plain_text_is_read() {
        assert_eq!("USD 1234.5".parse(), Ok(Money::new(123_450, Currency::USD)));
        assert_eq!("USD 1234".parse(), Ok(Money::new(123_400, Currency::USD)));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", "USD", "12.50", "USD ", "USD 1.", "USD .5", "USD 1,23", "USD 1.2.3", "USD 1e3", "USD +1"] {
            assert!(text.parse::<Money>().is_err(), "{text:?}");
        }
        for text in ["USD 1234,567.00", "USD ,123", "USD --1", "USD 1,2345", "USD 1.0,0"] {
            assert_eq!(text.parse::<Money>(), Err(MoneyError::Malformed { text: text.into() }));
        }
        let finer = MoneyError::FractionOfMinorUnit { currency: Currency::USD };
        assert_eq!("USD 0.005".parse::<Money>(), Err(finer));
        assert_eq!("USD 92233720368547758.08".parse::<Money>(), Err(MoneyError::Overflow));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(minor: i64, code in prop::sample::select(vec!["USD", "JPY", "BHD", "CLF"])) {
            let money = Money::new(minor, code.parse().unwrap());
            prop_assert_eq!(money.to_string().parse(), Ok(money));
        }
    }
}
