//! Authorization, before a request is decoded.
//!
//! Invariant: nothing behind this layer runs for a request that is not admitted; only health and reflection are open.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, Either};
use http::header::AUTHORIZATION;
use http::{Request, Response};
use tandem_proto::common::v1::ErrorReason;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};

use super::{Authenticator, Caller};
use crate::error::Problem;
use crate::methods::{self, Method};

/// What a handler finds in the request's extensions.
#[derive(Clone)]
pub(crate) struct Admitted {
    pub(crate) caller: Arc<Caller>,
    pub(crate) method: &'static Method,
}

#[derive(Clone)]
pub(crate) struct AuthLayer(pub(crate) Arc<Authenticator>);

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, authenticator: Arc::clone(&self.0) }
    }
}

#[derive(Clone)]
pub(crate) struct Auth<S> {
    inner: S,
    authenticator: Arc<Authenticator>,
}

type Answer<E> = Result<Response<Body>, E>;

impl<S> Service<Request<Body>> for Auth<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Either<Ready<Answer<S::Error>>, BoxFuture<'static, Answer<S::Error>>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let path = request.uri().path();
        if methods::is_open(path) {
            return Either::Left(self.inner.call(request));
        }
        let refused = |status: Status| Either::Right(Either::Left(ready(Ok(status.into_http()))));
        let Some(method) = methods::find(path) else {
            return refused(Status::unimplemented(format!("There is no method {path} here.")));
        };
        match self.authenticator.known(request.headers().get(AUTHORIZATION)) {
            Ok(Some(caller)) => match authorize(&caller, method) {
                Ok(()) => {
                    request.extensions_mut().insert(Admitted { caller, method });
                    Either::Left(self.inner.call(request))
                }
                Err(problem) => refused(problem.into()),
            },
            Ok(None) => {
                // The one that was found ready; its clone need not be.
                let next = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, next);
                let first = first(Arc::clone(&self.authenticator), ready, request, method);
                Either::Right(Either::Right(Box::pin(first)))
            }
            Err(problem) => refused(problem.into()),
        }
    }
}

/// The first request with a token, which has to be verified.
async fn first<S>(
    authenticator: Arc<Authenticator>,
    mut inner: S,
    mut request: Request<Body>,
    method: &'static Method,
) -> Answer<S::Error>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    let verified = authenticator.verified(request.headers().get(AUTHORIZATION)).await;
    match verified.and_then(|caller| authorize(&caller, method).map(|()| caller)) {
        Ok(caller) => {
            request.extensions_mut().insert(Admitted { caller, method });
            inner.call(request).await
        }
        Err(problem) => Ok(Status::from(problem).into_http()),
    }
}

fn authorize(caller: &Caller, method: &Method) -> Result<(), Problem> {
    match &method.permission {
        Some(permission) if caller.may(permission) => Ok(()),
        Some(permission) => {
            let message = format!("The token lacks the permission {permission}, which this method needs.");
            Err(Problem::new(ErrorReason::PermissionMissing, message).with("permission", permission))
        }
        None => {
            let message = "This method is open to nobody: its proto file names no permission.";
            Err(Problem::new(ErrorReason::PermissionMissing, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_without_a_permission_is_denied_even_to_who_may_everything() {
        let everything = serde_json::json!({
            "sub": "users/ada", "tenant": "acme", "permissions": ["*"], "exp": 0
        });
        let caller = Caller::new(serde_json::from_value(everything).unwrap()).unwrap();
        let method = |permission: Option<&str>| Method {
            name: "x/Y".into(),
            permission: permission.map(Into::into),
            long_running: false,
        };
        assert!(authorize(&caller, &method(Some("views.read"))).is_ok());
        let denied = Status::from(authorize(&caller, &method(None)).unwrap_err());
        assert_eq!(denied.code(), tonic::Code::PermissionDenied);
    }
}
