//! The limits of a command: what is left of it when nothing is decided, checked or kept.
//!
//! Invariant: a limit does a part of what the service must do, never more: the same messages over the same transport,
//! the same bytes into a stream of the same configuration, the same guard.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use async_nats::jetstream;
use async_nats::jetstream::message::PublishMessage;
use bytes::Bytes;
use tandem_eventlog::{JetStreamLog, JetStreamOptions};
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::contract_service_server::{ContractService, ContractServiceServer};
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The stream that is appended to, beside the log.
const STREAM: &str = "bare";

/// Bytes of a message as JetStream stores it, headers included.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Of a contract's creation.
    pub(crate) create: usize,
    /// Of its proposal.
    pub(crate) propose: usize,
}

/// Bytes of the log's last message.
pub(crate) async fn last_size(nats: &async_nats::Client) -> anyhow::Result<usize> {
    let log = jetstream::new(nats.clone()).get_stream("tandem").await?;
    let last = log.get_raw_message(log.cached_info().state.last_sequence).await?;
    // `NATS/1.0`, then each as `name: value`, then an empty line.
    let lines = last.headers.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
    let headers: usize = lines.map(|(name, value)| name.to_string().len() + value.as_str().len() + 4).sum();
    Ok(last.payload.len() + headers + 12)
}

/// Publishes to JetStream, each message guarded by the last sequence of its subject.
#[derive(Clone)]
pub(crate) struct Publisher {
    jetstream: jetstream::Context,
    /// Last sequence of each subject.
    last: Arc<Mutex<HashMap<String, u64>>>,
    content: Bytes,
}

impl Publisher {
    /// Makes a stream like that of the log.
    pub(crate) async fn open(nats: async_nats::Client, largest: usize) -> anyhow::Result<Self> {
        let options = JetStreamOptions { name: STREAM.to_owned(), ..JetStreamOptions::default() };
        JetStreamLog::open(nats.clone(), options).await?;
        let content = Bytes::from(vec![b'x'; largest]);
        Ok(Self { jetstream: jetstream::new(nats), last: Arc::default(), content })
    }

    /// Appends a message of `size` bytes for the aggregate `id`.
    pub(crate) async fn append(&self, id: &str, size: usize) -> anyhow::Result<()> {
        let subject = format!("{STREAM}.acme.contracts.contract.{id}");
        let expected = self.last().get(id).copied().unwrap_or_default();
        let message = PublishMessage::build()
            .payload(self.content.slice(..size.min(self.content.len())))
            .expected_last_subject_sequence(expected);
        let ack = self.jetstream.send_publish(subject, message).await?.await?;
        self.last().insert(id.to_owned(), ack.sequence);
        Ok(())
    }

    fn last(&self) -> std::sync::MutexGuard<'_, HashMap<String, u64>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Handlers that answer at once, or as soon as they have appended.
pub(crate) struct Bare {
    /// What the service answers to a proposal, and to who gets it.
    pub(crate) contract: pb::Contract,
    /// Whether they append, and how much.
    pub(crate) append: Option<(Publisher, Sizes)>,
}

impl Bare {
    /// Serves on a free port, for as long as the process lives.
    pub(crate) async fn serve(self) -> anyhow::Result<SocketAddr> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr().context("address")?;
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        tokio::spawn(Server::builder().add_service(ContractServiceServer::new(self)).serve_with_incoming(incoming));
        Ok(address)
    }

    async fn append(&self, id: &str, size: impl Fn(&Sizes) -> usize) -> Result<(), Status> {
        match &self.append {
            Some((publisher, sizes)) => {
                publisher.append(id, size(sizes)).await.map_err(|error| Status::internal(error.to_string()))
            }
            None => Ok(()),
        }
    }
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ContractService for Bare {
    async fn create_contract(&self, request: Request<pb::CreateContractRequest>) -> Answer<pb::Contract> {
        let pb::CreateContractRequest { contract, contract_id, .. } = request.into_inner();
        self.append(&contract_id, |sizes| sizes.create).await?;
        Ok(Response::new(contract.unwrap_or_default()))
    }

    async fn propose_contract(&self, request: Request<pb::ProposeContractRequest>) -> Answer<pb::Contract> {
        let name = request.into_inner().name;
        let id = name.rsplit('/').next().unwrap_or_default();
        self.append(id, |sizes| sizes.propose).await?;
        Ok(Response::new(self.contract.clone()))
    }
    async fn get_contract(&self, _: Request<pb::GetContractRequest>) -> Answer<pb::Contract> {
        Ok(Response::new(self.contract.clone()))
    }
}
