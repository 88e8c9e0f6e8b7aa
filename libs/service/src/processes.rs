//! `ProcessService`: what the processes of a service can't handle.
//!
//! Invariant: what it tells is of all tenants, so it tells positions and errors, never what an event says.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{KeyValue, global};
use tandem_aggregate::Failing;
use tandem_proto::common::v1::process_service_server::ProcessService;
use tandem_proto::common::v1::{FailingDelivery, ListProcessesRequest, ListProcessesResponse, Process};
use tandem_proto::time;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::Call;

/// So many failing deliveries are shown; all are counted.
const SHOWN: usize = 100;
/// How often they are counted.
const MEASURE_INTERVAL: Duration = Duration::from_secs(15);

pub(crate) type Processes = Vec<Arc<Failing>>;

pub(crate) struct ProcessOperations(pub(crate) Processes);

#[tonic::async_trait]
impl ProcessService for ProcessOperations {
    async fn list_processes(
        &self,
        request: Request<ListProcessesRequest>,
    ) -> Result<Response<ListProcessesResponse>, Status> {
        Call::accept(request)?;
        let mut processes: Vec<_> = self.0.iter().map(|process| resource(process)).collect();
        processes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Response::new(ListProcessesResponse { processes }))
    }
}

fn resource(process: &Failing) -> Process {
    let failing = process.list();
    let count = i64::try_from(failing.len()).unwrap_or(i64::MAX);
    let delivery = |failing: tandem_aggregate::FailingDelivery| FailingDelivery {
        position: i64::try_from(failing.position).unwrap_or(i64::MAX),
        subject: failing.subject,
        r#type: failing.event_type,
        error: failing.error,
        attempt_count: i64::try_from(failing.attempts).unwrap_or(i64::MAX),
        first_fail_time: Some(time::to_proto(failing.first_time)),
        last_fail_time: Some(time::to_proto(failing.last_time)),
    };
    Process {
        name: format!("processes/{}", process.name()),
        failing_count: count,
        failing_deliveries: failing.into_iter().take(SHOWN).map(delivery).collect(),
    }
}

/// Feeds the gauge `tandem.process.failing` until `stopping`.
pub(crate) async fn measure(processes: Processes, stopping: CancellationToken) {
    let meter = global::meter("tandem");
    let gauge = meter.u64_gauge("tandem.process.failing");
    let gauge = gauge.with_description("Events that a process can't handle, and tries again").build();
    loop {
        for process in &processes {
            gauge.record(process.list().len() as u64, &[KeyValue::new("process", process.name().to_owned())]);
        }
        tokio::select! {
            () = stopping.cancelled() => return,
            () = tokio::time::sleep(MEASURE_INTERVAL) => {}
        }
    }
}
