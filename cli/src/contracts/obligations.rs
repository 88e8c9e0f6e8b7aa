//! `tandem contracts obligations`.

use std::process::ExitCode;

use tandem_client::{Client, Error};
use tandem_proto::contracts::v1::{ListObligationsRequest, Obligation};

use crate::connection::Connection;
use crate::output::{self, Format, count, instant};
use crate::pages;

/// List obligations: who owes what, and until when
///
/// What money is late is told by 'kind = PAYMENT AND state = OPEN AND due_time < "2026-09-01T00:00:00Z"'; of all else, the
/// log says by OVERDUE that it is.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Obligations {
    /// Only what this AIP-160 filter matches, such as 'party = CREATOR AND state = OPEN'
    #[arg(long, value_name = "FILTER", default_value = "", hide_default_value = true)]
    filter: String,
    /// Order of due_time and name
    #[arg(long, value_name = "FIELDS", default_value = "due_time, name")]
    order_by: String,
    /// Form of the result; JSON is ProtoJSON, one obligation a line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    connection: Connection,
}

impl Obligations {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let client = self.connection.client()?;
        let obligations = self.all(&client).await?;
        output::list(self.format, &obligations, print)?;
        Ok(ExitCode::SUCCESS)
    }

    async fn all(&self, client: &Client) -> Result<Vec<Obligation>, Error> {
        pages::all(|page_token| {
            let request = ListObligationsRequest {
                page_size: pages::PAGE_SIZE,
                page_token,
                filter: self.filter.clone(),
                order_by: self.order_by.clone(),
            };
            async move {
                let page = client.obligations().list_obligations(request).await?.into_inner();
                Ok((page.obligations, page.next_page_token))
            }
        })
        .await
    }
}

fn print(obligations: &[Obligation]) -> std::io::Result<()> {
    let mut table = output::table(&["due (UTC)", "state", "who", "owes", "for", "contract", "done (UTC)"]);
    for obligation in obligations {
        table.add_row(row(obligation));
    }
    if !obligations.is_empty() {
        output::print(&table)?;
    }
    eprintln!("{}", count(obligations.len(), "obligation", "obligations"));
    Ok(())
}

/// Enums as filters write them.
fn row(obligation: &Obligation) -> [String; 7] {
    let short = |value: &str, prefix: &str| value.trim_start_matches(prefix).to_owned();
    [
        obligation.due_time.as_ref().map_or_else(|| "–".to_owned(), |due| instant(Some(due))),
        short(obligation.state().as_str_name(), "OBLIGATION_STATE_"),
        short(obligation.party().as_str_name(), "PARTY_"),
        short(obligation.kind().as_str_name(), "OBLIGATION_KIND_"),
        obligation.subject.clone(),
        obligation.contract.clone(),
        instant(obligation.fulfil_time.as_ref()),
    ]
}

#[cfg(test)]
mod tests {
    use tandem_proto::contracts::v1::{ObligationKind, ObligationState, Party};

    use super::*;

    #[test]
    fn an_obligation_is_a_line() {
        let obligation = Obligation {
            contract: "contracts/c1".into(),
            party: Party::Creator.into(),
            kind: ObligationKind::Publication.into(),
            state: ObligationState::FulfilledLate.into(),
            subject: "participations/p1/deliverables/reel-1".into(),
            fulfil_time: Some(prost_types::Timestamp { seconds: 1_662_033_600, nanos: 0 }),
            ..Default::default()
        };
        let expected = [
            "–",
            "FULFILLED_LATE",
            "CREATOR",
            "PUBLICATION",
            "participations/p1/deliverables/reel-1",
            "contracts/c1",
            "2022-09-01 12:00:00",
        ];
        assert_eq!(row(&obligation), expected);
    }
}
