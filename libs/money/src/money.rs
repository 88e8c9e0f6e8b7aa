//! The amount of money and its arithmetic.
//!
//! Invariant: every operation is exact or says how it rounds, and fails rather than wraps.

use std::num::NonZeroU64;

use crate::Currency;

/// An amount in whole minor units (cents) of a currency; negative for what is clawed back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount can't be read or reckoned with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a code of ISO 4217, or one without minor units.
    #[error("{code:?} is not a currency that can be paid in: give an ISO 4217 code in capitals, as \"EUR\"")]
    UnknownCurrency {
        /// What was given.
        code: String,
    },
    /// The amount is finer than the currency's minor unit.
    #[error("the amount has a fraction of a minor unit: {currency} has {} decimals", currency.exponent())]
    FractionOfMinorUnit {
        /// The currency of the amount.
        currency: Currency,
    },
    /// `units` and `nanos` of a `google.type.Money` contradict each other.
    #[error("units and nanos differ in sign: give both positive or both negative")]
    SignMismatch,
    /// `nanos` of a `google.type.Money` make a whole unit or more.
    #[error("nanos must lie between -999999999 and 999999999: carry the rest over to units")]
    NanosOutOfRange,
    /// The amount does not fit into 64 bits of minor units.
    #[error("the amount is too large: at most 9223372036854775807 minor units")]
    Overflow,
    /// Two currencies in one operation.
    #[error("{left} and {right} can't be reckoned together: convert one of them before")]
    CurrencyMismatch {
        /// Currency of the first amount.
        left: Currency,
        /// Currency of the second amount.
        right: Currency,
    },
    /// A split without any weight above zero.
    #[error("nothing to split by: give at least one weight above zero")]
    NoWeight,
    /// Text that is not an amount.
    #[error("{text:?} is not an amount: write currency and amount, as \"EUR 1234.50\"")]
    Malformed {
        /// What was given.
        text: String,
    },
}

impl Money {
    /// An amount of `minor` units of `currency`: 1050 of USD is "USD 10.50".
    #[must_use]
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// Whether it is more than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// Whether it is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// Whether it is less than nothing.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    /// The sum of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.minor.checked_add(other.minor).map(|minor| self.with(minor)).ok_or(MoneyError::Overflow)
    }

    /// The difference of two amounts of one currency.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.minor.checked_sub(other.minor).map(|minor| self.with(minor)).ok_or(MoneyError::Overflow)
    }

    /// The amount with the other sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.minor.checked_neg().map(|minor| self.with(minor)).ok_or(MoneyError::Overflow)
    }

    /// The amount `count` times.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, count: i64) -> Result<Self, MoneyError> {
        self.minor.checked_mul(count).map(|minor| self.with(minor)).ok_or(MoneyError::Overflow)
    }

    /// The sum of amounts that are all in `currency`; zero for none.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`], [`MoneyError::Overflow`].
    pub fn total(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// A share in basis points (1/100 %), rounded half to even: 250 is 2.5 %.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn basis_points(self, basis_points: i64) -> Result<Self, MoneyError> {
        const WHOLE: NonZeroU64 = NonZeroU64::new(10_000).unwrap();
        self.scale(basis_points, WHOLE)
    }

    /// The amount times `numerator` / `denominator`, rounded half to even so that many roundings do not drift.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn scale(self, numerator: i64, denominator: NonZeroU64) -> Result<Self, MoneyError> {
        let product = i128::from(self.minor) * i128::from(numerator);
        let denominator = i128::from(denominator.get());
        let (floor, rest) = (product.div_euclid(denominator), product.rem_euclid(denominator));
        let up = match (rest * 2).cmp(&denominator) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => floor % 2 != 0,
            std::cmp::Ordering::Greater => true,
        };
        self.try_with(floor + i128::from(up))
    }

    /// Splits the amount in proportion to `weights`, one part a weight, by largest remainder: the parts add up to
    /// the amount, each is less than a minor unit from its exact share, and the same split always comes out
    /// the same (of equal remainders the earlier part gets the unit).
    ///
    /// # Errors
    /// [`MoneyError::NoWeight`] if all weights are zero.
    pub fn split(self, weights: &[u64]) -> Result<Vec<Self>, MoneyError> {
        let sum: u128 = weights.iter().copied().map(u128::from).sum();
        if sum == 0 {
            return Err(MoneyError::NoWeight);
        }
        // 64 bits of amount times 64 bits of weight fit into 128.
        let amount = u128::from(self.minor.unsigned_abs());
        let exact = |weight: u64| amount * u128::from(weight);
        let mut shares: Vec<u128> = weights.iter().map(|&weight| exact(weight) / sum).collect();
        let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
        by_remainder.sort_by_key(|&part| std::cmp::Reverse(exact(weights[part]) % sum));
        let left_over = amount - shares.iter().sum::<u128>();
        for part in by_remainder.into_iter().zip(0..left_over).map(|(part, _)| part) {
            shares[part] += 1;
        }
        let sign = i128::from(self.minor.signum());
        shares.into_iter().map(|share| self.try_with(sign * share.cast_signed())).collect()
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            Ok(())
        } else {
            Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
        }
    }

    fn with(self, minor: i64) -> Self {
        Self { minor, ..self }
    }

    fn try_with(self, minor: i128) -> Result<Self, MoneyError> {
        i64::try_from(minor).map(|minor| self.with(minor)).map_err(|_| MoneyError::Overflow)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    #[test]
    fn currencies_do_not_mix() {
        let mismatch = MoneyError::CurrencyMismatch { left: Currency::USD, right: Currency::EUR };
        let euro = Money::new(1, Currency::EUR);
        assert_eq!(usd(1).checked_add(euro), Err(mismatch.clone()));
        assert_eq!(usd(1).checked_sub(euro), Err(mismatch.clone()));
        assert_eq!(Money::total(Currency::USD, [usd(1), euro]), Err(mismatch));
    }

    #[test]
    fn nothing_wraps() {
        assert_eq!(usd(i64::MAX).checked_add(usd(1)), Err(MoneyError::Overflow));
        assert_eq!(usd(i64::MIN).checked_sub(usd(1)), Err(MoneyError::Overflow));
        assert_eq!(usd(i64::MIN).checked_neg(), Err(MoneyError::Overflow));
        assert_eq!(usd(i64::MAX).checked_mul(2), Err(MoneyError::Overflow));
        assert_eq!(usd(i64::MAX).basis_points(10_001), Err(MoneyError::Overflow));
    }

    #[test]
    fn halves_round_to_even_on_both_sides_of_zero() {
        // 50 % of an odd number of cents is a half.
        for (amount, half) in [(1, 0), (3, 2), (5, 2), (-1, 0), (-3, -2), (-5, -2)] {
            assert_eq!(usd(amount).basis_points(5_000), Ok(usd(half)), "{amount}");
        }
        assert_eq!(usd(10_000).basis_points(1_250), Ok(usd(1_250)));
        assert_eq!(usd(333).basis_points(1_000), Ok(usd(33)));
    }

    #[test]
    fn the_cent_left_over_goes_to_the_largest_remainder() {
        assert_eq!(usd(100).split(&[1, 1, 1]), Ok(vec![usd(34), usd(33), usd(33)]));
        assert_eq!(usd(-100).split(&[1, 1, 1]), Ok(vec![usd(-34), usd(-33), usd(-33)]));
        assert_eq!(usd(10).split(&[0, 1, 3]), Ok(vec![usd(0), usd(3), usd(7)]));
        assert_eq!(usd(10).split(&[]), Err(MoneyError::NoWeight));
        assert_eq!(usd(10).split(&[0, 0]), Err(MoneyError::NoWeight));
        assert_eq!(usd(i64::MIN).split(&[u64::MAX]), Ok(vec![usd(i64::MIN)]));
    }

    proptest! {
        #[test]
        fn a_split_loses_no_cent(minor: i64, weights in prop::collection::vec(0_u64.., 1..20)) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let parts = usd(minor).split(&weights).unwrap();
            prop_assert_eq!(Money::total(Currency::USD, parts.iter().copied()), Ok(usd(minor)));
            let sum: u128 = weights.iter().copied().map(u128::from).sum();
            for (part, &weight) in parts.iter().zip(&weights) {
                prop_assert!(part.minor().signum() * minor.signum() >= 0);
                let exact = u128::from(minor.unsigned_abs()) * u128::from(weight) / sum;
                let share = u128::from(part.minor().unsigned_abs());
                prop_assert!(share == exact || share == exact + 1);
                prop_assert!(weight > 0 || part.is_zero());
            }
        }

        #[test]
        fn scaling_is_off_by_half_a_unit_at_most(minor: i32, numerator in -100_000_i64..100_000, denominator in 1_u64..100_000) {
            let scaled = usd(minor.into()).scale(numerator, NonZeroU64::new(denominator).unwrap()).unwrap();
            let error = scaled.minor() * denominator.cast_signed() - i64::from(minor) * numerator;
            prop_assert!(error.unsigned_abs() * 2 <= denominator);
        }

        #[test]
        fn taking_away_undoes_adding(one in -1_i64 << 62..1 << 62, other in -1_i64 << 62..1 << 62) {
            let sum = usd(one).checked_add(usd(other)).unwrap();
            prop_assert_eq!(sum.checked_sub(usd(other)), Ok(usd(one)));
        }
    }
}
