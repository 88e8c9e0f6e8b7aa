//! A payout run as an ISO 20022 credit transfer: `pain.001.001.09`, CustomerCreditTransferInitiation.
//!
//! Invariant: the same run, accounts and time give the same bytes, so that a bank recognises a file sent twice, by
//! its message id and by its content.

use jiff::Timestamp;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use tandem_money::dates::date_from_proto;
use tandem_money::{Money, MoneyError};
use tandem_proto::creators::v1::PayoutAccount;
use tandem_proto::payouts::v1::{DebtorAccount, PayoutRun};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";

/// Why a run can't be written.
#[derive(Debug, thiserror::Error)]
pub enum Pain001Error {
    /// A payout without an account to go to.
    #[error("{creator} has no payout account")]
    AccountMissing {
        /// `creators/{creator}`.
        creator: String,
    },
    /// An amount that can't be read.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A date that can't be read.
    #[error(transparent)]
    Date(#[from] tandem_money::dates::DateError),
    /// The XML could not be written.
    #[error("the file can't be written: {0}")]
    Xml(#[from] std::io::Error),
}

/// The file of a run: one payment, one transaction a payout. `accounts` are those of the payouts' creators, in the
/// order of the payouts.
///
/// # Errors
/// [`Pain001Error`].
pub fn write(run: &PayoutRun, accounts: &[PayoutAccount], file_time: Timestamp) -> Result<Vec<u8>, Pain001Error> {
    let id = run.name.trim_start_matches("payoutRuns/");
    let debtor = run.debtor.clone().unwrap_or_default();
    let execution = date_from_proto(&run.execution_date.unwrap_or_default())?;
    let count = run.payouts.len().to_string();
    let amounts = run
        .payouts
        .iter()
        .map(|payout| Money::try_from(&payout.amount.clone().unwrap_or_default()))
        .collect::<Result<Vec<_>, _>>()?;
    let sum = match amounts.first() {
        Some(first) => decimal(Money::total(first.currency(), amounts.iter().copied())?),
        None => "0".to_owned(),
    };
    for (at, payout) in run.payouts.iter().enumerate() {
        if accounts.get(at).is_none_or(|account| account.iban.is_empty()) {
            return Err(Pain001Error::AccountMissing { creator: payout.creator.clone() });
        }
    }

    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
    xml.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.element("Document", &[("xmlns", NAMESPACE)], |xml| {
        xml.group("CstmrCdtTrfInitn", |xml| {
            xml.group("GrpHdr", |xml| {
                xml.text("MsgId", id)?;
                xml.text("CreDtTm", &file_time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())?;
                xml.text("NbOfTxs", &count)?;
                xml.text("CtrlSum", &sum)?;
                xml.group("InitgPty", |xml| xml.text("Nm", &debtor.holder_name))
            })?;
            xml.group("PmtInf", |xml| {
                xml.text("PmtInfId", id)?;
                xml.text("PmtMtd", "TRF")?;
                xml.text("NbOfTxs", &count)?;
                xml.text("CtrlSum", &sum)?;
                xml.group("ReqdExctnDt", |xml| xml.text("Dt", &execution.to_string()))?;
                xml.debtor(&debtor)?;
                xml.text("ChrgBr", "SLEV")?;
                for ((payout, account), amount) in run.payouts.iter().zip(accounts).zip(&amounts) {
                    xml.group("CdtTrfTxInf", |xml| {
                        xml.group("PmtId", |xml| xml.text("EndToEndId", &payout.end_to_end_id))?;
                        xml.group("Amt", |xml| {
                            let currency = [("Ccy", amount.currency().code())];
                            xml.element("InstdAmt", &currency, |xml| xml.chars(&decimal(*amount)))
                        })?;
                        if !account.bic.is_empty() {
                            xml.group("CdtrAgt", |xml| xml.group("FinInstnId", |xml| xml.text("BICFI", &account.bic)))?;
                        }
                        xml.group("Cdtr", |xml| xml.text("Nm", &account.holder_name))?;
                        xml.group("CdtrAcct", |xml| xml.group("Id", |xml| xml.text("IBAN", &account.iban)))?;
                        let purpose = format!("Payout {} ({} earnings)", payout.end_to_end_id, payout.earnings.len());
                        xml.group("RmtInf", |xml| xml.text("Ustrd", &purpose))
                    })?;
                }
                Ok(())
            })
        })
    })?;
    let mut file = xml.0.into_inner();
    file.push(b'\n');
    Ok(file)
}

/// An amount as ISO 20022 writes it: `1234.50`, with the currency's decimals.
fn decimal(amount: Money) -> String {
    let decimals = amount.currency().exponent() as usize;
    let digits = format!("{:0width$}", amount.minor().unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if amount.is_negative() { "-" } else { "" };
    if decimals == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Writes elements.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn element(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let start = quick_xml::events::BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.0.write_event(Event::Start(start.borrow()))?;
        content(self)?;
        self.0.write_event(Event::End(start.to_end()))
    }

    fn group(&mut self, name: &str, content: impl FnOnce(&mut Self) -> std::io::Result<()>) -> std::io::Result<()> {
        self.element(name, &[], content)
    }

    fn text(&mut self, name: &str, text: &str) -> std::io::Result<()> {
        self.element(name, &[], |xml| xml.chars(text))
    }

    fn chars(&mut self, text: &str) -> std::io::Result<()> {
        // What XML has no way to write, not even escaped.
        let text = text.replace(|char: char| char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}'), " ");
        self.0.write_event(Event::Text(BytesText::new(&text)))
    }

    fn debtor(&mut self, debtor: &DebtorAccount) -> std::io::Result<()> {
        self.group("Dbtr", |xml| xml.text("Nm", &debtor.holder_name))?;
        self.group("DbtrAcct", |xml| xml.group("Id", |xml| xml.text("IBAN", &debtor.iban)))?;
        self.group("DbtrAgt", |xml| {
            xml.group("FinInstnId", |xml| {
                if debtor.bic.is_empty() {
                    // The schema demands an agent; this is the agreed way to say that the IBAN names it.
                    xml.group("Othr", |xml| xml.text("Id", "NOTPROVIDED"))
                } else {
                    xml.text("BICFI", &debtor.bic)
                }
            })
        })
    }
}

#[cfg(test)]
mod tests;
