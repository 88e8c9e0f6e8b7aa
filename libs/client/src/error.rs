//! Errors: what a [`tonic::Status`] of Tandem says, for programs and for people.
//!
//! Invariant: nothing is decided by the text of a message; reason, violations and delay come from the status' details.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tandem_proto::common::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

/// `ErrorInfo.domain` of all reasons.
const DOMAIN: &str = "tandem";
const REASON_PREFIX: &str = "ERROR_REASON_";

/// An error that a service answered, or that kept the request from being answered.
///
/// Its `Display` has several lines: the message, the reason, and each field that is wrong with what to do.
#[derive(Debug, Clone)]
pub struct Error(Box<Status>);

impl Error {
    /// The gRPC code.
    pub fn code(&self) -> Code {
        self.0.code()
    }

    /// What is wrong and what to do, in words.
    pub fn message(&self) -> &str {
        self.0.message()
    }

    /// The reason; none of an error that did not come from Tandem or whose reason is newer than this client: go by the
    /// code then.
    pub fn reason(&self) -> Option<ErrorReason> {
        reason_of(&self.0)
    }

    /// The fields of the request that are wrong.
    pub fn violations(&self) -> Vec<FieldViolation> {
        self.0.get_details_bad_request().map(|details| details.field_violations).unwrap_or_default()
    }

    /// When the server wants the request to be repeated at the earliest, counted from its reply.
    pub fn retry_delay(&self) -> Option<Duration> {
        retry_delay_of(&self.0)
    }

    /// The status with all its details.
    pub fn status(&self) -> &Status {
        &self.0
    }
}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        Self(Box::new(status))
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        *error.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            "" => write!(f, "{}", self.code().description())?,
            message => write!(f, "{message}")?,
        }
        let details = self.0.get_error_details();
        match details.error_info() {
            Some(info) => write!(f, "\n  reason: {} ({:?})", info.reason, self.code())?,
            None => write!(f, "\n  code: {:?}", self.code())?,
        }
        let fields = details.bad_request().into_iter().flat_map(|details| &details.field_violations);
        let preconditions = details.precondition_failure().into_iter().flat_map(|details| &details.violations);
        let violations = fields.map(|violation| (&violation.field, &violation.description));
        let violations = violations.chain(preconditions.map(|violation| (&violation.subject, &violation.description)));
        for (subject, description) in violations {
            // Where the message is made of its only violation, once is enough.
            if !self.message().contains(description.as_str()) {
                write!(f, "\n  {subject}: {description}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&*self.0)
    }
}

/// The reason in a status' details.
pub(crate) fn reason_of(status: &Status) -> Option<ErrorReason> {
    let info = status.get_details_error_info().filter(|info| info.domain == DOMAIN)?;
    ErrorReason::from_str_name(&format!("{REASON_PREFIX}{}", info.reason))
}

/// The delay in a status' details.
pub(crate) fn retry_delay_of(status: &Status) -> Option<Duration> {
    status.get_details_retry_info()?.retry_delay
}

/// A status of the client itself, in the form of those that servers answer.
pub(crate) fn status(code: Code, reason: ErrorReason, message: impl Into<String>) -> Status {
    let reason = reason.as_str_name().trim_start_matches(REASON_PREFIX);
    Status::with_error_details(code, message, ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_line_by_line() {
        let mut details = ErrorDetails::with_error_info("FIELD_INVALID", DOMAIN, HashMap::new());
        details.add_bad_request_violation("rows[3].handle", "is empty; give the handle without @");
        details.add_bad_request_violation("request_id", "is longer than 64");
        let status = Status::with_error_details(Code::InvalidArgument, "two fields are wrong", details);

        let error = Error::from(status);
        assert_eq!(error.reason(), Some(ErrorReason::FieldInvalid));
        assert_eq!(error.violations()[1].field, "request_id");
        assert_eq!(
            error.to_string(),
            "two fields are wrong\n  reason: FIELD_INVALID (InvalidArgument)\n  \
             rows[3].handle: is empty; give the handle without @\n  request_id: is longer than 64"
        );
    }

    #[test]
    fn an_error_without_details_shows_its_code() {
        let error = Error::from(Status::unimplemented(""));
        assert_eq!(error.reason(), None);
        assert!(error.to_string().ends_with("\n  code: Unimplemented"), "{error}");
    }

    #[test]
    fn a_reason_of_another_domain_is_not_ours() {
        let details = ErrorDetails::with_error_info("TOKEN_EXPIRED", "proxy.example", HashMap::new());
        let status = Status::with_error_details(Code::Unauthenticated, "", details);
        assert_eq!(reason_of(&status), None);
    }

    #[test]
    fn a_newer_reason_leaves_the_code() {
        let details = ErrorDetails::with_error_info("OF_NEXT_YEAR", DOMAIN, HashMap::new());
        let error = Error::from(Status::with_error_details(Code::NotFound, "gone", details));
        assert_eq!((error.reason(), error.code()), (None, Code::NotFound));
        assert!(error.to_string().contains("OF_NEXT_YEAR"));
    }
}
