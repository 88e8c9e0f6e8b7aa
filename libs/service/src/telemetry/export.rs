//! Exporters that say once when their collector is lost, and once when it is back.
//!
//! Invariant: what an exporter answers is passed on unchanged.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

#[derive(Debug)]
pub(super) struct Reported<E> {
    inner: E,
    what: &'static str,
    lost: AtomicBool,
}

impl<E> Reported<E> {
    pub(super) fn new(what: &'static str, inner: E) -> Self {
        Self { inner, what, lost: AtomicBool::new(false) }
    }

    fn report(&self, result: OTelSdkResult) -> OTelSdkResult {
        let was_lost = self.lost.swap(result.is_err(), Ordering::Relaxed);
        match &result {
            Err(error) if !was_lost => {
                tracing::warn!(%error, "the collector takes no {}; going on without, and trying again quietly", self.what);
            }
            Ok(()) if was_lost => tracing::info!("the collector takes {} again", self.what),
            _ => {}
        }
        result
    }
}

impl<E: SpanExporter> SpanExporter for Reported<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.report(self.inner.export(batch).await)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for Reported<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        self.report(self.inner.export(metrics).await)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.inner.temporality()
    }
}
