//! What a row may say.

use tandem_proto::google::r#type::Date as WireDate;
use tandem_vault::MasterKey;

use super::*;

fn row() -> ImportCreatorRow {
    ImportCreatorRow {
        platform: Platform::Instagram.into(),
        handle: "@Khaby.Lame".into(),
        display_name: " Khaby ".into(),
        audience_country: " Italy ".into(),
        categories: vec!["Humor".into(), " ".into(), "Arts".into(), "Humor ".into()],
        figures: Some(ChannelFigures {
            observe_date: Some(WireDate { year: 2022, month: 9, day: 30 }),
            followers: 80_000_000,
            ..Default::default()
        }),
    }
}

fn parse(row: &ImportCreatorRow) -> Result<Report, Vec<FieldViolation>> {
    let identity = |domain: &str, handle: &str| MasterKey::development().identity("acme", domain, handle);
    Report::parse(row, identity, jiff::civil::date(2022, 10, 1))
}

/// The one field at fault, and what is said of it.
fn refused(change: impl FnOnce(&mut ImportCreatorRow)) -> (String, String) {
    let mut row = row();
    change(&mut row);
    let mut wrong = parse(&row).err().expect("refused");
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    let FieldViolation { field, description } = wrong.remove(0);
    (field, description)
}

fn figures(row: &mut ImportCreatorRow) -> &mut ChannelFigures {
    row.figures.as_mut().unwrap()
}

#[test]
fn a_good_row_is_put_in_its_normal_form() {
    let report = parse(&row()).unwrap();
    assert_eq!((report.handle.as_str(), &report.display_name[..], report.day), ("khaby.lame", "Khaby", 20_220_930));
    assert_eq!((&report.channel.handle[..], &report.channel.audience_country[..]), ("", "Italy"));
    assert_eq!(report.channel.categories, ["Arts", "Humor"]);
    assert_eq!(report.channel.channel_id, MasterKey::development().identity("acme", "instagram", "khaby.lame"));
}

#[test]
fn the_same_handle_elsewhere_is_another_channel() {
    let elsewhere = ImportCreatorRow { platform: Platform::Tiktok.into(), ..row() };
    assert_ne!(parse(&elsewhere).unwrap().channel.channel_id, parse(&row()).unwrap().channel.channel_id);
}

#[test]
fn what_is_wrong_is_named_with_its_field_and_a_remedy() {
    type Change = fn(&mut ImportCreatorRow);
    let cases: [(Change, &str, &str); 10] = [
        (|row| row.platform = 0, "platform", "give INSTAGRAM, TIKTOK or YOUTUBE"),
        (|row| row.platform = 99, "platform", "give INSTAGRAM, TIKTOK or YOUTUBE"),
        (|row| row.handle = "@".into(), "handle", "give the account's name"),
        (|row| row.display_name = "x".repeat(201), "display_name", "shorten it"),
        (|row| row.audience_country = "x".repeat(101), "audience_country", "shorten it"),
        (|row| row.categories = vec!["x".repeat(101)], "categories", "leave out"),
        (|row| figures(row).followers = -5, "figures.followers", "is -5; give 0 or more"),
        (|row| figures(row).average_shares = i64::MIN, "figures.average_shares", "give 0 or more"),
        (|row| figures(row).observe_date = None, "figures.observe_date", "is missing; give the day"),
        (|row| row.figures = None, "figures.observe_date", "is missing; give the day"),
    ];
    for (change, field, says) in cases {
        let (named, description) = refused(change);
        assert_eq!(named, field);
        assert!(description.contains(says), "{field} {description}");
    }
}

#[test]
fn a_day_is_a_real_one_and_not_in_the_future() {
    let on = |year, month, day| {
        move |row: &mut ImportCreatorRow| {
            figures(row).observe_date = Some(WireDate { year, month, day });
        }
    };
    assert_eq!(refused(on(2022, 2, 30)).0, "figures.observe_date");
    assert_eq!(refused(on(2022, 9, 0)).0, "figures.observe_date");
    let (field, description) = refused(on(2022, 10, 2));
    assert_eq!(field, "figures.observe_date");
    assert!(description.contains("2022-10-02, in the future"), "{description}");
    let mut latest = row();
    on(2022, 10, 1)(&mut latest);
    assert!(parse(&latest).is_ok());
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let bad = ImportCreatorRow { platform: 0, handle: "a b".into(), figures: None, ..row() };
    let fields: Vec<_> = parse(&bad).err().unwrap().into_iter().map(|violation| violation.field).collect();
    assert_eq!(fields, ["platform", "handle", "figures.observe_date"]);
}
