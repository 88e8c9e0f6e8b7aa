//! Where two contracts of a creator stand against each other.
//!
//! Invariant: symmetric: what stands against the one by a clause of the other stands against the other by that same
//! clause. Contracts of one brand never do.
//!
//! Exclusivity forbids work for other brands, not exclusivity for them: a window of one contract is held against the
//! work of the other, both ways. They meet where a category is the same as, part of or the whole of the other's, and
//! channels, territories and days overlap.

use tandem_money::dates::date_to_proto;
use tandem_proto::contracts::v1::{Commitment, ExclusivityConflict, ExclusivityWindow};

use super::commitment::WORLD;
use super::days::Days;
use super::taxonomy::taxonomy;

/// All that stands against `asked`, first what `other` forbids, then what it would forbid itself.
#[must_use]
pub fn conflicts(asked: &Commitment, other: &Commitment) -> Vec<ExclusivityConflict> {
    if asked.brand == other.brand || asked.contract == other.contract {
        return Vec::new();
    }
    let forbidden = Side { window_of: other, work_of: asked, forbidden_by_other: true };
    let forbids = Side { window_of: asked, work_of: other, forbidden_by_other: false };
    [forbidden, forbids].iter().flat_map(Side::conflicts).collect()
}

/// Exclusivity of one contract against the work of another.
struct Side<'a> {
    window_of: &'a Commitment,
    work_of: &'a Commitment,
    forbidden_by_other: bool,
}

impl Side<'_> {
    fn conflicts(&self) -> Vec<ExclusivityConflict> {
        let mut found = Vec::new();
        for window in &self.window_of.windows {
            let Some(days) = self.meet(window) else { continue };
            for exclusive in &window.categories {
                let worked = self.work_of.categories.iter().filter(|worked| taxonomy().excludes(exclusive, worked));
                found.extend(worked.map(|worked| self.conflict(window, exclusive, worked, days)));
            }
        }
        found
    }

    /// The days on which window and work meet, whatever the categories.
    fn meet(&self, window: &ExclusivityWindow) -> Option<Days> {
        let work = self.work_of;
        let exclusive = Days::from_proto(window.start_date.as_ref(), window.end_date.as_ref())?;
        let last = if work.open_ended { None } else { work.end_date.as_ref() };
        let worked = Days::from_proto(work.start_date.as_ref(), last)?;
        let channels = meet(&window.channels, &work.channels, |_| false);
        let territories = meet(&window.territories, &work.territories, |territory| territory == WORLD);
        exclusive.overlap(&worked).filter(|_| channels && territories)
    }

    fn conflict(&self, window: &ExclusivityWindow, exclusive: &str, worked: &str, days: Days) -> ExclusivityConflict {
        let (holder, worker) = (self.window_of, self.work_of);
        let (asked, other) = if self.forbidden_by_other { (worked, exclusive) } else { (exclusive, worked) };
        let other_contract = if self.forbidden_by_other { holder } else { worker };
        let relation = if exclusive == worked {
            String::new()
        } else if taxonomy().is_part_of(worked, exclusive) {
            format!(", which is part of {exclusive}")
        } else {
            format!(", which {exclusive} is part of")
        };
        let explanation = format!(
            "By its clause {}, {} of {} keeps the creator from work in {exclusive} for other brands; {} of {} is for \
             {worked}{relation}. They overlap {days}.",
            window.clause_id, holder.contract, holder.brand, worker.contract, worker.brand
        );
        ExclusivityConflict {
            contract: other_contract.contract.clone(),
            brand: other_contract.brand.clone(),
            clause_id: window.clause_id.clone(),
            forbidden_by_other: self.forbidden_by_other,
            category: asked.to_owned(),
            other_category: other.to_owned(),
            start_date: Some(date_to_proto(days.first())),
            end_date: days.last_to_proto(),
            explanation,
        }
    }
}

/// Whether two sets have something in common; an empty one has everything, as does one with a word for it.
fn meet(one: &[String], other: &[String], is_all: impl Fn(&str) -> bool) -> bool {
    let all = |set: &[String]| set.is_empty() || set.iter().any(|word| is_all(word));
    all(one) || all(other) || one.iter().any(|word| other.iter().any(|with| with.eq_ignore_ascii_case(word)))
}
