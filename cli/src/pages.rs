//! Lists, which come in pages.
//!
//! Invariant: what is listed is listed to its end, in the order of the service.

use std::future::Future;

use tandem_client::Error;

/// Items of a page; as many as services give at once.
pub(crate) const PAGE_SIZE: i32 = 1000;

/// The items of all pages. `page` asks for the one of a token, and gives its items and the next token.
pub(crate) async fn all<T, Page>(mut page: impl FnMut(String) -> Page) -> Result<Vec<T>, Error>
where
    Page: Future<Output = Result<(Vec<T>, String), tonic::Status>>,
{
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (items, next) = page(token).await?;
        all.extend(items);
        if next.is_empty() {
            return Ok(all);
        }
        token = next;
    }
}
