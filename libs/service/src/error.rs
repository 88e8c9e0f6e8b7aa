//! From what went wrong to what a client is told.
//!
//! Invariant: the gRPC code follows from the reason, in [`code`] alone, and every error carries an `ErrorInfo`. What a
//! defect looks like inside is logged, never told.

use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;

use tandem_aggregate::{ExecuteError, Refusal};
use tandem_eventlog::{InvalidPositions, InvalidToken, ReadError};
use tandem_proto::FieldViolation;
use tandem_proto::common::v1::ErrorReason;
use tandem_views::{QueryError, RebuildError, RetryError, StoreError, WaitError};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// `ErrorInfo.domain` of all errors.
pub const DOMAIN: &str = "tandem";
/// How long a client is asked to wait before it repeats what did not fail by its own fault.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Bytes of all violations told at once. Message and details travel as headers, of which a client takes 16 KiB by default.
const MOST_TEXT: usize = 3000;
/// Bytes of one field's name or description.
const MOST_SENTENCE: usize = 500;

/// The beginning of a text that is too long.
fn clip(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", text.get(..end).unwrap_or_default())
}

/// The code that goes with a reason; the proto file says the same in its comments.
#[must_use]
pub fn code(reason: ErrorReason) -> Code {
    use ErrorReason as R;
    match reason {
        R::TokenMissing | R::TokenInvalid | R::TokenExpired => Code::Unauthenticated,
        R::PermissionMissing | R::NotAParty => Code::PermissionDenied,
        R::FieldInvalid | R::FilterInvalid | R::PageTokenInvalid | R::RequestIdReused => Code::InvalidArgument,
        R::ResourceNotFound | R::TrackingCodeUnknown | R::ViewUnknown => Code::NotFound,
        R::ResourceExists | R::TrackingCodeTaken | R::OrderConflict => Code::AlreadyExists,
        R::EtagMismatch | R::ConcurrentWrites => Code::Aborted,
        R::StateForbids
        | R::NotYourTurn
        | R::TermsHashMismatch
        | R::AlreadySigned
        | R::TermsIncomplete
        | R::ExclusivityConflict
        | R::NotGranted
        | R::OutOfTime
        | R::KpisMissing
        | R::ContractNotInForce
        | R::DisclosureInsufficient
        | R::RevisionRoundsExhausted
        | R::RefundExceedsOrder
        | R::SecondPersonRequired
        | R::NothingPayable
        | R::PayoutAccountMissing
        | R::EarningScheduled
        | R::BelowMinimumPayout
        | R::FindingBlocks
        | R::PersonErased
        | R::CreatorMerged
        | R::UpgradeNeeded => Code::FailedPrecondition,
        R::LogUnavailable | R::DependencyUnavailable => Code::Unavailable,
        R::Overloaded => Code::ResourceExhausted,
        R::Deadline => Code::DeadlineExceeded,
        R::EventDamaged => Code::DataLoss,
        R::Internal | R::Unspecified => Code::Internal,
    }
}

/// What a client is to be told. Errors of the libraries convert into it, those of a service may:
/// `impl From<VaultError> for Problem`; it converts into [`Status`].
#[derive(Clone, Debug)]
pub struct Problem {
    reason: ErrorReason,
    message: String,
    resource: String,
    violations: Vec<FieldViolation>,
    metadata: Vec<(String, String)>,
}

impl Problem {
    /// For a reason, with a sentence that says what is wrong and what to do.
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        let (resource, violations, metadata) = Default::default();
        Self { reason, message: message.into(), resource, violations, metadata }
    }

    /// Fields at fault: all of them, or as many as an answer can hold and how many more there are.
    #[must_use]
    pub fn fields(violations: Vec<FieldViolation>) -> Self {
        let found = violations.len();
        let mut told = 0;
        let violations: Vec<_> = violations
            .into_iter()
            .map(|v| FieldViolation::new(clip(&v.field, MOST_SENTENCE), clip(&v.description, MOST_SENTENCE)))
            .take_while(|v| {
                told += v.field.len() + v.description.len();
                told <= MOST_TEXT
            })
            .collect();
        let mut sentences: Vec<_> = violations.iter().map(|v| format!("{} {}.", v.field, v.description)).collect();
        if violations.len() < found {
            sentences.push(format!("And {} more.", found - violations.len()));
        }
        Self { violations, ..Self::new(ErrorReason::FieldInvalid, sentences.join(" ")) }
    }

    /// A defect of ours. Its cause goes to the log, under the trace id that the client is given.
    pub fn internal(cause: impl Display) -> Self {
        let trace_id = crate::telemetry::trace_id();
        tracing::error!(trace_id, error = %cause, "internal error");
        Self::new(ErrorReason::Internal, "An internal error. Report it with the trace id.").with("trace_id", trace_id)
    }

    /// An event of the log that can't be read: as [`Self::internal`], but no defect of the program.
    fn damaged(cause: impl Display) -> Self {
        let trace_id = crate::telemetry::trace_id();
        tracing::error!(trace_id, error = %cause, "an event of the log is damaged");
        let message = "The log has an event of this resource that is damaged. Report it with the trace id.";
        Self::new(ErrorReason::EventDamaged, message).with("trace_id", trace_id)
    }

    /// Names the resource that it is about.
    #[must_use]
    pub fn about(mut self, resource: &str) -> Self {
        resource.clone_into(&mut self.resource);
        self
    }

    /// Adds to `ErrorInfo.metadata`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.push((key.to_owned(), value.into()));
        self
    }
}

/// A status for a reason, with a sentence that says what is wrong and what to do.
pub fn status(reason: ErrorReason, message: impl Into<String>) -> Status {
    Problem::new(reason, message).into()
}

impl From<Problem> for Status {
    fn from(problem: Problem) -> Self {
        let Problem { reason, message, resource, violations, metadata } = problem;
        let code = code(reason);
        let message = clip(&message, MOST_TEXT + 1000);
        let name = reason.as_str_name().trim_start_matches("ERROR_REASON_");
        let mut details = ErrorDetails::with_error_info(name, DOMAIN, HashMap::from_iter(metadata));
        for violation in violations {
            details.add_bad_request_violation(violation.field, violation.description);
        }
        if code == Code::FailedPrecondition {
            details.add_precondition_failure_violation(name, resource, &message);
        }
        // An etag that does not match is ABORTED, too, but repeating the same request is of no use.
        if matches!(code, Code::Unavailable | Code::ResourceExhausted) || reason == ErrorReason::ConcurrentWrites {
            details.set_retry_info(Some(RETRY_DELAY));
        }
        Status::with_error_details(code, message, details)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let Refusal { reason, message, violations, metadata } = refusal;
        let problem = Self { violations, ..Self::new(reason, message) };
        metadata.into_iter().fold(problem, |problem, (key, value)| problem.with(key, value))
    }
}

/// What another service answered, when this one can't do without it.
impl From<tandem_client::Error> for Problem {
    fn from(error: tandem_client::Error) -> Self {
        match (error.code(), error.reason()) {
            (Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted, _) => {
                let message =
                    format!("A service that is needed does not answer: {}. Repeat the request.", error.message());
                Self::new(ErrorReason::DependencyUnavailable, message)
            }
            // What the caller asked for does not hold there: their matter, in the words of the other service.
            (
                Code::NotFound
                | Code::FailedPrecondition
                | Code::InvalidArgument
                | Code::AlreadyExists
                | Code::DataLoss,
                Some(reason),
            ) => {
                let violations = error.violations().into_iter();
                let violations = violations.map(|v| FieldViolation::new(v.field, v.description)).collect();
                Self { violations, ..Self::new(reason, error.message()) }
            }
            // That this service may not ask, or asks wrongly, is not the caller's fault.
            _ => Self::internal(error),
        }
    }
}

impl From<tandem_views::FoldError> for Problem {
    fn from(error: tandem_views::FoldError) -> Self {
        Self::internal(error)
    }
}

impl From<Vec<FieldViolation>> for Problem {
    fn from(violations: Vec<FieldViolation>) -> Self {
        Self::fields(violations)
    }
}

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        use ErrorReason as R;
        match error {
            ExecuteError::Refused(refusal) => refusal.into(),
            ExecuteError::EtagMismatch => Self::new(
                R::EtagMismatch,
                "The etag is not the current one: others have written since. Get the resource again and decide anew.",
            ),
            ExecuteError::RequestIdReused => Self::new(
                R::RequestIdReused,
                "The request_id was used before with another body. Use a new one for a new request.",
            ),
            ExecuteError::Contended => Self::new(
                R::ConcurrentWrites,
                "Others kept writing to the same resource at the same time. Repeat with the same request_id.",
            ),
            ExecuteError::InvalidId(error) => error.into(),
            ExecuteError::Unavailable(cause) => unavailable(&cause),
            ExecuteError::UpgradeNeeded { event_type, position } => Self::new(
                R::UpgradeNeeded,
                format!(
                    "A newer version of Tandem has written a {event_type} to this resource, which this replica does not \
                     know: nothing is decided or told by half of what happened. Ask an upgraded replica, or upgrade."
                ),
            )
            .with("event_type", event_type)
            .with("position", position.to_string()),
            ExecuteError::Corrupt(cause) => Self::damaged(cause),
        }
    }
}

impl From<InvalidToken> for Problem {
    fn from(error: InvalidToken) -> Self {
        Self::fields(vec![FieldViolation::new("name", format!("has an id that can't be one: {error}"))])
    }
}

impl From<InvalidPositions> for Problem {
    fn from(error: InvalidPositions) -> Self {
        Self::fields(vec![FieldViolation::new(crate::call::READ_AFTER, format!("can't be read: {error}"))])
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        unavailable(&error)
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let reason = match &error {
            QueryError::Filter(_) | QueryError::OrderBy(_) => ErrorReason::FilterInvalid,
            QueryError::PageSize(_) => ErrorReason::FieldInvalid,
            QueryError::PageToken => ErrorReason::PageTokenInvalid,
            QueryError::Building(_) => ErrorReason::DependencyUnavailable,
            QueryError::Store(error) => return views_failed(error),
        };
        let text = error.to_string();
        let violation = error.field().map(|field| {
            let description = text.strip_prefix(field).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(&text);
            FieldViolation::new(field, description)
        });
        Self { violations: violation.into_iter().collect(), ..Self::new(reason, text) }
    }
}

impl From<WaitError> for Problem {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Deadline { .. } => Self::new(ErrorReason::Deadline, error.to_string()),
            WaitError::Beyond { .. } => {
                Self::fields(vec![FieldViolation::new(crate::call::READ_AFTER, format!("can't be kept: {error}"))])
            }
            WaitError::Stopped(_) => Self::new(ErrorReason::DependencyUnavailable, error.to_string()),
        }
    }
}

impl From<RebuildError> for Problem {
    fn from(error: RebuildError) -> Self {
        Self::new(ErrorReason::DependencyUnavailable, error.to_string())
    }
}

impl From<RetryError> for Problem {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::Building(error) => error.into(),
            RetryError::Interrupted(error) => error.into(),
            RetryError::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        views_failed(&error)
    }
}

fn views_failed(error: &StoreError) -> Problem {
    if !error.is_away() {
        return Problem::internal(error);
    }
    tracing::warn!(%error, "the views' database can't be used");
    Problem::new(ErrorReason::DependencyUnavailable, "The views can't be read at the moment. Repeat after the delay.")
}

fn unavailable(cause: &dyn Display) -> Problem {
    tracing::warn!(error = %cause, "the log can't be reached");
    Problem::new(
        ErrorReason::LogUnavailable,
        "The log can't be reached. Repeat after the delay, a write with the same request_id.",
    )
}

#[cfg(test)]
mod tests {
    use tonic::body::Body;

    use super::*;

    /// The comments of the proto file are the documentation; this holds code and documentation together.
    #[test]
    fn codes_are_as_documented() {
        let file = tandem_proto::POOL.get_file_by_name("tandem/common/v1/errors.proto").unwrap();
        let proto = file.file_descriptor_proto();
        let comments: HashMap<&[i32], &str> = (proto.source_code_info.as_ref().unwrap().location.iter())
            .map(|location| (&location.path[..], location.leading_comments().trim()))
            .collect();
        let values = &proto.enum_type[0].value;
        for (index, value) in values.iter().enumerate() {
            let reason = ErrorReason::try_from(value.number()).unwrap();
            let comment = comments[&[5, 0, 2, i32::try_from(index).unwrap()][..]];
            if reason == ErrorReason::Unspecified {
                continue;
            }
            let documented = comment.split(':').next().unwrap();
            let name = format!("{:?}", code(reason));
            let screaming = name.char_indices().fold(String::new(), |out, (at, c)| {
                out + if c.is_uppercase() && at > 0 { "_" } else { "" } + &c.to_ascii_uppercase().to_string()
            });
            assert_eq!(screaming, documented, "{}", value.name());
        }
        assert!(values.len() > 30, "all reasons were looked at");
    }

    #[test]
    fn all_fields_at_fault_are_named() {
        let violations =
            vec![FieldViolation::new("name", "is required"), FieldViolation::new("rows[1].handle", "is long")];
        let status = Status::from(Problem::fields(violations));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "name is required. rows[1].handle is long.");
        let details = status.get_error_details();
        let fields: Vec<_> = details.bad_request().unwrap().field_violations.iter().map(|v| &v.field[..]).collect();
        assert_eq!(fields, ["name", "rows[1].handle"]);
        assert_eq!(details.error_info().unwrap().reason, "FIELD_INVALID");
        assert_eq!(details.error_info().unwrap().domain, "tandem");
    }

    #[test]
    fn more_than_an_answer_holds_is_counted() {
        let violations: Vec<_> = (0..1000)
            .map(|n| FieldViolation::new(format!("rows[{n}].handle"), "is longer than 64 characters: é"))
            .collect();
        let status = Status::from(Problem::fields(violations));
        let told = status.get_error_details().bad_request().unwrap().field_violations.len();
        assert!(told > 10 && status.message().ends_with(&format!("And {} more.", 1000 - told)), "{}", status.message());
        let headers = status.into_http::<Body>().into_parts().0.headers;
        let size: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
        assert!(size < 16 * 1024, "{size} bytes of headers");
        let long = Status::from(Problem::fields(vec![FieldViolation::new("é".repeat(10_000), "x".repeat(10_000))]));
        assert!(long.message().len() < 1100, "{}", long.message().len());
    }

    #[test]
    fn a_refused_transition_names_its_resource() {
        let refusal = Refusal::new(ErrorReason::AlreadySigned, "Signed already.").with("signer", "users/ada");
        let details = Status::from(Problem::from(refusal).about("contracts/c1")).get_error_details();
        assert_eq!(details.error_info().unwrap().metadata["signer"], "users/ada");
        let violation = &details.precondition_failure().unwrap().violations[0];
        assert_eq!((&violation.r#type[..], &violation.subject[..]), ("ALREADY_SIGNED", "contracts/c1"));
    }

    #[test]
    fn only_what_may_succeed_unchanged_is_to_be_repeated() {
        let retried =
            |error: ExecuteError| Status::from(Problem::from(error)).get_error_details().retry_info().is_some();
        assert!(retried(ExecuteError::Contended));
        assert!(retried(ExecuteError::Unavailable("gone".into())));
        assert!(!retried(ExecuteError::EtagMismatch));
        assert!(!retried(ExecuteError::RequestIdReused));
    }

    #[test]
    fn a_defect_shows_a_trace_id_and_nothing_else() {
        let damaged = Problem::from(ExecuteError::Corrupt("secret detail".into()));
        for (problem, code) in [(Problem::internal("secret detail"), Code::Internal), (damaged, Code::DataLoss)] {
            let status = Status::from(problem);
            assert_eq!(status.code(), code);
            assert!(
                !status.message().contains("secret") && !String::from_utf8_lossy(status.details()).contains("secret")
            );
            assert_eq!(status.get_error_details().error_info().unwrap().metadata["trace_id"].len(), 32);
        }
    }

    #[test]
    fn an_event_of_a_newer_version_asks_for_an_upgrade() {
        let event_type = "tandem.contracts.v1.ContractReopened".to_owned();
        let status = Status::from(Problem::from(ExecuteError::UpgradeNeeded { event_type, position: 7 }));
        assert_eq!(status.code(), Code::FailedPrecondition);
        assert!(status.message().contains("ContractReopened") && status.message().contains("upgrade"), "{status}");
        let details = status.get_error_details();
        let info = details.error_info().unwrap();
        assert_eq!((&info.reason[..], &info.metadata["position"][..]), ("UPGRADE_NEEDED", "7"));
    }
}
