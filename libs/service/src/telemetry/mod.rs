//! Logs to stderr; traces and metrics to an OTLP collector, if one is named.
//!
//! Invariant: telemetry never fails or slows a request: without a collector nothing is traced, and one that is down is
//! mentioned once.

mod export;
mod layer;

use std::io::IsTerminal as _;
use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry::{KeyValue, global};
use opentelemetry_otlp::{MetricExporter, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

use crate::config::{LogFormat, TelemetrySettings};
use export::Reported;
pub(crate) use layer::RpcLayer;

/// What the SDK says of failing exports is said once, by [`Reported`].
const QUIET: &str = "opentelemetry=off";
/// Longest that one export may take, and that the last one holds up the end of the process.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);

/// The telemetry of this process.
#[derive(Debug, Default)]
pub struct Telemetry {
    exported: Option<(SdkTracerProvider, SdkMeterProvider)>,
}

impl Telemetry {
    /// Starts logging and, if a collector is named, exporting as service `name`. To be called once per process, in a
    /// Tokio runtime, which the exporters use.
    ///
    /// # Errors
    /// If the filter or the collector's address can't be read, or logging was started before.
    pub fn start(name: &str, settings: &TelemetrySettings) -> anyhow::Result<Self> {
        let filter = EnvFilter::try_new(format!("{QUIET},{}", settings.log_filter))
            .with_context(|| format!("--log-filter {:?} can't be read", settings.log_filter))?;
        let colours = std::io::stderr().is_terminal();
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colours);
        let lines = match settings.log_format {
            LogFormat::Text => lines.boxed(),
            LogFormat::Json => lines.json().boxed(),
        };
        let exported = settings.endpoint().map(|endpoint| export(name, &endpoint)).transpose()?;
        // Ours in more detail than the log has them; not those of the exporters, which would trace themselves.
        let traces = exported.as_ref().map(|(traces, _)| {
            tracing_opentelemetry::layer()
                .with_tracer(traces.tracer("tandem"))
                .with_filter(Targets::new().with_target("tandem", LevelFilter::DEBUG))
        });
        tracing_subscriber::registry().with(lines.with_filter(filter)).with(traces).try_init()?;
        Ok(Self { exported })
    }

    /// Sends what is left.
    pub async fn stop(self) {
        let Some((traces, metrics)) = self.exported else { return };
        // Both block. What fails is lost, as it would be later.
        let stopped = tokio::task::spawn_blocking(move || {
            let _ = traces.shutdown_with_timeout(EXPORT_TIMEOUT);
            let _ = metrics.shutdown_with_timeout(EXPORT_TIMEOUT);
        });
        let _ = stopped.await;
    }
}

impl TelemetrySettings {
    /// The collector, by our option or by the standard's variable.
    pub(crate) fn endpoint(&self) -> Option<String> {
        let standard = || std::env::var("OTEL_EXPORTER_OTLP_ENDPOINT").ok();
        self.otlp_endpoint.clone().or_else(standard).filter(|endpoint| !endpoint.is_empty())
    }
}

fn export(name: &str, endpoint: &str) -> anyhow::Result<(SdkTracerProvider, SdkMeterProvider)> {
    let context = || format!("--otlp-endpoint {endpoint:?} can't be used");
    let resource = Resource::builder()
        .with_service_name(name.to_owned())
        .with_attribute(KeyValue::new("service.namespace", "tandem"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let spans = SpanExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_TIMEOUT);
    let spans = Reported::new("traces", spans.build().with_context(context)?);
    let traces = SdkTracerProvider::builder().with_batch_exporter(spans).with_resource(resource.clone()).build();
    let figures = MetricExporter::builder().with_tonic().with_endpoint(endpoint).with_timeout(EXPORT_TIMEOUT);
    let figures = Reported::new("metrics", figures.build().with_context(context)?);
    let metrics = SdkMeterProvider::builder().with_periodic_exporter(figures).with_resource(resource).build();
    global::set_meter_provider(metrics.clone());
    Ok((traces, metrics))
}

/// Id of the current trace, 32 hex digits; a new one if there is none, to find a log line by.
pub(crate) fn trace_id() -> String {
    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    #[expect(clippy::disallowed_methods, reason = "an id to report, where there is no trace")]
    if span.is_valid() { span.trace_id().to_string() } else { uuid::Uuid::new_v4().simple().to_string() }
}
