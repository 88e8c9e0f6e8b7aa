use super::*;

#[test]
fn a_creator_joins_with_what_the_contract_says() {
    let participation = joined().state();
    assert_eq!(participation.partnership(&Event::Joined(pb::CampaignJoined::default())), "partnerships/glowco~mira");
    let participation = participation.0;
    assert_eq!(participation.state(), State::Active);
    assert_eq!(participation.contract_version, 3);
    assert_eq!((&participation.brand[..], &participation.creator[..]), ("brands/glowco", "creators/mira"));
    let owed: Vec<_> =
        participation.deliverables.iter().map(|d| (&d.deliverable_id[..], d.state(), d.due_date)).collect();
    assert_eq!(owed, [("reel-1", DeliverableState::Owed, day(2, 1)), ("reel-2", DeliverableState::Owed, day(2, 1))]);
    let rules = participation.review_rules.unwrap();
    assert_eq!(rules.time_zone, "America/New_York");
    assert_eq!(rules.review.unwrap().window_business_days, 5);
    assert_eq!(rules.disclosure.unwrap().accepted_tags, ["#ad"]);
}

#[test]
fn the_tracking_code_learns_to_whom_it_belongs() {
    let assignment = join().assignment("participations/p1");
    assert_eq!(assignment.participation, "participations/p1");
    assert_eq!((&assignment.contract[..], assignment.contract_version), ("contracts/c1", 3));
    assert_eq!((&assignment.brand[..], &assignment.creator[..]), ("brands/glowco", "creators/mira"));
    assert_eq!(assignment.currency_code, "USD");
}

#[test]
fn nothing_may_be_owed() {
    let terms = contracts::Terms { clauses: vec![], ..terms() };
    let affiliate = Join { contract: contracts::Contract { terms: Some(terms), ..contract() }, ..join() };
    let participation = given::<Participation>([]).when(command(affiliate)).happens().state().0;
    assert_eq!(participation.state(), State::Active);
    assert!(participation.deliverables.is_empty());
}

#[test]
fn an_id_is_joined_by_once() {
    joined().when(command(join())).then_refused(ErrorReason::ResourceExists);
    // Whatever the facts are by then.
    joined().when(command(Join::default())).then_refused(ErrorReason::ResourceExists);
}

#[test]
fn only_a_running_campaign_is_joined() {
    for state in [pb::CampaignState::Draft, pb::CampaignState::Closed] {
        let join = Join { campaign: pb::Campaign { state: state.into(), ..campaign() }, ..join() };
        let refusal = given::<Participation>([]).when(command(join)).then_refused(ErrorReason::StateForbids);
        assert!(refusal.message.starts_with("campaigns/winter is "), "{}", refusal.message);
    }
}

#[test]
fn only_a_signed_contract_counts() {
    use contracts::ContractState as S;
    for state in [S::Draft, S::Proposed, S::Countered, S::Accepted, S::Declined, S::Withdrawn] {
        let contract = contracts::Contract { state: state.into(), ..contract() };
        let command = command(Join { contract, ..join() });
        let refusal = given::<Participation>([]).when(command).then_refused(ErrorReason::ContractNotInForce);
        assert!(refusal.message.starts_with("contracts/c1 is "), "{}", refusal.message);
    }
}

#[test]
fn the_contract_is_of_the_campaigns_brand() {
    let contract = contracts::Contract { brand: "brands/other".into(), ..contract() };
    let command = command(Join { contract, ..join() });
    let refusal = given::<Participation>([]).when(command).then_refused(ErrorReason::ContractNotInForce);
    assert_eq!(
        refusal.message,
        "contracts/c1 is of brands/other, and campaigns/winter of brands/glowco; join by a contract of the campaign's \
         brand."
    );
}

#[test]
fn a_contract_without_a_time_zone_is_incomplete() {
    let terms = contracts::Terms { time_zone: "Mars/Olympus".into(), ..terms() };
    let command = command(Join { contract: contracts::Contract { terms: Some(terms), ..contract() }, ..join() });
    given::<Participation>([]).when(command).then_refused(ErrorReason::TermsIncomplete);
}
