//! An OTLP collector that keeps what it is sent, for tests of what is traced and measured.
//!
//! Invariant: it adds nothing: what a test finds here was sent by a service.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::ResourceMetrics;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use tokio::task::AbortHandle;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// A collector on a free port, until it is dropped.
#[derive(Debug)]
pub struct Collector {
    /// What a service is to be told in `--otlp-endpoint`.
    pub endpoint: String,
    received: Received,
    server: AbortHandle,
}

#[derive(Clone, Debug, Default)]
struct Received(Arc<Mutex<(Vec<ResourceSpans>, Vec<ResourceMetrics>)>>);

impl Received {
    fn lock(&self) -> MutexGuard<'_, (Vec<ResourceSpans>, Vec<ResourceMetrics>)> {
        // Nothing is ever half added.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.lock().0.extend(request.into_inner().resource_spans);
        Ok(Response::new(Default::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Received {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.lock().1.extend(request.into_inner().resource_metrics);
        Ok(Response::new(Default::default()))
    }
}

impl Collector {
    /// Starts it.
    ///
    /// # Errors
    /// If there is no free port.
    pub fn start() -> std::io::Result<Self> {
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], 0).into())?;
        let endpoint = format!("http://{}", incoming.local_addr()?);
        let received = Received::default();
        let serving = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(received.clone()))
            .add_service(MetricsServiceServer::new(received.clone()))
            .serve_with_incoming(incoming);
        let server = tokio::spawn(serving).abort_handle();
        Ok(Self { endpoint, received, server })
    }

    /// What has come so far of the trace with this id, in hex. Services send in batches, and what is left when they stop.
    #[must_use]
    pub fn trace(&self, id: &str) -> Trace {
        let mut spans = Vec::new();
        for of_service in &self.received.lock().0 {
            let service = service(of_service.resource.as_ref());
            let ours = of_service.scope_spans.iter().flat_map(|scope| &scope.spans).filter(|s| hex(&s.trace_id) == id);
            spans.extend(ours.map(|span| CollectedSpan { service: service.clone(), span: span.clone() }));
        }
        spans.sort_by_key(|span| span.span.start_time_unix_nano);
        Trace(spans)
    }

    /// Services and what they have measured, such as (`contracts`, `rpc.server.duration`).
    #[must_use]
    pub fn metrics(&self) -> BTreeSet<(String, String)> {
        let received = self.received.lock();
        let of_services = received.1.iter().flat_map(|of_service| {
            let metrics = of_service.scope_metrics.iter().flat_map(|scope| &scope.metrics);
            metrics.map(|metric| (service(of_service.resource.as_ref()), metric.name.clone()))
        });
        of_services.collect()
    }

    /// All that has come, in words: names, attributes, events. To be searched for what must not be there.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:?}", *self.received.lock())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A span, and who has sent it.
#[derive(Clone, Debug)]
pub struct CollectedSpan {
    /// Name of the service.
    pub service: String,
    /// As it was sent.
    pub span: Span,
}

impl CollectedSpan {
    fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    fn parent(&self) -> String {
        hex(&self.span.parent_span_id)
    }
}

/// The spans of one trace, by the time at which they began.
#[derive(Clone, Debug)]
pub struct Trace(pub Vec<CollectedSpan>);

impl Trace {
    /// The last of spans, (service, name), that follow directly from one another, the first of them from the span with
    /// the id `root`; none if there are no such spans.
    #[must_use]
    pub fn find(&self, root: &str, path: &[(&str, &str)]) -> Option<&CollectedSpan> {
        let (&(service, name), rest) = path.split_first()?;
        let mut found = self.children(root).filter(|span| span.service == service && span.span.name == name);
        if rest.is_empty() { found.next() } else { found.find_map(|span| self.find(&span.id(), rest)) }
    }

    /// Spans whose parent is not in the trace, nor `root`.
    #[must_use]
    pub fn orphans(&self, root: &str) -> Vec<&CollectedSpan> {
        self.tops().filter(|span| span.parent() != root).collect()
    }

    /// Spans whose parent is not in the trace.
    fn tops(&self) -> impl Iterator<Item = &CollectedSpan> {
        self.0.iter().filter(|span| self.0.iter().all(|other| other.id() != span.parent()))
    }

    fn children<'a>(&'a self, parent: &str) -> impl Iterator<Item = &'a CollectedSpan> {
        self.0.iter().filter(move |span| span.parent() == parent)
    }

    fn draw(&self, f: &mut Formatter<'_>, span: &CollectedSpan, depth: usize) -> fmt::Result {
        writeln!(f, "{:indent$}{}: {}", "", span.service, span.span.name, indent = 2 * depth)?;
        self.children(&span.id()).try_for_each(|child| self.draw(f, child, depth + 1))
    }
}

/// As trees, to see what is missing.
impl Display for Trace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.tops().try_for_each(|span| self.draw(f, span, 0))
    }
}

fn service(resource: Option<&Resource>) -> String {
    let mut attributes = resource.into_iter().flat_map(|resource| &resource.attributes);
    let name = attributes.find(|attribute| attribute.key == "service.name");
    match name.and_then(|name| name.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(name)) => name.clone(),
        _ => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
