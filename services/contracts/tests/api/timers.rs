//! What time brings about: by itself, and by hand under a test clock.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tandem_client::proto::common::v1::{ActOnDueRequest, ActOnDueResponse};
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::ContractState as State;
use tandem_client::{Error, Service};
use tandem_proto::time::to_proto;

use crate::world::{Api, Claims, World};

/// Proposes a contract with an offer that is valid until then.
async fn propose(api: &Api, id: &str, until: Timestamp) -> Result<pb::Contract, Error> {
    let name = api.create(id).await.name;
    let expire_time = Some(to_proto(until));
    api.propose_contract(pb::ProposeContractRequest { name, expire_time, ..Default::default() }).await
}

#[tokio::test]
async fn an_offer_lapses_by_itself() -> Result<(), Error> {
    let world = World::start().await;
    let brand = world.brand();
    #[expect(clippy::disallowed_methods, reason = "timers go by the clock")]
    let soon = Timestamp::now() + SignedDuration::from_millis(1500);
    let offered = propose(&brand, "soon", soon).await?;
    assert_eq!((offered.state(), offered.offer_expire_time), (State::Proposed, Some(to_proto(soon))));
    let lapsed = async {
        while brand.names("state = LAPSED", "").await.is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), lapsed).await.unwrap();
    assert_eq!(brand.get("contracts/soon").await?.state(), State::Lapsed);
    Ok(())
}

#[tokio::test]
async fn under_a_test_clock_time_passes_when_told() -> Result<(), Error> {
    let world = World::start().await;
    let operator = Claims::new("users/ada", "acme").with_permissions(["contracts.*", "timers.act"]);
    let api = world.client(operator);
    let at = |time: &str| Api(api.0.at(time.parse().unwrap()));
    let until: Timestamp = "2024-03-08T00:00:00Z".parse().unwrap();
    propose(&at("2024-03-01T09:00:00Z"), "story", until).await?;
    let act = async |time: &str| {
        let request = ActOnDueRequest { name: "contracts/story".into(), ..Default::default() };
        at(time).0.timers(Service::Contracts).act_on_due(request).await.map(|response| response.into_inner())
    };
    let early = act("2024-03-07T23:59:59Z").await?;
    assert_eq!(early, ActOnDueResponse { acted: false, next_due_time: Some(to_proto(until)) });
    assert_eq!(api.get("contracts/story").await?.state(), State::Proposed);
    let done = act("2024-03-08T00:00:00Z").await?;
    assert_eq!(done, ActOnDueResponse { acted: true, next_due_time: None });
    assert_eq!(api.get("contracts/story").await?.state(), State::Lapsed);
    Ok(())
}
