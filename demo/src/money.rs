//! Amounts for people.

use tandem_money::{Currency, Money};
use tandem_proto::google::r#type as wire;

/// "USD 1,234.50"; a dash where there is none.
pub fn amount(amount: Option<&wire::Money>) -> String {
    amount.and_then(|amount| Money::try_from(amount).ok()).map_or_else(|| "–".to_owned(), |amount| amount.to_string())
}

/// So many whole units of US dollars.
pub fn usd(units: i64) -> Option<wire::Money> {
    Some(wire::Money { currency_code: "USD".to_owned(), units, nanos: 0 })
}

/// So many cents of a US dollar.
pub fn cents(minor: i64) -> Option<wire::Money> {
    Some(Money::new(minor, Currency::USD).into())
}
