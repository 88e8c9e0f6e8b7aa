//! Whether a service may start as it was configured.
//!
//! Invariant: nothing is made, opened or served for production before this has found no error.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context as _, bail};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use tandem_client::tokens::{DEVELOPMENT_JWK, DEVELOPMENT_KEY};
use tandem_doctor::gather::{self, Scope};
use tandem_doctor::{Severity, examine};

use crate::config::{AuthSettings, DeploymentEnvironment, Settings};

/// Refuses to start for production on what could lose events, or lets anyone in.
///
/// # Errors
/// Everything that stands against it, each with what to do.
pub(crate) async fn check(settings: &Settings, nats: &async_nats::Client, keeps_vault: bool) -> anyhow::Result<()> {
    if settings.environment != DeploymentEnvironment::Production {
        return Ok(());
    }
    let scope = Scope { vault: keeps_vault, monitor: settings.nats_monitor.as_deref(), consumers: false };
    let mut facts = gather::nats(nats, &settings.stream, scope).await;
    facts.settings = Some(told(settings)?);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        examine(&facts).into_iter().partition(|finding| finding.severity == Severity::Error);
    for warning in warnings {
        tracing::warn!(code = warning.code, "{warning}");
    }
    if errors.is_empty() {
        return Ok(());
    }
    let list = errors.iter().enumerate().map(|(index, finding)| format!("\n{}. {finding}", index + 1));
    bail!("--environment production is refused as long as:{}", list.collect::<String>())
}

fn told(settings: &Settings) -> anyhow::Result<tandem_doctor::Settings> {
    let auth = &settings.auth;
    Ok(tandem_doctor::Settings {
        development_key: auth.development_key,
        jwks_has_development_key: jwks_has_development_key(auth)?,
        signs_with_development_key: auth.signing_key.as_deref().map(is_development_key).transpose()?.unwrap_or(false),
        stream_replicas: settings.stream_replicas,
        plain_text_grpc: settings.tls.tls_cert.is_none() && !settings.address(0).ip().is_loopback(),
        plain_text_nats: settings.nats.ca.is_none() && settings.nats.url.split(',').any(|url| !is_tls_or_local(url)),
    })
}

/// Whether what is sent there can't be read on the way.
fn is_tls_or_local(url: &str) -> bool {
    let (scheme, rest) = url.trim().split_once("://").unwrap_or(("nats", url.trim()));
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let address = |host: &str| host.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let without_port = host.rsplit_once(':').map_or(host, |(host, _)| host);
    let local = address(host).or_else(|| address(without_port)).is_some_and(|address| address.is_loopback());
    matches!(scheme, "tls" | "wss") || local || without_port == "localhost"
}

fn jwks_has_development_key(auth: &AuthSettings) -> anyhow::Result<bool> {
    let Some(path) = &auth.jwks else { return Ok(false) };
    let text = std::fs::read(path).with_context(|| format!("--jwks {} can't be read", path.display()))?;
    let set: JwkSet =
        serde_json::from_slice(&text).with_context(|| format!("--jwks {} is no JWK set", path.display()))?;
    let development: Jwk = serde_json::from_str(DEVELOPMENT_JWK)?;
    Ok(set.keys.iter().any(|jwk| x(jwk).is_some() && x(jwk) == x(&development)))
}

/// The public key itself, of an octet key pair.
fn x(jwk: &Jwk) -> Option<&str> {
    match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) => Some(&pair.x),
        _ => None,
    }
}

fn is_development_key(path: &Path) -> anyhow::Result<bool> {
    let pem =
        std::fs::read_to_string(path).with_context(|| format!("--signing-key {} can't be read", path.display()))?;
    Ok(body(&pem) == body(DEVELOPMENT_KEY))
}

/// What stands between the first and the last line of a PEM file, however it is broken into lines.
fn body(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(|line| line.chars().filter(|c| !c.is_whitespace()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_development_key_is_known_however_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signing.pem");
        std::fs::write(&file, DEVELOPMENT_KEY.replace("NX5f", "NX5f\r\n")).unwrap();
        assert!(is_development_key(&file).unwrap());
        std::fs::write(&file, DEVELOPMENT_KEY.replace("NX5f", "NX5g")).unwrap();
        assert!(!is_development_key(&file).unwrap());
    }

    #[test]
    fn plain_text_stays_on_this_machine() {
        for url in
            ["127.0.0.1", "nats://127.0.0.1:4222", "nats://[::1]:4222", "localhost:4222", "tls://u:p@nats.example"]
        {
            assert!(is_tls_or_local(url), "{url}");
        }
        for url in ["nats.example", "nats://u:p@10.0.0.1:4222", "nats://localhost.example", "nats://nats:4222"] {
            assert!(!is_tls_or_local(url), "{url}");
        }
    }

    #[test]
    fn the_development_key_is_known_under_another_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("jwks.json");
        let auth = AuthSettings { jwks: Some(file.clone()), ..Settings::default().auth };
        let renamed = DEVELOPMENT_JWK.replace("\"kid\":\"development\"", "\"kid\":\"production\"");
        std::fs::write(&file, format!("{{\"keys\":[{renamed}]}}")).unwrap();
        assert!(jwks_has_development_key(&auth).unwrap());
        let other = renamed.replace("9BqJv", "9BqJw");
        std::fs::write(&file, format!("{{\"keys\":[{other}]}}")).unwrap();
        assert!(!jwks_has_development_key(&auth).unwrap());
    }
}
