//! `ParticipationService`.

use std::sync::Arc;

use futures::FutureExt as _;
use tandem_aggregate::{CommandMeta, ExecuteError, Executor, commit_together, etag};
use tandem_eventlog::{EventLog, Position};
use tandem_proto::RequestMessage;
use tandem_proto::campaigns::v1 as pb;
use tandem_proto::campaigns::v1::participation_service_server::ParticipationService;
use tandem_service::{Call, Environment, Resource as _, ResourceView, list, listed};
use tandem_views::{ListQuery, ViewHandle};
use tonic::{Request, Response, Status};

use super::{Resources, id, message, new_id, own, require_brand};
use crate::campaign::Campaign;
use crate::contracts::Contracts;
use crate::disclosure;
use crate::participation::{Command, Join, Participation};
use crate::tracking_code::{Assign, TrackingCode};

/// The handlers.
pub(crate) struct Participations {
    participations: Resources<Participation>,
    campaigns: Executor<Campaign>,
    codes: Executor<TrackingCode>,
    contracts: Contracts,
    log: Arc<dyn EventLog>,
}

impl Participations {
    pub(crate) fn new(
        env: &Environment,
        participations: Arc<Executor<Participation>>,
        view: &ViewHandle<ResourceView<Participation>>,
        contracts: Contracts,
    ) -> Self {
        Self {
            participations: Resources { executor: participations, view: view.clone() },
            campaigns: env.executor(),
            codes: env.executor(),
            contracts,
            log: Arc::clone(&env.log),
        }
    }

    /// The facts by which a creator joins: campaign and contract as they are now.
    async fn facts<M>(&self, given: pb::Participation, call: &Call<M>) -> Result<Join, Status> {
        let (tenant, name) = (&call.caller.tenant, &given.campaign);
        let campaign = self.campaigns.get(tenant, id(name)).await.map_err(|error| call.error(error))?;
        if !campaign.exists() {
            return Err(call.not_found(name));
        }
        let contract = self.contracts.get(&given.contract, call).await?;
        call.caller.require_party(&contract.creator)?;
        Ok(Join { campaign: message(campaign.as_ref()), contract, tracking_code: given.tracking_code })
    }

    /// Joins and takes the tracking code, both or neither. Answers the participation with its position.
    async fn join(&self, id: &str, join: Join, meta: &CommandMeta) -> Result<(Participation, Position), ExecuteError> {
        let code = &join.tracking_code.clone();
        let assign = &Assign(join.assignment(&format!("participations/{id}")));
        let command = &Command::Join(Box::new(join));
        let stage = || {
            async move {
                let joined = self.participations.executor.stage(id, command, meta).await?;
                let Some(append) = joined.append else { return Ok((Vec::new(), joined.loaded)) };
                let assigned = self.codes.stage(code, assign, meta).await?;
                Ok(([append].into_iter().chain(assigned.append).collect(), joined.loaded))
            }
            .boxed()
        };
        let (loaded, positions) = commit_together(self.log.as_ref(), stage).await?;
        // Nothing was appended if it had joined before.
        let position = positions.first().copied().unwrap_or(loaded.position);
        Ok((loaded.state, position))
    }

    /// Runs a command on the participation that the request names; a creator on their own only.
    async fn act<M: RequestMessage>(
        &self,
        call: &Call<M>,
        command: Command,
    ) -> Result<Response<pb::Participation>, Status> {
        let name = call.message.name();
        if call.caller.creator.is_some() {
            // Whose it is never changes, so this holds when the command is decided.
            call.caller.require_party(&self.participations.get(name, call).await?.state.0.creator)?;
        }
        self.participations.execute(id(name), &command, call).await
    }

    /// The same for what only the brand does.
    async fn act_for_brand<M: RequestMessage>(
        &self,
        call: &Call<M>,
        command: Command,
    ) -> Result<Response<pb::Participation>, Status> {
        require_brand(&call.caller)?;
        self.act(call, command).await
    }
}

#[tonic::async_trait]
impl ParticipationService for Participations {
    async fn create_participation(
        &self,
        request: Request<pb::CreateParticipationRequest>,
    ) -> Result<Response<pb::Participation>, Status> {
        let mut call = Call::accept(request)?;
        let given = call.message.participation.take().unwrap_or_default();
        let id = new_id(&call.message.participation_id, &call);
        let known =
            self.participations.executor.get(&call.caller.tenant, &id).await.map_err(|error| call.error(error))?;
        let join = if known.exists() {
            // Whether this repeats the request by which it joined or takes a taken id: no facts are needed to tell.
            call.caller.require_party(&known.state.0.creator)?;
            Join::default()
        } else {
            self.facts(given, &call).await?
        };
        let (joined, position) = self.join(&id, join, &call.meta).await.map_err(|error| call.error(error))?;
        let participation = joined.into_message(etag(position));
        Ok(call.written::<Participation, _>(participation, position))
    }

    async fn get_participation(
        &self,
        request: Request<pb::GetParticipationRequest>,
    ) -> Result<Response<pb::Participation>, Status> {
        let call = Call::accept(request)?;
        let loaded = self.participations.get(&call.message.name, &call).await?;
        call.caller.require_party(&loaded.state.0.creator)?;
        Ok(Response::new(message(loaded.as_ref())))
    }

    async fn list_participations(
        &self,
        request: Request<pb::ListParticipationsRequest>,
    ) -> Result<Response<pb::ListParticipationsResponse>, Status> {
        let call = Call::accept(request)?;
        let pb::ListParticipationsRequest { page_size, page_token, filter, order_by } = &call.message;
        let query = ListQuery { filter, order_by, page_size: *page_size, page_token, fixed: own(&call.caller) };
        let page = list(&self.participations.view, &call, query).await?;
        Ok(listed(
            page.position,
            pb::ListParticipationsResponse {
                participations: page.rows.into_iter().map(|(_, participation)| participation).collect(),
                next_page_token: page.next_page_token,
                total_size: page.total_size,
            },
        ))
    }

    async fn submit_draft(
        &self,
        request: Request<pb::SubmitDraftRequest>,
    ) -> Result<Response<pb::Participation>, Status> {
        let call = Call::accept(request)?;
        self.act(&call, Command::SubmitDraft(call.message.clone())).await
    }

    async fn request_changes(
        &self,
        request: Request<pb::RequestChangesRequest>,
    ) -> Result<Response<pb::Participation>, Status> {
        let call = Call::accept(request)?;
        self.act_for_brand(&call, Command::RequestChanges(call.message.clone())).await
    }

    async fn approve_draft(
        &self,
        request: Request<pb::ApproveDraftRequest>,
    ) -> Result<Response<pb::Participation>, Status> {
        let call = Call::accept(request)?;
        self.act_for_brand(&call, Command::ApproveDraft(call.message.clone())).await
    }

    async fn record_publication(
        &self,
        request: Request<pb::RecordPublicationRequest>,
    ) -> Result<Response<pb::Participation>, Status> {
        let call = Call::accept(request)?;
        self.act(&call, Command::RecordPublication(call.message.clone())).await
    }

    async fn record_performance(
        &self,
        request: Request<pb::RecordPerformanceRequest>,
    ) -> Result<Response<pb::Participation>, Status> {
        let call = Call::accept(request)?;
        self.act_for_brand(&call, Command::RecordPerformance(call.message.clone())).await
    }

    async fn check_disclosure(
        &self,
        request: Request<pb::CheckDisclosureRequest>,
    ) -> Result<Response<pb::CheckDisclosureResponse>, Status> {
        let pb::CheckDisclosureRequest { caption, platform_label, disclosure } = Call::accept(request)?.message;
        let findings = disclosure::check(&caption, platform_label, &disclosure.unwrap_or_default());
        Ok(Response::new(pb::CheckDisclosureResponse { findings }))
    }
}
