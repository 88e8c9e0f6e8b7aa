use super::*;

#[test]
fn names_are_told_from_typos() {
    assert_eq!(partnership("partnerships/glowco~c-1").as_deref(), Ok("partnerships/glowco~c-1"));
    for wrong in
        ["foo", "partnerships/", "partnerships/glowco", "partnership/a~b", "partnerships/a~b~c", "partnerships/~b"]
    {
        assert!(partnership(wrong).unwrap_err().contains("partnerships/{brand}~{creator}"), "{wrong}");
    }
    assert_eq!(payout("payoutRuns/2026-08/payouts/c1").as_deref(), Ok("payoutRuns/2026-08/payouts/c1"));
    for wrong in ["payoutRuns/2026-08", "payoutRuns//payouts/c1", "payoutRuns/r/payouts/c/1", "c1"] {
        assert!(payout(wrong).is_err(), "{wrong}");
    }
    let reel = "participations/p1/deliverables/reel-1";
    assert_eq!(deliverable(reel).as_deref(), Ok(reel));
    for wrong in
        ["reel-1", "participations/p1", "participations//deliverables/reel-1", "participations/p/deliverables/a/b"]
    {
        assert!(deliverable(wrong).unwrap_err().contains("participations/{participation}"), "{wrong}");
    }
    assert_eq!(resource("contracts/c1").as_deref(), Ok("contracts/c1"));
    for wrong in ["contract/c1", "contracts/", "contracts", "c1", "contracts/a b"] {
        assert!(resource(wrong).unwrap_err().contains("payoutRuns"), "{wrong}");
    }
}

fn plural(name: &str) -> String {
    name.strip_suffix('y').map_or_else(|| format!("{name}s"), |stem| format!("{stem}ies")).to_lowercase()
}

#[test]
fn each_aggregate_has_a_collection() {
    let aggregates: BTreeSet<_> = POOL
        .all_messages()
        .filter(|message| message.oneofs().any(|oneof| oneof.name() == "event"))
        .filter_map(|message| message.name().strip_suffix("Event").map(plural))
        .collect();
    assert_eq!(aggregates, COLLECTIONS.iter().map(|collection| collection.to_lowercase()).collect());
}

#[test]
fn event_types_are_those_of_the_proto_files() {
    let signed = "tandem.contracts.v1.ContractSigned";
    assert_eq!(event_type(signed).as_deref(), Ok(signed));
    assert_eq!(event_type("ContractSigned").as_deref(), Ok(signed));
    assert!(event_type("tandem.contracts.v1.ContractSinged").unwrap_err().contains("ContractSigned"));
    for wrong in ["foo.Bar", "", "tandem.contracts.v1.Contract", "tandem.contracts.v1.ContractEvent"] {
        assert!(event_type(wrong).unwrap_err().contains("ContractSigned"), "{wrong}");
    }
}

#[test]
fn a_day_is_meant_to_its_end() {
    let instant = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(as_of("2026-03-31T12:00:00+02:00"), Ok(instant("2026-03-31T10:00:00Z")));
    assert_eq!(as_of("2026-03-31"), Ok(instant("2026-03-31T23:59:59.999999999Z")));
    for wrong in ["", "yesterday", "2026-02-30", "2026-03-31T12:00:00", "31.3.2026"] {
        assert!(as_of(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn permissions_are_those_that_methods_need() {
    for known in ["*", "contracts.*", "contracts.sign", "payouts.runs.*", "payouts.runs.approve"] {
        assert!(is_permission(known), "{known}");
    }
    for unknown in ["contracts", "contract.*", "contracts.sing", "contract*", "", "contracts."] {
        assert!(!is_permission(unknown), "{unknown}");
    }
    assert!(permissions_like("contracts.sing").contains(&"contracts.sign"));
    assert!(!permissions_like("contracts.sing").contains(&"views.read"));
    assert!(permissions_like("foo").contains(&"views.read"));
}

#[test]
fn uses_are_said_as_people_or_proto_files_say_them() {
    for (text, kind) in [
        ("organic", UsageKind::Organic),
        ("paid-amplification", UsageKind::PaidAmplification),
        ("FULL_COMMERCIAL", UsageKind::FullCommercial),
        ("USAGE_KIND_AI_TRAINING", UsageKind::AiTraining),
        ("Likeness", UsageKind::Likeness),
    ] {
        assert_eq!(usage_kind(text), Ok(kind));
    }
    for wrong in ["", "ads", "unspecified"] {
        let said = usage_kind(wrong).unwrap_err();
        assert!(said.ends_with("organic, paid-amplification, full-commercial, ai-training, likeness"), "{said}");
    }
}
