//! Waiting at startup for what will come by itself.
//!
//! Invariant: only what passes without anybody's doing is waited for; a wrong setting is told at once.

use std::fmt::Display;
use std::time::Duration;

/// Between two tries.
const PAUSE: Duration = Duration::from_millis(500);
/// Every so many tries it is said again what is waited for.
const SAY_EVERY: u32 = 20;

/// Tries until it succeeds, or fails in a way that does not pass.
///
/// # Errors
/// The first error that does not pass.
pub async fn until_it_passes<T, E: Display, F: Future<Output = Result<T, E>> + Send>(
    what: &'static str,
    passes: impl Fn(&E) -> bool + Send,
    mut attempt: impl FnMut() -> F + Send,
) -> Result<T, E> {
    let mut tries = 0_u32;
    loop {
        match attempt().await {
            Err(error) if passes(&error) => {
                if tries.is_multiple_of(SAY_EVERY) {
                    tracing::warn!(%error, "waiting for {what}");
                }
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            done => {
                if tries > 0 && done.is_ok() {
                    tracing::info!("{what} is there");
                }
                return done;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_passes_is_outlasted_and_what_does_not_is_told() {
        let mut outcomes = [Err("away"), Err("away"), Ok(7), Err("wrong")].into_iter();
        let passes = |error: &&str| *error == "away";
        let mut attempt = || std::future::ready(outcomes.next().unwrap());
        assert_eq!(until_it_passes("it", passes, &mut attempt).await, Ok(7));
        assert_eq!(until_it_passes("it", passes, attempt).await, Err("wrong"));
    }
}
