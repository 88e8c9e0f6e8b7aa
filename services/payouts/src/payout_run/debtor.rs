//! The account to be debited: could a bank take an order from it?
//!
//! Invariant: what is refused here is named without repeating the account.

use tandem_aggregate::Refusal;
use tandem_proto::payouts::v1::DebtorAccount;

/// Refuses what a bank would: a whole file is sent back for one wrong digit.
pub(super) fn check(debtor: Option<&DebtorAccount>) -> Result<(), Refusal> {
    let debtor = debtor.ok_or_else(|| Refusal::field("payout_run.debtor", "is required"))?;
    if debtor.holder_name.trim().is_empty() || debtor.holder_name.chars().any(char::is_control) {
        return Err(Refusal::field("payout_run.debtor.holder_name", "must be a name of printable characters"));
    }
    if remainder(&debtor.iban) != Some(1) {
        let field = "payout_run.debtor.iban";
        return Err(Refusal::field(field, "has check digits that do not fit the rest; copy it again, without spaces"));
    }
    Ok(())
}

/// ISO 7064 MOD 97-10 over the IBAN with its first four characters at the end; 1 if it is in order.
fn remainder(iban: &str) -> Option<u32> {
    let (head, rest) = iban.split_at_checked(4)?;
    rest.chars().chain(head.chars()).try_fold(0, |remainder, letter| {
        // A is 10, Z is 35.
        let value = letter.to_digit(36)?;
        Some((remainder * if value > 9 { 100 } else { 10 } + value) % 97)
    })
}
