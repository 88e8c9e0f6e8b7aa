//! Amounts on the wire: `google.type.Money`.
//!
//! Invariant: an amount goes to the wire and back unchanged; what the wire holds and minor units can't is refused.

use tandem_proto::google::r#type as wire;

use crate::{Currency, Money, MoneyError};

const NANOS_PER_UNIT: i64 = 1_000_000_000;

impl From<Money> for wire::Money {
    fn from(money: Money) -> Self {
        let per_major = money.currency().minor_per_major();
        let nanos = money.minor() % per_major * (NANOS_PER_UNIT / per_major);
        Self {
            currency_code: money.currency().code().to_owned(),
            units: money.minor() / per_major,
            // Less than a unit, which is 10^9 nanos: 32 bits hold it.
            nanos: nanos as i32,
        }
    }
}

impl TryFrom<&wire::Money> for Money {
    type Error = MoneyError;

    fn try_from(money: &wire::Money) -> Result<Self, MoneyError> {
        let currency: Currency = money.currency_code.parse()?;
        let (units, nanos) = (money.units, i64::from(money.nanos));
        if nanos.abs() >= NANOS_PER_UNIT {
            return Err(MoneyError::NanosOutOfRange);
        }
        if units.signum() * nanos.signum() < 0 {
            return Err(MoneyError::SignMismatch);
        }
        let per_major = currency.minor_per_major();
        let nanos_per_minor = NANOS_PER_UNIT / per_major;
        if nanos % nanos_per_minor != 0 {
            return Err(MoneyError::FractionOfMinorUnit { currency });
        }
        let minor = i128::from(units) * i128::from(per_major) + i128::from(nanos / nanos_per_minor);
        i64::try_from(minor).map(|minor| Self::new(minor, currency)).map_err(|_| MoneyError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wire(code: &str, units: i64, nanos: i32) -> wire::Money {
        wire::Money { currency_code: code.into(), units, nanos }
    }

    #[test]
    fn units_and_nanos_carry_the_sign() {
        for (minor, units, nanos) in [(175, 1, 750_000_000), (-175, -1, -750_000_000), (-5, 0, -50_000_000)] {
            let money = Money::new(minor, Currency::USD);
            assert_eq!(wire::Money::from(money), wire("USD", units, nanos));
            assert_eq!(Money::try_from(&wire("USD", units, nanos)), Ok(money));
        }
    }

    #[test]
    fn what_minor_units_can_not_hold_is_refused() {
        let finer = |currency| MoneyError::FractionOfMinorUnit { currency };
        for (money, error) in [
            (wire("", 1, 0), MoneyError::UnknownCurrency { code: String::new() }),
            (wire("USD", 1, -10_000_000), MoneyError::SignMismatch),
            (wire("USD", -1, 10_000_000), MoneyError::SignMismatch),
            (wire("USD", 0, 1_000_000_000), MoneyError::NanosOutOfRange),
            (wire("USD", 0, i32::MIN), MoneyError::NanosOutOfRange),
            (wire("USD", 0, 1_000_000), finer(Currency::USD)),
            (wire("JPY", 0, 500_000_000), finer("JPY".parse().unwrap())),
            (wire("USD", i64::MAX, 0), MoneyError::Overflow),
        ] {
            assert_eq!(Money::try_from(&money), Err(error), "{money:?}");
        }
    }

    proptest! {
        #[test]
        fn the_wire_keeps_every_amount(minor: i64, code in prop::sample::select(vec!["USD", "JPY", "BHD", "CLF"])) {
            let money = Money::new(minor, code.parse().unwrap());
            prop_assert_eq!(Money::try_from(&wire::Money::from(money)), Ok(money));
        }

        #[test]
        fn any_amount_on_the_wire_is_exact_or_refused(units: i64, nanos: i32) {
            if let Ok(money) = Money::try_from(&wire("USD", units, nanos)) {
                prop_assert_eq!(wire::Money::from(money), wire("USD", units, nanos));
            }
        }
    }
}
