//! The durable consumers: what processes and timers have still to do.
//!
//! Invariant: an event that comes again and again is told, for its process waits for somebody.

use crate::facts::{Consumer, Facts, Known};
use crate::finding::Finding;

/// A process with more events before it than this is behind, not just busy: some seconds of commands.
const BEHIND: u64 = 10_000;

pub(super) fn check(facts: &Facts, findings: &mut Vec<Finding>) {
    for consumers in &facts.consumers {
        match &consumers.state {
            Known::Is(all) => findings.extend(all.iter().flat_map(consumer).flatten()),
            Known::Missing => {}
            Known::Unknown(reason) => findings.push(
                Finding::warning(
                    "not-checked",
                    format!("stream {}", consumers.stream),
                    format!("its consumers can't be asked: {reason}"),
                )
                .because("how far processes and timers are is not known")
                .remedy(format!("let this user of NATS request $JS.API.CONSUMER.LIST.{}", consumers.stream)),
            ),
        }
    }
}

fn consumer(consumer: &Consumer) -> [Option<Finding>; 2] {
    let name = format!("process {}", consumer.name);
    let behind = (consumer.pending > BEHIND).then(|| {
        Finding::warning("process-behind", name.clone(), format!("{} events wait for it", consumer.pending))
            .because("what follows from them has not happened yet")
            .remedy("look again: after a restore it takes the log from its start; else see its service's log")
    });
    let retrying = (consumer.redelivered > 0).then(|| {
        Finding::warning("process-retrying", name, format!("{} events are handed out again", consumer.redelivered))
            .because("handling them has failed; it is tried until it succeeds")
            .remedy("see its service's log for \"not handled\", and what stands against it")
    });
    [behind, retrying]
}
