//! One call: made up, sent, judged.
//!
//! Invariant: a call depends on its number, the seed, and what is known of the story; not on other calls.

use std::collections::HashMap;

use anyhow::Context as _;
use fastrand::Rng;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use tandem_client::{Endpoints, Error};
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use crate::caller::Caller;
use crate::generate::Generator;
use crate::known::Known;
use crate::malformed::{is_message, spoil};
use crate::methods::Method;
use crate::verdict::{Sent, judge};
use crate::wire::{Answer, send};

/// Metadata that nobody should send.
const ODD_METADATA: &[(&str, &str)] = &[
    ("tandem-read-after", "contracts.contract:18446744073709551615"),
    ("tandem-read-after", "x:y,,:"),
    ("tandem-correlation-id", "a.b > c"),
    ("tandem-causation-id", " ~ "),
    ("tandem-test-clock", "-009999-01-02T00:00:00Z"),
    ("tandem-test-clock", "9999-12-30T00:00:00Z"),
    ("tandem-test-clock", "tomorrow"),
    ("traceparent", "00-0-0-zz"),
    ("grpc-timeout", "99999999H"),
    ("grpc-timeout", "1n"),
    ("grpc-timeout", "-1S"),
];

/// Calls to one platform.
pub(crate) struct Session {
    pub(crate) methods: Vec<Method>,
    channels: HashMap<String, Channel>,
    known: Known,
}

/// What has come of a call.
pub(crate) struct Done {
    pub(crate) caller: &'static str,
    pub(crate) code: String,
    pub(crate) violations: Vec<String>,
}

impl Session {
    /// Learns what the story has left.
    pub(crate) async fn open(endpoints: &Endpoints) -> anyhow::Result<Self> {
        let methods = Method::all(endpoints)?;
        let mut channels = HashMap::new();
        for Method { url, .. } in &methods {
            channels.entry(url.clone()).or_insert(Endpoint::from_shared(url.clone())?.connect_lazy());
        }
        let channel = |method: &Method| channels.get(&method.url).cloned().context("a channel for each service");
        let known = Known::read(&methods, channel).await?;
        Ok(Self { methods, channels, known })
    }

    /// Makes the call of this number.
    pub(crate) async fn call(&self, number: u64, mut random: Rng) -> Done {
        let count = self.methods.len() as u64;
        let (method, caller) = (&self.methods[(number % count) as usize], Caller::of_round(number / count));
        let knows_values = caller != Caller::Stranger;
        let (known, descriptor) = (&self.known, &method.descriptor);
        let message =
            Generator { random: &mut random, known, knows_values, method: descriptor, has_long: false }.request();
        let mut bytes = message.encode_to_vec();
        let mut sent = Sent::Message;
        let spoilt = random.usize(..4) == 0;
        if spoilt {
            bytes = spoil(bytes, &mut random);
            if !is_message(&method.descriptor.input(), &bytes) {
                sent = Sent::NoMessage;
            }
        }
        let mut odd = MetadataMap::new();
        if sent == Sent::Message && random.usize(..10) == 0 {
            let (key, value) = ODD_METADATA[random.usize(..ODD_METADATA.len())];
            // Whoever waits for what never comes waits briefly.
            let timeout = if key == "grpc-timeout" { value } else { "300m" };
            odd.insert("grpc-timeout", MetadataValue::from_static(timeout));
            odd.insert(key, MetadataValue::from_static(value));
            sent = Sent::Hurried;
        }
        let mut violations = Vec::new();
        let stranger = format!("stranger-{number}");
        let answer = self.send(method, caller, &stranger, &odd, bytes.clone()).await;
        violations.extend(judge(caller, sent, &answer));
        if caller.refusal().is_some() || caller == Caller::Stranger {
            violations.extend(self.leak(&bytes, &answer).map(|leak| format!("{caller:?} is told {leak:?}")));
        }
        // What has happened to nobody's resource, and what to another tenant's, must not differ.
        if caller == Caller::Stranger && sent == Sent::Message && !spoilt {
            let nobodys = self.nobodys(&message).encode_to_vec();
            let other = self.send(method, caller, &format!("{stranger}-x"), &odd, nobodys).await;
            let (here, there) = (outcome(&answer.status), outcome(&other.status));
            if here != there {
                violations.push(format!("a stranger can tell another tenant's ({here}) from nobody's ({there})"));
            }
        }
        let violations = violations.into_iter().map(|violation| {
            let sent = if spoilt { format!("{bytes:02x?}") } else { format!("{message}") };
            let sent: String = sent.chars().take(2000).collect();
            format!("{}: {violation}\n    sent: {sent} {odd:?}", method.name())
        });
        Done { caller: caller.name(), code: format!("{:?}", answer.status.code()), violations: violations.collect() }
    }

    async fn send(&self, method: &Method, caller: Caller, stranger: &str, odd: &MetadataMap, bytes: Vec<u8>) -> Answer {
        match (caller.metadata(stranger), self.channels.get(&method.url)) {
            (Ok(token), Some(channel)) => {
                let mut headers = odd.clone().into_headers();
                headers.extend(token.into_headers());
                send(channel.clone(), method, MetadataMap::from_headers(headers), bytes).await
            }
            (Err(error), _) => Answer { messages: Vec::new(), status: Status::unknown(error.to_string()) },
            (_, None) => Answer { messages: Vec::new(), status: Status::unknown("no channel") },
        }
    }

    fn leak(&self, request: &[u8], answer: &Answer) -> Option<&str> {
        let status = &answer.status;
        let told = answer.messages.iter().map(Vec::as_slice).chain([status.message().as_bytes(), status.details()]);
        told.into_iter().find_map(|told| self.known.leak(request, told))
    }

    /// The same message about resources that nobody has.
    fn nobodys(&self, message: &DynamicMessage) -> DynamicMessage {
        let mut changed = message.clone();
        let fields: Vec<_> = message.fields().map(|(field, value)| (field, value.clone())).collect();
        for (field, value) in fields {
            changed.set_field(&field, self.nobodys_value(value));
        }
        changed
    }

    fn nobodys_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) if self.known.names.contains(&text) => Value::String(renamed(&text)),
            Value::Message(message) => Value::Message(self.nobodys(&message)),
            Value::List(values) => Value::List(values.into_iter().map(|value| self.nobodys_value(value)).collect()),
            Value::Map(values) => {
                Value::Map(values.into_iter().map(|(key, value)| (key, self.nobodys_value(value))).collect())
            }
            other => other,
        }
    }
}

/// A name of the same form that nobody has: each letter and digit of its ids is the next one.
fn renamed(name: &str) -> String {
    let next = |c: char| match c {
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from(c as u8 + 1),
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        other => other,
    };
    let segments = name.split('/').enumerate();
    let renamed = segments.map(|(place, segment)| match place % 2 {
        0 => segment.to_owned(),
        _ => segment.chars().map(next).collect(),
    });
    renamed.collect::<Vec<_>>().join("/")
}

/// What a caller can tell answers apart by.
fn outcome(status: &Status) -> String {
    match status.code() {
        Code::Ok => "OK".to_owned(),
        code => format!("{code:?} {:?}", Error::from(status.clone()).reason()),
    }
}
