use std::path::Path;

use tandem_client::tokens::{Claims, SigningKey};
use tonic_types::StatusExt as _;

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn settings(jwks: Option<&Path>, development_key: bool) -> AuthSettings {
    AuthSettings { jwks: jwks.map(Into::into), development_key, ..crate::Settings::default().auth }
}

fn claims() -> Claims {
    Claims::new("users/ada", "acme").with_permissions(["*"])
}

fn tell(authenticator: &Authenticator, token: &str) -> Result<Arc<Caller>, String> {
    let header = HeaderValue::from_str(&format!("Bearer {token}")).unwrap();
    authenticator.authenticate(Some(&header)).map_err(|problem| {
        let status = tonic::Status::from(problem);
        assert_eq!(status.code(), tonic::Code::Unauthenticated);
        format!("{}: {}", status.get_error_details().error_info().unwrap().reason, status.message())
    })
}

/// A new Ed25519 key with the public half as a JWK.
#[expect(clippy::disallowed_methods, reason = "random bytes for a key; no id is made of them")]
fn new_key(kid: &str) -> (SigningKey, serde_json::Value) {
    use base64::Engine as _;
    use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
    // PKCS #8 version 1 of an Ed25519 key (RFC 8410, 7): a fixed prefix and 32 random bytes.
    let mut der = hex("302e020100300506032b657004220420");
    der.extend(uuid::Uuid::new_v4().as_bytes());
    der.extend(uuid::Uuid::new_v4().as_bytes());
    let encoded = base64::engine::general_purpose::STANDARD.encode(&der);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{encoded}\n-----END PRIVATE KEY-----\n");
    let key = EncodingKey::from_ed_pem(pem.as_bytes()).unwrap();
    let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).unwrap();
    jwk.common.key_id = Some(kid.to_owned());
    (SigningKey::from_pem(kid, pem.as_bytes()).unwrap(), serde_json::to_value(jwk).unwrap())
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

fn write_set(path: &Path, keys: &[&serde_json::Value]) {
    std::fs::write(path, serde_json::json!({ "keys": keys }).to_string()).unwrap();
}

#[test]
fn a_good_token_tells_the_caller() {
    let authenticator = Authenticator::new(&settings(None, true)).unwrap();
    let token = SigningKey::development().mint(&claims(), HOUR);
    let caller = tell(&authenticator, &token).unwrap();
    assert_eq!((&caller.tenant[..], &caller.actor[..]), ("acme", "users/ada"));
    assert!(Arc::ptr_eq(&caller, &tell(&authenticator, &token).unwrap()), "the second time from memory");
}

#[test]
fn each_failure_has_its_reason() {
    let authenticator = Authenticator::new(&settings(None, true)).unwrap();
    let key = SigningKey::development();
    let with = |change: &dyn Fn(&mut Claims)| {
        let mut claims = claims();
        change(&mut claims);
        tell(&authenticator, &key.mint(&claims, HOUR)).unwrap_err()
    };
    let good = key.mint(&claims(), HOUR);
    let (body, signature) = good.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    let forged = format!("{body}.{other}{}", &signature[1..]);
    let other_key = new_key("development").0.mint(&claims(), HOUR);
    let unknown_kid = new_key("unknown").0.mint(&claims(), HOUR);
    let failures = [
        (with(&|claims| claims.iss = "https://elsewhere.example".into()), "TOKEN_INVALID", "issuer"),
        (with(&|claims| claims.aud = "other".into()), "TOKEN_INVALID", "audience"),
        (with(&|claims| claims.tenant = "a.b".into()), "TOKEN_INVALID", "tenant"),
        (with(&|claims| claims.sub = "ada".into()), "TOKEN_INVALID", "sub"),
        (with(&|claims| claims.creator = Some("c1".into())), "TOKEN_INVALID", "creator"),
        (tell(&authenticator, "x").unwrap_err(), "TOKEN_INVALID", "not a JWT"),
        (tell(&authenticator, &"x".repeat(9000)).unwrap_err(), "TOKEN_INVALID", "longer"),
        (tell(&authenticator, &forged).unwrap_err(), "TOKEN_INVALID", "signature"),
        (tell(&authenticator, &other_key).unwrap_err(), "TOKEN_INVALID", "signature"),
        (tell(&authenticator, &unknown_kid).unwrap_err(), "TOKEN_INVALID", "kid"),
    ];
    for (failure, reason, word) in &failures {
        assert!(failure.starts_with(reason) && failure.contains(word), "{failure}");
    }
}

#[test]
fn no_token_is_another_reason_than_a_bad_one() {
    let authenticator = Authenticator::new(&settings(None, true)).unwrap();
    for header in [None, Some("Basic abc"), Some("Bearer "), Some("Bearer")] {
        let header = header.map(HeaderValue::from_static);
        let problem = authenticator.authenticate(header.as_ref()).unwrap_err();
        let details = tonic::Status::from(problem).get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "TOKEN_MISSING");
    }
}

#[test]
fn times_are_checked() {
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
    let authenticator = Authenticator::new(&settings(None, true)).unwrap();
    let key = EncodingKey::from_ed_pem(tandem_client::tokens::DEVELOPMENT_KEY.as_bytes()).unwrap();
    let at = |nbf: f64, exp: f64| {
        let header = Header { kid: Some("development".into()), ..Header::new(Algorithm::EdDSA) };
        let mut body = serde_json::to_value(claims()).unwrap();
        body["nbf"] = (now() + nbf).into();
        body["exp"] = (now() + exp).into();
        tell(&authenticator, &encode(&header, &body, &key).unwrap())
    };
    assert!(at(-10.0, 60.0).is_ok());
    assert!(at(-7200.0, -3600.0).unwrap_err().starts_with("TOKEN_EXPIRED"));
    assert!(at(3600.0, 7200.0).unwrap_err().contains("not valid yet"));
}

#[test]
fn a_token_expires_in_memory_too() {
    let authenticator = Authenticator::new(&settings(None, true)).unwrap();
    let caller = Arc::new(
        Caller::new(
            serde_json::from_value(serde_json::json!({ "sub": "users/ada", "tenant": "acme", "exp": 0 })).unwrap(),
        )
        .unwrap(),
    );
    authenticator.verified.insert(
        "kept".into(),
        Arc::new(Verified { caller, generation: authenticator.keys.generation(), expires: now() - 1.0 }),
    );
    assert!(tell(&authenticator, "kept").unwrap_err().starts_with("TOKEN_EXPIRED"));
}

#[test]
fn a_changed_key_set_is_read_and_what_the_old_keys_verified_is_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let ((old, old_jwk), (new, new_jwk)) = (new_key("2026-01"), new_key("2026-02"));
    write_set(&path, &[&old_jwk]);
    let authenticator = Authenticator::with_keys_interval(&settings(Some(&path), false), Duration::ZERO).unwrap();
    let (old, new) = (old.mint(&claims(), HOUR), new.mint(&claims(), HOUR));
    assert!(tell(&authenticator, &old).is_ok());
    assert!(tell(&authenticator, &new).is_err());

    write_set(&path, &[&old_jwk, &new_jwk]);
    assert!(tell(&authenticator, &new).is_ok());
    assert!(tell(&authenticator, &old).is_ok());

    std::fs::write(&path, "half a fi").unwrap();
    assert!(tell(&authenticator, &new).is_ok(), "goes on with the keys read before");

    write_set(&path, &[&new_jwk]);
    assert!(tell(&authenticator, &old).unwrap_err().contains("kid"));
    assert!(tell(&authenticator, &new).is_ok());
}

#[test]
fn the_file_is_not_read_for_every_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    let ((_, old_jwk), (new, new_jwk)) = (new_key("2026-01"), new_key("2026-02"));
    write_set(&path, &[&old_jwk]);
    let authenticator = Authenticator::with_keys_interval(&settings(Some(&path), false), HOUR).unwrap();
    let new = new.mint(&claims(), HOUR);
    assert!(tell(&authenticator, &new).is_err(), "this was the reading of the hour");
    write_set(&path, &[&old_jwk, &new_jwk]);
    assert!(tell(&authenticator, &new).is_err());
}

#[test]
fn the_development_key_is_taken_only_if_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    write_set(&path, &[&new_key("2026-01").1]);
    let authenticator = Authenticator::new(&settings(Some(&path), false)).unwrap();
    let token = SigningKey::development().mint(&claims(), HOUR);
    assert!(tell(&authenticator, &token).unwrap_err().contains("kid"));
}

#[test]
fn an_empty_key_set_is_told_at_startup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, "").unwrap();
    let error = Authenticator::new(&settings(Some(&path), false)).err().expect("refused");
    assert!(error.to_string().contains("is no JWK set"), "{error:#}");
}

#[tokio::test]
async fn a_flood_of_forgeries_is_refused_and_known_tokens_are_not() {
    let authenticator = Authenticator::new(&settings(None, true)).unwrap();
    let known = header(&SigningKey::development().mint(&claims(), HOUR));
    authenticator.verified(Some(&known)).await.unwrap();
    // All turns are taken, as by verifications that go on.
    let turns = authenticator.turns.acquire_many(u32::try_from(authenticator.turns.available_permits()).unwrap());
    let turns = turns.await.unwrap();
    let forged: Vec<_> = (0..=WAITING).map(|n| header(&format!("forged-{n}"))).collect();
    let mut waiting: Vec<_> =
        forged[..WAITING].iter().map(|forged| Box::pin(authenticator.verified(Some(forged)))).collect();
    for waiting in &mut waiting {
        assert!(futures::poll!(waiting).is_pending());
    }
    let refused = tonic::Status::from(authenticator.verified(Some(&forged[WAITING])).await.unwrap_err());
    assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().metadata["limit"], "verification");
    assert!(details.retry_info().is_some());
    assert!(authenticator.known(Some(&known)).unwrap().is_some(), "who is known does not wait");

    drop(turns);
    for waiting in waiting {
        assert_eq!(tonic::Status::from(waiting.await.unwrap_err()).code(), tonic::Code::Unauthenticated);
    }
    let new = header(&SigningKey::development().mint(&Claims::new("users/eve", "acme"), HOUR));
    authenticator.verified(Some(&new)).await.expect("there is room again");
}

fn header(token: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("Bearer {token}")).unwrap()
}
