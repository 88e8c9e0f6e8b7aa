//! Counts as exports write them: `477900000`, `477900000.00`, `1,250,000`, `477.9M`, `12.3K`.
//!
//! Invariant: a text is read as one number or refused, never guessed; no floating point is involved.

/// Factors of the suffixes, either case.
const SUFFIXES: [(char, u64); 3] = [('K', 1_000), ('M', 1_000_000), ('B', 1_000_000_000)];

/// A count. Empty text is 0, which stands for "not reported".
///
/// # Errors
/// Says what is wrong with the text and what to write instead.
pub fn parse_count(text: &str) -> Result<i64, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(0);
    }
    if text.starts_with('-') {
        return Err(format!("{text:?} is negative; a count is 0 or more"));
    }
    let refused = || format!("{text:?} is not a count; write it as 12300, 12300.00, 12,300 or 12.3K");
    let (digits, factor) = split_suffix(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.ends_with('.') || !is_digits(fraction) {
        return Err(refused());
    }
    if factor == 1 && fraction.len() == 3 {
        return Err(format!("{text:?} may be thousands or a fraction; write it without the point"));
    }
    let whole = ungrouped(whole).ok_or_else(refused)?;
    let too_large = || format!("{text:?} is too large for a count");
    let whole: u64 = whole.parse().map_err(|_| too_large())?;
    let whole = whole.checked_mul(factor).ok_or_else(too_large)?;
    // The fraction's digits weigh factor/10, factor/100, ...
    let (mut part, mut weight) = (0, factor);
    for digit in fraction.bytes().map(|byte| u64::from(byte - b'0')) {
        if digit != 0 && weight % 10 != 0 {
            return Err(format!("{text:?} is not a whole number; round it"));
        }
        weight /= 10;
        part += digit * weight;
    }
    whole.checked_add(part).and_then(|count| i64::try_from(count).ok()).ok_or_else(too_large)
}

fn split_suffix(text: &str) -> (&str, u64) {
    for (suffix, factor) in SUFFIXES {
        if let Some(digits) = text.strip_suffix([suffix, suffix.to_ascii_lowercase()]) {
            return (digits.trim_end(), factor);
        }
    }
    (text, 1)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The digits of a whole number, which may be grouped by commas in threes.
fn ungrouped(text: &str) -> Option<String> {
    let groups: Vec<&str> = text.split(',').collect();
    let well_formed = match groups.as_slice() {
        [only] => !only.is_empty() && is_digits(only),
        [first, rest @ ..] => {
            (1..=3).contains(&first.len()) && is_digits(first) && rest.iter().all(|g| g.len() == 3 && is_digits(g))
        }
        [] => false,
    };
    well_formed.then(|| groups.concat())
}

#[cfg(test)]
mod tests {
    use super::parse_count;

    #[test]
    fn exports_write_counts_in_many_ways() {
        for (text, count) in [
            ("", 0),
            ("  ", 0),
            ("0", 0),
            ("999", 999),
            ("477900000.00", 477_900_000),
            ("477.9M", 477_900_000),
            ("12.3K", 12_300),
            ("12.3k", 12_300),
            ("1.2 B", 1_200_000_000),
            ("845.8K", 845_800),
            ("1,250,000", 1_250_000),
            ("1.250M", 1_250_000),
            ("1.500000M", 1_500_000),
            ("9223372036854775807", i64::MAX),
        ] {
            assert_eq!(parse_count(text), Ok(count), "{text:?}");
        }
    }

    #[test]
    fn what_could_mean_something_else_is_refused() {
        for (text, why) in [
            ("-5", "negative"),
            ("-1.5K", "negative"),
            ("12.5", "round it"),
            ("1.2345K", "round it"),
            ("12.000", "thousands or a fraction"),
            ("1,25", "not a count"),
            ("1.250.000", "not a count"),
            ("n/a", "not a count"),
            ("12.3X", "not a count"),
            ("K", "not a count"),
            (".5M", "not a count"),
            ("5.", "not a count"),
            ("1e6", "not a count"),
            ("+5", "not a count"),
            ("٣", "not a count"),
            ("9223372036854775808", "too large"),
            ("99999999999B", "too large"),
        ] {
            let error = parse_count(text).unwrap_err();
            assert!(error.contains(why) && error.contains(text), "{text:?}: {error}");
        }
    }
}
