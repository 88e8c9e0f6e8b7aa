//! What a broken pattern is told as: in words if it is that of a resource name, else by the pattern.

use tandem_proto::contracts::v1::GetContractRequest;
use tandem_proto::creators::v1::GetCreatorRequest;
use tandem_proto::payouts::v1::ExplainPayoutRequest;
use tandem_proto::{FieldViolation, Validate};

fn told(request: &impl Validate) -> Vec<(String, String)> {
    request.violations().into_iter().map(|FieldViolation { field, description }| (field, description)).collect()
}

fn only(description: &str) -> Vec<(String, String)> {
    vec![("name".to_owned(), description.to_owned())]
}

#[test]
fn a_resource_name_is_told_in_words() {
    let contract = |name: &str| told(&GetContractRequest { name: name.to_owned(), ..Default::default() });
    let words = only("must be contracts/{id}, the id 1 to 63 of [a-z0-9-]");
    for name in ["", "c1", "contracts/", "contracts/C1", "creators/c1", "contracts/c1/rounds/1"] {
        assert_eq!(contract(name), words, "{name}");
    }
    assert_eq!(contract("contracts/c1"), []);
    let creator = told(&GetCreatorRequest { name: "contracts/c1".to_owned() });
    assert_eq!(creator, only("must be creators/{id}, the id 1 to 64 of [A-Za-z0-9_-]"));
}

#[test]
fn any_other_pattern_is_told_as_it_is() {
    let payout = told(&ExplainPayoutRequest { name: "payoutRuns/r1".to_owned() });
    assert_eq!(payout, only("must match ^payoutRuns/[a-z0-9-]{1,63}/payouts/[A-Za-z0-9_-]{1,64}$"));
}
