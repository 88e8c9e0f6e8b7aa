//! `ViewService`: operating the views of a service.
//!
//! Invariant: what it tells is of all tenants, so it tells counts and positions, never rows.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{KeyValue, global};
use tandem_proto::common::v1::view_service_server::ViewService;
use tandem_proto::common::v1::{
    ErrorReason, ListViewsRequest, ListViewsResponse, ParkedEvent, RebuildViewRequest, RebuildViewResponse,
    RetryViewRequest, RetryViewResponse, View,
};
use tandem_views::{AnyView, ViewStatus};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::Call;
use crate::error::Problem;

/// How often lag and parked events are measured.
const MEASURE_INTERVAL: Duration = Duration::from_secs(15);

pub(crate) type Views = Vec<Arc<dyn AnyView>>;

pub(crate) struct ViewOperations(pub(crate) Views);

#[tonic::async_trait]
impl ViewService for ViewOperations {
    async fn list_views(&self, request: Request<ListViewsRequest>) -> Result<Response<ListViewsResponse>, Status> {
        let call = Call::accept(request)?;
        let mut views = Vec::with_capacity(self.0.len());
        for view in &self.0 {
            views.push(resource(view.status().await.map_err(|error| call.error(error))?));
        }
        views.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Response::new(ListViewsResponse { views }))
    }

    async fn rebuild_view(
        &self,
        request: Request<RebuildViewRequest>,
    ) -> Result<Response<RebuildViewResponse>, Status> {
        let call = Call::accept(request)?;
        let view = self.named(&call.message.name).map_err(|problem| call.error(problem))?;
        let report = view.rebuild().await.map_err(|error| call.error(error))?;
        let status = view.status().await.map_err(|error| call.error(error))?;
        Ok(Response::new(RebuildViewResponse {
            view: Some(resource(status)),
            event_count: count(report.event_count),
            row_count: count(report.row_count),
            duration_millis: i64::try_from(report.duration.as_millis()).unwrap_or(i64::MAX),
        }))
    }

    async fn retry_view(&self, request: Request<RetryViewRequest>) -> Result<Response<RetryViewResponse>, Status> {
        let call = Call::accept(request)?;
        let view = self.named(&call.message.name).map_err(|problem| call.error(problem))?;
        let subject = Some(&call.message.subject[..]).filter(|subject| !subject.is_empty());
        let report = view.retry(subject).await.map_err(|error| call.error(error))?;
        let status = view.status().await.map_err(|error| call.error(error))?;
        Ok(Response::new(RetryViewResponse {
            view: Some(resource(status)),
            retried_count: count(report.retried),
            parked_count: count(report.parked),
            rebuilt: report.rebuilt,
        }))
    }
}

impl ViewOperations {
    /// The view of a name as `views/contracts`.
    fn named(&self, name: &str) -> Result<&Arc<dyn AnyView>, Problem> {
        let wanted = name.strip_prefix("views/").unwrap_or_default();
        self.0.iter().find(|view| view.name() == wanted).ok_or_else(|| {
            let known: Vec<_> = self.0.iter().map(|view| format!("views/{}", view.name())).collect();
            let message = format!("There is no {name} here, but {}.", known.join(", "));
            Problem::new(ErrorReason::ViewUnknown, message)
        })
    }
}

fn resource(status: ViewStatus) -> View {
    let parked = |parked: tandem_views::Parked| ParkedEvent {
        position: count(parked.position),
        subject: parked.subject,
        r#type: parked.event_type,
        error: parked.error,
        park_time: Some(prost_types::Timestamp {
            seconds: parked.time.as_second(),
            nanos: parked.time.subsec_nanosecond(),
        }),
    };
    View {
        name: format!("views/{}", status.name),
        version: status.version,
        generation: status.generation,
        position: count(status.position),
        lag: status.lag.map_or(-1, count),
        row_count: count(status.row_count),
        parked_events: status.parked.into_iter().map(parked).collect(),
        parked_count: count(status.parked_count),
        newer_count: count(status.newer_count),
        newer_events: status.newer.into_iter().map(parked).collect(),
    }
}

fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Feeds the gauges `tandem.view.lag`, `tandem.view.parked`, `tandem.view.newer` and `tandem.view.folding` until
/// `stopping`. Over the replicas of a version that share a store, the last adds up to 1.
pub(crate) async fn measure(views: Views, stopping: CancellationToken) {
    let meter = global::meter("tandem");
    let lag = meter.u64_gauge("tandem.view.lag").with_description("Positions that a view has still to read").build();
    let parked = meter.u64_gauge("tandem.view.parked").with_description("Events that a view has parked").build();
    let folding = meter.u64_gauge("tandem.view.folding").with_description("Whether this replica folds a view").build();
    let newer = meter.u64_gauge("tandem.view.newer");
    let newer = newer.with_description("Events of newer versions that a view has passed over").build();
    loop {
        for view in &views {
            match view.status().await {
                Ok(status) => {
                    let attributes = [KeyValue::new("view", status.name)];
                    parked.record(status.parked_count, &attributes);
                    folding.record(status.folding.into(), &attributes);
                    newer.record(status.newer_count, &attributes);
                    status.lag.inspect(|positions| lag.record(*positions, &attributes));
                }
                Err(error) => tracing::warn!(view = view.name(), %error, "a view can't be measured"),
            }
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(MEASURE_INTERVAL) => {}
        }
    }
}
