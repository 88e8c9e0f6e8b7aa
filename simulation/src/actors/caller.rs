//! One who calls: repeats what has no answer, with the same request id, and keeps what was answered.
//!
//! Invariant: a command has one request id, however often it is sent.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prost::Message as _;
use tandem_client::{Claims, Client, MintedToken};
use tandem_eventlog::{Position, Positions};
use tandem_proto::common::v1::ErrorReason;
use tandem_service::Resource;
use tokio::time::sleep;
use tonic::{Code, Response, Status};

use super::Told;
use crate::chance::Chance;
use crate::checks::shows;
use crate::world::{TAKEN_AT, World, carriers};

/// How often a command is sent by an actor, each time with the retries of the client.
const PATIENCE: u32 = 12;

/// A command that a service has acknowledged.
pub struct Acknowledged {
    /// Its method.
    pub method: &'static str,
    /// Its id.
    pub request_id: String,
    /// Position of the aggregate after it, as answered.
    pub position: Position,
    /// The resource as answered.
    pub body: Vec<u8>,
    /// Tells from the log what should have been answered.
    pub shows: fn(&tandem_eventlog::MemoryLog, Position) -> Result<Vec<u8>, String>,
}

/// A command that a service has refused.
pub struct Refused {
    /// Its method.
    pub method: &'static str,
    /// Its id.
    pub request_id: String,
    /// The end of the log when the call was taken that was refused: an earlier copy of it had written by then, or not at
    /// all; a later one may have.
    pub taken_at: Position,
    /// Why.
    pub error: String,
}

/// An actor at their client.
pub struct Caller {
    /// Of the plans.
    pub chance: Chance,
    pub(super) world: Arc<World>,
    pub(super) told: Arc<Mutex<Told>>,
    client: Client,
    name: String,
    count: u32,
}

impl Caller {
    /// `users/{user}` or, as the creator's own, `creators/{creator}`.
    ///
    /// # Panics
    /// If there can't be a client, which the simulation itself would be to blame for.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the endpoints are the default ones")]
    pub fn new(world: &Arc<World>, told: &Arc<Mutex<Told>>, seed: u64, name: &str) -> Self {
        let claims = match name.strip_prefix("creators/") {
            Some(creator) => {
                let creator = creator.split('@').next().unwrap_or_default();
                Claims::new("users/portal", "acme").with_creator(format!("creators/{creator}"))
            }
            None => Claims::new(name, "acme"),
        };
        let builder = Client::builder().token(MintedToken::development(claims.with_permissions(["*"])));
        let carried = carriers(world, None).into_iter();
        let builder = carried.fold(builder, |builder, (service, carrier)| builder.carried_by(service, carrier));
        Self {
            chance: Chance::new(seed, name),
            world: Arc::clone(world),
            told: Arc::clone(told),
            client: builder.build().expect("a client"),
            name: name.to_owned(),
            count: 0,
        }
    }

    /// A command whose answer is the resource of `A`; none if it was refused, or never answered.
    pub async fn command<A: Resource, F: Future<Output = Result<Response<A::Message>, Status>>>(
        &mut self,
        method: &'static str,
        call: impl Fn(Client, String) -> F,
    ) -> Option<A::Message> {
        self.command_for::<A, A::Message, F>(method, call, |message| message).await
    }

    /// A command whose answer has the resource of `A` in it.
    pub async fn command_for<A: Resource, T: Clone, F: Future<Output = Result<Response<T>, Status>>>(
        &mut self,
        method: &'static str,
        call: impl Fn(Client, String) -> F,
        resource: impl Fn(T) -> A::Message,
    ) -> Option<T> {
        self.count += 1;
        let request_id = format!("{}-{}", self.name.replace('/', "-"), self.count);
        let answer = self.ask(method, || call(self.client.clone(), request_id.clone())).await;
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        match answer? {
            Ok((message, positions)) => {
                let (position, body) = (positions.max_for(A::KINDS), resource(message.clone()).encode_to_vec());
                told.acknowledged.push(Acknowledged { method, request_id, position, body, shows: shows::<A> });
                Some(message)
            }
            Err(error) => {
                let taken_at = error.metadata().get(TAKEN_AT).and_then(|value| value.to_str().ok()?.parse().ok());
                let (taken_at, error) = (taken_at.unwrap_or(Position::MAX), error.to_string());
                told.refused.push(Refused { method, request_id, taken_at, error });
                None
            }
        }
    }

    /// A question; none if it was refused, or never answered.
    pub async fn query<T, F: Future<Output = Result<Response<T>, Status>>>(
        &mut self,
        method: &'static str,
        call: impl Fn(Client) -> F,
    ) -> Option<T> {
        self.ask(method, || call(self.client.clone())).await?.ok().map(|(message, _)| message)
    }

    async fn ask<T, F: Future<Output = Result<Response<T>, Status>>>(
        &self,
        method: &'static str,
        call: impl Fn() -> F,
    ) -> Option<Result<(T, Positions), Status>> {
        for _ in 0..PATIENCE {
            match call().await {
                Ok(response) => {
                    let position = response.metadata().get("tandem-position").and_then(|value| value.to_str().ok());
                    let positions: Positions = position.unwrap_or_default().parse().unwrap_or_default();
                    self.world.step(|| format!("{} {method}: {positions}", self.name));
                    return Some(Ok((response.into_inner(), positions)));
                }
                Err(error) if passes(&error) => {
                    self.world.step(|| format!("{} {method}: {:?}, again", self.name, error.code()));
                    self.pause(Duration::from_secs(20)).await;
                }
                Err(error) => {
                    self.world.step(|| format!("{} {method}: {:?} {}", self.name, error.code(), error.message()));
                    if matches!(error.code(), Code::Internal | Code::Unknown | Code::DataLoss | Code::Unimplemented) {
                        self.world.violation(format!("{method} is answered {error}"));
                    }
                    return Some(Err(error));
                }
            }
        }
        self.world.step(|| format!("{} {method}: gives up", self.name));
        None
    }

    /// Does nothing for up to so long.
    pub async fn pause(&self, most: Duration) {
        sleep(self.chance.up_to(most)).await;
    }
}

/// Whether it says nothing about the command itself.
fn passes(error: &Status) -> bool {
    let reason = || tandem_client::Error::from(error.clone()).reason();
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted => true,
        Code::Aborted => reason() == Some(ErrorReason::ConcurrentWrites),
        _ => false,
    }
}
