//! The creators service as far as others ask it: whoever is asked about has an account to be paid to.
//!
//! Invariant: it keeps no state, so it has none to lose; the real one needs the vault, which is on NATS.

use tandem_client::Carrier;
use tandem_proto::creators::v1::creator_service_server::{CreatorService, CreatorServiceServer};
use tandem_proto::creators::v1::{GetPayoutAccountRequest, PayoutAccount};
use tonic::body::Body;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tower::ServiceExt;
use tower::util::BoxCloneSyncService;

struct Creators;

#[tonic::async_trait]
impl CreatorService for Creators {
    async fn get_payout_account(
        &self,
        request: Request<GetPayoutAccountRequest>,
    ) -> Result<Response<PayoutAccount>, Status> {
        Ok(Response::new(PayoutAccount {
            holder_name: request.into_inner().name.trim_start_matches("creators/").to_owned(),
            iban: "NL91ABNA0417164300".to_owned(),
            bic: "ABNANL2A".to_owned(),
            country_code: "NL".to_owned(),
        }))
    }
}

pub(super) fn stand_in() -> Carrier {
    let routes = Routes::new(CreatorServiceServer::new(Creators)).prepare();
    BoxCloneSyncService::new(ServiceExt::<http::Request<Body>>::map_err(routes, |never| match never {}))
}
