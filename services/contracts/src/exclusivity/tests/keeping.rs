//! A book follows its contracts, whatever becomes of the events on their way.

use std::sync::Arc;

use tandem_aggregate::{Aggregate as _, AggregateCache, Cause, CommandMeta, Executor, Process as _};
use tandem_eventlog::{EventLog as _, Fault, MemoryLog, RecordedEvent, Subject};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::Party;
use tandem_proto::validation::Path;

use crate::contract::{Action, Command, Consent, Contract, Draft};
use crate::exclusivity::Book;
use crate::exclusivity::keeping::Keeping;
use crate::fixtures::{BRAND, CREATOR, date, terms};
use crate::terms::{Terms, hash};

struct World {
    log: MemoryLog,
    contracts: Arc<Executor<Contract>>,
    books: Arc<Executor<Book>>,
    process: Keeping,
}

impl World {
    fn new() -> Self {
        Self::over(MemoryLog::new())
    }

    /// One more replica of the service over a log.
    fn over(log: MemoryLog) -> Self {
        let cache = AggregateCache::with_bytes(1 << 20);
        let contracts = Arc::new(Executor::new(Arc::new(log.clone()), cache.clone()));
        let books = Arc::new(Executor::new(Arc::new(log.clone()), cache));
        let process = Keeping::new(Arc::new(log.clone()), Arc::clone(&contracts), Arc::clone(&books));
        Self { log, contracts, books, process }
    }

    /// At an instant, by a party.
    async fn act(&self, id: &str, by: Party, time: &str, action: Action) {
        let request_id = format!("{id}/{by:?}/{time}");
        let meta = CommandMeta {
            tenant: "acme".into(),
            actor: "users/ada".into(),
            command: String::new(),
            reason: String::new(),
            request_id,
            request_hash: String::new(),
            correlation_id: String::new(),
            causation_id: String::new(),
            traceparent: String::new(),
            etag: String::new(),
            time: time.parse().unwrap(),
            test_clock: false,
        };
        self.contracts.execute(id, &Command { by, action }, &meta).await.unwrap();
    }

    /// Signed by both as if there were no books, on the terms of the fixtures: from June to August 2026, renewing itself
    /// for three months.
    async fn signed(&self, id: &str, brand: &str) {
        let parsed = Terms::parse(terms(), &Path::Root).unwrap();
        let (brand, creator, title) = (brand.into(), CREATOR.into(), "Summer".into());
        let draft = Draft { brand, creator, title, terms: parsed, template: None };
        let consent = Consent {
            terms_hash: hash(&terms()),
            capacity: "Head of Partnerships".into(),
            method: pb::SignatureMethod::Click,
            document: None,
            exclusivity_override: None,
        };
        self.act(id, Party::Brand, "2026-05-01T09:00:00Z", Action::Draft(draft)).await;
        self.act(id, Party::Brand, "2026-05-01T09:01:00Z", Action::Propose { expire_time: None }).await;
        self.act(id, Party::Creator, "2026-05-01T09:02:00Z", Action::Accept).await;
        self.act(id, Party::Brand, "2026-05-01T09:03:00Z", Action::Sign(consent.clone())).await;
        self.act(id, Party::Creator, "2026-05-01T09:04:00Z", Action::Sign(consent)).await;
    }

    async fn events(&self, kind: tandem_eventlog::Kind, id: &str) -> Vec<RecordedEvent> {
        self.log.read(&Subject::new("acme", kind, id).unwrap(), 0).await.unwrap()
    }

    async fn handle(&self, event: &RecordedEvent) -> bool {
        let cause = Cause {
            event_id: event.envelope.id.clone(),
            correlation_id: event.envelope.correlation_id.clone(),
            tenant: event.tenant().to_owned(),
            test_clock: None,
        };
        self.process.handle(event, &cause).await.is_ok()
    }

    /// Hands all events of a contract to the process.
    async fn keep(&self, id: &str) {
        for event in self.events(Contract::KIND, id).await {
            assert!(self.handle(&event).await);
        }
    }

    /// Types of what is in the creator's book.
    async fn written(&self) -> Vec<String> {
        let events = self.events(Book::KIND, "zoe").await;
        let short = |event: &RecordedEvent| event.envelope.event_type.trim_start_matches("tandem.contracts.v1.").into();
        events.iter().map(short).collect()
    }

    async fn commitment(&self, contract: &str) -> pb::Commitment {
        self.books.get("acme", "zoe").await.unwrap().state.commitment(contract).unwrap().clone()
    }
}

#[tokio::test]
async fn what_a_signature_did_not_reserve_is_made_up_for() {
    let world = World::new();
    world.signed("summer", BRAND).await;
    world.keep("summer").await;
    assert_eq!(world.written().await, ["ExclusivityReserved"]);
    let event = &world.events(Book::KIND, "zoe").await[0];
    let signed = &world.events(Contract::KIND, "summer").await[4];
    assert_eq!(event.envelope.causation_id, signed.envelope.id);
    assert_eq!(event.envelope.partnership, "partnerships/glowco~zoe");
    assert_eq!(event.envelope.resource, "exclusivities/zoe");
    // Again, after a lost acknowledgement.
    world.keep("summer").await;
    assert_eq!(world.written().await.len(), 1);
}

#[tokio::test]
async fn nothing_binds_before_the_second_signature() {
    let world = World::new();
    world.signed("summer", BRAND).await;
    let events = world.events(Contract::KIND, "summer").await;
    for event in &events[..4] {
        assert!(world.handle(event).await);
    }
    assert_eq!(world.written().await, [""; 0]);
}

#[tokio::test]
async fn a_renewal_moves_the_end_and_what_is_older_does_not_move_it_back() {
    let world = World::new();
    world.signed("summer", BRAND).await;
    world.keep("summer").await;
    // Both terms are over: it has begun, warned and renewed itself twice.
    world.act("summer", Party::Brand, "2026-12-05T12:00:00Z", Action::ActOnDue).await;
    let mut events = world.events(Contract::KIND, "summer").await;
    assert!(events.len() > 6);
    events.reverse();
    for event in &events {
        assert!(world.handle(event).await);
    }
    let bound = world.commitment("contracts/summer").await;
    assert_eq!((bound.end_date, bound.open_ended), (date(2027, 2, 28), true));
    assert_eq!(world.written().await, ["ExclusivityReserved"; 2]);
}

#[tokio::test]
async fn what_came_into_a_conflict_all_the_same_is_named() {
    let world = World::new();
    world.signed("summer", BRAND).await;
    world.signed("rival", "brands/rival").await;
    world.keep("summer").await;
    world.keep("rival").await;
    let book = world.books.get("acme", "zoe").await.unwrap();
    assert_eq!(book.state.overridden("contracts/rival"), ["contracts/summer"]);
}

#[tokio::test]
async fn a_reply_that_is_lost_writes_nothing_twice() {
    let world = World::new();
    world.signed("summer", BRAND).await;
    let signed = world.events(Contract::KIND, "summer").await.remove(4);
    for fault in [Fault::LostRequest, Fault::Conflict, Fault::LostReply] {
        world.log.inject(fault);
    }
    assert!(world.handle(&signed).await);
    assert_eq!(world.written().await, ["ExclusivityReserved"]);
}

#[tokio::test]
async fn an_event_that_the_log_does_not_show_is_tried_again() {
    let world = World::new();
    world.signed("summer", BRAND).await;
    let signed = world.events(Contract::KIND, "summer").await.remove(4);
    let behind = World::over(world.log.cut_off_at(signed.position - 1));
    assert!(!behind.handle(&signed).await);
    assert_eq!(behind.written().await, [""; 0]);
    assert!(world.handle(&signed).await);
    assert_eq!(world.written().await, ["ExclusivityReserved"]);
}
