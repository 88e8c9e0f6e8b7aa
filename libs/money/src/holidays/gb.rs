//! United Kingdom: the bank holidays of England and Wales. Scotland and Northern Ireland have others.
//!
//! Invariant: a holiday on a weekend is made up for on the next free weekday.

use jiff::civil::Weekday::Monday;

use super::Calendar;
use super::rule::{OnWeekend::Next, easter, fixed, nth};

pub(super) static ENGLAND_AND_WALES: Calendar = Calendar {
    country_code: "GB",
    except: &["GB-SCT", "GB-NIR"],
    name: "United Kingdom, England and Wales",
    source: "Banking and Financial Dealings Act 1971, s. 1 and Sch. 1 para. 1; by royal proclamation under s. 1(3): New \
             Year's Day, the first Monday in May, and substitutes for weekends; by common law: Good Friday and Christmas \
             Day",
    checked: 2024..=2030,
    rules: &[
        fixed(1, 1).or(Next),   // New Year's Day
        easter(-2),             // Good Friday
        easter(1),              // Easter Monday
        nth(1, Monday, 5),      // Early May bank holiday
        nth(-1, Monday, 5),     // Spring bank holiday
        nth(-1, Monday, 8),     // Summer bank holiday
        fixed(12, 25).or(Next), // Christmas Day
        fixed(12, 26).or(Next), // Boxing Day
    ],
};
