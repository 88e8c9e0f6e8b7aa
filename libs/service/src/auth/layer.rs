//! Authorization, before a request is decoded.
//!
//! Invariant: nothing behind this layer runs for a request that is not admitted; only health and reflection are open.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::Either;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
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

impl<S: Service<Request<Body>, Response = Response<Body>>> Service<Request<Body>> for Auth<S> {
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<Body>, S::Error>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        if !methods::is_open(request.uri().path()) {
            match admit(&self.authenticator, request.uri().path(), request.headers()) {
                Ok(admitted) => _ = request.extensions_mut().insert(admitted),
                Err(status) => return Either::Right(ready(Ok(status.into_http()))),
            }
        }
        Either::Left(self.inner.call(request))
    }
}

fn admit(authenticator: &Authenticator, path: &str, headers: &HeaderMap) -> Result<Admitted, Status> {
    let method =
        methods::find(path).ok_or_else(|| Status::unimplemented(format!("There is no method {path} here.")))?;
    let caller = authenticator.authenticate(headers.get(AUTHORIZATION))?;
    authorize(&caller, method)?;
    Ok(Admitted { caller, method })
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
