//! Contract templates: clauses that contracts start from, in versions.
//!
//! Invariant: a version never changes, and its number says how many there were before it.

mod deviations;
mod resource;
#[cfg(test)]
mod tests;

pub use deviations::{deviations, deviations_after};

use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::common::v1::ErrorReason;
use tandem_proto::contracts::v1 as pb;
use tandem_proto::contracts::v1::ContractTemplateState as State;
use tandem_proto::contracts::v1::contract_template_event::Event;
use tandem_proto::time;

use crate::terms::Clauses;

/// A template; its state is the resource that the API shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContractTemplate(pub pb::ContractTemplate);

/// What can be asked of a template.
#[derive(Clone, Debug)]
pub enum Command {
    /// To come into being, or to have a further version.
    Publish {
        /// `brands/{brand}`; for all brands of the tenant if empty.
        brand: String,
        /// For people.
        title: String,
        /// What contracts start from.
        clauses: Clauses,
    },
    /// Not to be drafted from any more.
    Retire,
}

impl Aggregate for ContractTemplate {
    const KIND: Kind = Kind { context: "contracts", aggregate: "contract_template" };
    const COLLECTION: &'static str = "contractTemplates";
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        match command {
            Command::Publish { brand, title, clauses } => self.publish(brand, title, clauses.as_slice(), context),
            Command::Retire => match self.0.state() {
                State::Unspecified => Err(Refusal::not_found(context)),
                State::Retired => Ok(Vec::new()),
                State::Published => Ok(vec![Event::Retired(pb::ContractTemplateRetired {})]),
            },
        }
    }

    fn evolve(&mut self, event: &Event, envelope: &Envelope) {
        let now = time::to_proto(envelope.time);
        let template = &mut self.0;
        match event {
            Event::Published(event) => {
                if template.state() == State::Unspecified {
                    template.name.clone_from(&envelope.resource);
                    template.create_time = Some(now);
                } else {
                    // Nothing but publishing has happened to it, so it was last updated by that of this version.
                    let (version, publish_time) = (template.version, template.update_time);
                    let clauses = std::mem::take(&mut template.clauses);
                    template.earlier_versions.push(pb::ContractTemplateVersion { version, clauses, publish_time });
                }
                template.brand.clone_from(&event.brand);
                template.title.clone_from(&event.title);
                template.version = event.version;
                template.clauses.clone_from(&event.clauses);
                template.set_state(State::Published);
            }
            Event::Retired(_) => template.set_state(State::Retired),
        }
        template.update_time = Some(now);
    }
}

impl ContractTemplate {
    fn publish(
        &self,
        brand: &str,
        title: &str,
        clauses: &[pb::Clause],
        context: &Context<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        let known = &self.0;
        match known.state() {
            State::Unspecified => {}
            State::Retired => {
                let message = format!("{} is RETIRED; publish the clauses under another id.", context.resource);
                return Err(Refusal::new(ErrorReason::StateForbids, message));
            }
            State::Published if brand != known.brand => {
                let description = format!(
                    "is {}, but {} is for {}, and a template keeps its brand: publish another",
                    quoted(brand),
                    context.resource,
                    quoted(&known.brand)
                );
                return Err(Refusal::field("contract_template.brand", description));
            }
            State::Published if title == known.title && clauses == known.clauses => return Ok(Vec::new()),
            State::Published => {}
        }
        Ok(vec![Event::Published(pb::ContractTemplatePublished {
            brand: brand.to_owned(),
            title: title.to_owned(),
            version: known.version + 1,
            clauses: clauses.to_vec(),
        })])
    }

    /// The clauses of a version, with its number: of the newest if 0.
    ///
    /// # Errors
    /// INVALID_ARGUMENT for a number that there is no version of, which stands in `field`.
    pub fn version(&self, number: i32, field: &str) -> Result<(i32, &[pb::Clause]), Refusal> {
        let template = &self.0;
        if number == 0 || number == template.version {
            return Ok((template.version, &template.clauses));
        }
        let earlier = template.earlier_versions.iter().find(|earlier| earlier.version == number);
        earlier.map(|earlier| (number, &earlier.clauses[..])).ok_or_else(|| {
            let (name, newest) = (&template.name, template.version);
            let description = format!("is {number}, but {name} has versions 1 to {newest}: give one of them, or 0");
            Refusal::field(field, description)
        })
    }

    /// The clauses that a contract of a brand starts from, with their version: the newest if 0 is asked for.
    ///
    /// # Errors
    /// STATE_FORBIDS if it is retired, in whatever version; INVALID_ARGUMENT if it is for another brand, or has no such
    /// version.
    pub fn for_contract(&self, brand: &str, version: i32) -> Result<(i32, &[pb::Clause]), Refusal> {
        let template = &self.0;
        if template.state() == State::Retired {
            let message = format!("{} is RETIRED; draft from another template, or without one.", template.name);
            return Err(Refusal::new(ErrorReason::StateForbids, message));
        }
        if !template.brand.is_empty() && template.brand != brand {
            let description = format!(
                "is {}, which is for {} alone: draft from a template of {brand}, or without one",
                template.name, template.brand
            );
            return Err(Refusal::field("contract.template", description));
        }
        self.version(version, "contract.template_version")
    }
}

fn quoted(brand: &str) -> &str {
    if brand.is_empty() { "all brands" } else { brand }
}
