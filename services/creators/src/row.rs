//! A row of an export, checked.
//!
//! Invariant: all that is wrong with a row is told at once, by field and with what to do, and no handle is repeated
//! in it.

use jiff::civil::Date;
use tandem_money::dates::date_from_proto;
use tandem_proto::FieldViolation;
use tandem_proto::creators::v1::{Channel, ChannelFigures, ImportCreatorRow, Platform};

use crate::handle::Handle;

const LONGEST_NAME: usize = 200;
const LONGEST_WORD: usize = 100;
const MOST_CATEGORIES: usize = 50;

/// A row that can be taken in.
pub(crate) struct Report {
    /// Whose channel it is about.
    pub(crate) handle: Handle,
    /// As people are shown it; may be empty.
    pub(crate) display_name: String,
    /// Day of the report, as a number: 20220930.
    pub(crate) day: i32,
    /// What goes into the log.
    pub(crate) channel: Channel,
}

impl Report {
    /// Reads a row. `latest` is the last day that a report can be of, `keyed_hash` the vault's.
    pub(crate) fn parse(
        row: &ImportCreatorRow,
        keyed_hash: impl Fn(&str, &str) -> String,
        latest: Date,
    ) -> Result<Self, Vec<FieldViolation>> {
        let mut wrong = Vec::new();
        let platform = Platform::try_from(row.platform).unwrap_or_default();
        if platform == Platform::Unspecified {
            wrong.push(FieldViolation::new("platform", "is not known; give INSTAGRAM, TIKTOK or YOUTUBE"));
        }
        let handle = Handle::parse(&row.handle).map_err(|violation| wrong.push(violation)).ok();
        let display_name = text("display_name", &row.display_name, LONGEST_NAME, &mut wrong);
        let audience_country = text("audience_country", &row.audience_country, LONGEST_WORD, &mut wrong);
        let categories = categories(&row.categories, &mut wrong);
        let day = figures(row.figures.as_ref(), latest, &mut wrong);
        let (Some(handle), true) = (handle, wrong.is_empty()) else { return Err(wrong) };
        let channel = Channel {
            channel_id: handle.channel_id(platform, keyed_hash),
            platform: row.platform,
            handle: String::new(),
            audience_country,
            categories,
            figures: row.figures,
        };
        Ok(Self { handle, display_name, day, channel })
    }
}

fn text(field: &'static str, value: &str, longest: usize, wrong: &mut Vec<FieldViolation>) -> String {
    let value = value.trim();
    if value.chars().count() > longest {
        wrong.push(FieldViolation::new(field, format!("is longer than {longest} characters; shorten it")));
    }
    value.to_owned()
}

fn categories(values: &[String], wrong: &mut Vec<FieldViolation>) -> Vec<String> {
    let mut categories: Vec<_> = values.iter().map(|value| value.trim().to_owned()).collect();
    categories.retain(|category| !category.is_empty());
    categories.sort_unstable();
    categories.dedup();
    if categories.len() > MOST_CATEGORIES || categories.iter().any(|it| it.chars().count() > LONGEST_WORD) {
        let limits = format!("has more than {MOST_CATEGORIES}, or one of more than {LONGEST_WORD} characters");
        wrong.push(FieldViolation::new("categories", format!("{limits}; leave out what is not a subject")));
    }
    categories
}

/// Checks the figures, and answers their day as a number.
fn figures(figures: Option<&ChannelFigures>, latest: Date, wrong: &mut Vec<FieldViolation>) -> i32 {
    let figures = figures.copied().unwrap_or_default();
    for (field, value) in [
        ("figures.followers", figures.followers),
        ("figures.average_engagements", figures.average_engagements),
        ("figures.authentic_engagements", figures.authentic_engagements),
        ("figures.average_views", figures.average_views),
        ("figures.average_likes", figures.average_likes),
        ("figures.average_comments", figures.average_comments),
        ("figures.average_shares", figures.average_shares),
    ] {
        if value < 0 {
            wrong.push(FieldViolation::new(field, format!("is {value}; give 0 or more, 0 if it was not reported")));
        }
    }
    let mut refuse = |description: String| {
        wrong.push(FieldViolation::new("figures.observe_date", description));
        0
    };
    let Some(date) = figures.observe_date else {
        return refuse("is missing; give the day on which the figures were reported".to_owned());
    };
    match date_from_proto(&date) {
        Err(error) => refuse(format!("can't be: {error}")),
        // The newest report counts: one of the year 2220 would keep out all others.
        Ok(day) if day > latest => refuse(format!("is {day}, in the future; give the day of the report")),
        Ok(_) => date.year * 10_000 + date.month * 100 + date.day,
    }
}

#[cfg(test)]
mod tests;
