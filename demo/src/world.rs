//! The world of the story: the platform under it, the time in it, and how its people act.
//!
//! Invariant: every step is a call on the public gRPC API with the token of the person who acts.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use jiff::Timestamp;
use tandem_client::{Client, ClientBuilder, Error, Positions, Service};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::relationships::v1::{WatchEventsRequest, WatchEventsResponse};
use tonic::{Response, Status};
use uuid::Uuid;

use crate::cast::Person;
use crate::faults::{Answer, Faults};

/// How long what follows from an event is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// The platform, the clock and what was written so far.
pub struct World<'a> {
    client: Client,
    faults: Faults<'a>,
    time: Timestamp,
    positions: Positions,
}

impl<'a> World<'a> {
    /// A world on the platform that this client reaches.
    ///
    /// # Errors
    /// If an address is not one.
    pub fn new(client: ClientBuilder, faults: Faults<'a>) -> anyhow::Result<Self> {
        // Long enough for a killed service to be back.
        let client = client.deadline(PATIENCE).build()?;
        Ok(Self { client, faults, time: Timestamp::UNIX_EPOCH, positions: Positions::default() })
    }

    /// It is now this time (RFC 3339).
    ///
    /// # Errors
    /// If it is not one, or lies before what was.
    pub fn at(&mut self, time: &str) -> anyhow::Result<()> {
        let time = time.parse().with_context(|| format!("{time} is not an instant"))?;
        ensure!(time >= self.time, "time does not run backwards");
        self.time = time;
        Ok(())
    }

    /// A client as a person uses it, now, who has seen everything written so far.
    #[must_use]
    pub fn client(&self, person: &Person) -> Client {
        self.client.with_token(person.token()).with_positions(&self.positions).at(self.time)
    }

    /// A person writes, to a service.
    ///
    /// # Errors
    /// What the write answers.
    pub async fn write<T, F>(
        &mut self,
        person: &Person,
        service: Service,
        call: impl Fn(Client, String) -> F,
    ) -> anyhow::Result<T>
    where
        T: Debug + PartialEq + Send + 'static,
        F: Future<Output = Result<Response<T>, Status>> + Send + 'static,
    {
        let client = self.client(person);
        #[expect(clippy::disallowed_methods, reason = "a client chooses its request ids")]
        let request_id = Uuid::now_v7().to_string();
        let call = || -> Answer<T> { Box::pin(call(client.clone(), request_id.clone())) };
        let answer = self.faults.write(service, call).await?;
        self.positions.merge(&client.positions());
        Ok(answer.into_inner())
    }

    /// A person does something long that writes to a service many times.
    ///
    /// # Errors
    /// What it comes to.
    pub async fn writes<T>(
        &mut self,
        person: &Person,
        service: Service,
        work: impl AsyncFnOnce(Client) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let client = self.client(person);
        let value = self.faults.during(service, work(client.clone())).await?;
        self.positions.merge(&client.positions());
        Ok(value)
    }

    /// A person tries what must be refused for a reason; answers what they are told.
    ///
    /// # Errors
    /// If it is not refused, or for another reason.
    pub async fn refused<T: Debug, F>(
        &self,
        person: &Person,
        reason: ErrorReason,
        call: impl FnOnce(Client) -> F,
    ) -> anyhow::Result<String>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        match call(self.client(person)).await.map_err(Error::from) {
            Ok(answer) => bail!("this should have been refused: {:?}", answer.into_inner()),
            Err(error) => {
                ensure!(error.reason() == Some(reason), "refused for another reason than {reason:?}: {error}");
                Ok(error.message().to_owned())
            }
        }
    }

    /// Waits until so many events of a type are in the log of a partnership; answers them.
    ///
    /// # Errors
    /// If they don't come.
    pub async fn events(
        &mut self,
        event_type: &str,
        partnership: &str,
        count: usize,
    ) -> anyhow::Result<Vec<WatchEventsResponse>> {
        let request = WatchEventsRequest {
            types: vec![event_type.to_owned()],
            partnership: partnership.to_owned(),
            ..WatchEventsRequest::default()
        };
        let waited = async {
            let mut stream = self.client(&Person::Maria).events().watch_events(request).await?.into_inner();
            let mut events = Vec::new();
            while events.len() < count {
                let event = stream.message().await?.context("the stream of events ended")?;
                events.push(event);
            }
            anyhow::Ok(events)
        };
        let events = tokio::time::timeout(PATIENCE, waited)
            .await
            .with_context(|| format!("{count} {event_type} did not come within {PATIENCE:?}"))??;
        if let Some(last) = events.last() {
            let kind = kind_of(event_type).with_context(|| format!("{event_type} is of no known aggregate"))?;
            self.positions.merge(&format!("{kind}:{}", last.position).parse()?);
        }
        Ok(events)
    }
}

/// The aggregate in whose part of the log events of a type stand.
fn kind_of(event_type: &str) -> Option<&'static str> {
    match event_type {
        "tandem.payouts.v1.EarningAccrued" => Some("payouts.earning"),
        "tandem.payouts.v1.PayoutSettled" => Some("payouts.payout_run"),
        "tandem.contracts.v1.UsageRightGranted" => Some("contracts.usage_right"),
        _ => None,
    }
}
