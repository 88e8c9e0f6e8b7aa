//! What a service is started with.

use super::given;

#[test]
fn tokens_that_anybody_can_sign_are_refused_in_production() {
    given(|facts| facts.settings.as_mut().unwrap().development_key = true)
        .then_error("development-key", &["test clock", "Anyone can sign", "--jwks"]);
    given(|facts| facts.settings.as_mut().unwrap().jwks_has_development_key = true)
        .then_error("development-key-in-jwks", &["Remove that key", "--jwks"]);
}

#[test]
fn a_service_does_not_sign_with_a_key_that_everybody_knows() {
    given(|facts| facts.settings.as_mut().unwrap().signs_with_development_key = true)
        .then_error("development-signing-key", &["openssl genpkey -algorithm ed25519", "--signing-key"]);
}

#[test]
fn nothing_leaves_the_machine_in_plain_text() {
    given(|facts| facts.settings.as_mut().unwrap().plain_text_grpc = true)
        .then_error("grpc-in-plain-text", &["--tls-cert", "--listen on 127.0.0.1"]);
    given(|facts| facts.settings.as_mut().unwrap().plain_text_nats = true)
        .then_error("nats-in-plain-text", &["--nats-ca"]);
}

#[test]
fn in_development_all_of_it_is_fine() {
    given(|facts| {
        facts.production = false;
        let settings = facts.settings.as_mut().unwrap();
        (settings.development_key, settings.jwks_has_development_key) = (true, true);
        (settings.plain_text_grpc, settings.plain_text_nats) = (true, true);
        settings.signs_with_development_key = true;
        facts.log.state.is().config.num_replicas = 1;
        facts.servers.clear();
    })
    .then_nothing();
}
