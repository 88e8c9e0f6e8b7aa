//! The key that development trusts.
//!
//! Invariant: it is public, so a deployment must not trust it; it is here to let everything run without an issuer.

/// Name of the development key, `kid` of the tokens that it signs.
pub const DEVELOPMENT_KEY_ID: &str = "development";

/// Private Ed25519 key (PKCS#8 PEM) of development. Known to everyone: whoever trusts it trusts anyone.
pub const DEVELOPMENT_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEICNX5fnwrjOq/pqqCQx1LwTvOcjRtAIvMjgpir5PxXD9
-----END PRIVATE KEY-----
";

/// The public half of [`DEVELOPMENT_KEY`], a JSON Web Key (RFC 8037), for servers in development.
pub const DEVELOPMENT_JWK: &str = r#"{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"development","x":"9BqJvOfFYxVt3wIo32yzLeZInAEfBVRw2ftZtpvJ0H8"}"#;

#[cfg(test)]
mod tests {
    use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode};

    use super::*;
    use crate::tokens::{Claims, DEFAULT_AUDIENCE, DEFAULT_ISSUER, SigningKey};

    #[test]
    fn the_public_key_verifies_what_the_private_key_signs() {
        let claims = Claims::new("users/ada", "acme").with_permissions(["contracts.*"]);
        let token = SigningKey::development().mint(&claims, std::time::Duration::from_secs(60));

        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_audience(&[DEFAULT_AUDIENCE]);
        rules.set_issuer(&[DEFAULT_ISSUER]);
        let key = DecodingKey::from_jwk(&serde_json::from_str(DEVELOPMENT_JWK).unwrap()).unwrap();
        let verified: TokenData<Claims> = decode(&token, &key, &rules).unwrap();

        assert_eq!(verified.claims, claims);
        assert_eq!(verified.header.kid.as_deref(), Some(DEVELOPMENT_KEY_ID));
    }
}
