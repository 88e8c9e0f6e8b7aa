//! The network between clients and services: calls are carried by function, and go wrong on the way.
//!
//! Invariant: what has arrived is carried out to its end or to the service's, whether anybody waits for the answer or not.

use std::io::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use prost::Message as _;
use tandem_client::{Carrier, Service};
use tandem_eventlog::{EventLog as _, Filter};
use tandem_proto::payouts::v1::CreateEarningRequest;
use tokio::sync::oneshot;
use tokio::time::sleep;
use tonic::Status;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt as _, service_fn};

use super::incarnation::Incarnation;
use super::{Sabotage, World};
use crate::faults::Fault;

/// Header of an answer: the end of the log when the service took the call.
pub const TAKEN_AT: &str = "simulated-taken-at";

type Answer = Result<Response<Body>, Error>;

/// Ways to all services, for a service or, if it is none, for a client.
#[must_use]
pub fn carriers(world: &Arc<World>, from: Option<&Arc<Incarnation>>) -> Vec<(Service, Carrier)> {
    let carrier = |to: Service| {
        let (world, from) = (Arc::clone(world), from.cloned());
        let carried = service_fn(move |request: Request<Body>| {
            let (world, from) = (Arc::clone(&world), from.clone());
            async move {
                let answer = carry(&world, to, request).await;
                match from {
                    // What is dead hears no answer.
                    Some(from) => {
                        from.passes("answered").await;
                        answer
                    }
                    None if world.is(Sabotage::TakenAndRefused) && world.chance.one_in(20) => {
                        Ok(Status::failed_precondition("It may not be.").into_http())
                    }
                    None => answer,
                }
            }
        });
        (to, BoxCloneSyncService::new(carried))
    };
    Service::ALL.map(carrier).into()
}

async fn carry(world: &Arc<World>, to: Service, request: Request<Body>) -> Answer {
    let method = request.uri().path().to_owned();
    let (head, body) = request.into_parts();
    let mut body = body.collect().await.map_err(Error::other)?.to_bytes();
    if world.is(Sabotage::EarningsNamedAnew) && method.ends_with("/CreateEarning") {
        body = named_anew(&body, world.chance.below(u64::MAX));
    }
    let request = || Request::from_parts(head.clone(), Body::new(Full::new(body.clone())));
    world.passes().await;
    if world.occurs(Fault::CallLate, &method) {
        sleep(world.chance.up_to(Duration::from_secs(8))).await;
    }
    if world.occurs(Fault::CallLost, &method) {
        return Err(ErrorKind::ConnectionReset.into());
    }
    let target = world.state().running.get(to.name()).cloned();
    let Some((target, answers)) = target.and_then(|target| Some((Arc::clone(&target), target.answers()?))) else {
        return Err(ErrorKind::ConnectionRefused.into());
    };
    let doubled = world.occurs(Fault::CallDoubled, &method);
    let mut answer = handled(&target, answers.clone(), request());
    if doubled {
        world.passes().await;
        // Either may be the first to be answered.
        let second = handled(&target, answers, request());
        if world.chance.one_in(2) {
            answer = second;
        }
    }
    let lost = world.occurs(Fault::CallReplyLost, &method);
    let answer = tokio::select! {
        biased;
        () = target.died() => Err(ErrorKind::ConnectionReset.into()),
        answer = answer => answer.unwrap_or_else(|_| Err(ErrorKind::ConnectionAborted.into())),
    };
    world.passes().await;
    if lost { Err(ErrorKind::ConnectionReset.into()) } else { answer }
}

/// The request, for an earning of another name.
fn named_anew(frame: &Bytes, name: u64) -> Bytes {
    // A flag and the length come before the message.
    let mut request = CreateEarningRequest::decode(frame.get(5..).unwrap_or_default()).unwrap_or_default();
    request.earning_id = format!("{name:x}");
    let message = request.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap_or_default().to_be_bytes();
    [&[0], &length[..], &message].concat().into()
}

/// Carries a call out, whole.
fn handled(target: &Arc<Incarnation>, answers: Carrier, request: Request<Body>) -> oneshot::Receiver<Answer> {
    let (told, answer) = oneshot::channel();
    let target = Arc::clone(target);
    tokio::spawn(async move {
        target.passes("called").await;
        let taken_at = target.world.log.last_position(&Filter::default()).await.unwrap_or_default();
        let answered = async {
            let (mut head, body) = answers.oneshot(request).await?.into_parts();
            head.headers.insert(TAKEN_AT, taken_at.into());
            let whole = body.collect().await.map_err(Error::other)?;
            let trailers = whole.trailers().cloned();
            let body = Full::new(whole.to_bytes()).with_trailers(async move { trailers.map(Ok) });
            Ok(Response::from_parts(head, Body::new(body)))
        };
        let answered = answered.await;
        target.lives().await;
        // Nobody may wait for it any more.
        let _ = told.send(answered);
    });
    answer
}
