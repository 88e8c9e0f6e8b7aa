//! A service while it lives: started, killed at any await, started anew from what outlives it.
//!
//! Invariant: what is dead does nothing any more. Whatever it was about to do outside of its own memory, it waits for ever
//! before it, or for the answer; its tasks end with the run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tandem_campaigns::Campaigns;
use tandem_client::{Carrier, Endpoints, Service};
use tandem_contracts::Contracts;
use tandem_payouts::Payouts;
use tandem_relationships::Relationships;
use tandem_service::testing::{Parts, in_process};
use tandem_service::{NoArgs, Settings};
use tandem_views::ViewStore;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::carrier::carriers;
use super::creators;
use super::log::SimulatedLog;
use super::store::Gate;
use super::timers::SimulatedTimers;
use super::{World, never};
use crate::faults::Fault;

/// One life of a service.
pub struct Incarnation {
    pub(super) world: Arc<World>,
    pub(super) service: Service,
    /// `payouts#3`.
    pub(super) label: String,
    dead: CancellationToken,
    answers: Mutex<Option<Carrier>>,
}

impl Incarnation {
    /// Starts a service. It answers once it is wired.
    pub fn start(world: &Arc<World>, service: Service, settings: &Settings) {
        let number = world.state().incarnations.len() + 1;
        let incarnation = Arc::new(Self {
            world: Arc::clone(world),
            service,
            label: format!("{service}#{number}"),
            dead: CancellationToken::new(),
            answers: Mutex::default(),
        });
        world.step(|| format!("{} starts", incarnation.label));
        world.state().running.insert(service.name(), Arc::clone(&incarnation));
        world.state().incarnations.push(Arc::clone(&incarnation));
        let settings = settings.clone();
        tokio::spawn(async move {
            match incarnation.wire(&settings).await {
                Ok(answers) => incarnation.answer_with(Some(answers)),
                Err(error) => incarnation.world.violation(format!("{} can't start: {error:#}", incarnation.label)),
            }
        });
    }

    async fn wire(self: &Arc<Self>, settings: &Settings) -> anyhow::Result<Carrier> {
        let views = self.world.views[self.service.name()].through(Arc::new(Gate(Arc::clone(self))));
        let parts = Parts {
            log: Arc::new(SimulatedLog::new(self)),
            views: ViewStore::in_memory(views),
            timers: Arc::new(SimulatedTimers(Arc::clone(self))),
            carriers: carriers(&self.world, Some(self)),
        };
        match self.service {
            Service::Contracts => in_process::<Contracts>(settings, &NoArgs {}, parts).await,
            Service::Campaigns => in_process::<Campaigns>(settings, &Endpoints::default(), parts).await,
            Service::Payouts => in_process::<Payouts>(settings, &Endpoints::default(), parts).await,
            Service::Relationships => in_process::<Relationships>(settings, &NoArgs {}, parts).await,
            Service::Creators => Ok(creators::stand_in()),
        }
    }

    /// Something of this service's goes out of it, or comes in: takes its time, and may be its end.
    pub(super) async fn passes(self: &Arc<Self>, what: &str) {
        self.world.passes().await;
        self.lives().await;
        if self.world.occurs(Fault::Crash, what) {
            self.dies();
            never::<()>().await;
        }
    }

    /// Comes back only if it is alive.
    pub(super) async fn lives(&self) {
        if self.dead.is_cancelled() {
            never::<()>().await;
        }
    }

    /// Comes back when it has died.
    pub(super) async fn died(&self) {
        self.dead.cancelled().await;
    }

    /// What it answers calls with; none while it is being wired.
    pub(super) fn answers(&self) -> Option<Carrier> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.as_ref().filter(|_| !self.dead.is_cancelled()).cloned()
    }

    /// What answers holds this in turn, so it has to be taken away for the memory of a run to be given back.
    pub(super) fn answer_with(&self, answers: Option<Carrier>) {
        let before = std::mem::replace(&mut *self.answers.lock().unwrap_or_else(PoisonError::into_inner), answers);
        drop(before);
    }

    fn dies(self: &Arc<Self>) {
        self.world.step(|| format!("{} dies", self.label));
        self.dead.cancel();
        self.world.state().running.remove(self.service.name());
        let (world, service) = (Arc::clone(&self.world), self.service);
        tokio::spawn(async move {
            sleep(world.chance.up_to(Duration::from_secs(3))).await;
            Self::start(&world, service, &settings(&world));
        });
    }
}

/// Settings of all services; some keep no aggregates in memory.
pub(crate) fn settings(world: &World) -> Settings {
    use std::cell::RefCell;
    thread_local! {
        // Read from a command line of its own, which takes a while.
        static SETTINGS: RefCell<Option<Settings>> = const { RefCell::new(None) };
    }
    let mut settings = SETTINGS.with_borrow_mut(|settings| {
        settings.get_or_insert_with(|| tandem_service::testing::settings("", std::path::Path::new("memory"))).clone()
    });
    if world.chance.one_in(4) {
        settings.limits.cache_bytes = 0;
    }
    settings
}
