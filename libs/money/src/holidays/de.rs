//! Germany: the holidays that all Länder have.
//!
//! Invariant: a day that only some Länder keep is none of these.

use super::Calendar;
use super::rule::{easter, fixed};

pub(super) static NATIONWIDE: Calendar = Calendar {
    country_code: "DE",
    except: &[],
    name: "Germany, nationwide",
    source: "Einigungsvertrag Art. 2(2) for 3 October; the others by the concordant Feiertagsgesetze of all Länder, for \
             example FTG Bayern Art. 1, Feiertagsgesetz NW § 2",
    checked: 2024..=2030,
    rules: &[
        fixed(1, 1),   // Neujahr
        easter(-2),    // Karfreitag
        easter(1),     // Ostermontag
        fixed(5, 1),   // Tag der Arbeit
        easter(39),    // Christi Himmelfahrt
        easter(50),    // Pfingstmontag
        fixed(10, 3),  // Tag der Deutschen Einheit
        fixed(12, 25), // 1. Weihnachtstag
        fixed(12, 26), // 2. Weihnachtstag
    ],
};
