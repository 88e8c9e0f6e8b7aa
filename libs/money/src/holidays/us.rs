//! United States: the legal public holidays of federal law.
//!
//! Invariant: days on which an executive order closes the government are none of these.

use jiff::civil::Weekday::{Monday, Thursday};

use super::Calendar;
use super::rule::{OnWeekend::Nearest, fixed, nth};

pub(super) static FEDERAL: Calendar = Calendar {
    country_code: "US",
    except: &[],
    name: "United States, federal",
    source: "5 U.S.C. 6103(a); kept on Friday or Monday if on a weekend: 5 U.S.C. 6103(b), Executive Order 11582",
    checked: 2024..=2030,
    rules: &[
        fixed(1, 1).or(Nearest),   // New Year's Day
        nth(3, Monday, 1),         // Birthday of Martin Luther King, Jr.
        nth(3, Monday, 2),         // Washington's Birthday
        nth(-1, Monday, 5),        // Memorial Day
        fixed(6, 19).or(Nearest),  // Juneteenth
        fixed(7, 4).or(Nearest),   // Independence Day
        nth(1, Monday, 9),         // Labor Day
        nth(2, Monday, 10),        // Columbus Day
        fixed(11, 11).or(Nearest), // Veterans Day
        nth(4, Thursday, 11),      // Thanksgiving Day
        fixed(12, 25).or(Nearest), // Christmas Day
    ],
};
