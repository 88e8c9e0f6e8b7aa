//! Contracts as files: applied, applied again, changed, refused; and shown to people.

use std::path::Path;

use tandem_cli::platform::UpProcess;
use tandem_client::{Claims, Client, MintedToken};
use tandem_proto::Validate as _;
use tandem_proto::contracts::v1::{
    AcceptAmendmentRequest, AcceptContractRequest, ProposeContractRequest, PublishContractTemplateRequest,
    SignContractRequest, SignatureMethod,
};
use tempfile::TempDir;

use crate::support::{EXAMPLES, Ran, run, run_against, up};

const CREATOR: &str = "creators/zoe";
const NAME: &str = "contracts/glowco-summer";

/// The example, in days that are yet to come whenever this runs.
fn example() -> String {
    in_time(&std::fs::read_to_string(format!("{EXAMPLES}/contract-glowco-summer.yaml")).unwrap())
}

fn in_time(text: &str) -> String {
    text.replace("year: 2026", "year: 2096").replace("year: 2027", "year: 2097")
}

/// Writes a file; answers its path.
fn write(data: &Path, name: &str, text: &str) -> String {
    let file = data.join(name);
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

async fn apply(up: &UpProcess, file: &str, more: &[&str]) -> Ran {
    let args = [&["contracts", "apply", "-f", file, "--creator", CREATOR], more].concat();
    run_against(&up.ready, &args).await
}

/// Lines with one space between words.
fn words(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// How many events the log has.
async fn events(up: &UpProcess) -> usize {
    run_against(&up.ready, &["events", "tail", "--until-now", "--format", "json"]).await.ok().lines().count()
}

fn creator(brand: &Client) -> Client {
    let claims = Claims::new("users/zoe", "demo").with_creator(CREATOR).with_permissions(["*"]);
    brand.with_token(MintedToken::development(claims))
}

/// The brand offers its draft, the creator accepts, both sign.
async fn sign(brand: &Client) {
    let name = NAME.to_owned();
    let creator = creator(brand);
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

#[tokio::test]
async fn applied_twice_a_contract_is_drafted_once_and_signed_terms_change_by_amendment() {
    let data = TempDir::new().unwrap();
    let up = up(data.path()).await;
    let file = write(data.path(), "summer.yaml", &example());

    let dry = apply(&up, &file, &["--dry-run"]).await.ok();
    assert_eq!(dry, format!("{NAME}: would be created: 16 clauses\n"));
    assert_eq!(events(&up).await, 0);
    let first = apply(&up, &file, &[]).await.ok();
    assert_eq!(first, format!("{NAME}: created: DRAFT, 16 clauses\n"));
    assert_eq!(events(&up).await, 1);
    let again = apply(&up, &file, &[]).await.ok();
    assert!(again.contains("unchanged: it is DRAFT with these terms\nnothing changed"), "{again}");
    assert_eq!(events(&up).await, 1);

    let dearer = example().replace("units: 20000", "units: 22000").replace("days: 90", "days: 120");
    let dearer = write(data.path(), "dearer.yaml", &dearer);
    let draft = apply(&up, &dearer, &[]).await;
    assert_eq!(draft.code, Some(2), "{draft:?}");
    assert!(draft.stderr.contains("dearer.yaml:3:1: contracts/glowco-summer is DRAFT with other terms"), "{draft:?}");

    let brand = up.client("demo").unwrap();
    sign(&brand).await;
    let before = events(&up).await;
    let signed = apply(&up, &dearer, &[]).await;
    assert_eq!(signed.code, Some(2), "{signed:?}");
    assert!(signed.stderr.contains("--amend --effective YYYY-MM-DD --reason REASON"), "{signed:?}");
    let changes = ["clause what now in the file", "fee amount USD 20,000.00 USD 22,000.00", "usage-paid days 90 120"];
    assert_eq!(words(&signed.stdout)[1..4], changes, "{signed:?}");
    let amend = ["--amend", "--effective", "2096-09-01", "--reason", "Longer ads"];
    let dry = apply(&up, &dearer, &[&amend[..], &["--dry-run"]].concat()).await.ok();
    assert!(dry.starts_with(&format!("{NAME}: would be amended: effective 2096-09-01")), "{dry}");
    assert_eq!(words(&dry)[1..4], changes);
    assert_eq!(events(&up).await, before);

    let proposed = apply(&up, &dearer, &amend).await.ok();
    assert!(proposed.contains("amended: amendment 1 is proposed, effective 2096-09-01"), "{proposed}");
    assert_eq!(events(&up).await, before + 1);
    let again = apply(&up, &dearer, &amend).await.ok();
    assert!(again.contains("unchanged: amendment 1 to these terms waits for an answer"), "{again}");
    assert_eq!(events(&up).await, before + 1);

    let shown = run_against(&up.ready, &["contracts", "show", NAME, "--format", "json"]).await.ok();
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let terms_hash = shown["amendments"][0]["termsHash"].as_str().unwrap().to_owned();
    let accept = AcceptAmendmentRequest { name: NAME.into(), number: 1, terms_hash, ..Default::default() };
    creator(&brand).contracts().accept_amendment(accept).await.unwrap();
    let accepted = apply(&up, &dearer, &amend).await.ok();
    assert!(accepted.contains("unchanged: it is UPCOMING with these terms"), "{accepted}");

    people_see_it(&up, data.path()).await;
    another_brand_conflicts(&up, data.path()).await;
    up.child.stop().await.unwrap();
}

/// The same contract in the commands for people.
async fn people_see_it(up: &UpProcess, data: &Path) {
    let ask = async |args: &[&str]| run_against(&up.ready, &[&["contracts"], args].concat()).await.ok();
    let shown = words(&ask(&["show", NAME]).await);
    assert_eq!(shown[0], format!("{NAME}: UPCOMING"));
    for line in ["fee Fixed fee", "law Governing law", "1 brand ACCEPTED 2096-09-01 fee, usage-paid Longer ads"] {
        assert!(shown.iter().any(|shown| shown == line), "{line} in {shown:#?}");
    }
    let listed = words(&ask(&["list", "--filter", "brand = \"brands/glowco\" AND state = UPCOMING"]).await);
    assert!(listed[1].starts_with(&format!("{NAME} UPCOMING brands/glowco {CREATOR} 2096-06-15")), "{listed:#?}");
    assert_eq!(ask(&["list", "--filter", "state = DRAFT"]).await, "");

    let file = data.join("summer.html");
    let written = ask(&["render", NAME, "--format", "html", "-o", file.to_str().unwrap()]).await;
    assert_eq!(written, "");
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("USD 22,000.00"), "{page}");
    let text = ask(&["render", NAME]).await;
    assert!(text.contains("# GlowCo summer serum launch") && text.contains("Amendment 1"), "{text}");
    let offered = ask(&["render", NAME, "--round", "1"]).await;
    assert!(offered.contains("The brand pays a fixed fee of USD 20,000.00"), "{offered}");

    let before = ask(&["terms", NAME, "--as-of", "2096-08-31"]).await;
    assert!(before.contains("fixed fee of USD 20,000.00") && before.contains("version 1"), "{before}");
    let after = ask(&["terms", NAME, "--as-of", "2096-09-02"]).await;
    assert!(after.contains("fixed fee of USD 22,000.00") && after.contains("version 2"), "{after}");
    let unknown = ask(&["terms", NAME, "--as-of", "2096-09-02", "--known-at", "2096-09-02", "--format", "json"]).await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&unknown).unwrap()["version"], 2);
}

/// The example of another brand wants the same creator for the same category.
async fn another_brand_conflicts(up: &UpProcess, data: &Path) {
    let other = std::fs::read_to_string(format!("{EXAMPLES}/contract-lumiere-autumn.yaml")).unwrap();
    apply(up, &write(data, "autumn.yaml", &in_time(&other)), &[]).await.ok();
    let ask = async |name| run_against(&up.ready, &["contracts", "conflicts", name]).await;
    let conflicts = ask("contracts/lumiere-autumn").await;
    assert_eq!(conflicts.stderr, "1 conflict\n", "{conflicts:?}");
    let shown = words(&conflicts.ok());
    assert!(shown[1].starts_with(&format!("{NAME} brands/glowco exclusivity 2096-09-01 2096-11-30")), "{shown:#?}");
    let none = ask(NAME).await;
    assert_eq!((none.stdout.as_str(), none.stderr.as_str()), ("", "0 conflicts\n"));
}

/// What is published as a template is what the example says.
#[test]
fn the_example_of_a_template_can_be_taken() {
    let text = std::fs::read_to_string(format!("{EXAMPLES}/contract-template-us.yaml")).unwrap();
    let value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    let request: PublishContractTemplateRequest = tandem_proto::json::read(value).unwrap();
    assert_eq!(request.violations(), []);
    assert_eq!(request.contract_template.unwrap().clauses.len(), 7);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_file_line_and_clause_and_nothing_is_written() {
    let data = TempDir::new().unwrap();
    let up = up(data.path()).await;
    let good = write(data.path(), "good.yaml", &example());
    // Found by the service: an amount in another currency, and shares that don't make up the whole.
    let wrong = example()
        .replace("contract_id: glowco-summer", "contract_id: wrong")
        .replace("amount: { currency_code: USD", "amount: { currency_code: EUR")
        .replace("MILESTONE_SIGNING, share_basis_points: 5000", "MILESTONE_SIGNING, share_basis_points: 4000");
    let at = |text: &str| wrong.lines().position(|line| line.contains(text)).unwrap() + 1;
    let (amount, parts) = (at("currency_code: EUR"), at("instalments:"));
    let file = write(data.path(), "wrong.yaml", &wrong);
    let refused = apply(&up, &good, &["-f", &file]).await;
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
    for told in [
        format!("wrong.yaml:{amount}:9: clause fee: fee.amount is in EUR"),
        format!("wrong.yaml:{parts}:9: clause fee: fee.instalments make up 9000"),
    ] {
        assert!(refused.stderr.contains(&told), "{told} in {}", refused.stderr);
    }

    // Found here: a field that there is not, a text where a number belongs, what is no YAML at all.
    for (from, to, told) in [
        ("net_days: 30", "net_dais: 30", "clause payment: "),
        ("net_days: 30", "net_days: soon", "clause payment: net_days can't be read"),
        ("net_days: 30 }", "net_days: 30", "broken.yaml:"),
        ("contract_id: glowco-summer", "# no id", "contract_id is missing"),
    ] {
        let line = example().lines().position(|line| line.contains(from)).unwrap() + 1;
        let broken = write(data.path(), "broken.yaml", &example().replace(from, to));
        let refused = apply(&up, &broken, &[]).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
        assert!(refused.stderr.contains(told), "{told} in {}", refused.stderr);
        if told.starts_with("clause") {
            assert!(refused.stderr.contains(&format!("broken.yaml:{line}:")), "{line} in {}", refused.stderr);
        }
    }
    assert_eq!(events(&up).await, 0);

    let twice = apply(&up, &good, &["-f", &good]).await;
    assert!(twice.code == Some(2) && twice.stderr.contains("is given twice"), "{twice:?}");
    let both = format!("{}\n---\n{}", example(), example().replace("glowco-summer", "glowco-winter"));
    let both = apply(&up, &write(data.path(), "both.yaml", &both), &["--format", "json"]).await.ok();
    let made: Vec<serde_json::Value> = both.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(made.iter().map(|made| &made["outcome"]).collect::<Vec<_>>(), ["created", "created"]);
    up.child.stop().await.unwrap();
}

#[tokio::test]
async fn a_typo_of_a_contract_command_is_told_before_anything_is_sent() {
    for (args, told) in [
        (&["contracts", "show", "glowco-summer"][..], "contracts/{contract}"),
        (&["contracts", "apply", "-f", "x.yaml", "--creator", "zoe"], "creators/{creator}"),
        (&["contracts", "apply", "-f", "x.yaml", "--amend"], "--effective"),
        (&["contracts", "apply", "-f", "no-such.yaml"], "no-such.yaml can't be read"),
        (&["contracts", "terms", "contracts/c", "--known-at", "soon"], "2026-03-31"),
    ] {
        let refused = run(args).await;
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(2), ""), "{refused:?}");
        assert!(refused.stderr.contains(told), "{told} in {refused:?}");
    }
}
