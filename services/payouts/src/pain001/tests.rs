use quick_xml::Reader;
use quick_xml::events::Event as Read;
use tandem_money::Currency;
use tandem_proto::google::r#type::Date;
use tandem_proto::payouts::v1::Payout;

use super::*;

fn run(amounts: &[i64]) -> PayoutRun {
    // The longest id that a run can have.
    let id = "2026-08-".to_owned() + &"x".repeat(21);
    let payouts = amounts.iter().enumerate().map(|(at, minor)| Payout {
        creator: format!("creators/c{at}"),
        amount: Some(Money::new(*minor, Currency::USD).into()),
        earnings: vec![format!("earnings/e{at}")],
        end_to_end_id: format!("{id}-{:04}", at + 1),
        ..Payout::default()
    });
    PayoutRun {
        name: format!("payoutRuns/{id}"),
        currency_code: "USD".into(),
        execution_date: Some(Date { year: 2026, month: 8, day: 3 }),
        debtor: Some(DebtorAccount {
            holder_name: "Glow & Co <Inc.>".into(),
            iban: "DE89370400440532013000".into(),
            bic: "COBADEFFXXX".into(),
        }),
        payouts: payouts.collect(),
        ..PayoutRun::default()
    }
}

fn accounts(count: usize) -> Vec<PayoutAccount> {
    let account = |at: usize| PayoutAccount {
        holder_name: format!("Zoë \"{at}\" O'Hara\u{1}\u{ffff} & Sons"),
        iban: "NL91ABNA0417164300".into(),
        bic: if at.is_multiple_of(2) { "ABNANL2A".into() } else { String::new() },
        country_code: "NL".into(),
    };
    (0..count).map(account).collect()
}

fn file_time() -> Timestamp {
    "2026-08-03T09:30:00.123456789Z".parse().unwrap()
}

fn file(amounts: &[i64]) -> String {
    String::from_utf8(write(&run(amounts), &accounts(amounts.len()), file_time()).unwrap()).unwrap()
}

/// The texts of all elements whose path ends so, as a bank's XML parser reads them.
fn texts(file: &str, path: &str) -> Vec<String> {
    let mut reader = Reader::from_str(file);
    reader.config_mut().check_end_names = true;
    let (mut stack, mut text, mut texts) = (Vec::new(), String::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Read::Start(start) => {
                stack.push(start.name().as_ref().to_owned());
                text.clear();
            }
            Read::Text(read) => text.push_str(&read),
            Read::GeneralRef(entity) => match &*entity {
                "amp" => text.push('&'),
                "lt" => text.push('<'),
                "gt" => text.push('>'),
                "quot" => text.push('"'),
                "apos" => text.push('\''),
                other => panic!("unknown entity {other}"),
            },
            Read::End(_) => {
                if stack.join("/").ends_with(path) {
                    texts.push(std::mem::take(&mut text));
                }
                stack.pop();
            }
            Read::Eof => break,
            _ => {}
        }
    }
    assert!(stack.is_empty(), "{stack:?} is not closed");
    texts
}

#[test]
fn the_sums_agree() {
    let file = file(&[1234, 5, 10_000_000]);
    assert_eq!(texts(&file, "CdtTrfTxInf/Amt/InstdAmt"), ["12.34", "0.05", "100000.00"]);
    // Of the file, and of its one payment.
    assert_eq!(texts(&file, "GrpHdr/CtrlSum"), ["100012.39"]);
    assert_eq!(texts(&file, "PmtInf/CtrlSum"), ["100012.39"]);
    assert_eq!(texts(&file, "GrpHdr/NbOfTxs"), ["3"]);
    assert_eq!(texts(&file, "PmtInf/NbOfTxs"), ["3"]);
    assert_eq!(file.matches("<InstdAmt Ccy=\"USD\">").count(), 3);
}

#[test]
fn ids_are_within_the_limits_and_each_transfer_has_its_own() {
    let file = file(&vec![100; 900]);
    let mut ids = texts(&file, "PmtId/EndToEndId");
    ids.extend(texts(&file, "GrpHdr/MsgId"));
    assert!(ids.iter().all(|id| (1..=35).contains(&id.len())), "{ids:?}");
    assert_eq!(texts(&file, "PmtInf/PmtInfId"), texts(&file, "GrpHdr/MsgId"));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 901);
    assert!(texts(&file, "RmtInf/Ustrd").iter().all(|text| text.len() <= 140));
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    assert_eq!(file(&[1, 2]), file(&[1, 2]));
    assert_eq!(texts(&file(&[1, 2]), "GrpHdr/CreDtTm"), ["2026-08-03T09:30:00Z"]);
    assert_eq!(texts(&file(&[1, 2]), "ReqdExctnDt/Dt"), ["2026-08-03"]);
}

#[test]
fn names_are_written_as_they_are_as_far_as_xml_can() {
    let file = file(&[1]);
    assert_eq!(texts(&file, "Cdtr/Nm"), ["Zoë \"0\" O'Hara   & Sons"]);
    assert_eq!(texts(&file, "Dbtr/Nm"), ["Glow & Co <Inc.>"]);
    assert_eq!(texts(&file, "InitgPty/Nm"), ["Glow & Co <Inc.>"]);
}

#[test]
fn banks_are_named_where_known() {
    let mut run = run(&[1, 2]);
    let file = String::from_utf8(write(&run, &accounts(2), file_time()).unwrap()).unwrap();
    assert_eq!(texts(&file, "DbtrAgt/FinInstnId/BICFI"), ["COBADEFFXXX"]);
    assert_eq!(texts(&file, "CdtrAgt/FinInstnId/BICFI"), ["ABNANL2A"]);
    assert_eq!(texts(&file, "CdtrAcct/Id/IBAN"), ["NL91ABNA0417164300"; 2]);
    run.debtor.as_mut().unwrap().bic.clear();
    let file = String::from_utf8(write(&run, &accounts(2), file_time()).unwrap()).unwrap();
    assert_eq!(texts(&file, "DbtrAgt/FinInstnId/Othr/Id"), ["NOTPROVIDED"]);
}

/// In the order of the schema, which a bank's validation insists on.
#[test]
fn elements_come_in_the_order_of_the_schema() {
    let file = file(&[1]);
    let order = [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>",
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:pain.001.001.09\">",
        "<CstmrCdtTrfInitn>",
        "<GrpHdr>",
        "<MsgId>",
        "<CreDtTm>",
        "<NbOfTxs>",
        "<CtrlSum>",
        "<InitgPty>",
        "<PmtInf>",
        "<PmtInfId>",
        "<PmtMtd>TRF<",
        "<NbOfTxs>",
        "<CtrlSum>",
        "<ReqdExctnDt>",
        "<Dbtr>",
        "<DbtrAcct>",
        "<DbtrAgt>",
        "<ChrgBr>",
        "<CdtTrfTxInf>",
        "<PmtId>",
        "<Amt>",
        "<CdtrAgt>",
        "<Cdtr>",
        "<CdtrAcct>",
        "<RmtInf>",
    ];
    let mut rest = &file[..];
    for element in order {
        let at = rest.find(element).unwrap_or_else(|| panic!("no {element} in {rest}"));
        rest = &rest[at + element.len()..];
    }
}

#[test]
fn a_payout_without_an_account_is_named() {
    let two = run(&[1, 2]);
    let error = write(&two, &accounts(1), file_time()).unwrap_err();
    assert_eq!(error.to_string(), "creators/c1 has no payout account");
    let blank = [accounts(1), vec![PayoutAccount::default()]].concat();
    assert!(
        matches!(write(&two, &blank, file_time()), Err(Pain001Error::AccountMissing { creator }) if creator == "creators/c1")
    );
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    let written = |minor, code: &str| decimal(Money::new(minor, code.parse().unwrap()));
    assert_eq!(written(1234, "JPY"), "1234");
    assert_eq!(written(1234, "KWD"), "1.234");
    assert_eq!(written(5, "KWD"), "0.005");
    assert_eq!(written(-5, "USD"), "-0.05");
    assert_eq!(written(i64::MIN, "USD"), "-92233720368547758.08");
}
