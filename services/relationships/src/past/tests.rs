use tandem_proto::contracts::v1::{ContractDrafted, ContractProposed};
use tandem_proto::creators::v1::OutreachSent;
use tandem_views::testing::{event, given};

use super::*;

const KEY: &str = "glowco~zoe";

/// Every prefix of what the view could not take whole: the same as the view shows.
#[test]
fn the_past_is_what_the_view_showed() {
    let mut events = vec![
        event(1, "acme.creators.prospect.p", &OutreachSent::default()),
        event(2, "acme.contracts.contract.c1", &ContractDrafted::default()),
        event(3, "acme.contracts.contract.c1", &ContractProposed::default()),
        event(4, "acme.contracts.contract.c1", &ContractProposed::default()),
        event(5, "acme.contracts.contract.c2", &ContractProposed::default()),
        // Of a kind that the view does not read.
        event(6, "acme.campaigns.campaign.k1", &ContractProposed::default()),
        event(7, "acme.creators.prospect.p", &OutreachSent::default()),
    ];
    for event in &mut events {
        event.envelope.partnership = format!("partnerships/{KEY}");
    }
    events[2].envelope.event_type = "tandem.contracts.v1.ContractAmended".into();
    for count in 0..=events.len() {
        let shown = given(Partnerships, events[..count].to_vec());
        assert_eq!(partnership(KEY, &events[..count]).as_ref(), shown.row("acme", KEY), "after {count}");
    }
    let last = partnership(KEY, &events).unwrap();
    // All but the one of another kind, and the one whose type is unknown.
    assert_eq!((last.event_count, last.position), (5, 7));
}
