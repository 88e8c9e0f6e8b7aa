//! Two decide at the same instant, each through a replica of their own: the first wins, the other is told.

use futures::future::join_all;
use tandem_client::Error;
use tandem_client::proto::common::v1::ErrorReason;
use tandem_client::proto::contracts::v1 as pb;
use tandem_client::proto::contracts::v1::ContractState as State;

use crate::world::World;

const PAIRS: usize = 200;

/// Before the contracts' first day.
const TODAY: &str = "2026-05-02T10:00:00Z";

/// Names of contracts that wait for the creator's answer.
async fn proposals(world: &World) -> Vec<String> {
    let brand = world.brand().at(TODAY);
    join_all((0..PAIRS).map(|number| {
        let brand = brand.clone();
        async move {
            let name = brand.create(&format!("c{number}")).await.name;
            brand.propose(&name).await.unwrap().name
        }
    }))
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_acceptance_meets_a_withdrawal() {
    let world = World::start().await;
    let replica = world.replica().await;
    let (brand, creator) = (world.brand().at(TODAY), replica.creator().at(TODAY));
    let pairs = proposals(&world).await.into_iter().map(|name| {
        let (brand, creator) = (brand.clone(), creator.clone());
        async move {
            let (accepted, withdrawn) = tokio::join!(creator.accept(&name), brand.withdraw(&name));
            (name, accepted, withdrawn)
        }
    });
    let decided = join_all(pairs).await;
    assert_eq!(decided.len(), PAIRS);
    for (name, accepted, withdrawn) in decided {
        let (winner, loser) = match (accepted, withdrawn) {
            (Ok(contract), Err(error)) => (contract, error),
            (Err(error), Ok(contract)) => (contract, error),
            (Ok(_), Ok(_)) => panic!("{name} was accepted and withdrawn"),
            (Err(accept), Err(withdraw)) => panic!("{name}: {accept}\n{withdraw}"),
        };
        for reader in [&brand, &creator] {
            assert_eq!(reader.get(&name).await.unwrap(), winner);
        }
        assert_lost(&loser, &winner);
    }
}

/// The loser is told what stands against it: the winner's decision.
#[track_caller]
fn assert_lost(loser: &Error, winner: &pb::Contract) {
    assert_eq!(loser.reason(), Some(ErrorReason::StateForbids), "{loser}");
    let state = if winner.state() == State::Accepted { "ACCEPTED" } else { "WITHDRAWN" };
    assert!(loser.message().starts_with(&format!("{} is {state};", winner.name)), "{loser}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn both_parties_sign_at_once() {
    let world = World::start().await;
    let replica = world.replica().await;
    let (brand, creator) = (world.brand().at(TODAY), replica.creator().at(TODAY));
    // All are of one creator, whose signatures wait for each other.
    let pairs = proposals(&world).await.into_iter().take(50).map(|name| {
        let (brand, creator) = (brand.clone(), creator.clone());
        async move {
            let hash = creator.accept(&name).await.unwrap().terms_hash;
            let (one, other) = tokio::join!(brand.sign(&name, &hash), creator.sign(&name, &hash));
            let signed = brand.get(&name).await.unwrap();
            // One added the first signature, the other concluded the contract.
            let mut states = [one.unwrap().state(), other.unwrap().state()];
            states.sort();
            assert_eq!(states, [State::Accepted, State::Upcoming]);
            assert_eq!((signed.state(), signed.signatures.len()), (State::Upcoming, 2));
        }
    });
    join_all(pairs).await;
}
