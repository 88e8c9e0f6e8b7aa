//! What the tenant of the story holds, as its own answers tell.
//!
//! Invariant: only what comes from answers is here, so a new field or resource is known without a word about it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::ensure;
use prost_reflect::{DynamicMessage, Kind, ReflectMessage as _, Value};
use tandem_proto::POOL;
use tonic::Code;
use tonic::transport::Channel;

use crate::caller::Caller;
use crate::methods::Method;
use crate::wire::send;

/// Shorter texts may be anybody's.
const TELLING: usize = 12;

/// What is known of the tenant.
#[derive(Default)]
pub(crate) struct Known {
    /// Names of resources, as "contracts/spring".
    pub(crate) names: Vec<String>,
    /// Values of fields, by the fields' names.
    pub(crate) values: BTreeMap<String, Vec<String>>,
    /// Tokens of further pages.
    pub(crate) page_tokens: Vec<String>,
    /// Texts that nobody else can know, by how they begin.
    secrets: HashMap<[u8; TELLING], Vec<String>>,
}

impl Known {
    /// Reads what lists answer, all at once and page by page.
    pub(crate) async fn read(
        methods: &[Method],
        channel: impl Fn(&Method) -> anyhow::Result<Channel>,
    ) -> anyhow::Result<Self> {
        let mut texts = BTreeMap::<String, BTreeSet<String>>::new();
        let mut page_tokens = BTreeSet::new();
        for method in methods.iter().filter(|method| method.reads) {
            let Some(page_size) = method.descriptor.input().get_field_by_name("page_size") else { continue };
            for size in [1_i32, 500] {
                let mut request = DynamicMessage::new(method.descriptor.input());
                request.set_field(&page_size, Value::I32(size));
                let bytes = prost::Message::encode_to_vec(&request);
                let answer = send(channel(method)?, method, Caller::Owner.metadata("")?, bytes).await;
                // Some want to be told whose.
                if answer.status.code() != Code::Ok {
                    continue;
                }
                for message in answer.messages {
                    let message = DynamicMessage::decode(method.descriptor.output(), &*message)?;
                    let token = message.get_field_by_name("next_page_token");
                    page_tokens.extend(token.and_then(|token| token.as_str().map(ToOwned::to_owned)));
                    collect(&message, &mut texts);
                }
            }
        }
        page_tokens.remove("");
        let all: BTreeSet<_> = texts.values().flatten().cloned().collect();
        let names: Vec<_> = all.iter().filter(|text| is_name(text) && !text.starts_with("views/")).cloned().collect();
        let language = format!("{:?}", POOL.file_descriptor_protos().collect::<Vec<_>>());
        let telling = |text: &&String| {
            text.len() >= TELLING && !is_name(text) && !text.starts_with("tandem.") && !language.contains(text.as_str())
        };
        let own: BTreeSet<_> = texts.iter().filter(|(field, _)| !OF_ALL.contains(&field.as_str())).collect();
        let secrets: BTreeSet<_> = own.into_iter().flat_map(|(_, texts)| texts).filter(telling).cloned().collect();
        ensure!(names.len() > 10 && secrets.len() > 10, "the story has left too little: {names:?} {secrets:?}");
        let values = texts.into_iter().map(|(field, texts)| (field, texts.into_iter().collect())).collect();
        Ok(Self { names, values, page_tokens: page_tokens.into_iter().collect(), secrets: by_beginning(secrets) })
    }

    /// Something in an answer that only this tenant can know, and that the request did not tell.
    pub(crate) fn leak(&self, request: &[u8], answer: &[u8]) -> Option<&str> {
        let told = |secret: &&String| request.windows(secret.len()).any(|window| window == secret.as_bytes());
        let leaks = (0..answer.len()).filter_map(|place| {
            let rest = answer.get(place..)?;
            let secrets = self.secrets.get(rest.first_chunk()?)?;
            secrets.iter().find(|secret| rest.starts_with(secret.as_bytes()) && !told(secret))
        });
        leaks.map(String::as_str).next()
    }
}

fn by_beginning(texts: BTreeSet<String>) -> HashMap<[u8; TELLING], Vec<String>> {
    let mut found = HashMap::<_, Vec<String>>::new();
    for text in texts {
        if let Some(beginning) = text.as_bytes().first_chunk::<TELLING>() {
            found.entry(*beginning).or_default().push(text);
        }
    }
    found
}

/// Fields whose values are words of all tenants.
const OF_ALL: &[&str] = &["time_zone", "type", "method", "command", "next_page_token", "statute", "rule", "source"];

/// `collection/id`, of however many levels.
fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_~-".contains(&byte);
    let segments: Vec<_> = text.split('/').collect();
    segments.len() >= 2
        && segments.len() % 2 == 0
        && segments.iter().all(|segment| !segment.is_empty() && segment.bytes().all(plain))
        && segments.iter().step_by(2).all(|collection| collection.starts_with(|c: char| c.is_ascii_lowercase()))
}

fn collect(message: &DynamicMessage, texts: &mut BTreeMap<String, BTreeSet<String>>) {
    for (field, value) in message.fields() {
        let values = match value {
            Value::List(values) => values.clone(),
            Value::Map(values) => values.values().cloned().collect(),
            value => vec![value.clone()],
        };
        for value in values {
            match (field.kind(), value) {
                (Kind::String, Value::String(text)) if !text.is_empty() => {
                    texts.entry(field.name().to_owned()).or_default().insert(text);
                }
                (_, Value::Message(message)) if message.descriptor().full_name() != "google.protobuf.Any" => {
                    collect(&message, texts);
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_stands_unless_the_request_told_it() {
        let texts = ["Ana de la Cruz", "Ana de la Cruz Roja"].map(ToOwned::to_owned);
        let known = Known { secrets: by_beginning(texts.into()), ..Known::default() };
        assert_eq!(known.leak(b"", b"\x0a\x0eAna de la Cruz"), Some("Ana de la Cruz"));
        assert_eq!(known.leak(b"is it Ana de la Cruz?", b"Ana de la Cruz Roja"), Some("Ana de la Cruz Roja"));
        assert_eq!(known.leak(b"is it Ana de la Cruz?", b"no, Ana de la Cruz"), None);
        assert_eq!(known.leak(b"", b"Ana de la Cru"), None);
    }
}
