//! Reading the real exports, and files that go wrong in the ways files do.

use super::*;

const INSTAGRAM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/creators-instagram");
const TIKTOK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/creators-tiktok");

fn real(path: &str) -> Vec<Row> {
    let mapping = Mapping::from_file(format!("{path}.toml").as_ref()).unwrap();
    let file = std::fs::File::open(format!("{path}-2022-09.csv")).unwrap();
    Rows::open(file, &mapping).unwrap().map(|row| row.unwrap().unwrap()).collect()
}

fn mapping(columns: &str) -> Mapping {
    Mapping::from_toml(&format!(
        "[fixed]\nplatform = \"tiktok\"\nobserve_date = \"2022-09-01\"\n[columns]\nhandle = \"Handle\"\n{columns}"
    ))
    .unwrap()
}

fn read(file: impl AsRef<[u8]>, mapping: &Mapping) -> Vec<Result<Row, Rejection>> {
    Rows::open(file.as_ref(), mapping).unwrap().map(Result::unwrap).collect()
}

/// Line and handle of what was read.
fn handles(rows: &[Result<Row, Rejection>]) -> Vec<(u64, &str)> {
    rows.iter().map(|row| row.as_ref().unwrap()).map(|row| (row.line, row.row.handle.as_str())).collect()
}

fn refused(file: &str, columns: &str) -> String {
    let Err(error) = Rows::open(file.as_bytes(), &mapping(columns)) else { panic!("{file:?} was taken") };
    error.to_string()
}

#[test]
fn the_instagram_export_is_read_completely() {
    let rows = real(INSTAGRAM);
    assert_eq!(rows.len(), 1050);
    // The header takes the first five lines.
    let Row { line, row } = &rows[0];
    assert_eq!((*line, row.handle.as_str(), row.display_name.as_str()), (6, "cristiano", "Cristiano Ronaldo"));
    assert_eq!(
        (row.audience_country.as_str(), row.categories.as_slice()),
        ("India", &["Sports with a ball".into()][..])
    );
    let figures = row.figures.as_ref().unwrap();
    assert_eq!(figures.followers, 477_900_000);
    assert_eq!((figures.authentic_engagements, figures.average_engagements), (5_000_000, 6_200_000));
    let date = figures.observe_date.as_ref().unwrap();
    assert_eq!((date.year, date.month, date.day), (2022, 9, 1));
    assert_eq!(rows[1].row.display_name, "Kylie 🤍");
    assert_eq!(rows[1].row.categories, ["Fashion", "Modeling"]);
    assert_eq!(rows.last().unwrap().line, 1055);
}

#[test]
fn the_tiktok_export_is_read_completely() {
    let rows = real(TIKTOK);
    assert_eq!(rows.len(), 1000);
    let Row { line, row } = &rows[0];
    assert_eq!((*line, row.handle.as_str()), (2, "jypestraykids"));
    let figures = row.figures.as_ref().unwrap();
    assert_eq!((figures.followers, figures.average_views), (13_800_000, 6_400_000));
    assert_eq!((figures.average_likes, figures.average_comments, figures.average_shares), (2_300_000, 50_200, 34_200));
}

#[test]
fn rounded_and_full_figures_of_the_exports_agree() {
    for (path, columns) in [(INSTAGRAM, ["Subscribers", "Subscribers#2"]), (TIKTOK, ["Views avg.#1", "Views avg.#2"])] {
        let [rounded, full] = columns.map(|column| {
            let mut mapping = Mapping::from_file(format!("{path}.toml").as_ref()).unwrap();
            mapping.columns.fields.insert(Field::Followers, Column::Header(column.to_owned()));
            let file = std::fs::File::open(format!("{path}-2022-09.csv")).unwrap();
            let rows = Rows::open(file, &mapping).unwrap();
            rows.map(|row| row.unwrap().unwrap().row.figures.unwrap().followers).collect::<Vec<_>>()
        });
        assert_eq!(rounded, full, "{path}");
    }
}

#[test]
fn lines_are_those_of_the_file() {
    let mapping = mapping("display_name = \"Name\"");
    for (what, end) in [("LF", "\n"), ("CRLF", "\r\n")] {
        let file =
            ["Handle,Name", "a,plain", "b,\"two", "lines, a \"\"quote\"\"\"", "", "", "c,\"after", "", "blank\"", "d,"];
        let rows = read(file.join(end), &mapping);
        assert_eq!(handles(&rows), [(2, "a"), (3, "b"), (7, "c"), (10, "d")], "{what}");
        assert_eq!(rows[1].as_ref().unwrap().row.display_name, format!("two{end}lines, a \"quote\""), "{what}");
    }
}

#[test]
fn records_longer_than_a_read_have_the_right_lines() {
    let long = "x\n".repeat(100_000);
    let rows = read(format!("Handle,Name\na,\"{long}\"\nb,y\n"), &mapping(""));
    assert_eq!(handles(&rows), [(2, "a"), (100_003, "b")]);
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_first_header() {
    assert_eq!(handles(&read("\u{feff}Handle\r\nann\r\n", &mapping(""))), [(2, "ann")]);
    assert_eq!(handles(&read("\u{feff}\"Handle\"\r\nann\r\n", &mapping(""))), [(2, "ann")]);
}

#[test]
fn headers_are_compared_as_people_read_them() {
    let rows = read("\"  hANDLE \r\n\",\"Avg.\n\n views \"\nann,7\n", &mapping("average_views = \"avg. views\""));
    assert_eq!(rows.len(), 1, "{rows:?}");
    let by_number = mapping("average_views = 2");
    let rows = read("Handle,?\nann,7\n", &by_number);
    assert_eq!(rows[0].as_ref().unwrap().row.figures.as_ref().unwrap().average_views, 7);
}

#[test]
fn a_missing_column_is_an_error_that_names_those_there_are() {
    let file = "Handle,Subscribers,subscribers,Name\n";
    let error = refused(file, "followers = \"Followers\"");
    assert_eq!(
        error,
        "followers: the file has no column \"Followers\". It has: \"Handle\", \"Subscribers\", \"subscribers#2\", \"Name\""
    );
    assert!(refused(file, "followers = \"Subscribers#3\"").contains("no column \"Subscribers#3\""));
    assert!(refused(file, "followers = 5").contains("no column 5"));
    assert!(refused(file, "followers = 0").contains("no column 0"));
    assert!(refused(file, "categories = [\"Topic\"]").starts_with("categories:"));
    assert!(refused("", "").contains("no header line"));
    assert!(refused("\n\n", "").contains("no header line"));
}

#[test]
fn a_bad_row_is_rejected_by_line_column_and_reason_and_stops_no_other() {
    let file = b"Handle,Fans,Fans,Topic\n\
        ann,1K,-5,x\n\
        @,1K,5,x\n\
        bob,1K,5,x\n\
        ,1K,5,x\n\
        cid,1K,5\n\
        dan,1K,many,x\n\
        eva,1K,5,caf\xe9\n\
        f\xfcr,1K,5,x\n\
        gus,1K,5,caf\xc3\xa9\n";
    let rows = read(file, &mapping("followers = \"Fans#2\"\ncategories = [\"Topic\"]"));
    let (taken, rejected): (Vec<_>, Vec<_>) = rows.into_iter().partition(Result::is_ok);
    assert_eq!(handles(&taken), [(4, "bob"), (10, "gus")]);
    let rejected: Vec<_> = rejected.into_iter().map(Result::unwrap_err).collect();
    let places: Vec<_> = rejected.iter().map(|r| (r.line, r.column.as_str())).collect();
    let expected = [(2, "Fans#2"), (3, "Handle"), (5, "Handle"), (6, ""), (7, "Fans#2"), (8, "Topic"), (9, "Handle")];
    assert_eq!(places, expected);
    for (rejection, why) in rejected.iter().zip([
        "negative",
        "is empty",
        "is empty",
        "3 fields where the header has 4",
        "\"many\" is not a count",
        "not UTF-8",
        "not UTF-8",
    ]) {
        assert!(rejection.reason.contains(why), "{rejection:?}");
    }
}

#[test]
fn platform_and_day_may_stand_in_columns() {
    let text = "delimiter = \";\"\n[columns]\nplatform = \"Network\"\nobserve_date = \"Day\"\nhandle = \"Handle\"";
    let mapping = Mapping::from_toml(text).unwrap();
    let rows =
        read("Handle;Network;Day\nann;YouTube;2024-02-29\nbob;MySpace;2024-02-29\ncid;tiktok;29.02.2024\n", &mapping);
    assert_eq!(rows[0].as_ref().unwrap().row.platform, i32::from(tandem_proto::creators::v1::Platform::Youtube));
    let rejected: Vec<_> = rows[1..].iter().map(|row| row.clone().unwrap_err()).collect();
    assert_eq!((rejected[0].line, rejected[0].column.as_str()), (3, "Network"));
    assert!(rejected[0].reason.contains("write instagram, tiktok or youtube"));
    assert_eq!((rejected[1].line, rejected[1].column.as_str()), (4, "Day"));
    assert!(rejected[1].reason.contains("write it as 2022-09-01"));
}

#[test]
fn a_mapping_that_can_not_be_meant_is_refused() {
    for (text, why) in [
        ("columns = 5", "can't be understood"),
        ("[columns]\nhandle = \"H\"\nfollower = \"F\"", "follower"),
        ("[columns]\nhandle = \"H\"\n[fixd]\n", "fixd"),
        ("[columns]\nhandle = \"H\"", "where platform stands"),
        ("[fixed]\nplatform = \"tiktok\"\n[columns]\nhandle = \"H\"", "where observe_date stands"),
        (
            "[fixed]\nplatform = \"x\"\nobserve_date = \"2022-09-01\"\n[columns]\nhandle = \"H\"",
            "\"x\" is not a platform",
        ),
        ("[fixed]\nplatform = \"tiktok\"\nobserve_date = \"2022-13-01\"\n[columns]\nhandle = \"H\"", "not a day"),
        ("[fixed]\nplatform = \"tiktok\"\nobserve_date = \"2022-09-01\"\nhandle = \"h\"\n[columns]", "its column"),
        (
            "[fixed]\nplatform = \"tiktok\"\nobserve_date = \"2022-09-01\"\n[columns]\nhandle = \"H\"\nplatform = \"P\"",
            "platform is in [fixed] and in [columns]",
        ),
    ] {
        let error = Mapping::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(why), "{text}: {error}");
    }
    let missing = Mapping::from_file("/nowhere/mapping.toml".as_ref()).unwrap_err().to_string();
    assert!(missing.contains("/nowhere/mapping.toml"), "{missing}");
}

#[test]
fn batches_hold_all_rows_once_and_bad_ones_fill_none_up() {
    let mut file = String::from("Handle\n");
    for number in 0..1001 {
        file.push_str(if number % 2 == 0 { "ok\n" } else { "@\n" });
    }
    let rows = Rows::open(file.as_bytes(), &mapping("")).unwrap();
    let batches: Vec<_> = batches(rows).map(Result::unwrap).collect();
    let sizes: Vec<_> = batches.iter().map(|batch| (batch.rows.len(), batch.rejected.len())).collect();
    assert_eq!(sizes, [(100, 100), (100, 100), (100, 100), (100, 100), (100, 100), (1, 0)]);
    assert_eq!(batches.last().unwrap().bytes, file.len() as u64);
}
