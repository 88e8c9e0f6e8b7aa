//! Money and days, as contracts and payouts reckon with them.
//!
//! Invariant: an amount is a whole number of minor units of one currency. No float is involved anywhere, whatever
//! would lose a minor unit is an error, and so is mixing currencies.

mod currency;
pub mod dates;
pub mod holidays;
mod money;
mod proto;
mod text;

pub use currency::Currency;
pub use money::{Money, MoneyError};
