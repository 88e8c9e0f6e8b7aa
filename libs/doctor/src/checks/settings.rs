//! What the service that is to start was told.
//!
//! Invariant: nothing that everybody knows proves anything in production.

use crate::facts::Facts;
use crate::finding::Finding;

const FORGED: &str =
    "anyone can sign with that key, as any user of any tenant, and set the time at which a request happens";

pub(super) fn check(facts: &Facts, findings: &mut Vec<Finding>) {
    let Some(settings) = facts.settings.as_ref().filter(|_| facts.production) else { return };
    if settings.development_key {
        findings.push(
            Finding::error(
                "development-key",
                "--development-key",
                "tokens of the development key and the test clock are on",
            )
            .because(FORGED)
            .remedy("leave it out, and name the public keys of your identity provider in --jwks"),
        );
    }
    if settings.jwks_has_development_key {
        findings.push(
            Finding::error("development-key-in-jwks", "--jwks", "the set has the public half of the development key")
                .because(FORGED)
                .remedy("remove that key from the set"),
        );
    }
    if settings.plain_text_grpc {
        findings.push(
            Finding::error("grpc-in-plain-text", "--listen", "requests come from other machines in plain text")
                .because("tokens and personal data can be read and altered on the way")
                .remedy(
                    "name a certificate in --tls-cert and --tls-key or, behind a proxy on this machine that speaks TLS, \
                     --listen on 127.0.0.1",
                ),
        );
    }
    if settings.plain_text_nats {
        findings.push(
            Finding::error("nats-in-plain-text", "--nats-url", "NATS is spoken to in plain text on another machine")
                .because("events can be read and altered on the way")
                .remedy("give the servers certificates (`tls {}` in their configuration) and name their authority in --nats-ca"),
        );
    }
    if settings.signs_with_development_key {
        findings.push(
            Finding::error("development-signing-key", "--signing-key", "it is the development key")
                .because("who takes this service's tokens has to trust a key that everybody knows")
                .remedy(
                    "make one with `openssl genpkey -algorithm ed25519`, name it here, and put its public half into the \
                     other services' --jwks",
                ),
        );
    }
}
