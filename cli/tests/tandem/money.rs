//! What marketing, finance and legal ask, of a contract that was signed and earned by.

use jiff::Timestamp;
use jiff::civil::date;
use tandem_cli::platform::UpProcess;
use tandem_client::{Claims, Client, MintedToken};
use tandem_proto::contracts::v1::clause::Clause as Kind;
use tandem_proto::contracts::v1::{
    AcceptContractRequest, Clause, Contract, CreateContractRequest, FeeClause, Instalment, Milestone,
    PaymentTermsClause, ProposeContractRequest, SignContractRequest, SignatureMethod, Terms,
};
use tandem_proto::creators::v1::{
    BatchImportCreatorsRequest, ChannelFigures, ImportCreatorRow, PayoutAccount, Platform, SetPayoutAccountRequest,
};
use tandem_proto::google::r#type as wire;
use tandem_proto::payouts::v1::{CreatePayoutRunRequest, DebtorAccount, ListEarningsRequest, PayoutRun};
use tandem_proto::relationships::v1::{GetPartnershipRequest, WatchEventsRequest};
use tempfile::TempDir;

use crate::support::{Ran, run_against, up};

const SIGNED: &str = "2026-06-12T15:00:00Z";

fn day(month: i8, day: i8) -> Option<wire::Date> {
    let day = date(2026, month, day);
    Some(wire::Date { year: day.year().into(), month: day.month().into(), day: day.day().into() })
}

/// 4,000 dollars in two instalments, both earned on signing and due at once.
fn terms() -> Terms {
    let half = |milestone: Milestone| Instalment { milestone: milestone.into(), share_basis_points: 5000 };
    let fee = FeeClause {
        amount: Some(wire::Money { currency_code: "USD".into(), units: 4_000, nanos: 0 }),
        instalments: vec![half(Milestone::Signing), half(Milestone::Signing)],
    };
    let clause = |id: &str, kind| Clause { clause_id: id.into(), clause: Some(kind) };
    Terms {
        currency_code: "USD".into(),
        time_zone: "UTC".into(),
        start_date: day(6, 12),
        end_date: day(12, 31),
        clauses: vec![
            clause("fee", Kind::Fee(fee)),
            clause("payment", Kind::PaymentTerms(PaymentTermsClause { net_days: 0, ..Default::default() })),
        ],
    }
}

/// A creator who can be paid; answers their name.
async fn register(brand: &Client) -> String {
    let row = ImportCreatorRow {
        platform: Platform::Tiktok.into(),
        handle: "ann".into(),
        figures: Some(ChannelFigures { observe_date: day(6, 1), followers: 1_000, ..Default::default() }),
        ..Default::default()
    };
    let rows = BatchImportCreatorsRequest { rows: vec![row], ..Default::default() };
    let results = brand.creators().batch_import_creators(rows).await.unwrap().into_inner().results;
    let name = results[0].creator.clone();
    let account = PayoutAccount {
        holder_name: "Ann".into(),
        iban: "NL91ABNA0417164300".into(),
        country_code: "NL".into(),
        ..Default::default()
    };
    let set = SetPayoutAccountRequest { name: name.clone(), payout_account: Some(account), ..Default::default() };
    brand.creators().set_payout_account(set).await.unwrap();
    name
}

/// `contracts/k1` of `brands/glowco` with this creator, signed by both.
async fn sign(brand: &Client, creator_name: &str) {
    let claims = Claims::new("users/ann", "demo").with_creator(creator_name).with_permissions(["*"]);
    let creator = brand.with_token(MintedToken::development(claims));
    let name = "contracts/k1".to_owned();
    let contract = Contract {
        brand: "brands/glowco".into(),
        creator: creator_name.into(),
        title: "Summer".into(),
        terms: Some(terms()),
        ..Default::default()
    };
    let create = CreateContractRequest { contract: Some(contract), contract_id: "k1".into(), ..Default::default() };
    brand.contracts().create_contract(create).await.unwrap();
    let propose = ProposeContractRequest { name: name.clone(), ..Default::default() };
    brand.contracts().propose_contract(propose).await.unwrap();
    let accept = AcceptContractRequest { name: name.clone(), ..Default::default() };
    let accepted = creator.contracts().accept_contract(accept).await.unwrap().into_inner();
    for (client, capacity) in [(&creator, "creator"), (brand, "Head of Partnerships")] {
        let sign = SignContractRequest {
            name: name.clone(),
            terms_hash: accepted.terms_hash.clone(),
            capacity: capacity.into(),
            method: SignatureMethod::Click.into(),
            ..Default::default()
        };
        client.contracts().sign_contract(sign).await.unwrap();
    }
}

/// The payout of what signing has earned, seen by the views of the services.
async fn collect(brand: &Client, partnership: &str) -> String {
    let watch = WatchEventsRequest { types: vec!["tandem.payouts.v1.EarningAccrued".into()], ..Default::default() };
    let mut accrued = brand.events().watch_events(watch).await.unwrap().into_inner();
    let mut last = 0;
    for _ in 0..2 {
        last = accrued.message().await.unwrap().unwrap().position;
    }
    let brand = brand.with_positions(&format!("payouts.earning:{last}").parse().unwrap());
    let run = PayoutRun {
        brand: "brands/glowco".into(),
        currency_code: "USD".into(),
        due_date: day(6, 12),
        debtor: Some(DebtorAccount {
            holder_name: "GlowCo".into(),
            iban: "DE89370400440532013000".into(),
            ..Default::default()
        }),
        ..Default::default()
    };
    let request =
        CreatePayoutRunRequest { payout_run: Some(run), payout_run_id: "2026-06".into(), ..Default::default() };
    let run = brand.payout_runs().create_payout_run(request).await.unwrap().into_inner();
    let list = ListEarningsRequest { filter: "payout_run = \"payoutRuns/2026-06\"".into(), ..Default::default() };
    assert_eq!(brand.earnings().list_earnings(list).await.unwrap().into_inner().earnings.len(), 2);
    let get = GetPartnershipRequest { name: partnership.into(), as_of: None };
    brand.relationships().get_partnership(get).await.unwrap();
    run.payouts[0].name.clone()
}

/// Lines with one space between words.
fn words(ran: Ran) -> Vec<String> {
    ran.ok().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

async fn ask(up: &UpProcess, args: &[&str]) -> Ran {
    run_against(&up.ready, args).await
}

#[tokio::test]
async fn a_partnership_and_its_payout_are_told_without_grpc() {
    let data = TempDir::new().unwrap();
    let up = up(data.path()).await;
    let brand = up.client("demo").unwrap().at(SIGNED.parse::<Timestamp>().unwrap());
    let creator = register(&brand).await;
    let partnership = &*creator.replace("creators/", "partnerships/glowco~");
    sign(&brand, &creator).await;
    let payout = collect(&brand, partnership).await;

    let shown = words(ask(&up, &["partnership", "show", partnership]).await);
    assert_eq!(shown[0], format!("{partnership}: ONBOARDING now"));
    let onboarding = "ONBOARDING 2026-06-12 15:00:00 contracts 1, offers 1, signed 1, first signed 2026-06-12 15:00:00";
    assert!(shown.iter().any(|line| line == onboarding), "{shown:#?}");
    let money = "USD 4,000.00 USD 4,000.00 USD 0.00 USD 4,000.00 USD 0.00 -100.00 %";
    assert!(shown.iter().any(|line| line == money), "{shown:#?}");
    let then = ask(&up, &["partnership", "show", partnership, "--as-of", "2026-06-11"]).await;
    assert_eq!(then.code, Some(1), "{then:?}");
    assert!(then.stderr.contains("as of 2026-06-11 23:59:59 UTC: ") && then.stderr.contains(partnership), "{then:?}");
    let that_day = ask(&up, &["partnership", "show", partnership, "--as-of", "2026-06-12", "--format", "json"]).await;
    let that_day: serde_json::Value = serde_json::from_str(&that_day.ok()).unwrap();
    assert_eq!(that_day["stage"], "STAGE_ONBOARDING");

    let listed = words(ask(&up, &["partnership", "list", "--filter", "brand = \"brands/glowco\""]).await);
    assert!(listed[1].starts_with(&format!("{partnership} ONBOARDING")), "{listed:#?}");
    let none = ask(&up, &["partnership", "list", "--filter", "brand = \"brands/other\""]).await;
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("", "0 partnerships\n"));

    let earnings = words(ask(&up, &["payout", "list-earnings", "--filter", "contract = \"contracts/k1\""]).await);
    assert_eq!(earnings.len(), 3, "{earnings:#?}");
    assert!(earnings[1].contains("contracts/k1 v1 fee 2026-06-12 SCHEDULED payoutRuns/2026-06"), "{earnings:#?}");

    let explained = words(ask(&up, &["payout", "explain", &payout]).await);
    assert_eq!(explained[0], format!("{payout}: USD 4,000.00 for {creator}, not paid yet"));
    for line in &explained[3..5] {
        assert!(line.starts_with("USD 2,000.00 50 % of the fee of USD 4,000.00 on signing"), "{explained:#?}");
        assert!(line.contains("contracts/k1 v1 fee ContractSigned contracts/k1"), "{explained:#?}");
    }
    assert_eq!(explained[5], "USD 4,000.00 total");
    up.child.stop().await.unwrap();
}
