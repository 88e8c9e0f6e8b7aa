//! Asking the services what they are and how far.
//!
//! Invariant: one that does not answer holds up nobody else, and no longer than [`PATIENCE`].

use futures::future::join_all;
use jiff::Timestamp;
use tandem_client::{Client, Endpoints, Error, Service};
use tandem_doctor::gather::{PATIENCE, ahead, now};
use tandem_doctor::{Info, Known, ServiceFacts, View};
use tandem_proto::common::v1::{self as pb, GetInfoRequest, ListViewsRequest};
use tandem_proto::time::from_proto;
use tonic::{Code, Request, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

/// What all services tell of themselves.
pub(super) async fn gather(client: &Client, endpoints: &Endpoints) -> Vec<ServiceFacts> {
    join_all(Service::ALL.map(|service| of(client, endpoints, service))).await
}

async fn of(client: &Client, endpoints: &Endpoints, service: Service) -> ServiceFacts {
    let asked = tokio::time::timeout(2 * PATIENCE, async {
        let serving = serving(client, service).await?;
        let (info, views) = tokio::join!(info(client, service), views(client, service));
        Ok(tandem_doctor::Service { serving, info, views })
    });
    let state = match asked.await {
        Ok(Ok(is)) => Known::Is(is),
        Ok(Err(status)) => Known::Unknown(said(status)),
        Err(_) => Known::Unknown(format!("no answer within {} s", (2 * PATIENCE).as_secs())),
    };
    ServiceFacts { name: service.name().to_owned(), address: endpoints.of(service).to_owned(), state }
}

async fn serving(client: &Client, service: Service) -> Result<bool, Status> {
    let answer = HealthClient::new(client.channel(service)).check(within(HealthCheckRequest::default())).await?;
    Ok(answer.into_inner().status() == ServingStatus::Serving)
}

async fn info(client: &Client, service: Service) -> Known<Info> {
    let asked = now();
    let answer = client.info(service).get_info(within(GetInfoRequest {})).await;
    known(answer.map(|answer| {
        let pb::Info { version, production, development_key, answer_time, .. } = answer.into_inner();
        let said = answer_time.as_ref().and_then(from_proto);
        let ahead = said.map(|said: Timestamp| ahead(asked, said, now())).unwrap_or_default();
        Info { version, production, development_key, ahead }
    }))
}

async fn views(client: &Client, service: Service) -> Known<Vec<View>> {
    let answer = client.views(service).list_views(within(ListViewsRequest {})).await;
    known(answer.map(|answer| answer.into_inner().views.into_iter().map(view).collect()))
}

fn view(view: pb::View) -> View {
    View {
        name: view.name.trim_start_matches("views/").to_owned(),
        position: u64::try_from(view.position).unwrap_or_default(),
        lag: u64::try_from(view.lag).ok(),
        parked: view.parked_events.len() as u64,
        parked_error: view.parked_events.into_iter().next().map(|parked| parked.error).unwrap_or_default(),
    }
}

/// An older service may not serve what it is asked for.
fn known<T>(answer: Result<T, Status>) -> Known<T> {
    match answer {
        Ok(is) => Known::Is(is),
        Err(status) if status.code() == Code::Unimplemented => Known::Missing,
        Err(status) => Known::Unknown(said(status)),
    }
}

fn said(status: Status) -> String {
    Error::from(status).to_string()
}

fn within<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(PATIENCE);
    request
}
