use super::*;

fn at(time: &str) -> Option<prost_types::Timestamp> {
    Some(to_proto(time.parse().unwrap()))
}

fn event(remaining_count: i32) -> pb::DeliverablePublished {
    pb::DeliverablePublished {
        deliverable_id: "reel-1".into(),
        published_uri: "https://tiktok.example/1".into(),
        publish_time: at(SUBMITTED),
        remaining_count,
        contract: "contracts/c1".into(),
        contract_version: 3,
        published_caption: String::new(),
    }
}

#[test]
fn approved_content_goes_online_now() {
    let after =
        approved().when(Command::RecordPublication(publish())).then([Event::DeliverablePublished(event(1))]).state().0;
    assert_eq!(after.state(), State::Active);
    let reel = &after.deliverables[0];
    assert_eq!((reel.state(), reel.publish_time), (DeliverableState::Published, at(SUBMITTED)));
}

#[test]
fn the_last_publication_fulfils_the_participation() {
    let rest = pb::SubmitDraftRequest {
        deliverable_id: "reel-2".into(),
        draft: Some(pb::Draft { caption: GOOD.into(), platform_label: true, ..Default::default() }),
        ..Default::default()
    };
    let second = published()
        .when(Command::SubmitDraft(rest))
        .happens()
        .when(Command::ApproveDraft(pb::ApproveDraftRequest { deliverable_id: "reel-2".into(), ..Default::default() }))
        .happens();
    let publish = pb::RecordPublicationRequest { deliverable_id: "reel-2".into(), ..publish() };
    let last = pb::DeliverablePublished { deliverable_id: "reel-2".into(), ..event(0) };
    let after = second.when(Command::RecordPublication(publish)).then([Event::DeliverablePublished(last)]).state();
    assert_eq!(after.0.state(), State::Fulfilled);
}

#[test]
fn only_approved_content_is_published() {
    for participation in [joined(), in_review(), in_review().when(request_changes()).happens(), published()] {
        participation.when(Command::RecordPublication(publish())).then_refused(ErrorReason::StateForbids);
    }
}

#[test]
fn content_is_online_after_its_draft_and_not_in_the_future() {
    let publish_at =
        |time: &str| Command::RecordPublication(pb::RecordPublicationRequest { publish_time: at(time), ..publish() });
    let next_day = || approved().at("2026-01-16T12:00:00Z");
    for time in ["2026-01-15T19:59:59Z", "2026-01-16T12:00:01Z"] {
        let refusal = next_day().when(publish_at(time)).then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, "publish_time");
    }
    for time in [SUBMITTED, "2026-01-16T12:00:00Z"] {
        let published = pb::DeliverablePublished { publish_time: at(time), ..event(1) };
        next_day().when(publish_at(time)).then([Event::DeliverablePublished(published)]);
    }
    let nowhere = Some(prost_types::Timestamp { seconds: i64::MAX, nanos: 0 });
    let request = pb::RecordPublicationRequest { publish_time: nowhere, ..publish() };
    next_day().when(Command::RecordPublication(request)).then_refused(ErrorReason::FieldInvalid);
}

#[test]
fn a_caption_that_was_changed_is_checked_once_more() {
    let with = |caption: &str| {
        Command::RecordPublication(pb::RecordPublicationRequest { caption: caption.into(), ..publish() })
    };
    let refusal = approved().when(with("My routine @glowco")).then_refused(ErrorReason::DisclosureInsufficient);
    assert!(refusal.message.contains("reel-1") && refusal.message.contains(": TAG_MISSING. "), "{}", refusal.message);

    let changed = "#ad My shorter routine @glowco";
    let after = pb::DeliverablePublished { published_caption: changed.into(), ..event(1) };
    let reel = approved().when(with(changed)).then([Event::DeliverablePublished(after)]).state().0;
    assert_eq!(reel.deliverables[0].published_caption, changed);
    // The approved one need not be repeated.
    approved().when(with(GOOD)).then([Event::DeliverablePublished(event(1))]);
}

fn figures(measure_time: &str, impressions: i64) -> pb::Performance {
    pb::Performance { measure_time: at(measure_time), impressions, reach: 10, engagements: 5, clicks: 1 }
}

fn measure(performance: pb::Performance) -> Command {
    Command::RecordPerformance(pb::RecordPerformanceRequest {
        deliverable_id: "reel-1".into(),
        performance: Some(performance),
        ..Default::default()
    })
}

fn recorded(performance: pb::Performance) -> Event {
    Event::PerformanceRecorded(pb::PerformanceRecorded {
        deliverable_id: "reel-1".into(),
        performance: Some(performance),
    })
}

#[test]
fn newer_figures_take_the_place_of_older_ones() {
    let (first, second) = (figures("2026-01-17T00:00:00Z", 100), figures("2026-01-18T00:00:00Z", 250));
    let after = published()
        .at("2026-01-20T00:00:00Z")
        .when(measure(first))
        .then([recorded(first)])
        .when(measure(second))
        .then([recorded(second)])
        // Late, and again.
        .when(measure(first))
        .then([])
        .when(measure(second))
        .then([])
        .state();
    assert_eq!(after.0.deliverables[0].performance, Some(second));
}

#[test]
fn figures_of_the_same_instant_are_corrected() {
    let (wrong, right) = (figures("2026-01-17T00:00:00Z", 100), figures("2026-01-17T00:00:00Z", 90));
    let given = published().at("2026-01-20T00:00:00Z").and(recorded(wrong));
    given.when(measure(right)).then([recorded(right)]);
}

#[test]
fn only_published_content_has_figures() {
    for participation in [joined(), in_review(), approved()] {
        let command = measure(figures("2026-01-01T00:00:00Z", 1));
        participation.when(command).then_refused(ErrorReason::StateForbids);
    }
}

#[test]
fn figures_are_of_an_instant_that_has_been() {
    for measure_time in [at("2026-01-20T00:00:01Z"), None] {
        let performance = pb::Performance { measure_time, ..figures("2026-01-17T00:00:00Z", 1) };
        let given = published().at("2026-01-20T00:00:00Z");
        let refusal = given.when(measure(performance)).then_refused(ErrorReason::FieldInvalid);
        assert_eq!(refusal.violations[0].field, "performance.measure_time");
    }
}
