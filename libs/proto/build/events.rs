//! For each message that lists the events of an aggregate (`…Event` with one oneof `event`): how an event is named,
//! written and read in the log, where only the event itself travels.

use std::fmt::Write as _;

use anyhow::{Context as _, ensure};
use prost_reflect::{DescriptorPool, Kind};

use crate::names;

pub fn generate(pool: &DescriptorPool) -> anyhow::Result<String> {
    let mut out = String::new();
    let lists = names::own_messages(pool)
        .filter(|message| message.name().ends_with("Event") && message.oneofs().any(|oneof| oneof.name() == "event"));
    for list in lists {
        let oneof = list.oneofs().next().context("an event list has a oneof")?;
        let set = format!("{}::Event", names::nested_module(&list));
        let (mut name, mut encode, mut decode) = (String::new(), String::new(), String::new());
        for field in oneof.fields() {
            let Kind::Message(event) = field.kind() else {
                anyhow::bail!("{} is not a message", field.full_name());
            };
            ensure!(event.package_name() == list.package_name(), "{} is of another package", event.full_name());
            let (variant, full) = (names::camel(field.name()), event.full_name().to_owned());
            writeln!(name, "            Self::{variant}(_) => \"{full}\",")?;
            writeln!(encode, "            Self::{variant}(event) => event.encode_to_vec(),")?;
            writeln!(decode, "            \"{full}\" => Self::{variant}(prost::Message::decode(payload)?),")?;
        }
        write!(
            out,
            "impl crate::EventSet for {set} {{
    fn type_name(&self) -> &'static str {{
        match self {{
{name}        }}
    }}
    fn encode(&self) -> Vec<u8> {{
        use prost::Message as _;
        match self {{
{encode}        }}
    }}
    fn decode(type_name: &str, payload: &[u8]) -> Result<Option<Self>, prost::DecodeError> {{
        Ok(Some(match type_name {{
{decode}            _ => return Ok(None),
        }}))
    }}
}}
"
        )?;
    }
    Ok(out)
}
