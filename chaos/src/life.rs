//! One partnership after another: a contract is agreed on and signed, content is published, and it sells.
//!
//! Invariant: what an acknowledged write must earn is in the journal as soon as the write is; nothing else is expected.

use tandem_client::Client;
use tandem_proto::campaigns::v1::{
    ApproveDraftRequest, CreateParticipationRequest, Draft, Participation, RecordOrderRequest,
    RecordPublicationRequest, RecordRefundRequest, SubmitDraftRequest,
};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{
    AcceptContractRequest, Clause, CommissionClause, ContentType, Contract, CreateContractRequest, DeliverableTerm,
    DeliverablesClause, DisclosureClause, FeeClause, Instalment, Milestone, PaymentTermsClause, ProposeContractRequest,
    ReviewClause, SignContractRequest, SignatureMethod, Terms, UsageKind, UsageRightsClause,
};
use tandem_proto::google::r#type::Date;
use tandem_proto::time;
use tokio_util::sync::CancellationToken;

use crate::world::BRAND;
use crate::writer::Writer;

const DELIVERABLE: &str = "reel-1";
const SHOP: &str = "shop-us";
/// Cents of the fee, half of which is earned by signing, half by publishing.
const FEE: i64 = 100_000;
/// Basis points of what is sold.
const COMMISSION: i32 = 1000;
/// An order is worth so many cents at most.
const MOST_VALUE: i64 = 500_000;
const MOST_ORDERS: usize = 6;

/// Who takes part in a life, and what it belongs to.
#[derive(Clone)]
pub(crate) struct Actors {
    pub(crate) writer: Writer,
    pub(crate) brand: Client,
    pub(crate) creator: Client,
    /// `creators/{creator}`.
    pub(crate) name: String,
    /// `campaigns/{campaign}`.
    pub(crate) campaign: String,
    /// From now on no more is begun.
    pub(crate) stop: CancellationToken,
}

impl Actors {
    /// Leads a partnership, whose ids are made of `id`, from draft to refund; none if it was stopped on the way.
    pub(crate) async fn live(&self, id: &str, rng: &mut fastrand::Rng) -> Option<()> {
        let contract = self.agree(id).await?;
        let code = format!("C{}", id.replace('-', "X").to_uppercase());
        self.publish(id, &contract, &code).await?;
        let mut orders = Vec::new();
        for n in 0..rng.usize(1..=MOST_ORDERS) {
            // In tenths of a unit, so that a commission of 10 % is whole cents.
            let cents = rng.i64(1..=MOST_VALUE / 10) * 10;
            let order_id = format!("{id}-{n}");
            self.order(&contract, &code, &order_id, cents).await?;
            orders.push((order_id, cents));
        }
        if rng.bool()
            && let Some((order_id, cents)) = rng.choice(orders)
        {
            self.refund(&contract, &order_id, cents).await?;
        }
        Some(())
    }

    /// None once it is stopped.
    fn goes_on(&self) -> Option<()> {
        (!self.stop.is_cancelled()).then_some(())
    }

    async fn agree(&self, id: &str) -> Option<String> {
        let (writer, name) = (&self.writer, format!("contracts/{id}"));
        let contract = Contract {
            brand: BRAND.to_owned(),
            creator: self.name.clone(),
            title: "Launch".to_owned(),
            terms: Some(terms()),
            ..Default::default()
        };
        let create = |request_id| {
            let (contract, contract_id) = (Some(contract.clone()), id.to_owned());
            let request = CreateContractRequest { contract, contract_id, request_id, ..Default::default() };
            let client = self.brand.clone();
            async move { client.contracts().create_contract(request).await }
        };
        writer.must("create a contract", create).await?;
        self.goes_on()?;
        let propose = |request_id| {
            let request = ProposeContractRequest { name: name.clone(), request_id, ..Default::default() };
            let client = self.brand.clone();
            async move { client.contracts().propose_contract(request).await }
        };
        writer.must("propose a contract", propose).await?;
        self.goes_on()?;
        let accept = |request_id| {
            let request = AcceptContractRequest { name: name.clone(), request_id, ..Default::default() };
            let client = self.creator.clone();
            async move { client.contracts().accept_contract(request).await }
        };
        let accepted = writer.must("accept a contract", accept).await?;
        for (client, capacity) in [(&self.creator, "creator"), (&self.brand, "head of partnerships")] {
            self.goes_on()?;
            let sign = |request_id| {
                let request = SignContractRequest {
                    name: name.clone(),
                    terms_hash: accepted.terms_hash.clone(),
                    capacity: capacity.to_owned(),
                    method: SignatureMethod::Click.into(),
                    request_id,
                    ..Default::default()
                };
                let client = client.clone();
                async move { client.contracts().sign_contract(request).await }
            };
            writer.must("sign a contract", sign).await?;
        }
        writer.journal.earns(&name, FEE / 2);
        self.goes_on()?;
        Some(name)
    }

    async fn publish(&self, id: &str, contract: &str, code: &str) -> Option<()> {
        let (writer, name) = (&self.writer, format!("participations/{id}"));
        let join = |request_id| {
            let participation = Participation {
                campaign: self.campaign.clone(),
                contract: contract.to_owned(),
                tracking_code: code.to_owned(),
                ..Default::default()
            };
            let (participation, participation_id) = (Some(participation), id.to_owned());
            let request = CreateParticipationRequest { participation, participation_id, request_id };
            let client = self.brand.clone();
            async move { client.participations().create_participation(request).await }
        };
        writer.must("join a campaign", join).await?;
        self.goes_on()?;
        let submit = |request_id| {
            let draft = Draft {
                caption: "#ad Two weeks with the new serum of @glowco, every morning.".to_owned(),
                media_uri: "https://drafts.example/reel-1.mp4".to_owned(),
                platform_label: true,
                ..Default::default()
            };
            let (name, deliverable_id) = (name.clone(), DELIVERABLE.to_owned());
            let request = SubmitDraftRequest { name, deliverable_id, draft: Some(draft), request_id };
            let client = self.creator.clone();
            async move { client.participations().submit_draft(request).await }
        };
        writer.must("submit a draft", submit).await?;
        self.goes_on()?;
        let approve = |request_id| {
            let (name, deliverable_id) = (name.clone(), DELIVERABLE.to_owned());
            let request = ApproveDraftRequest { name, deliverable_id, request_id };
            let client = self.brand.clone();
            async move { client.participations().approve_draft(request).await }
        };
        writer.must("approve a draft", approve).await?;
        self.goes_on()?;
        let publish = |request_id| {
            let request = RecordPublicationRequest {
                name: name.clone(),
                deliverable_id: DELIVERABLE.to_owned(),
                published_uri: format!("https://www.instagram.com/reel/{id}"),
                request_id,
                ..Default::default()
            };
            let client = self.creator.clone();
            async move { client.participations().record_publication(request).await }
        };
        writer.must("publish", publish).await?;
        writer.journal.earns(contract, FEE / 2);
        self.goes_on()
    }

    async fn order(&self, contract: &str, code: &str, order_id: &str, cents: i64) -> Option<()> {
        let order_time = Some(now());
        let order = |request_id| {
            let request = RecordOrderRequest {
                shop: SHOP.to_owned(),
                order_id: order_id.to_owned(),
                tracking_code: code.to_owned(),
                net_amount: Some(usd(cents)),
                order_time,
                request_id,
            };
            let client = self.brand.clone();
            async move { client.conversions().record_order(request).await }
        };
        self.writer.must("record an order", order).await?;
        self.writer.journal.earns(contract, commission(cents));
        self.goes_on()
    }

    async fn refund(&self, contract: &str, order_id: &str, cents: i64) -> Option<()> {
        let refund_time = Some(now());
        let refund = |request_id| {
            let request = RecordRefundRequest {
                shop: SHOP.to_owned(),
                order_id: order_id.to_owned(),
                refund_id: format!("{order_id}-r"),
                net_amount: Some(usd(cents)),
                refund_time,
                request_id,
            };
            let client = self.brand.clone();
            async move { client.conversions().record_refund(request).await }
        };
        self.writer.must("record a refund", refund).await?;
        self.writer.journal.earns(contract, -commission(cents));
        Some(())
    }
}

fn commission(cents: i64) -> i64 {
    cents * i64::from(COMMISSION) / 10_000
}

pub(crate) fn usd(cents: i64) -> tandem_proto::google::r#type::Money {
    tandem_money::Money::new(cents, tandem_money::Currency::USD).into()
}

/// Now, as a shop or a bank tells it.
#[expect(clippy::disallowed_methods, reason = "the edge, where what happens gets its time")]
pub(crate) fn now() -> prost_types::Timestamp {
    time::to_proto(jiff::Timestamp::now())
}

/// So many days from today.
pub(crate) fn in_days(days: i64) -> Option<Date> {
    let now = time::from_proto(&now())?;
    let date = now.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_add(jiff::Span::new().days(days));
    Some(Date { year: date.year().into(), month: date.month().into(), day: date.day().into() })
}

fn terms() -> Terms {
    let half = |milestone: Milestone| Instalment { milestone: milestone.into(), share_basis_points: 5000 };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let reel = DeliverableTerm {
        deliverable_id: DELIVERABLE.to_owned(),
        content_type: ContentType::ShortVideo.into(),
        channel: "instagram".to_owned(),
        due_date: in_days(60),
        live_days: 30,
        ..Default::default()
    };
    let usage = UsageRightsClause {
        kind: UsageKind::Organic.into(),
        months: 6,
        channels: words(&["instagram"]),
        territories: words(&["WORLD"]),
        ..Default::default()
    };
    let disclosure = DisclosureClause {
        platform_label_required: true,
        accepted_tags: words(&["#ad"]),
        brand_tag: "@glowco".to_owned(),
    };
    let fee =
        FeeClause { amount: Some(usd(FEE)), instalments: vec![half(Milestone::Signing), half(Milestone::Publication)] };
    let clauses = [
        ("content", Kind::Deliverables(DeliverablesClause { deliverables: vec![reel], ..Default::default() })),
        ("fee", Kind::Fee(fee)),
        ("commission", Kind::Commission(CommissionClause { rate_basis_points: COMMISSION, ..Default::default() })),
        ("payment", Kind::PaymentTerms(PaymentTermsClause { net_days: 30, ..Default::default() })),
        ("review", Kind::Review(ReviewClause { window_business_days: 5, silence_approves: true, revision_rounds: 2 })),
        ("usage", Kind::UsageRights(usage)),
        ("disclosure", Kind::Disclosure(disclosure)),
    ];
    Terms {
        currency_code: "USD".to_owned(),
        time_zone: "America/New_York".to_owned(),
        start_date: in_days(-2),
        end_date: in_days(180),
        clauses: clauses.map(|(id, kind)| Clause { clause_id: id.to_owned(), clause: Some(kind) }).into(),
    }
}
