//! `tandem contracts terms`.

use std::process::ExitCode;

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::civil::Date;
use tandem_client::Error;
use tandem_contracts::render::render_terms;
use tandem_money::dates::date_from_proto;
use tandem_proto::contracts::v1::{GetTermsRequest, GetTermsResponse, Terms};
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
            Format::Text => output::line(text(&self.contract, &terms, self.as_of)?.trim_end())?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn text(contract: &str, response: &GetTermsResponse, as_of: Option<Timestamp>) -> anyhow::Result<String> {
    let GetTermsResponse { terms, terms_hash, version, effective_time, agree_time, brand, creator } = response;
    let terms = terms.as_ref().context("the service has answered no terms")?;
    let from = effective_time.as_ref().map_or_else(|| "the beginning".to_owned(), |time| instant(Some(time)) + " UTC");
    let early = as_of
        .and_then(|as_of| not_begun(terms, as_of))
        .map(|first| format!("It does not run yet on that day: its first day is {first}.\n"));
    Ok(format!(
        "{contract}, {brand} with {creator}\nversion {version}, agreed {} UTC, applies from {from}\n{}SHA-256 {terms_hash}\n\n{}",
        instant(agree_time.as_ref()),
        early.unwrap_or_default(),
        render_terms(terms, "Terms")
    ))
}

/// The first day of the terms, if that is yet to come where their days are counted.
fn not_begun(terms: &Terms, as_of: Timestamp) -> Option<Date> {
    let first = date_from_proto(terms.start_date.as_ref()?).ok()?;
    let day = as_of.in_tz(&terms.time_zone).ok()?.date();
    (day < first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_that_do_not_run_yet_say_so() {
        let start_date = Some(tandem_proto::google::r#type::Date { year: 2026, month: 6, day: 15 });
        let terms = Terms { start_date, time_zone: "America/New_York".into(), ..Terms::default() };
        // Their first day begins at four in the morning, UTC.
        for (as_of, early) in [("2026-06-15T03:59:59Z", true), ("2026-06-15T04:00:00Z", false)] {
            assert_eq!(not_begun(&terms, as_of.parse().unwrap()).is_some(), early, "{as_of}");
        }
        let response = GetTermsResponse { terms: Some(terms), ..GetTermsResponse::default() };
        let text = text("contracts/c1", &response, "2026-01-01T00:00:00Z".parse().ok()).unwrap();
        assert!(text.contains("does not run yet on that day: its first day is 2026-06-15"), "{text}");
    }
}
