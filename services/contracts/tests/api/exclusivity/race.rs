//! Two exclusive contracts of a creator are signed at the same instant, each through a replica of their own.

use futures::{StreamExt as _, stream};
use tandem_client::proto::contracts::v1::ContractState as State;
use tandem_client::{Client, MintedToken};

use super::{RIVAL, agreed, assert_conflict, contract};
use crate::fixtures::BRAND;
use crate::world::{Api, Claims, World};

/// Pairs of contracts of one creator that exclude each other, for the race.
const PAIRS: usize = 200;
/// Pairs that are prepared at the same time.
const AT_ONCE: usize = 16;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_exclusive_contracts_signed_at_once_one_is_refused() {
    let world = World::start().await;
    let replica = world.replica().await;
    let (brand, rival) = (world.brand(), replica.user("bob", "acme"));
    let prepared = stream::iter(0..PAIRS).map(|number| {
        let creator = format!("creators/zoe-{number}");
        let claims = Claims::new("users/portal", "acme").with_permissions(["contracts.*"]).with_creator(&creator);
        let portal: Client = brand.0.with_token(MintedToken::development(claims));
        let (brand, portal) = (brand.clone(), Api(portal));
        async move {
            let (one, other) = (format!("a{number}"), format!("b{number}"));
            let one = agreed(&brand, &portal, contract(&one, BRAND, &creator)).await;
            let other = agreed(&brand, &portal, contract(&other, RIVAL, &creator)).await;
            for contract in [&one, &other] {
                portal.sign(&contract.name, &contract.terms_hash).await.unwrap();
            }
            (one, other)
        }
    });
    let pairs: Vec<_> = prepared.buffer_unordered(AT_ONCE).collect().await;
    let signings = stream::iter(pairs).map(|(one, other)| {
        let (brand, rival) = (&brand, &rival);
        async move {
            let signed =
                tokio::join!(brand.sign(&one.name, &one.terms_hash), rival.sign(&other.name, &other.terms_hash));
            (one.name, other.name, signed)
        }
    });
    let signed: Vec<_> = signings.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(signed.len(), PAIRS);
    let mut winners = [0, 0];
    for (one, other, answers) in signed {
        let (winner, loser, refused) = match answers {
            (Ok(winner), refused @ Err(_)) => (winner, other, refused),
            (refused @ Err(_), Ok(winner)) => (winner, one, refused),
            (Ok(_), Ok(_)) => panic!("{one} and {other} were both signed"),
            (Err(one), Err(other)) => panic!("{one}\n{other}"),
        };
        winners[usize::from(winner.brand == RIVAL)] += 1;
        assert_eq!((winner.signatures.len(), winner.exclusivity_override), (2, None));
        assert_conflict(refused, &winner.name);
        let lost = brand.get(&loser).await.unwrap();
        assert_eq!((lost.state(), lost.signatures.len()), (State::Accepted, 1));
    }
    assert!(winners.iter().all(|won| *won > 0), "it was no race: {winners:?}");
}
