//! France: the fêtes légales of labour law.
//!
//! Invariant: what only Alsace and Moselle keep (Good Friday, 26 December) is none of these.

use super::Calendar;
use super::rule::{easter, fixed};

pub(super) static NATIONWIDE: Calendar = Calendar {
    country_code: "FR",
    except: &[],
    name: "France, nationwide",
    source: "Code du travail, art. L. 3133-1",
    checked: 2024..=2030,
    rules: &[
        fixed(1, 1),   // 1er janvier
        easter(1),     // Lundi de Pâques
        fixed(5, 1),   // 1er mai
        fixed(5, 8),   // 8 mai
        easter(39),    // Ascension
        easter(50),    // Lundi de Pentecôte
        fixed(7, 14),  // 14 juillet
        fixed(8, 15),  // Assomption
        fixed(11, 1),  // Toussaint
        fixed(11, 11), // 11 novembre
        fixed(12, 25), // Noël
    ],
};
