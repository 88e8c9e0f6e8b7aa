//! Authorization: every try carries a bearer token.
//!
//! Invariant: a token that a server refused as expired is sent again to no one if the source has another.

use std::sync::Arc;

use http::HeaderValue;
use http::header::AUTHORIZATION;
use tandem_proto::common::v1::ErrorReason;
use tonic::{Code, Status};
use tower::ServiceExt as _;

use crate::call::{Call, Concern, Exchange, Reply};
use crate::error::{reason_of, status};
use crate::tokens::TokenSource;

/// Adds the token of a source; without a source, or where the caller has set `authorization`, nothing.
#[derive(Clone)]
pub(crate) struct Auth(pub(crate) Option<Arc<dyn TokenSource>>);

impl Concern for Auth {
    async fn carry<S: Exchange>(&self, mut call: Call, next: S) -> Result<Reply, Status> {
        let Some(source) = self.0.as_ref().filter(|_| !call.head.headers.contains_key(AUTHORIZATION)) else {
            return next.oneshot(call).await;
        };
        let again = call.try_clone();
        let refused = authorize(&mut call, &**source).await?;
        let error = match next.clone().oneshot(call).await {
            Err(error) if is_expired(&error) => error,
            outcome => return outcome,
        };
        source.expired(&refused);
        let Some(mut again) = again else { return Err(error) };
        if authorize(&mut again, &**source).await? == refused {
            return Err(error);
        }
        next.oneshot(again).await
    }
}

/// Puts a token on the call, and returns it.
async fn authorize(call: &mut Call, source: &dyn TokenSource) -> Result<String, Status> {
    let missing = |why: String| status(Code::Unauthenticated, ErrorReason::TokenMissing, why);
    let token = source.token().await.map_err(|error| missing(format!("no token to send: {error}")))?;
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| missing("the token of the token source has characters that no JWT has".into()))?;
    value.set_sensitive(true);
    call.head.headers.insert(AUTHORIZATION, value);
    Ok(token)
}

fn is_expired(error: &Status) -> bool {
    error.code() == Code::Unauthenticated && reason_of(error) == Some(ErrorReason::TokenExpired)
}
