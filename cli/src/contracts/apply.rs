//! `tandem contracts apply`.
//!
//! Invariant: nothing is written before every document of every file has been read and checked, by this program and by
//! the service; applied again, nothing is written at all.

use std::io::Read as _;
use std::process::ExitCode;

use anyhow::Context as _;
use jiff::civil::Date;
use tandem_client::{Client, Error};
use tandem_contracts::render::FieldChange;
use tandem_money::dates;
use tandem_proto::contracts::v1::{
    Contract, CreateContractRequest, GetContractRequest, ProposeAmendmentRequest, Terms,
};
use tonic::Code;

use super::file::{self, Document, Finding};
use super::outcome::{self, Outcome, UNCHANGED};
use super::plan::{Step, plan, state};
use crate::connection::Connection;
use crate::output::Format;
use crate::{cli, vocabulary};

/// Some documents were not applied, as an import ends that rejects rows.
const SOME_REFUSED: u8 = 2;

/// Bring contracts to what files say: draft those that are not there, leave those that are so already
///
/// A file holds one or several contracts as YAML or JSON: contract_id, brand, creator, title and terms, as in
/// examples/contract-glowco-summer.yaml. All of them are checked before the first is written.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Apply {
    /// The files; "-" is standard input
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Creator of contracts that name none: creators/{creator}
    #[arg(long, value_name = "CREATOR", value_parser = vocabulary::creator)]
    creator: Option<String>,
    /// Say what would be done, with each difference, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Propose an amendment where a signed contract has other terms
    #[arg(long, requires_all = ["effective", "reason"])]
    amend: bool,
    /// First day on which amended terms apply, for example 2026-09-01
    #[arg(long, value_name = "DATE", requires = "amend")]
    effective: Option<Date>,
    /// Why they are amended, for people; no personal data
    #[arg(long, value_name = "REASON", requires = "amend")]
    reason: Option<String>,
    /// Form of the result; JSON is one value a contract
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Apply {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let documents = match self.read()? {
            Ok(documents) => documents,
            Err(findings) => return Ok(told(&findings)),
        };
        let (mut planned, mut findings) = (Vec::new(), Vec::new());
        for document in documents {
            match self.plan(&client, &document).await? {
                Ok(step) => planned.push((document, step)),
                Err(found) => findings.extend(found),
            }
        }
        if !findings.is_empty() {
            return Ok(told(&findings));
        }
        let mut outcomes = Vec::new();
        for (document, step) in &planned {
            if let Step::Refuse { why, .. } = step {
                findings.push(document.finding(why.clone()));
            }
            match self.take(&client, document, step).await? {
                Ok(outcome) => outcomes.push(outcome),
                Err(found) => findings.extend(found),
            }
        }
        outcome::print(&outcomes, self.format)?;
        if findings.is_empty() { Ok(ExitCode::SUCCESS) } else { Ok(told(&findings)) }
    }

    /// The documents of all files, or all that is wrong with them.
    fn read(&self) -> anyhow::Result<Result<Vec<Document>, Vec<Finding>>> {
        let (mut documents, mut findings) = (Vec::new(), Vec::new());
        for file in &self.files {
            match file::read(file, &content(file)?, self.creator.as_deref()) {
                Ok(read) => documents.extend(read),
                Err(found) => findings.extend(found),
            }
        }
        for (index, document) in documents.iter().enumerate() {
            if documents.iter().take(index).any(|earlier: &Document| earlier.name == document.name) {
                findings
                    .push(document.finding(format!("{} is given twice: give each an id of its own", document.name)));
            }
        }
        Ok(if findings.is_empty() { Ok(documents) } else { Err(findings) })
    }

    /// What is to be done for a document, or what is wrong with it.
    async fn plan(&self, client: &Client, document: &Document) -> anyhow::Result<Result<Step, Vec<Finding>>> {
        let request = GetContractRequest { name: document.name.clone(), round: 0 };
        let there = match client.contracts().get_contract(request).await.map_err(Error::from) {
            Ok(contract) => Some(contract.into_inner()),
            Err(error) if error.code() == Code::NotFound => None,
            Err(error) => return Err(error.into()),
        };
        let step = plan(&document.contract, there.as_ref(), self.amend);
        let check = match step {
            Step::Create => create(document, true),
            // Only the terms are asked about: the contract is there already.
            Step::Amend { .. } => CreateContractRequest { contract_id: String::new(), ..create(document, true) },
            Step::Leave(_) | Step::Refuse { .. } => return Ok(Ok(step)),
        };
        let checked = client.contracts().create_contract(check).await.map_err(Error::from);
        Ok(in_file(document, checked)?.map(|_| step))
    }

    /// Does what was planned, unless this is a dry run.
    async fn take(
        &self,
        client: &Client,
        document: &Document,
        step: &Step,
    ) -> anyhow::Result<Result<Outcome, Vec<Finding>>> {
        let name = document.name.clone();
        let told = |done: &str, note: String, changes: &[FieldChange]| Outcome {
            name: name.clone(),
            done: if self.dry_run { format!("would be {done}") } else { done.to_owned() },
            note,
            changes: changes.to_vec(),
        };
        Ok(match step {
            Step::Leave(why) => Ok(Outcome { done: UNCHANGED.to_owned(), ..told("", why.clone(), &[]) }),
            Step::Refuse { changes, .. } => Ok(told("refused", "see below".to_owned(), changes)),
            Step::Create if self.dry_run => Ok(told("created", clauses(&document.contract), &[])),
            Step::Amend { changes, .. } if self.dry_run => Ok(told("amended", self.effective_words(), changes)),
            Step::Create => {
                let created = client.contracts().create_contract(create(document, false)).await.map_err(Error::from);
                in_file(document, created)?.map(|contract| {
                    let contract = contract.into_inner();
                    let note = format!("{}, {}", state(&contract), clauses(&contract));
                    told("created", note, &[])
                })
            }
            Step::Amend { etag, changes } => {
                let request = self.amendment(document, etag.clone());
                let amended = client.contracts().propose_amendment(request).await.map_err(Error::from);
                in_file(document, amended)?.map(|contract| {
                    let number = contract.into_inner().amendments.last().map_or(0, |amendment| amendment.number);
                    let note = format!("amendment {number} is proposed, {}", self.effective_words());
                    told("amended", note, changes)
                })
            }
        })
    }

    fn amendment(&self, document: &Document, etag: String) -> ProposeAmendmentRequest {
        ProposeAmendmentRequest {
            name: document.name.clone(),
            terms: document.contract.terms.clone(),
            effective_date: self.effective.map(dates::date_to_proto),
            reason: self.reason.clone().unwrap_or_default(),
            etag,
            request_id: String::new(),
        }
    }

    fn effective_words(&self) -> String {
        self.effective.map_or_else(String::new, |day| format!("effective {day}, once it is accepted"))
    }
}

fn create(document: &Document, validate_only: bool) -> CreateContractRequest {
    CreateContractRequest {
        contract: Some(document.contract.clone()),
        contract_id: document.id().to_owned(),
        validate_only,
        request_id: String::new(),
    }
}

/// An answer, or what it finds wrong in the file. An error about anything else is passed on, with the contract that it
/// came with.
fn in_file<T>(document: &Document, answer: Result<T, Error>) -> anyhow::Result<Result<T, Vec<Finding>>> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(error) => match document.findings(&error) {
            findings if findings.is_empty() => Err(error).with_context(|| format!("{} was not applied", document.name)),
            findings => Ok(Err(findings)),
        },
    }
}

fn clauses(contract: &Contract) -> String {
    let count = contract.terms.as_ref().map_or(0, |terms: &Terms| terms.clauses.len());
    format!("{count} clauses")
}

fn content(file: &str) -> anyhow::Result<String> {
    if file == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).context("standard input can't be read")?;
        return Ok(text);
    }
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(error) => Err(cli::wrong_arguments(format!("{file} can't be read: {error}"))),
    }
}

/// Says to stderr what keeps documents from being applied.
fn told(findings: &[Finding]) -> ExitCode {
    for finding in findings {
        eprintln!("{finding}");
    }
    ExitCode::from(SOME_REFUSED)
}
