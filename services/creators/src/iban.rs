//! IBANs (ISO 13616): is this one that a bank could have given out?
//!
//! Invariant: a slip of one character, or of two that changed places, is found: that is what the check digits are for.

/// Countries whose banks use IBANs, each with the length of theirs: the IBAN registry that SWIFT keeps for ISO.
const LENGTHS: &str = "\
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 \
    DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 \
    IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 \
    MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 \
    SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30";

/// The country of the account, ISO 3166-1 alpha-2 (XK for Kosovo).
///
/// # Errors
/// What is wrong with the IBAN, so that "payout_account.iban" before it makes a sentence. Does not repeat the IBAN.
pub(crate) fn country(iban: &str) -> Result<&str, String> {
    let prefix = iban.get(..2).unwrap_or_default();
    let known = LENGTHS.split(' ').find_map(|known| known.strip_prefix(prefix)).filter(|_| prefix.len() == 2);
    let Some(length) = known else {
        return Err("does not begin with a country that uses IBANs; give an account in one that does".to_owned());
    };
    if iban.len().to_string() != length {
        return Err(format!("has {} characters, but one of {prefix} has {length}; copy it again", iban.len()));
    }
    if remainder(iban) != Some(1) {
        return Err("has check digits that do not fit the rest; a character is wrong, copy it again".to_owned());
    }
    Ok(prefix)
}

/// ISO 7064, MOD 97-10: the first four characters moved to the end, letters as 10 to 35. None if it holds others.
fn remainder(iban: &str) -> Option<u32> {
    let (head, rest) = iban.split_at_checked(4)?;
    rest.chars().chain(head.chars()).try_fold(0, |remainder, character| {
        let value = character.to_digit(36)?;
        Some((remainder * if value < 10 { 10 } else { 100 } + value) % 97)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples of the registry, of which the shortest and the longest.
    const VALID: [&str; 7] = [
        "DE89370400440532013000",
        "GB29NWBK60161331926819",
        "FR1420041010050500013M02606",
        "NO9386011117947",
        "LC55HEMM000100010012001200023015",
        "MT84MALT011000012345MTLCAST001S",
        "CH9300762011623852957",
    ];

    #[test]
    fn valid_ones_tell_their_country() {
        for iban in VALID {
            assert_eq!(country(iban), Ok(&iban[..2]), "{iban}");
        }
    }

    #[test]
    fn the_registry_is_read_whole() {
        for known in LENGTHS.split(' ') {
            let (country, length) = known.split_at(2);
            assert!(country.bytes().all(|byte| byte.is_ascii_uppercase()), "{known}");
            assert!((15..=34).contains(&length.parse::<usize>().unwrap()), "{known}");
        }
    }

    #[test]
    fn every_slip_of_one_digit_and_every_swap_is_found() {
        for iban in VALID {
            let bytes = iban.as_bytes();
            for at in (2..bytes.len()).filter(|at| bytes[*at].is_ascii_digit()) {
                let mut slip = bytes.to_vec();
                slip[at] = if slip[at] == b'9' { b'0' } else { slip[at] + 1 };
                assert!(country(std::str::from_utf8(&slip).unwrap()).is_err(), "{iban} at {at}");
                let mut swap = bytes.to_vec();
                if at + 1 < swap.len() && swap[at] != swap[at + 1] {
                    swap.swap(at, at + 1);
                    assert!(country(std::str::from_utf8(&swap).unwrap()).is_err(), "{iban} swapped at {at}");
                }
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_number() {
        for (iban, says) in [
            ("US89370400440532013000", "does not begin with a country"),
            ("DE8937040044053201300", "has 21 characters, but one of DE has 22"),
            ("DE88370400440532013000", "check digits"),
            ("DE89 70400440532013000", "check digits"),
            ("", "does not begin"),
            ("\u{e4}\u{e4}", "does not begin"),
        ] {
            let error = country(iban).unwrap_err();
            assert!(error.contains(says) && !error.contains("3704"), "{iban}: {error}");
        }
    }
}
