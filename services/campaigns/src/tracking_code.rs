//! Tracking codes: each belongs to one participation of its tenant, for good.
//!
//! Invariant: the aggregate's id is the code, so the log itself keeps a code from being assigned twice.

use tandem_aggregate::{Aggregate, Context, Refusal};
use tandem_eventlog::{Envelope, Kind};
use tandem_proto::campaigns::v1::TrackingCodeAssigned;
use tandem_proto::campaigns::v1::tracking_code_event::Event;
use tandem_proto::common::v1::ErrorReason;

use crate::partnership::partnership;

/// To whom a code belongs; to nobody before it is assigned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackingCode(pub Option<TrackingCodeAssigned>);

/// What can be asked of a tracking code: to belong to a participation from now on.
#[derive(Clone, Debug)]
pub struct Assign(pub TrackingCodeAssigned);

impl Aggregate for TrackingCode {
    const KIND: Kind = Kind { context: "campaigns", aggregate: "tracking_code" };
    const COLLECTION: &'static str = "trackingCodes";
    type Command = Assign;
    type Event = Event;

    fn decide(&self, Assign(assignment): &Assign, context: &Context<'_>) -> Result<Vec<Event>, Refusal> {
        match &self.0 {
            None => Ok(vec![Event::Assigned(assignment.clone())]),
            Some(owner) if owner.participation == assignment.participation => Ok(Vec::new()),
            Some(owner) => {
                let code = context.resource.strip_prefix("trackingCodes/").unwrap_or(context.resource);
                let message = format!(
                    "Tracking code {code} belongs to {}, and orders with it are attributed there. Choose another code.",
                    owner.participation
                );
                Err(Refusal::new(ErrorReason::TrackingCodeTaken, message))
            }
        }
    }

    fn evolve(&mut self, event: &Event, _envelope: &Envelope) {
        match event {
            Event::Assigned(assignment) => self.0 = Some(assignment.clone()),
        }
    }

    fn partnership(&self, _event: &Event) -> String {
        self.0.as_ref().map_or_else(String::new, |owner| partnership(&owner.brand, &owner.creator))
    }
}

#[cfg(test)]
mod tests {
    use tandem_aggregate::testing::given;

    use super::*;

    fn owner(participation: &str) -> TrackingCodeAssigned {
        TrackingCodeAssigned {
            participation: participation.to_owned(),
            brand: "brands/glowco".to_owned(),
            creator: "creators/mira".to_owned(),
            ..Default::default()
        }
    }

    #[test]
    fn a_free_code_is_assigned() {
        let after = given::<TrackingCode>([])
            .when(Assign(owner("participations/p1")))
            .then([Event::Assigned(owner("participations/p1"))])
            .state();
        assert_eq!(after.partnership(&Event::Assigned(owner("participations/p1"))), "partnerships/glowco~mira");
    }

    #[test]
    fn it_is_its_owners_already() {
        given::<TrackingCode>([Event::Assigned(owner("participations/p1"))])
            .when(Assign(owner("participations/p1")))
            .then([]);
    }

    #[test]
    fn a_code_is_not_taken_from_its_owner() {
        let refusal = given::<TrackingCode>([Event::Assigned(owner("participations/p1"))])
            .when(Assign(owner("participations/p2")))
            .then_refused(ErrorReason::TrackingCodeTaken);
        assert_eq!(
            refusal.message,
            "Tracking code test belongs to participations/p1, and orders with it are attributed there. Choose another \
             code."
        );
    }
}
