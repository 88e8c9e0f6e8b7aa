//! Instants from and to `google.protobuf.Timestamp`.
//!
//! Invariant: what goes to the wire comes back the same, to the nanosecond.

use jiff::Timestamp;

/// The instant as a protobuf timestamp.
#[must_use]
pub fn to_proto(instant: Timestamp) -> prost_types::Timestamp {
    // A protobuf timestamp counts nanoseconds forwards, also before 1970.
    let (mut seconds, mut nanos) = (instant.as_second(), instant.subsec_nanosecond());
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    prost_types::Timestamp { seconds, nanos }
}

/// A protobuf timestamp as an instant; none if it is out of range (years 1 to 9999, nanos 0 to 999,999,999).
#[must_use]
pub fn from_proto(timestamp: &prost_types::Timestamp) -> Option<Timestamp> {
    if !(0..1_000_000_000).contains(&timestamp.nanos) {
        return None;
    }
    Timestamp::new(timestamp.seconds, timestamp.nanos).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_come_back_the_same() {
        for text in ["2026-03-29T01:59:59.999999999Z", "1969-12-31T23:59:59.5Z", "1970-01-01T00:00:00Z"] {
            let instant: Timestamp = text.parse().unwrap();
            let proto = to_proto(instant);
            assert!((0..1_000_000_000).contains(&proto.nanos));
            assert_eq!(from_proto(&proto), Some(instant));
        }
    }

    #[test]
    fn out_of_range_is_none() {
        assert_eq!(from_proto(&prost_types::Timestamp { seconds: 0, nanos: -1 }), None);
        assert_eq!(from_proto(&prost_types::Timestamp { seconds: i64::MAX, nanos: 0 }), None);
    }
}
