//! A contract's terms, to price by.
//!
//! Invariant: what is priced by comes from the contracts service, for an instant that the caller says; nothing is kept.

use std::sync::Arc;

use tandem_client::Client;
use tandem_compensation::{Rules, TermsError};
use tandem_proto::contracts::v1::{GetTermsRequest, Terms};
use tonic::Request;

/// A version of a contract's terms.
#[derive(Clone, Debug)]
pub struct Agreed {
    /// `contracts/{contract}`.
    pub contract: String,
    /// `brands/{brand}`.
    pub brand: String,
    /// `creators/{creator}`.
    pub creator: String,
    /// The version.
    pub version: i32,
    /// The terms.
    pub terms: Terms,
    /// The rules that they make.
    pub rules: Rules,
}

/// Why there are no terms to price by.
#[derive(Debug, thiserror::Error)]
pub enum NotAgreed {
    /// The contracts service does not tell them, or does not answer.
    #[error(transparent)]
    Untold(#[from] tandem_client::Error),
    /// They can't be computed by.
    #[error(transparent)]
    Unreadable(#[from] TermsError),
}

/// Asks for terms.
///
/// # Errors
/// See [`NotAgreed`].
pub async fn agreed(client: &Client, request: Request<GetTermsRequest>) -> Result<Arc<Agreed>, NotAgreed> {
    let contract = request.get_ref().name.clone();
    let answer = client.contracts().get_terms(request).await.map_err(tandem_client::Error::from)?.into_inner();
    let terms = answer.terms.unwrap_or_default();
    let rules = Rules::parse(&terms)?;
    Ok(Arc::new(Agreed {
        contract,
        brand: answer.brand,
        creator: answer.creator,
        version: answer.version,
        terms,
        rules,
    }))
}
