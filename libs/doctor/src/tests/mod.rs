//! Each check: given a deployment that is fit but for one thing, it is found, with what to do.

mod servers;
mod services;
mod settings;
mod streams;

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use jiff::SignedDuration;

use crate::facts::{
    Consumer, ConsumerFacts, Copy, Facts, Info, Known, Server, ServerFacts, Service, ServiceFacts, Settings, Stream,
    StreamFacts, View,
};
use crate::{Finding, Severity, examine};

/// A deployment that nothing stands against, about to start one more service.
fn fit() -> Facts {
    let log = Config {
        name: "tandem".into(),
        subjects: vec!["tandem.>".into()],
        discard: DiscardPolicy::New,
        deny_delete: true,
        deny_purge: true,
        allow_direct: true,
        allow_atomic_publish: true,
        ..Config::default()
    };
    let timers = Config {
        name: "tandem-timers".into(),
        subjects: vec!["tandem-timers.>".into()],
        retention: RetentionPolicy::WorkQueue,
        allow_message_schedules: true,
        ..Config::default()
    };
    let bucket = |name: &str| Config { name: name.into(), allow_rollup: true, ..Config::default() };
    let server = |name: &str| ServerFacts {
        address: format!("http://{name}:8222"),
        state: Known::Is(Server {
            name: name.into(),
            version: "2.12.1".into(),
            sync_interval: Some(Duration::ZERO),
            cluster_size: 3,
            ahead: SignedDuration::ZERO,
        }),
    };
    let info = Info { version: "1.0.0".into(), production: true, development_key: false, ahead: SignedDuration::ZERO };
    let view = View { name: "contracts".into(), position: 7, lag: Some(0), ..View::default() };
    let service = |name: &str| ServiceFacts {
        name: name.into(),
        address: format!("https://{name}:7400"),
        state: Known::Is(Service {
            serving: true,
            info: Known::Is(info.clone()),
            views: Known::Is(vec![view.clone()]),
        }),
    };
    Facts {
        settings: Some(Settings { stream_replicas: 3, ..Settings::default() }),
        log: replicated(log),
        timers: replicated(timers),
        vault: vec![replicated(bucket("KV_tandem_vault")), replicated(bucket("KV_tandem_vault_keys"))],
        vault_development_key: Known::Is(false),
        servers: vec![server("n1"), server("n2"), server("n3")],
        services: vec![service("contracts"), service("payouts")],
        consumers: vec![ConsumerFacts {
            stream: "tandem".into(),
            state: Known::Is(vec![Consumer { name: "payouts-accrual".into(), ..Consumer::default() }]),
        }],
        ..Facts::production("tandem")
    }
}

fn replicated(config: Config) -> StreamFacts {
    let copy = |server: &str| Copy { server: server.into(), current: true, offline: false };
    let name = config.name.clone();
    let config = Config { num_replicas: 3, ..config };
    let stream =
        Stream { config, leader: Some("n1".into()), copies: vec![copy("n2"), copy("n3")], ..Stream::default() };
    StreamFacts { name, state: Known::Is(Box::new(stream)) }
}

impl<T> Known<T> {
    fn is(&mut self) -> &mut T {
        match self {
            Self::Is(value) => value,
            _ => panic!("it is not known"),
        }
    }
}

/// What is found of a fit deployment in which one thing is otherwise.
struct Found(Vec<Finding>);

fn given(otherwise: impl FnOnce(&mut Facts)) -> Found {
    let mut facts = fit();
    otherwise(&mut facts);
    Found(examine(&facts))
}

impl Found {
    /// It is found once, and nothing else, with these words in what it says.
    #[track_caller]
    fn then(self, severity: Severity, code: &str, words: &[&str]) {
        let [found] = self.0.as_slice() else { panic!("{:#?}", self.0) };
        assert_eq!((found.severity, found.code), (severity, code), "{found}");
        for part in [&found.subject, &found.problem, &found.why, &found.remedy] {
            assert!(!part.is_empty(), "{found:?}");
        }
        let text = found.to_string();
        for word in words {
            assert!(text.contains(word), "{word:?} is not in: {text}");
        }
    }

    #[track_caller]
    fn then_error(self, code: &str, words: &[&str]) {
        self.then(Severity::Error, code, words);
    }

    #[track_caller]
    fn then_warning(self, code: &str, words: &[&str]) {
        self.then(Severity::Warning, code, words);
    }

    #[track_caller]
    fn then_nothing(self) {
        assert!(self.0.is_empty(), "{:#?}", self.0);
    }
}

#[test]
fn nothing_is_found_where_all_is_fit() {
    given(|_| {}).then_nothing();
}

#[test]
fn errors_come_before_warnings() {
    let mut facts = fit();
    facts.services[0].state = Known::Unknown("refused".into());
    facts.servers.truncate(1);
    let severities: Vec<_> = examine(&facts).iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning]);
}
