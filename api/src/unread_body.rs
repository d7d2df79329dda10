//! Reads what the answer did not need of a request's body, so that the connection stays good.
//!
//! Whoever is refused before the body was looked at may still be sending it. HTTP/1.1 leaves two
//! ways (RFC 9112, section 9.3): read the rest, or say `Connection: close`. hyper takes a third if
//! the rest is not there yet: it closes without a word, and the next request on that connection
//! fails.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use poem::http::{HeaderValue, Version, header};
use poem::{Body, Endpoint, IntoResponse as _, Request, Response};

/// So much is read and thrown away. More is not worth a connection.
const MAX_REST_BYTES: usize = 1024 * 1024;

/// So long the rest may take.
const MAX_WAIT: Duration = Duration::from_secs(2);

/// Answers with `endpoint`, and leaves no part of the body unread.
pub(crate) async fn read_to_end<E: Endpoint>(
    endpoint: Arc<E>,
    mut request: Request,
) -> poem::Result<Response> {
    let body = request.take_body();
    if body.is_empty() {
        return Ok(endpoint.call(request).await?.into_response());
    }
    let body = SharedBody::new(body);
    let version = request.version();
    request.set_body(Body::from_bytes_stream(body.clone()));
    let mut response = endpoint.call(request).await?.into_response();
    let is_read = tokio::time::timeout(MAX_WAIT, body.drain()).await;
    if !is_read.unwrap_or(false) && version < Version::HTTP_2 {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}

/// A body that the endpoint reads first, and whoever holds the other end after it.
#[derive(Clone)]
struct SharedBody(Arc<Mutex<BoxStream<'static, std::io::Result<Bytes>>>>);

impl SharedBody {
    fn new(body: Body) -> Self {
        Self(Arc::new(Mutex::new(
            body.into_bytes_stream().fuse().boxed(),
        )))
    }

    /// Reads what is left, and says whether that was all.
    async fn drain(mut self) -> bool {
        let mut rest_bytes = 0;
        while let Some(part) = self.next().await {
            match part {
                Ok(part) => rest_bytes += part.len(),
                Err(_) => return false,
            }
            if rest_bytes > MAX_REST_BYTES {
                return false;
            }
        }
        true
    }
}

impl Stream for SharedBody {
    type Item = std::io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.poll_next_unpin(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::stream;
    use poem::http::StatusCode;
    use poem::{EndpointExt as _, endpoint::make_sync};

    use super::*;

    /// What is answered to a request with such a body by someone who does not look at it.
    async fn refuse(parts: impl Stream<Item = Vec<u8>> + Send + 'static) -> Response {
        let refusal = make_sync(|_| StatusCode::UNAUTHORIZED).around(read_to_end);
        let body = Body::from_bytes_stream(parts.map(Ok::<_, std::io::Error>));
        refusal.get_response(Request::builder().body(body)).await
    }

    fn closing(response: &Response) -> Option<&str> {
        response.headers().get(header::CONNECTION)?.to_str().ok()
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_comes_after_the_refusal_is_read() {
        let read = Arc::new(AtomicUsize::new(0));
        let counted = read.clone();
        let late = stream::iter(0..3).then(move |_| {
            let counted = counted.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                counted.fetch_add(1, Ordering::Relaxed);
                b"part".to_vec()
            }
        });
        let response = refuse(late).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(read.load(Ordering::Relaxed), 3);
        assert_eq!(closing(&response), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_without_end_or_that_never_comes_ends_the_connection() {
        let endless = refuse(stream::repeat(vec![0; 64 * 1024])).await;
        let silent = refuse(stream::pending()).await;
        for response in [endless, silent] {
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
            assert_eq!(closing(&response), Some("close"));
        }
    }
}
