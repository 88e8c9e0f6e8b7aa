//! Signing: the contract, and with the second signature the creator's book.
//!
//! Invariant: both or neither, in one commit that nobody else's signature for this creator can come between; what
//! conflicts is signed only in spite of contracts that the signature names.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use futures::FutureExt as _;
use tandem_aggregate::{CommandMeta, ExecuteError, Executor, Staged, commit_together, etag};
use tandem_eventlog::EventLog;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::{ExclusivityOverride, Party};
use tandem_service::{Call, Problem, Resource as _};
use tokio::sync::{Mutex, MutexGuard};
use tonic::{Response, Status};

use super::{Grpc, id};
use crate::contract::{Action, Command, Consent, Contract};
use crate::exclusivity::book::{self, Book, Overriding};
use crate::exclusivity::commitment::{binds, commitment};

/// The permission to sign in spite of a conflict.
const OVERRIDE: &str = "contracts.override";

/// Lines in which those who sign wait for each other.
const LINES: usize = 64;

/// What signing needs beside the contracts.
pub(crate) struct Signing {
    log: Arc<dyn EventLog>,
    books: Arc<Executor<Book>>,
    lines: [Mutex<()>; LINES],
}

impl Signing {
    pub(crate) fn new(log: Arc<dyn EventLog>, books: Arc<Executor<Book>>) -> Self {
        Self { log, books, lines: std::array::from_fn(|_| Mutex::default()) }
    }

    /// Waits until nobody else here signs for the creator. The log keeps them apart anyway, but many at once would keep
    /// each other from it until all have given up.
    async fn turn(&self, tenant: &str, creator: &str) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one((tenant, creator));
        self.lines[hash as usize % LINES].lock().await
    }
}

pub(super) async fn sign(grpc: &Grpc, call: &Call<pb::SignContractRequest>) -> Result<Response<pb::Contract>, Status> {
    let request = &call.message;
    let creator = grpc.load(call, &request.name).await?.state.0.creator.clone();
    let by = if call.caller.creator.is_some() { Party::Creator } else { Party::Brand };
    if !request.exclusivity_override_reason.is_empty() && !call.caller.may(OVERRIDE) {
        let message = format!(
            "The token lacks the permission {OVERRIDE}, which signing in spite of a conflict needs. Sign without an \
             exclusivity_override_reason, or let somebody sign who may override."
        );
        return Err(Problem::new(ErrorReason::PermissionMissing, message).with("permission", OVERRIDE).into());
    }
    let stage = || stage(grpc, call, by).boxed();
    let _turn = grpc.signing.turn(&call.meta.tenant, &creator).await;
    let committed = commit_together(grpc.signing.log.as_ref(), stage).await;
    let (signed, positions) = committed.map_err(|error| call.error(error))?;
    // Nothing was appended if it was signed by this request before.
    let position = positions.first().copied().unwrap_or(signed.loaded.position);
    Ok(call.written::<Contract, _>(signed.loaded.state.into_message(etag(position)), position))
}

/// What is to be committed together, and the contract after it. The first signature reserves nothing, but is refused as the
/// second would be.
async fn stage(
    grpc: &Grpc,
    call: &Call<pb::SignContractRequest>,
    by: Party,
) -> Result<(Vec<tandem_eventlog::Append>, Staged<Contract>), ExecuteError> {
    let (request, meta) = (&call.message, &call.meta);
    let sign = async |exclusivity_override| {
        let consent = Consent {
            terms_hash: request.terms_hash.clone(),
            capacity: request.capacity.clone(),
            method: request.method(),
            document: request.document.clone(),
            exclusivity_override,
        };
        grpc.contracts.stage(id(&request.name), &Command { by, action: Action::Sign(consent) }, meta).await
    };
    let mut signed = sign(None).await?;
    let contract = &signed.loaded.state.0;
    let binding = commitment(contract);
    if signed.append.is_none() || !binds(&binding) {
        return Ok((Vec::from_iter(signed.append.take()), signed));
    }
    let decision = match &request.exclusivity_override_reason {
        // What was decided with the first signature holds for the second.
        reason if reason.is_empty() => contract.exclusivity_override.clone(),
        reason => {
            Some(ExclusivityOverride { contracts: Vec::new(), reason: reason.clone(), decided_by: meta.actor.clone() })
        }
    };
    let overriding = match &decision {
        Some(_) if !request.exclusivity_override_reason.is_empty() => Overriding::All,
        Some(earlier) => Overriding::These(earlier.contracts.clone()),
        None => Overriding::These(Vec::new()),
    };
    let (name, creator) = (contract.name.clone(), creator_id(contract).to_owned());
    let reserve = book::Command::Reserve { commitment: binding, overriding };
    // An etag is of the contract, not of the book.
    let book_meta = CommandMeta { etag: String::new(), ..meta.clone() };
    let reserved = grpc.signing.books.stage(&creator, &reserve, &book_meta).await?;
    let contracts = reserved.loaded.state.overridden(&name).to_vec();
    if !contracts.is_empty() {
        signed = sign(decision.map(|decision| ExclusivityOverride { contracts, ..decision })).await?;
    }
    let concluded = signed.loaded.state.0.sign_time.is_some();
    let parts = signed.append.take().into_iter().chain(reserved.append.filter(|_| concluded));
    Ok((parts.collect(), signed))
}

/// The id of the contract's creator, which is that of their book.
pub(super) fn creator_id(contract: &pb::Contract) -> &str {
    contract.creator.strip_prefix("creators/").unwrap_or(&contract.creator)
}
