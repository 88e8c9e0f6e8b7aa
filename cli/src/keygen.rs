//! `tandem keygen`.
//!
//! Invariant: a key that is there is never replaced, and none is ever printed.

use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use serde_json::json;
use tandem_client::Service;

use crate::output::line;

/// What stands before the 32 bytes of an Ed25519 private key in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// Services that call others, and sign their tokens for it.
const CALLERS: [Service; 2] = [Service::Campaigns, Service::Payouts];

/// Make the keys of a new installation
///
/// For each service a folder with what it alone may have: the seed of its NATS user, the key that signs its tokens, the
/// master key of the vault. Beside them their public halves: nats-users.env for the NATS servers, and jwks.json for all
/// services, to which the keys of your identity provider are to be added.
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Keygen {
    /// Folder to be made for them; keep what is in it out of every repository
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

impl Keygen {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        generate(&self.out).with_context(|| format!("--out {}", self.out.display()))?;
        line(format_args!("keys are in {}; docs/kubernetes.md tells where they go", self.out.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Writes all keys of an installation into a new folder.
///
/// # Errors
/// If the folder is there already, or can't be written.
fn generate(out: &Path) -> anyhow::Result<()> {
    folder(out)?;
    let mut users = String::new();
    let names = Service::ALL.iter().map(|service| service.name());
    for name in names.chain(["operator", "system"]) {
        let user = KeyPair::new_user();
        folder(&out.join(name))?;
        secret(&out.join(name).join("nats.nk"), &user.seed()?)?;
        users += &format!("NATS_{}_NKEY={}\n", name.to_ascii_uppercase(), user.public_key());
    }
    secret(&out.join("nats-users.env"), &users)?;
    let mut keys = Vec::new();
    for service in CALLERS {
        let pair = KeyPair::new_user();
        let (_, public) = nkeys::from_public_key(&pair.public_key())?;
        secret(&out.join(service.name()).join("signing.pem"), &pem(&random(&pair)?))?;
        let x = BASE64_URL_SAFE_NO_PAD.encode(public);
        keys.push(json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": service.name(), "x": x}));
    }
    secret(&out.join("jwks.json"), &serde_json::to_string_pretty(&json!({ "keys": keys }))?)?;
    let vault = BASE64_STANDARD.encode(random(&KeyPair::new_user())?);
    secret(&out.join(Service::Creators.name()).join("vault.key"), &vault)?;
    folder(&out.join("routes"))?;
    // A letter first: the server would read some hexadecimal numbers as such.
    let password: String = random(&KeyPair::new_user())?.iter().map(|byte| format!("{byte:02x}")).collect();
    secret(&out.join("routes").join("password"), &format!("R{password}"))
}

/// The 32 random bytes that a pair of keys is made from.
fn random(pair: &KeyPair) -> anyhow::Result<[u8; 32]> {
    Ok(nkeys::decode_seed(&pair.seed()?)?.1)
}

fn pem(key: &[u8; 32]) -> String {
    let der: Vec<u8> = PKCS8.iter().chain(key).copied().collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", BASE64_STANDARD.encode(der))
}

fn folder(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new().mode(0o700).create(path).with_context(|| format!("{} can't be made", path.display()))
}

fn secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = File::options().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("{} can't be written", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::Duration;

    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode};
    use tandem_client::{Claims, SigningKey};
    use tandem_vault::MasterKey;

    use super::*;

    #[test]
    fn what_is_made_is_what_services_and_nats_take() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        generate(&keys).unwrap();
        let read = |file: &str| std::fs::read_to_string(keys.join(file)).unwrap();
        let users = read("nats-users.env");
        for name in ["creators", "contracts", "campaigns", "payouts", "relationships", "operator", "system"] {
            let user = KeyPair::from_seed(&read(&format!("{name}/nats.nk"))).unwrap();
            let variable = format!("NATS_{}_NKEY={}", name.to_uppercase(), user.public_key());
            assert!(users.lines().any(|line| line == variable), "{variable} is not in\n{users}");
        }
        let jwks: serde_json::Value = serde_json::from_str(&read("jwks.json")).unwrap();
        for (at, service) in ["campaigns", "payouts"].into_iter().enumerate() {
            SigningKey::from_pem(service, read(&format!("{service}/signing.pem")).as_bytes()).unwrap();
            assert_eq!(jwks["keys"][at]["kid"], service);
        }
        assert!(!MasterKey::from_file(&keys.join("creators/vault.key")).unwrap().is_development());
        assert_eq!(keys.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(keys.join("creators/nats.nk").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn the_public_half_verifies_what_the_private_one_signs() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        generate(&keys).unwrap();
        let pem = std::fs::read(keys.join("payouts/signing.pem")).unwrap();
        let claims = Claims::new("services/payouts", "acme");
        let token = SigningKey::from_pem("payouts", &pem).unwrap().mint(&claims, Duration::from_secs(60));
        let jwks = std::fs::read(keys.join("jwks.json")).unwrap();
        let jwks: JwkSet = serde_json::from_slice(&jwks).unwrap();
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&[&claims.aud]);
        let key = DecodingKey::from_jwk(jwks.find("payouts").unwrap()).unwrap();
        let verified: TokenData<Claims> = decode(&token, &key, &rules).unwrap();
        assert_eq!(verified.claims, claims);
    }

    #[test]
    fn keys_that_are_there_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys");
        generate(&keys).unwrap();
        let before = std::fs::read(keys.join("creators/vault.key")).unwrap();
        let error = format!("{:#}", generate(&keys).unwrap_err());
        assert!(error.contains("can't be made"), "{error}");
        assert_eq!(std::fs::read(keys.join("creators/vault.key")).unwrap(), before);
    }
}
