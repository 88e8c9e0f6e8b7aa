//! Sealing and opening with XChaCha20-Poly1305.
//!
//! Invariant: what was sealed for one place opens at no other, because the place is authenticated with it. Nonces are
//! random; with 192 bits they do not repeat.

use chacha20poly1305::aead::{Aead, Generate, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_SIZE: usize = 32;
const NONCE_SIZE: usize = 24;

/// A key for sealing; overwritten in memory when dropped.
pub type SecretKey = Zeroizing<[u8; KEY_SIZE]>;

/// The sealed bytes don't open here: another key, another place, or altered.
#[derive(Debug, PartialEq, Eq)]
pub struct Sealed;

/// A new random key from the system's source.
pub fn random_key() -> SecretKey {
    Zeroizing::new(Key::generate().into())
}

/// Nonce and ciphertext of `plaintext`, for `place` alone.
pub fn seal(key: &SecretKey, place: &[&str], plaintext: &[u8]) -> Vec<u8> {
    let nonce = XNonce::generate();
    let payload = Payload { msg: plaintext, aad: &joined(place) };
    #[expect(clippy::expect_used, reason = "fails for 256 GiB and more only, which does not fit into a message")]
    let ciphertext = cipher(key).encrypt(&nonce, payload).expect("plaintext fits");
    [nonce.as_slice(), &ciphertext].concat()
}

/// The plaintext of what was sealed with `key` for `place`.
pub fn open(key: &SecretKey, place: &[&str], sealed: &[u8]) -> Result<Vec<u8>, Sealed> {
    let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_SIZE>().ok_or(Sealed)?;
    let payload = Payload { msg: ciphertext, aad: &joined(place) };
    cipher(key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| Sealed)
}

/// The parts with their lengths before them, so that no two lists of parts give the same bytes.
pub fn joined(parts: &[&str]) -> Vec<u8> {
    parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes(), part.as_bytes()].concat()).collect()
}

fn cipher(key: &SecretKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&Key::from(**key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_with_the_same_key_at_the_same_place_only() {
        let key = random_key();
        let sealed = seal(&key, &["acme", "ann", "email"], b"ann@example.com");
        assert_eq!(open(&key, &["acme", "ann", "email"], &sealed), Ok(b"ann@example.com".to_vec()));
        assert_eq!(open(&key, &["acme", "ann", "phone"], &sealed), Err(Sealed));
        assert_eq!(open(&key, &["acme", "annemail", ""], &sealed), Err(Sealed));
        assert_eq!(open(&random_key(), &["acme", "ann", "email"], &sealed), Err(Sealed));
    }

    #[test]
    fn altered_or_cut_bytes_do_not_open() {
        let key = random_key();
        let sealed = seal(&key, &[], b"text");
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(open(&key, &[], &altered), Err(Sealed), "byte {at}");
            assert_eq!(open(&key, &[], &sealed[..at]), Err(Sealed), "{at} bytes");
        }
    }
}
