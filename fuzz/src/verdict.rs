//! Whether an answer is as it should be.
//!
//! Invariant: an error is one of Tandem's, with a reason and the code that goes with it; nobody is told of a defect, for
//! there is none.

use tandem_client::Error;
use tandem_service::code;
use tonic::Code;

use crate::caller::Caller;
use crate::wire::Answer;

/// What is to be expected beside what the caller lets expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// A message.
    Message,
    /// Bytes that are none.
    NoMessage,
    /// A message, with a deadline that is over before long.
    Hurried,
}

/// What is wrong with an answer.
pub(crate) fn judge(caller: Caller, sent: Sent, answer: &Answer) -> Option<String> {
    let (status, found) = (&answer.status, answer.status.code());
    // A client gives up by itself when its deadline is over, and often before the answer comes that says so.
    if sent == Sent::Hurried && found == Code::Cancelled {
        return None;
    }
    let error = Error::from(status.clone());
    if found != Code::Ok {
        let Some(reason) = error.reason() else { return Some(format!("an error without a reason: {status:?}")) };
        if code(reason) != found {
            return Some(format!("{found:?} is not the code of {reason:?}: {}", status.message()));
        }
        if status.message().is_empty() {
            return Some(format!("{reason:?} says nothing"));
        }
    }
    let expected = match (caller.refusal(), sent) {
        // In time, or not.
        (Some(refusal), Sent::Hurried) => found == refusal || found == Code::DeadlineExceeded,
        (Some(refusal), _) => found == refusal,
        (None, Sent::NoMessage) => found == Code::InvalidArgument,
        // What the log was not given the time to confirm may have happened.
        (None, Sent::Hurried) => {
            matches!(found, Code::DeadlineExceeded | Code::Unavailable) || is_answer(caller, found)
        }
        (None, Sent::Message) => is_answer(caller, found),
    };
    (!expected).then(|| format!("{caller:?} is answered {found:?} to {sent:?}: {}", status.message()))
}

/// Whether it is a code of somebody who may.
fn is_answer(caller: Caller, code: Code) -> bool {
    match code {
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Aborted => true,
        Code::PermissionDenied => caller == Caller::Creator,
        _ => false,
    }
}
