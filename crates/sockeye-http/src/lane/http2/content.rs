//! A request's content, as hyper gives it.

use ::http::{HeaderMap, header};
use bytes::Bytes;
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use super::traffic::Traffic;
use crate::{
    config::Limits,
    content::{Content, Cut, Waiting},
};

/// The content of a request.
pub(super) struct Received<'a> {
    body: Incoming,
    piece: Bytes,
    withheld: bool,
    ended: bool,
    limits: &'a Limits,
    traffic: &'a Traffic,
    waiting: Waiting,
}

impl<'a> Received<'a> {
    pub(super) fn new(
        body: Incoming,
        headers: &HeaderMap,
        limits: &'a Limits,
        traffic: &'a Traffic,
    ) -> Self {
        let ended = body.is_end_stream();
        let withheld = !ended && headers.contains_key(header::EXPECT);
        let (piece, waiting) = (Bytes::new(), Waiting::new(limits));
        Self { body, piece, withheld, ended, limits, traffic, waiting }
    }

    /// What was left, if anything was.
    pub(super) fn into_unread(self) -> Option<Incoming> {
        (!self.ended).then_some(self.body)
    }
}

impl Content for Received<'_> {
    fn length(&self) -> Option<u64> {
        if self.ended { Some(0) } else { self.body.size_hint().exact() }
    }

    fn is_at_end(&self) -> bool {
        self.ended
    }

    fn is_withheld(&self) -> bool {
        self.withheld
    }

    async fn next(&mut self) -> Result<Option<&[u8]>, Cut> {
        // hyper has no way to tell the client to go on. None waits for long.
        self.withheld = false;
        while !self.ended {
            let bytes = |frame: &Option<Result<http_body::Frame<Bytes>, hyper::Error>>| {
                let data = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref());
                data.map_or(0, Bytes::len)
            };
            match self.waiting.wait(self.limits, self.body.frame(), bytes).await? {
                // Trailers are passed over.
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    self.traffic.came(data.len());
                    self.piece = data;
                    return Ok(Some(&self.piece));
                }
                // The stream was reset, or is not as long as it said.
                Some(Err(_)) => return Err(Cut::Short),
                None => self.ended = true,
            }
        }
        Ok(None)
    }
}
