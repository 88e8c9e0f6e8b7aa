//! Pages: what a list is asked and answers, and the token that leads from one page to the next.
//!
//! Invariant: a token holds for the list that gave it alone (view, tenant, filter, order, fixed fields), and carries
//! nothing but where its page ended: who forges one sees no more than he may list anyway.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;
use sha2::{Digest, Sha256};
use tandem_eventlog::Position;

use crate::QueryError;
use crate::column::{ColumnKind, Value};
use crate::order::Term;

const DEFAULT_SIZE: i32 = 50;
const MAX_SIZE: i32 = 1000;

/// What to list, as the fields of a List request have it (AIP-132, AIP-158, AIP-160).
#[derive(Clone, Debug, Default)]
pub struct ListQuery<'a> {
    /// After AIP-160, for example `state = ACTIVE AND (follower_count >= 1000 OR category:beauty)`; empty for all.
    ///
    /// Fields are the view's columns and `id`. `= != < <= > >=` compare; `set:member` asks a set; `field:*` asks whether
    /// a field is set. `AND`, `OR`, `NOT` or `-` and parentheses join; `OR` binds tighter than `AND`. Strings need
    /// quotes where they have spaces or signs; times are RFC 3339. A time that is not set is before none.
    pub filter: &'a str,
    /// For example `follower_count desc, name`; empty for the order of ids.
    pub order_by: &'a str,
    /// At most so many rows; 0 for 50, and never more than 1000.
    pub page_size: i32,
    /// `next_page_token` of the page before; empty for the first page.
    pub page_token: &'a str,
    /// What the service itself demands, whatever the filter: fields with their values, or with a member if it is a set.
    pub fixed: Vec<(&'static str, String)>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<R> {
    /// Ids and rows in order.
    pub rows: Vec<(String, R)>,
    /// Leads to the next page; empty if this is the last.
    pub next_page_token: String,
    /// How many rows match, over all pages.
    pub total_size: i32,
    /// The view had read the log at least so far when it was asked.
    pub position: Position,
}

/// What a token says, before base64.
#[derive(Clone, PartialEq, Message)]
struct PageToken {
    /// Of the list that gave it.
    #[prost(bytes = "vec", tag = "1")]
    list: Vec<u8>,
    /// Values of the order's terms in the page's last row.
    #[prost(message, repeated, tag = "2")]
    last: Vec<TokenValue>,
}

#[derive(Clone, PartialEq, Message)]
struct TokenValue {
    #[prost(oneof = "token_value::Kind", tags = "1, 2")]
    kind: Option<token_value::Kind>,
}

mod token_value {
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub(super) enum Kind {
        #[prost(string, tag = "1")]
        Text(String),
        #[prost(sint64, tag = "2")]
        Integer(i64),
    }
}

impl ListQuery<'_> {
    /// Rows on a page.
    pub(crate) fn size(&self) -> Result<i32, QueryError> {
        match self.page_size {
            negative if negative < 0 => Err(QueryError::PageSize(negative)),
            0 => Ok(DEFAULT_SIZE),
            size => Ok(size.min(MAX_SIZE)),
        }
    }

    /// The token of the page that follows a row with these values.
    pub(crate) fn token(&self, view: &str, tenant: &str, last: Vec<Value>) -> String {
        let value = |value| match value {
            Value::Text(text) => token_value::Kind::Text(text),
            Value::Integer(integer) => token_value::Kind::Integer(integer),
        };
        let last = last.into_iter().map(|last| TokenValue { kind: Some(value(last)) }).collect();
        URL_SAFE_NO_PAD.encode(PageToken { list: self.fingerprint(view, tenant), last }.encode_to_vec())
    }

    /// Values of the order's terms in the last row of the page before; none for the first page.
    pub(crate) fn last(&self, view: &str, tenant: &str, terms: &[Term<'_>]) -> Result<Option<Vec<Value>>, QueryError> {
        if self.page_token.is_empty() {
            return Ok(None);
        }
        let bytes = URL_SAFE_NO_PAD.decode(self.page_token).map_err(|_| QueryError::PageToken)?;
        let token = PageToken::decode(bytes.as_slice()).map_err(|_| QueryError::PageToken)?;
        if token.list != self.fingerprint(view, tenant) || token.last.len() != terms.len() {
            return Err(QueryError::PageToken);
        }
        let value = |(value, term): (TokenValue, &Term<'_>)| match (value.kind, term.field.kind) {
            (Some(token_value::Kind::Text(text)), ColumnKind::Text) if !text.contains('\0') => Ok(Value::Text(text)),
            (Some(token_value::Kind::Integer(integer)), ColumnKind::Integer | ColumnKind::Flag | ColumnKind::Time) => {
                Ok(Value::Integer(integer))
            }
            _ => Err(QueryError::PageToken),
        };
        token.last.into_iter().zip(terms).map(value).collect::<Result<_, _>>().map(Some)
    }

    fn fingerprint(&self, view: &str, tenant: &str) -> Vec<u8> {
        let mut hash = Sha256::new();
        let fixed = self.fixed.iter().flat_map(|(field, value)| [*field, value]);
        for part in [view, tenant, self.filter, self.order_by].into_iter().chain(fixed) {
            // With its length, so that no two lists run together.
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize()[..16].to_vec()
    }
}
