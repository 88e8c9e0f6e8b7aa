//! Creators to whom something is due that is not paid.
//!
//! Invariant: pure. Unpayable is who the creators service says has no account to pay to, and what is too little by its
//! contract; never who could not be asked about.

use tandem_money::Money;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::payouts::v1::UnpayableCreator;

/// Names in one sentence: an error travels in the headers of a reply, which take few kilobytes.
const MOST_NAMED: usize = 30;

/// What keeps a creator from being paid: the reason, who they are, and what to do.
const OBSTACLES: [(ErrorReason, &str, &str); 4] = [
    (
        ErrorReason::PayoutAccountMissing,
        "without a payout account",
        "has no payout account. Set it with SetPayoutAccount; a later run then pays what is due.",
    ),
    (
        ErrorReason::PersonErased,
        "whose personal data was erased",
        "was erased, the payout account with it: no run can pay what is due.",
    ),
    (
        ErrorReason::ResourceNotFound,
        "unknown to the creators service",
        "is unknown to the creators service. Import them and set a payout account; a later run then pays what is due.",
    ),
    (
        ErrorReason::BelowMinimumPayout,
        "owed less than the minimum payout of their contract",
        "is owed less than the minimum payout of their contract. It waits for more.",
    ),
];

/// What is due to `creators/{creator}` under a contract, but less than is paid out at least.
#[must_use]
pub fn below_minimum(creator: &str, contract: &str, due: Money, minimum: Money) -> UnpayableCreator {
    UnpayableCreator {
        creator: creator.to_owned(),
        amount: Some(due.into()),
        reason: name(ErrorReason::BelowMinimumPayout).to_owned(),
        message: format!(
            "{creator} is owed {due} under {contract}, less than its minimum payout of {minimum}. It waits for more."
        ),
    }
}

/// Whether a refusal of `GetPayoutAccount` says that the creator can't be paid.
#[must_use]
pub fn is_obstacle(reason: ErrorReason) -> bool {
    OBSTACLES.iter().any(|(obstacle, ..)| *obstacle == reason)
}

/// `creators/{creator}` with what is due to them.
#[must_use]
pub fn unpayable(creator: &str, due: Option<Money>, reason: ErrorReason) -> UnpayableCreator {
    let advice = OBSTACLES.iter().find(|(obstacle, ..)| *obstacle == reason);
    let advice = advice.map_or("can't be paid.", |(.., advice)| advice);
    UnpayableCreator {
        creator: creator.to_owned(),
        amount: due.map(Into::into),
        reason: name(reason).to_owned(),
        message: format!("{creator} {advice}"),
    }
}

/// How many, why, and who: "2 without a payout account (creators/adam, creators/zoe), 1 whose personal data was erased
/// (creators/bob)".
#[must_use]
pub fn summary(unpayable: &[UnpayableCreator]) -> String {
    let of_reason = |(obstacle, who, _): &(ErrorReason, &str, &str)| {
        let creators: Vec<&str> = unpayable
            .iter()
            .filter(|creator| creator.reason == name(*obstacle))
            .map(|creator| &creator.creator[..])
            .collect();
        let mut names = creators.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
        if creators.len() > MOST_NAMED {
            names += &format!(" and {} more", creators.len() - MOST_NAMED);
        }
        (!creators.is_empty()).then(|| format!("{} {who} ({names})", creators.len()))
    };
    OBSTACLES.iter().filter_map(of_reason).collect::<Vec<_>>().join(", ")
}

/// As in `ErrorInfo.reason`.
fn name(reason: ErrorReason) -> &'static str {
    reason.as_str_name().trim_start_matches("ERROR_REASON_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_counts_and_names_by_reason() {
        let of = |creator, reason| unpayable(creator, None, reason);
        let all = [
            of("creators/adam", ErrorReason::PayoutAccountMissing),
            of("creators/bob", ErrorReason::PersonErased),
            of("creators/zoe", ErrorReason::PayoutAccountMissing),
        ];
        assert_eq!(
            summary(&all),
            "2 without a payout account (creators/adam, creators/zoe), 1 whose personal data was erased (creators/bob)"
        );
    }

    #[test]
    fn a_summary_stays_short() {
        let unknown = |at| unpayable(&format!("creators/{at:064}"), None, ErrorReason::ResourceNotFound);
        let all: Vec<_> = (0..900).map(unknown).collect();
        let summary = summary(&all);
        assert!(summary.starts_with("900 unknown to the creators service (creators/000"), "{summary}");
        assert!(summary.ends_with(" and 870 more)") && summary.len() < 3000, "{summary}");
    }
}
