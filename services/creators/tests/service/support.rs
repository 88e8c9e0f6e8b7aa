//! The creators service on a NATS server of its own, and what the tests ask of it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use async_nats::jetstream;
use tandem_client::{Claims, Client, SigningKey, StaticToken};
use tandem_creators::{Args, Creators};
use tandem_nats_server::NatsServer;
use tandem_proto::creators::v1::{
    BatchImportCreatorsRequest, BatchImportCreatorsResponse, ChannelFigures, Creator, EraseCreatorRequest,
    GetCreatorRequest, ImportCreatorRow, ImportOutcome, ListCreatorsRequest, LookupCreatorRequest,
    MergeCreatorsRequest, Platform,
};
use tandem_proto::google::r#type::Date;
use tandem_service::testing::{Running, settings, token};
use tempfile::TempDir;
use tonic::Status;
use tonic_types::StatusExt as _;

/// A service with its server; all goes when it is dropped.
pub struct Fixture {
    pub service: Running,
    pub server: NatsServer,
    /// Of a manager of the tenant `acme`.
    pub client: Client,
    _views: TempDir,
}

impl Fixture {
    pub async fn new() -> Result<Self> {
        let server = NatsServer::builder().start().await?;
        let views = TempDir::new()?;
        let service = Running::start::<Creators>(settings(&server.url(), views.path()), Args::default()).await?;
        let client = client(&service, token("users/ada", "acme", &["*"]))?;
        Ok(Self { service, server, client, _views: views })
    }

    pub fn client_of(&self, token: String) -> Result<Client> {
        client(&self.service, token)
    }

    pub async fn jetstream(&self) -> Result<jetstream::Context> {
        Ok(jetstream::new(async_nats::connect(self.server.url()).await?))
    }

    /// All messages of a stream, with their headers, as bytes.
    pub async fn messages(&self, stream: &str) -> Result<Vec<Vec<u8>>> {
        let mut stream = self.jetstream().await?.get_stream(stream).await?;
        let last = stream.info().await?.state.last_sequence;
        let mut messages = Vec::new();
        for sequence in 1..=last {
            // Overwritten ones are gone.
            let Ok(message) = stream.get_raw_message(sequence).await else { continue };
            let headers = format!("{} {:?}", message.subject, message.headers);
            messages.push([headers.as_bytes(), &message.payload].concat());
        }
        Ok(messages)
    }
}

fn client(service: &Running, token: String) -> Result<Client> {
    Ok(Client::builder().creators(service.uri()).token(StaticToken::new(token)).build()?)
}

/// A token of a creator of the tenant `acme`.
pub fn creator_token(creator: &str) -> String {
    let claims = Claims::new("users/erika", "acme").with_permissions(["*"]).with_creator(creator);
    SigningKey::development().mint(&claims, Duration::from_secs(3600))
}

/// A row of 30 September 2022.
pub fn row(handle: &str, followers: i64) -> ImportCreatorRow {
    ImportCreatorRow {
        platform: Platform::Instagram.into(),
        handle: handle.into(),
        display_name: format!("Name of {handle}"),
        audience_country: "Spain".into(),
        categories: vec!["Music".into()],
        figures: Some(ChannelFigures {
            observe_date: Some(Date { year: 2022, month: 9, day: 30 }),
            followers,
            ..Default::default()
        }),
    }
}

pub async fn import(
    client: &Client,
    rows: Vec<ImportCreatorRow>,
    request_id: &str,
) -> Result<BatchImportCreatorsResponse, Status> {
    let request = BatchImportCreatorsRequest { rows, request_id: request_id.into() };
    Ok(client.creators().batch_import_creators(request).await?.into_inner())
}

/// Imports one row, which must be taken; answers the creator's name.
pub async fn import_one(client: &Client, row: ImportCreatorRow) -> Result<String> {
    let response = import(client, vec![row], "").await?;
    let result = response.results.into_iter().next().context("no result")?;
    anyhow::ensure!(result.outcome() != ImportOutcome::Rejected, "{}", result.message);
    Ok(result.creator)
}

pub fn outcomes(response: &BatchImportCreatorsResponse) -> Vec<ImportOutcome> {
    response.results.iter().map(|result| result.outcome()).collect()
}

pub async fn get(client: &Client, name: &str) -> Result<Creator, Status> {
    Ok(client.creators().get_creator(GetCreatorRequest { name: name.into() }).await?.into_inner())
}

pub async fn lookup(client: &Client, handle: &str) -> Result<Creator, Status> {
    let request = LookupCreatorRequest { platform: Platform::Instagram.into(), handle: handle.into() };
    Ok(client.creators().lookup_creator(request).await?.into_inner())
}

/// All creators that match, over all pages.
pub async fn list(client: &Client, filter: &str, order_by: &str) -> Result<Vec<Creator>, Status> {
    let mut creators = Vec::new();
    let mut page_token = String::new();
    loop {
        let (filter, order_by) = (filter.into(), order_by.into());
        let request = ListCreatorsRequest { page_size: 400, page_token, filter, order_by };
        let page = client.creators().list_creators(request).await?.into_inner();
        creators.extend(page.creators);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(creators);
        }
    }
}

pub async fn merge(client: &Client, name: &str, source: &str) -> Result<Creator, Status> {
    let (name, source, reason) = (name.into(), source.into(), "the same person".into());
    let request = MergeCreatorsRequest { name, source, reason, request_id: String::new() };
    Ok(client.creators().merge_creators(request).await?.into_inner())
}

pub async fn erase(client: &Client, name: &str) -> Result<Creator, Status> {
    let request =
        EraseCreatorRequest { name: name.into(), reason: "request of the person".into(), request_id: String::new() };
    Ok(client.creators().erase_creator(request).await?.into_inner())
}

/// The reason that an error carries.
pub fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

pub fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Rows of the Instagram ranking among the examples.
pub fn instagram_ranking() -> Result<Vec<ImportCreatorRow>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/creators-instagram-2022-09.csv");
    let mut rows = Vec::new();
    for record in csv::Reader::from_path(path)?.into_records() {
        let record = record?;
        let cell = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let count = |at: usize| cell(at).trim_end_matches(".00").parse().unwrap_or_default();
        rows.push(ImportCreatorRow {
            platform: Platform::Instagram.into(),
            handle: cell(1),
            display_name: cell(2),
            audience_country: cell(5),
            categories: vec![cell(10), cell(11)],
            figures: Some(ChannelFigures {
                observe_date: Some(Date { year: 2022, month: 9, day: 30 }),
                followers: count(4),
                authentic_engagements: count(7),
                average_engagements: count(9),
                ..Default::default()
            }),
        });
    }
    Ok(rows)
}
