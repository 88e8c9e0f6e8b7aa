//! `tandem token`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tandem_client::{Claims, DEFAULT_AUDIENCE, DEFAULT_ISSUER, SigningKey};
use tandem_service::Caller;

use crate::cli::wrong_arguments;
use crate::vocabulary;

/// Mint a token
///
/// It is signed with the development key, which only a Tandem in development takes, or with a key of your own. The
/// token goes to stdout: TOKEN=$(tandem token --tenant acme --subject users/maria --permission 'contracts.*')
#[derive(clap::Args, Clone, Debug)]
pub(crate) struct Token {
    /// Tenant that everything done with it belongs to
    #[arg(long, value_name = "TENANT")]
    tenant: String,
    /// Who acts with it, as the log records it: users/{user} or services/{service}. No personal data
    #[arg(long, value_name = "ACTOR")]
    subject: String,
    /// What it allows, such as contracts.sign or contracts.*; repeat for more [default: everything]
    #[arg(long = "permission", value_name = "PERMISSION", default_value = "*", hide_default_value = true)]
    permissions: Vec<String>,
    /// Makes it the token of this creator, who reaches only what is theirs: creators/{creator}
    #[arg(long, value_name = "CREATOR")]
    creator: Option<String>,
    /// How long it is valid: 90s, 15m, 1h, 7d
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "1h")]
    ttl: Duration,
    /// Private key to sign with (Ed25519, PKCS #8 PEM), instead of the development key
    #[arg(long, value_name = "FILE", requires = "key_id")]
    signing_key: Option<PathBuf>,
    /// Key id (`kid`) by which the services find the public half of --signing-key
    #[arg(long, value_name = "KID", requires = "signing_key")]
    key_id: Option<String>,
    /// Issuer (`iss`)
    #[arg(long, value_name = "ISS", default_value = DEFAULT_ISSUER)]
    issuer: String,
    /// Audience (`aud`)
    #[arg(long, value_name = "AUD", default_value = DEFAULT_AUDIENCE)]
    audience: String,
}

impl Token {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        Caller::check(&self.tenant, &self.subject, self.creator.as_deref())
            .map_err(|problem| wrong_arguments(format_args!("every service would refuse the token: {problem}")))?;
        self.warn_of_unknown_permissions();
        let key = match (&self.signing_key, &self.key_id) {
            (Some(file), Some(id)) => {
                let pem = std::fs::read(file).with_context(|| format!("--signing-key {}", file.display()))?;
                SigningKey::from_pem(id, &pem).with_context(|| format!("--signing-key {}", file.display()))?
            }
            _ => SigningKey::development(),
        };
        let mut claims = Claims::new(self.subject, self.tenant).with_permissions(self.permissions);
        (claims.iss, claims.aud) = (self.issuer, self.audience);
        claims.creator = self.creator;
        crate::output::line(key.mint(&claims, self.ttl))?;
        Ok(ExitCode::SUCCESS)
    }

    /// They are minted all the same: the services may be newer than this program.
    fn warn_of_unknown_permissions(&self) {
        for permission in self.permissions.iter().filter(|permission| !vocabulary::is_permission(permission)) {
            let known = vocabulary::permissions_like(permission).join(", ");
            eprintln!("tandem: warning: no method needs the permission {permission:?}; there are: {known}");
        }
    }
}

/// "90s", "15m", "1h", "7d".
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write it as 90s, 15m, 1h or 7d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = text[..text.len() - 1].parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(factor).filter(|seconds| *seconds > 0).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("7d"), Ok(Duration::from_secs(604_800)));
        for wrong in ["", "1", "h", "0h", "-1h", "1.5h", "1w", "é", "99999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }
}
