//! CreatorService over gRPC.
//!
//! Invariant: names and handles are read from the vault for each answer and kept nowhere, so an erasure is seen by the
//! next answer.

use std::sync::Arc;

use tandem_aggregate::{Executor, Loaded, commit_together, etag};
use tandem_eventlog::{EventLog, Position};
use tandem_proto::FieldViolation;
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::creators::v1 as pb;
use tandem_proto::creators::v1::creator_service_server::CreatorService;
use tandem_proto::creators::v1::{
    BatchImportCreatorsRequest, BatchImportCreatorsResponse, CreatorState, EraseCreatorRequest, GetCreatorRequest,
    GetPayoutAccountRequest, ListCreatorsRequest, ListCreatorsResponse, LookupCreatorRequest, MergeCreatorsRequest,
    PayoutAccount, SetPayoutAccountRequest,
};
use tandem_service::{Call, Problem, Resource as _, ResourceView, list, listed};
use tandem_vault::Vault;
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use super::{id_of, require_staff};
use crate::creator::{Command, Creator, remaining};
use crate::handle::Handle;
use crate::iban;
use crate::import::Importer;
use crate::person::{self, Persons};

pub(crate) struct CreatorHandlers {
    pub(crate) creators: Arc<Executor<Creator>>,
    pub(crate) view: ViewHandle<ResourceView<Creator>>,
    pub(crate) vault: Vault,
    pub(crate) log: Arc<dyn EventLog>,
}

impl CreatorHandlers {
    fn persons<'a, M>(&'a self, call: &'a Call<M>) -> Persons<'a> {
        Persons { vault: &self.vault, tenant: &call.caller.tenant }
    }

    /// The creator as it is now; NOT_FOUND if there is none of this name.
    async fn get<M>(&self, call: &Call<M>, name: &str) -> Result<Arc<Loaded<Creator>>, Status> {
        let loaded = self.creators.get(&call.caller.tenant, id_of(name)).await.map_err(|error| call.error(error))?;
        if loaded.exists() { Ok(loaded) } else { Err(call.not_found(name)) }
    }

    /// As clients see it, names and handles filled in.
    async fn shown<M>(&self, call: &Call<M>, state: Creator, etag: String) -> Result<pb::Creator, Status> {
        let mut creators = [state.into_message(etag)];
        self.fill(call, &mut creators).await?;
        let [creator] = creators;
        Ok(creator)
    }

    async fn fill<M>(&self, call: &Call<M>, creators: &mut [pb::Creator]) -> Result<(), Status> {
        self.persons(call).fill(creators).await.map_err(|error| call.error(person::problem(error)))
    }

    async fn written<M>(
        &self,
        call: &Call<M>,
        state: Creator,
        position: Position,
    ) -> Result<Response<pb::Creator>, Status> {
        let creator = self.shown(call, state, etag(position)).await?;
        Ok(call.written::<Creator, _>(creator, position))
    }
}

#[tonic::async_trait]
impl CreatorService for CreatorHandlers {
    async fn batch_import_creators(
        &self,
        request: Request<BatchImportCreatorsRequest>,
    ) -> Result<Response<BatchImportCreatorsResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let importer = Importer { creators: &self.creators, vault: &self.vault, meta: &call.meta };
        let (results, position) = importer.import(&call.message.rows).await.map_err(|error| call.error(error))?;
        Ok(call.written::<Creator, _>(BatchImportCreatorsResponse { results }, position))
    }

    async fn get_creator(&self, request: Request<GetCreatorRequest>) -> Result<Response<pb::Creator>, Status> {
        let call = Call::accept(request)?;
        call.caller.require_party(&call.message.name)?;
        let loaded = self.get(&call, &call.message.name).await?;
        Ok(Response::new(self.shown(&call, loaded.state.clone(), loaded.etag()).await?))
    }

    async fn lookup_creator(&self, request: Request<LookupCreatorRequest>) -> Result<Response<pb::Creator>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let handle = Handle::parse(&call.message.handle).map_err(|violation| call.error(vec![violation]))?;
        let tenant = &call.caller.tenant;
        let keyed_hash = |domain: &str, value: &str| self.vault.identity(tenant, domain, value);
        let channel_id = handle.channel_id(call.message.platform(), keyed_hash);
        let found = remaining(&self.creators, tenant, &channel_id).await;
        let (_, loaded) = found.map_err(|error| call.error(error))?;
        if !loaded.exists() {
            // Without the handle, which is personal data.
            let message = "No creator of this channel is known. Import it first.";
            return Err(call.error(Problem::new(ErrorReason::ResourceNotFound, message)));
        }
        Ok(Response::new(self.shown(&call, loaded.state.clone(), loaded.etag()).await?))
    }

    async fn list_creators(
        &self,
        request: Request<ListCreatorsRequest>,
    ) -> Result<Response<ListCreatorsResponse>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let ListCreatorsRequest { page_size, page_token, filter, order_by } = &call.message;
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: Vec::new() };
        let page = list(&self.view, &call, query).await?;
        let mut creators: Vec<_> = page.rows.into_iter().map(|(_, creator)| creator).collect();
        self.fill(&call, &mut creators).await?;
        let (next_page_token, total_size) = (page.next_page_token, page.total_size);
        Ok(listed(page.position, ListCreatorsResponse { creators, next_page_token, total_size }))
    }

    async fn merge_creators(&self, request: Request<MergeCreatorsRequest>) -> Result<Response<pb::Creator>, Status> {
        let call = Call::accept(request)?;
        require_staff(&call)?;
        let MergeCreatorsRequest { name, source, .. } = &call.message;
        let decide = async || {
            let command = Command::MergeInto(name.clone());
            let source = self.creators.stage(id_of(source), &command, &call.meta).await?;
            let command = Command::Adopt(source.loaded.state.0);
            let target = self.creators.stage(id_of(name), &command, &call.meta).await?;
            Ok((source.append.into_iter().chain(target.append).collect(), target.loaded))
        };
        let merged = commit_together(self.log.as_ref(), || Box::pin(decide())).await;
        let (target, positions) = merged.map_err(|error| call.error(error))?;
        // The target's part is the last; nothing was appended if the request was taken before.
        let position = positions.last().copied().unwrap_or(target.position);
        self.written(&call, target.state, position).await
    }

    async fn set_payout_account(
        &self,
        request: Request<SetPayoutAccountRequest>,
    ) -> Result<Response<pb::Creator>, Status> {
        let call = Call::accept(request)?;
        let SetPayoutAccountRequest { name, payout_account, .. } = &call.message;
        call.caller.require_party(name)?;
        // Required by the proto file.
        let account = payout_account.clone().unwrap_or_default();
        let country_code = iban::country(&account.iban)
            .map_err(|wrong| call.error(vec![FieldViolation::new("payout_account.iban", wrong)]))?;
        let command = Command::SetPayoutAccount {
            account_id: self.persons(&call).account_id(&account),
            country_code: country_code.to_owned(),
        };
        let loaded = self.get(&call, name).await?;
        // For who is merged or erased it is refused below, unless it was taken before that.
        if loaded.state.0.state() == CreatorState::Active {
            let put = self.persons(&call).put_account(id_of(name), &account).await;
            put.map_err(|error| call.error(person::problem(error)))?;
        }
        let mut meta = call.meta.clone();
        if !meta.request_hash.is_empty() {
            meta.request_hash = self.persons(&call).fingerprint(meta.request_hash.as_bytes());
        }
        let done = self.creators.execute(id_of(name), &command, &meta).await.map_err(|error| call.error(error))?;
        self.written(&call, done.loaded.state, done.loaded.position).await
    }

    async fn get_payout_account(
        &self,
        request: Request<GetPayoutAccountRequest>,
    ) -> Result<Response<PayoutAccount>, Status> {
        let call = Call::accept(request)?;
        let name = &call.message.name;
        call.caller.require_party(name)?;
        self.get(&call, name).await?;
        let found = remaining(&self.creators, &call.caller.tenant, id_of(name)).await;
        let (_, loaded) = found.map_err(|error| call.error(error))?;
        let creator = &loaded.state.0;
        loaded.state.require_active(&creator.name).map_err(|error| call.error(error))?;
        if !creator.has_payout_account {
            let message = format!("{name} has no payout account. Set it with SetPayoutAccount.");
            return Err(call.error(Problem::new(ErrorReason::PayoutAccountMissing, message)));
        }
        let account = self.persons(&call).account(creator).await.map_err(|error| call.error(person::problem(error)))?;
        // An erasure empties the vault before it is recorded.
        let erased = || person::problem(tandem_vault::VaultError::Erased { person: id_of(&creator.name).to_owned() });
        account.map(Response::new).ok_or_else(|| call.error(erased()))
    }

    /// First the vault, then the log: an event that says "erased" is never ahead of the truth. A process that dies in
    /// between leaves a creator without personal data who is not marked yet; nothing can be stored of them, and
    /// repeating the request marks them.
    async fn erase_creator(&self, request: Request<EraseCreatorRequest>) -> Result<Response<pb::Creator>, Status> {
        let call = Call::accept(request)?;
        let name = &call.message.name;
        call.caller.require_party(name)?;
        let persons = self.persons(&call);
        let before = self.get(&call, name).await?;
        // Of a merged creator it is refused below: the person lives on elsewhere.
        if before.state.0.state() != CreatorState::Merged {
            persons.erase(&before.state.0).await.map_err(|error| call.error(person::problem(error)))?;
        }
        let done = self.creators.execute(id_of(name), &Command::Erase, &call.meta).await;
        let done = done.map_err(|error| call.error(error))?;
        if done.loaded.state.0.channels.len() > before.state.0.channels.len() {
            // A merge came in between. None can from now on.
            persons.erase(&done.loaded.state.0).await.map_err(|error| call.error(person::problem(error)))?;
        }
        self.written(&call, done.loaded.state, done.loaded.position).await
    }
}
