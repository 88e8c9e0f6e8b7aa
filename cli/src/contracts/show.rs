//! `tandem contracts show`.
//!
//! Invariant: what is shown is where a contract stands; what it says is for `render` and `terms`.

use std::process::ExitCode;

use tandem_client::Error;
use tandem_contracts::render::clause_title;
use tandem_proto::contracts::v1::{Contract, GetContractRequest, Party};
use tandem_proto::google::r#type::Date;
use tandem_proto::json;

use super::plan::state;
use crate::connection::Connection;
use crate::output::{self, Format, day, instant, table};
use crate::vocabulary;

/// Show where a contract stands: its parties, days and clauses, its offers, signatures, amendments and warnings
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Show {
    /// The contract: contracts/{contract}
    #[arg(value_parser = vocabulary::contract)]
    contract: String,
    /// Form of the result; JSON is ProtoJSON
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Show {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let request = GetContractRequest { name: self.contract, round: 0 };
        let contract = client.contracts().get_contract(request).await.map_err(Error::from)?.into_inner();
        match self.format {
            Format::Json => output::line(json::write(&contract)?)?,
            Format::Text => output::line(text(&contract))?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// The last day, after renewals.
pub(super) fn last_day(contract: &Contract) -> Option<&Date> {
    contract.end_date.as_ref().or(contract.terms.as_ref().and_then(|terms| terms.end_date.as_ref()))
}

fn text(contract: &Contract) -> String {
    let parts = [
        Some(head(contract)),
        Some(clauses(contract)),
        rounds(contract),
        signatures(contract),
        amendments(contract),
        warnings(contract),
        findings(contract),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

fn head(contract: &Contract) -> String {
    let mut head = format!("{}: {}\n{}\n", contract.name, state(contract), contract.title);
    head += &format!("{} with {}\n", contract.brand, contract.creator);
    if let Some(terms) = &contract.terms {
        let last = last_day(contract);
        let (from, zone, currency) = (day(terms.start_date.as_ref()), &terms.time_zone, &terms.currency_code);
        head += &format!("{from} to {} in {zone}, {currency}", day(last));
        if contract.renewal_count > 0 {
            head += &format!(", renewed {} times", contract.renewal_count);
        }
        head.push('\n');
    }
    if !contract.template.is_empty() {
        head += &format!(
            "from {} version {}, with {} deviations\n",
            contract.template,
            contract.template_version,
            contract.deviations.len()
        );
    }
    let version = if contract.version > 0 { format!("version {}, ", contract.version) } else { String::new() };
    head + &format!("terms {version}SHA-256 {}", contract.terms_hash)
}

fn clauses(contract: &Contract) -> String {
    let mut shown = table(&["clause", "about"]);
    for clause in contract.terms.iter().flat_map(|terms| &terms.clauses) {
        shown.add_row([clause.clause_id.as_str(), clause_title(clause)]);
    }
    shown.trim_fmt()
}

fn rounds(contract: &Contract) -> Option<String> {
    let mut shown = table(&[">round", "offered by", "when (UTC)", "changed clauses"]);
    for round in &contract.rounds {
        let changed: Vec<_> = round.changes.iter().map(|change| change.clause_id.as_str()).collect();
        let time = instant(round.offer_time.as_ref());
        shown.add_row([round.number.to_string(), party(round.offered_by()), time, changed.join(", ")]);
    }
    (!contract.rounds.is_empty()).then(|| shown.trim_fmt())
}

fn signatures(contract: &Contract) -> Option<String> {
    let mut shown = table(&["signed for", "by", "as", "when (UTC)"]);
    for signature in &contract.signatures {
        let time = instant(signature.sign_time.as_ref());
        shown.add_row([party(signature.party()), signature.signer.clone(), signature.capacity.clone(), time]);
    }
    (!contract.signatures.is_empty()).then(|| shown.trim_fmt())
}

fn amendments(contract: &Contract) -> Option<String> {
    let mut shown = table(&[">amendment", "by", "state", "effective", "changed clauses", "because"]);
    for amendment in &contract.amendments {
        let changed: Vec<_> = amendment.changes.iter().map(|change| change.clause_id.as_str()).collect();
        shown.add_row([
            amendment.number.to_string(),
            party(amendment.proposed_by()),
            amendment.state().as_str_name().trim_start_matches("AMENDMENT_STATE_").to_owned(),
            day(amendment.effective_date.as_ref()),
            changed.join(", "),
            amendment.reason.clone(),
        ]);
    }
    (!contract.amendments.is_empty()).then(|| shown.trim_fmt())
}

fn warnings(contract: &Contract) -> Option<String> {
    let mut shown = table(&["warned of", "deadline (UTC)", ">days ahead", "warned (UTC)"]);
    for warning in &contract.warnings {
        shown.add_row([
            warning.deadline().as_str_name().trim_start_matches("DEADLINE_").to_owned(),
            instant(warning.deadline_time.as_ref()),
            warning.days_ahead.to_string(),
            instant(warning.warn_time.as_ref()),
        ]);
    }
    (!contract.warnings.is_empty()).then(|| shown.trim_fmt())
}

fn findings(contract: &Contract) -> Option<String> {
    let found = contract.statutory_findings.iter();
    let found: Vec<_> =
        found.map(|finding| format!("{}: {} ({})", finding.rule, finding.message, finding.source)).collect();
    (!found.is_empty()).then(|| format!("The law asks for besides:\n{}", found.join("\n")))
}

fn party(party: Party) -> String {
    party.as_str_name().trim_start_matches("PARTY_").to_lowercase()
}
