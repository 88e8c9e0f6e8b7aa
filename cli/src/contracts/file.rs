//! Contracts in files: what they say, and where.
//!
//! Invariant: whatever is wrong with a contract is told with its file, line and clause, whoever finds it.

use std::fmt;

use tandem_client::Error;
use tandem_proto::contracts::v1::Contract;

use super::located::{Node, Position, Wrong, parse};

/// What a document may say, besides its id: the rest of a contract is told by what happens to it.
const FIELDS: [&str; 6] = ["title", "brand", "creator", "terms", "template", "template_version"];
/// The id in the contract's name.
const ID: &str = "contract_id";

/// A contract as a file has it.
#[derive(Clone, Debug)]
pub(super) struct Document {
    /// "contracts/{contract}".
    pub(super) name: String,
    /// Brand, creator, title and terms.
    pub(super) contract: Contract,
    file: String,
    node: Node,
}

/// Something wrong in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    file: String,
    at: Position,
    clause: Option<String>,
    message: String,
}

/// The contracts of a file. Where one names no creator it is with this one.
pub(super) fn read(file: &str, text: &str, creator: Option<&str>) -> Result<Vec<Document>, Vec<Finding>> {
    let nodes = parse(text)
        .map_err(|Wrong { at, message }| vec![Finding { file: file.to_owned(), at, clause: None, message }])?;
    if nodes.is_empty() {
        let message = "is empty: write a contract, with contract_id, brand, title and terms".to_owned();
        return Err(vec![Finding {
            file: file.to_owned(),
            at: Position { line: 1, column: 1 },
            clause: None,
            message,
        }]);
    }
    let (mut documents, mut findings) = (Vec::new(), Vec::new());
    for node in nodes {
        match document(file, node, creator) {
            Ok(document) => documents.push(document),
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() { Ok(documents) } else { Err(findings) }
}

fn document(file: &str, node: Node, creator: Option<&str>) -> Result<Document, Vec<Finding>> {
    let finding = |at, message: String| vec![finding(file, &node, at, message)];
    if node.fields().is_empty() {
        return Err(finding(
            node.at,
            "is no contract: write fields, such as contract_id, brand, title and terms".into(),
        ));
    }
    let known = |name: &str| [&FIELDS[..], &[ID]].concat().into_iter().any(|field| super::located::same(name, field));
    if let Some((key, _)) = node.fields().iter().find(|(key, _)| !known(&key.name)) {
        let message = format!("{} can't be given: a contract here has {ID}, {}", key.name, FIELDS.join(", "));
        return Err(finding(key.at, message));
    }
    let id = match node.field(ID) {
        Some((_, value)) => value.text().filter(|id| is_id(id)).map(str::to_owned).ok_or_else(|| {
            let message = format!("{ID} has to be a text of lower-case letters, digits and \"-\", at most 63");
            finding(value.at, message)
        })?,
        None => {
            let message = format!("{ID} is missing: without it, applying the file again would make another contract");
            return Err(finding(node.at, message));
        }
    };
    let read = node.clone().without(ID).read();
    let mut contract: Contract = read.map_err(|Wrong { at, message }| finding(at, message))?;
    if contract.creator.is_empty() {
        let Some(creator) = creator else {
            let message = "creator is missing: write creator: creators/{creator}, or give --creator".to_owned();
            return Err(finding(node.at, message));
        };
        creator.clone_into(&mut contract.creator);
    }
    Ok(Document { name: format!("contracts/{id}"), contract, file: file.to_owned(), node })
}

impl Document {
    /// The id of its name.
    pub(super) fn id(&self) -> &str {
        self.name.trim_start_matches("contracts/")
    }

    /// What a service finds wrong with the contract, at its lines; none of an error that is about something else.
    pub(super) fn findings(&self, error: &Error) -> Vec<Finding> {
        let violations = error.violations();
        let findings = violations.iter().map(|violation| {
            // The path begins with the field of the request that the contract, or its terms, stand in.
            let path = violation.field.trim_start_matches("contract.");
            let at = self.node.locate(path);
            // The clause is named before.
            let rest = path.strip_prefix("terms.clauses[").and_then(|rest| rest.split_once(']'));
            let field = rest.map_or(path, |(_, rest)| rest.trim_start_matches('.'));
            let message = format!("{field} {}", violation.description);
            finding(&self.file, &self.node, at, message.trim_start().to_owned())
        });
        findings.collect()
    }

    /// What is wrong with the contract as a whole.
    pub(super) fn finding(&self, message: String) -> Finding {
        finding(&self.file, &self.node, self.node.at, message)
    }
}

fn finding(file: &str, document: &Node, at: Position, message: String) -> Finding {
    Finding { file: file.to_owned(), at, clause: clause_at(document, at), message }
}

/// The id of the clause that a place is in; its number, from 1, where it has none.
fn clause_at(document: &Node, at: Position) -> Option<String> {
    let (_, terms) = document.field("terms")?;
    let (_, clauses) = terms.field("clauses")?;
    let (index, clause) =
        clauses.items().iter().enumerate().find(|(_, clause)| (clause.at..=clause.last()).contains(&at))?;
    let id = clause.field("clause_id").and_then(|(_, id)| id.text());
    Some(id.map_or_else(|| (index + 1).to_string(), str::to_owned))
}

/// As the proto file demands it of CreateContract.
fn is_id(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(good) && !text.starts_with('-')
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.at)?;
        if let Some(clause) = &self.clause {
            write!(f, "clause {clause}: ")?;
        }
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        read("c.yaml", text, None).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_a_file_must_say_is_told_with_its_place() {
        assert_eq!(
            told("title: x\n"),
            ["c.yaml:1:1: contract_id is missing: without it, applying the file again would make another contract"]
        );
        assert!(told("contract_id: A b\ncreator: creators/c\n")[0].starts_with("c.yaml:1:14: contract_id has to be"));
        assert!(told("contract_id: a\n")[0].contains("give --creator"));
        assert!(told("")[0].starts_with("c.yaml:1:1: is empty"));
        assert!(
            told("contract_id: a\nstate: CONTRACT_STATE_ACTIVE\n")[0].starts_with("c.yaml:2:1: state can't be given")
        );
        assert!(told("- 1\n")[0].contains("is no contract"));
    }

    #[test]
    fn every_document_of_a_file_is_looked_at() {
        let found = told("contract_id: a\ncreator: creators/c\nterm: {}\n---\ntitle: x\n");
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("c.yaml:3:1: term can't be given"), "{found:?}");
        assert!(found[1].starts_with("c.yaml:5:1: contract_id is missing"), "{found:?}");
    }

    #[test]
    fn a_finding_in_a_clause_names_it() {
        let clause =
            "contract_id: a\ncreator: creators/c\nterms:\n  clauses:\n    - clause_id: fee\n      fee: { amout: 5 }\n";
        let found = told(clause);
        assert!(found[0].starts_with("c.yaml:6:14: clause fee: "), "{found:?}");
        let after = format!("{clause}  time_zone: 5\n").replace("amout: 5", "");
        assert!(told(&after)[0].starts_with("c.yaml:7:14: "), "{:?}", told(&after));
        let unnamed = clause.replace("clause_id: fee\n      ", "");
        assert!(told(&unnamed)[0].contains(": clause 1: "), "{:?}", told(&unnamed));
    }
}
