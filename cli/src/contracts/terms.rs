//! `tandem contracts terms`.

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use tandem_client::Error;
use tandem_contracts::render::render_terms;
use tandem_proto::contracts::v1::{GetTermsRequest, GetTermsResponse};
use tandem_proto::{json, time};

use crate::connection::Connection;
use crate::output::{self, Format, instant};
use crate::vocabulary;

/// Show the terms in force, now or at any time, as they were known at any time
#[derive(clap::Args, Clone, Debug)]
pub(super) struct ShowTerms {
    /// The contract: contracts/{contract}
    #[arg(value_parser = vocabulary::contract)]
    contract: String,
    /// In force then: an instant (RFC 3339) or a day, which is meant to its end in UTC [default: now]
    #[arg(long, value_name = "TIME", value_parser = vocabulary::as_of)]
    as_of: Option<Timestamp>,
    /// As known then: a later amendment with an earlier effective date is left out [default: now]
    #[arg(long, value_name = "TIME", value_parser = vocabulary::as_of)]
    known_at: Option<Timestamp>,
    /// Form of the result; JSON is ProtoJSON
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl ShowTerms {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let request = GetTermsRequest {
            name: self.contract.clone(),
            as_of_time: self.as_of.map(time::to_proto),
            known_at_time: self.known_at.map(time::to_proto),
        };
        let terms = client.contracts().get_terms(request).await.map_err(Error::from)?.into_inner();
        match self.format {
            Format::Json => output::line(json::write(&terms)?)?,
            Format::Text => output::line(text(&self.contract, &terms)?.trim_end())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(contract: &str, response: &GetTermsResponse) -> anyhow::Result<String> {
    let GetTermsResponse { terms, terms_hash, version, effective_time, agree_time, brand, creator } = response;
    let terms = terms.as_ref().context("the service has answered no terms")?;
    let from = effective_time.as_ref().map_or_else(|| "the beginning".to_owned(), |time| instant(Some(time)) + " UTC");
    Ok(format!(
        "{contract}, {brand} with {creator}\nversion {version}, agreed {} UTC, applies from {from}\nSHA-256 {terms_hash}\n\n{}",
        instant(agree_time.as_ref()),
        render_terms(terms, "Terms")
    ))
}
