//! Callers who write and read without a pause, and what must hold of what they were told.
//!
//! Invariant: a caller panics at the first request that fails, and at the first answer that does not show what was
//! acknowledged before.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tandem_client::{Claims, Client, MintedToken, Positions};
use tandem_demo::draft;
use tandem_proto::contracts::v1::{
    Contract, ContractState, CreateContractRequest, GetContractRequest, ListContractsRequest, ProposeContractRequest,
};
use tokio::task::JoinHandle;

/// Callers at the same time.
const CALLERS: usize = 4;
/// Events of one round of a caller.
pub const EVENTS: usize = 2;

pub fn client(url: &str) -> Client {
    let claims = Claims::new("users/load", "acme").with_permissions(["*"]);
    let client = Client::builder().contracts(url).token(MintedToken::development(claims));
    client.deadline(Duration::from_secs(60)).build().unwrap()
}

pub struct Load {
    callers: Vec<JoinHandle<(Vec<Contract>, Positions)>>,
    stop: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
}

impl Load {
    /// Each caller has a client, and so a connection, of its own.
    pub fn start(url: &str) -> Self {
        let (stop, rounds) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let caller = |own| {
            let (client, stop, rounds) = (client(url), stop.clone(), rounds.clone());
            tokio::spawn(async move {
                let mut written = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    written.push(round(&client, own, written.len()).await);
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
                (written, client.positions())
            })
        };
        let callers = (0..CALLERS).map(caller).collect();
        Self { callers, stop, rounds }
    }

    /// Waits until all callers together have gone on for some rounds.
    pub async fn goes_on(&self) {
        let wanted = self.rounds.load(Ordering::Relaxed) + 3 * CALLERS;
        while self.rounds.load(Ordering::Relaxed) < wanted {
            assert!(!self.callers.iter().any(JoinHandle::is_finished), "a request has failed");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Ends it; answers the contracts that were written, in the order of their names, as the last answer showed them, and
    /// how far the callers have seen the log.
    pub async fn stop(self) -> (Vec<Contract>, Positions) {
        self.stop.store(true, Ordering::Relaxed);
        let (mut written, mut seen) = (Vec::new(), Positions::default());
        for caller in self.callers {
            let (by_caller, seen_by_caller) = caller.await.expect("no request has failed");
            written.extend(by_caller);
            seen.merge(&seen_by_caller);
        }
        written.sort_by(|a, b| a.name.cmp(&b.name));
        (written, seen)
    }
}

/// Writes a new contract twice, and reads it back from whichever replica answers.
async fn round(client: &Client, own: usize, number: usize) -> Contract {
    let creator = format!("creators/c{own}");
    let contract_id = format!("of-{own}-{number}");
    let contract = Some(draft(&creator).unwrap());
    let create = CreateContractRequest { contract, contract_id, ..CreateContractRequest::default() };
    let created = client.contracts().create_contract(create).await.unwrap().into_inner();
    let propose =
        ProposeContractRequest { name: created.name.clone(), etag: created.etag, ..ProposeContractRequest::default() };
    let proposed = client.contracts().propose_contract(propose).await.unwrap().into_inner();
    assert_eq!(proposed.state(), ContractState::Proposed);

    let get = GetContractRequest { name: created.name, ..GetContractRequest::default() };
    assert_eq!(client.contracts().get_contract(get).await.unwrap().into_inner(), proposed);
    let list = ListContractsRequest {
        filter: format!("creator = {creator:?}"),
        page_size: 1,
        order_by: "create_time desc".into(),
        ..ListContractsRequest::default()
    };
    let listed = client.contracts().list_contracts(list).await.unwrap().into_inner();
    assert_eq!(listed.contracts, std::slice::from_ref(&proposed), "the view has read the write");
    assert_eq!(listed.total_size, i32::try_from(number).unwrap() + 1, "each of this caller's writes once");
    proposed
}

/// All contracts of the tenant, in the order of their names.
pub async fn all(client: &Client) -> Vec<Contract> {
    let mut all = Vec::new();
    let mut list = ListContractsRequest { page_size: 1000, order_by: "id".into(), ..ListContractsRequest::default() };
    loop {
        let page = client.contracts().list_contracts(list.clone()).await.unwrap().into_inner();
        all.extend(page.contracts);
        list.page_token = page.next_page_token;
        if list.page_token.is_empty() {
            return all;
        }
    }
}
