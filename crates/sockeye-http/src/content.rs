//! A request's content, as it comes: what both protocols give to whoever takes it.

use std::pin::pin;

use ::http::StatusCode;
use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};
use tokio::time::Instant;

use crate::{
    config::Limits,
    lane::{Link, Patience},
    wire::chunked::ChunkError,
};

/// The content of one request.
pub(crate) trait Content: Send {
    /// How long it is, if that was announced; 0 if there is none.
    fn length(&self) -> Option<u64>;

    /// Whether all of it was taken.
    fn is_at_end(&self) -> bool;

    /// Whether the client waits to be told to send it (RFC 9110 §10.1.1). Over HTTP/1, the first call of
    /// [`Content::next`] tells it.
    fn is_withheld(&self) -> bool;

    /// The next bytes; `None` at the end.
    ///
    /// Cancellation: nothing more can be taken.
    fn next(&mut self) -> impl Future<Output = Result<Option<&[u8]>, Cut>> + Send;
}

/// Why no more content comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cut {
    /// The client ended before its content did.
    #[error("the content ended before its announced end")]
    Short,
    /// It came too slowly.
    #[error("the content came too slowly")]
    Slow,
    /// It is not what its coding has.
    #[error("the content is malformed: {0}")]
    Malformed(#[from] ChunkError),
    /// The connection broke.
    #[error("the connection broke")]
    Broken,
}

/// Why a content was not read whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unread {
    /// It is longer than what may be held of it.
    #[error("the content has more than {0} bytes")]
    TooLarge(usize),
    /// It did not come.
    #[error(transparent)]
    Cut(#[from] Cut),
}

impl Unread {
    pub(crate) fn status(self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Cut(Cut::Slow) => StatusCode::REQUEST_TIMEOUT,
            Self::Cut(Cut::Short | Cut::Malformed(_) | Cut::Broken) => StatusCode::BAD_REQUEST,
        }
    }

    /// Whether nobody knows where the next request begins, or none will come.
    pub(crate) fn ends_connection(self) -> bool {
        matches!(self, Self::Cut(_))
    }
}

/// Reads a content to its end, which is at most `limit` bytes long.
///
/// # Errors
/// If it is longer, which is found before it comes where it says how long it is; or if it does not come.
///
/// Cancellation: what was read is lost.
pub(crate) async fn read_whole(content: &mut impl Content, limit: usize) -> Result<Bytes, Unread> {
    let announced = content.length().map(usize::try_from);
    let expected = match announced {
        Some(Ok(length)) if length <= limit => length,
        Some(_) => return Err(Unread::TooLarge(limit)),
        None => 0,
    };
    let mut whole = BytesMut::with_capacity(expected);
    while let Some(bytes) = content.next().await? {
        if bytes.len() > limit - whole.len() {
            return Err(Unread::TooLarge(limit));
        }
        whole.extend_from_slice(bytes);
    }
    Ok(whole.freeze())
}

/// How long content may be waited for: it has to come at a least pace, with a grace at the beginning. The time
/// in which nobody waited for it does not count.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// Time that may still be spent with waiting.
    left: std::time::Duration,
}

impl Waiting {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self { left: limits.read_stall }
    }

    /// Waits for some of it; `received` says how many bytes it was.
    pub(crate) async fn wait<T>(
        &mut self,
        limits: &Limits,
        coming: impl Future<Output = T>,
        received: impl FnOnce(&T) -> usize,
    ) -> Result<T, Cut> {
        let begun = Instant::now();
        let come = tokio::time::timeout(self.left, coming).await.map_err(|_| Cut::Slow)?;
        let earned = received(&come) as u64 * 1_000_000 / limits.read_pace.max(1);
        let left = self.left.saturating_sub(begun.elapsed());
        // What came fast is no credit for a longer silence than any may be.
        let earned = std::time::Duration::from_micros(earned);
        self.left = left.saturating_add(earned).min(limits.read_stall);
        Ok(come)
    }
}

/// Takes content that nobody wants to its end, within the limits, so that the connection can go on after the
/// answer. A client that waits to be told to send it is not told.
///
/// # Errors
/// If it is malformed, so that nobody knows where the next request begins.
pub(crate) async fn throw_away(
    content: &mut impl Content,
    limits: &Limits,
    link: &Link<'_>,
) -> Result<(), ChunkError> {
    let long = content.length().is_some_and(|length| length > limits.body);
    if content.is_at_end() || content.is_withheld() || long {
        return Ok(());
    }
    let all = async {
        let mut left = limits.body;
        loop {
            match content.next().await {
                Ok(Some(bytes)) => match left.checked_sub(bytes.len() as u64) {
                    Some(rest) => left = rest,
                    None => return Ok(()),
                },
                Err(Cut::Malformed(error)) => return Err(error),
                Ok(None) | Err(_) => return Ok(()),
            }
        }
    };
    let patience = Patience::new(Instant::now(), limits.head_time, limits.crowded_head);
    match select(pin!(all), pin!(patience.run_out(link))).await {
        Either::Left((taken, _)) => taken,
        Either::Right(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A content of these pieces, which then breaks off or ends.
    struct Pieces {
        length: Option<u64>,
        left: Vec<&'static [u8]>,
        end: Option<Cut>,
    }

    impl Content for Pieces {
        fn length(&self) -> Option<u64> {
            self.length
        }

        fn is_at_end(&self) -> bool {
            self.left.is_empty() && self.end.is_none()
        }

        fn is_withheld(&self) -> bool {
            false
        }

        async fn next(&mut self) -> Result<Option<&[u8]>, Cut> {
            match self.left.is_empty() {
                false => Ok(Some(self.left.remove(0))),
                true => self.end.map_or(Ok(None), Err),
            }
        }
    }

    async fn read(length: Option<u64>, end: Option<Cut>) -> (Result<Bytes, Unread>, usize) {
        let mut content = Pieces { length, left: vec![b"ab", b"", b"cd"], end };
        (read_whole(&mut content, 4).await, content.left.len())
    }

    #[tokio::test]
    async fn a_content_is_read_whole_within_its_limit() {
        for length in [None, Some(4)] {
            assert_eq!(read(length, None).await, (Ok(Bytes::from_static(b"abcd")), 0));
            assert_eq!(read(length, Some(Cut::Short)).await.0, Err(Unread::Cut(Cut::Short)));
        }
        assert_eq!(read(Some(5), None).await, (Err(Unread::TooLarge(4)), 3), "before it comes");
        let mut long = Pieces { length: None, left: vec![b"abc", b"de", b"f"], end: None };
        assert_eq!(read_whole(&mut long, 4).await, Err(Unread::TooLarge(4)));
        assert_eq!(long.left.len(), 1, "no more is taken than tells that it is too long");
    }
}
