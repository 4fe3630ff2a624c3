//! One request in hyper's types.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use ::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header, request::Parts};
use bytes::Bytes;
use futures_util::stream;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Incoming;

use super::{
    super::{Link, Respond, seconds_now},
    content::Received,
    traffic::Traffic,
};
use crate::{
    config::AccessLog,
    payload::Payload,
    reply::Reply,
    wire::{
        date,
        head::{Fields, Head, Sent},
        log::{Record, RequestLine},
        method::Method,
    },
};

/// Answers one request.
///
/// Of a content that was left unread the peer is told once the answer is complete (RFC 9113 §8.1), and the
/// connection goes on.
pub(super) async fn exchange(
    service: &impl Respond,
    link: &Link<'_>,
    traffic: &Traffic,
    request: Request<Incoming>,
) -> Response<ResponseBody> {
    let now = seconds_now();
    let (parts, body) = request.into_parts();
    let joined = join_repeated(&parts.headers);
    let target = target(&parts);
    let head = head(&parts, target, &joined);
    let mut content = Received::new(body, &parts.headers, &service.config().limits, traffic);
    let reply = service.respond(link, now, &head, &mut content).await;
    let entry = entry(service.config().access_log.as_ref(), link, &head, &reply, now);
    let unread = content.into_unread();
    let response = respond(reply, head.method == Method::Head, now, entry);
    response.map(|inner| ResponseBody { inner, _unread: unread })
}

/// The request target as it stood on the wire.
fn target(parts: &Parts) -> &str {
    let path = parts.uri.path_and_query().map(|p| p.as_str());
    match (parts.uri.authority(), path) {
        // CONNECT has nothing else.
        (Some(authority), None) => authority.as_str(),
        (_, path) => path.unwrap_or("/"),
    }
}

/// Fields sent more than once, each as the one list that they stand for (RFC 9110 §5.3). Cookies are none, and each
/// may come by itself (RFC 9113 §8.2.3).
fn join_repeated(headers: &HeaderMap) -> Vec<(&HeaderName, Vec<u8>)> {
    let single = [header::HOST, header::COOKIE];
    headers
        .keys()
        .filter(|name| headers.get_all(*name).iter().nth(1).is_some() && !single.contains(name))
        .map(|name| {
            let values: Vec<_> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
            (name, values.join(&b", "[..]))
        })
        .collect()
}

fn head<'a>(
    parts: &'a Parts,
    target: &'a str,
    joined: &'a [(&'a HeaderName, Vec<u8>)],
) -> Head<'a> {
    let mut fields = Fields { sent: Sent::Map(&parts.headers), ..Fields::default() };
    // HTTP/2 has `:authority` in place of Host (RFC 9113 §8.3.1).
    let authority = parts.uri.authority();
    if let Some(authority) = authority {
        fields.add(b"host", authority.as_str().as_bytes());
    }
    for (name, value) in &parts.headers {
        let skipped = (authority.is_some() && name == header::HOST)
            || joined.iter().any(|(other, _)| *other == name);
        if !skipped {
            fields.add(name.as_str().as_bytes(), value.as_bytes());
        }
    }
    for (name, value) in joined {
        fields.add(name.as_str().as_bytes(), value);
    }
    Head {
        method: Method::parse(parts.method.as_str().as_bytes()),
        method_name: parts.method.as_str().as_bytes(),
        target: target.as_bytes(),
        minor_version: None,
        fields,
    }
}

fn respond(
    reply: Reply,
    head_only: bool,
    now: i64,
    entry: Option<Entry>,
) -> Response<UnsyncBoxBody<Bytes, io::Error>> {
    let mut response = Response::new(());
    *response.status_mut() = reply.head.status;
    reply.head.fields(&date::http_date(now), |name, value| {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            response.headers_mut().append(name.clone(), value);
        }
    });
    let payload = if head_only { Payload::Empty } else { reply.payload };
    response.map(|()| body(payload, entry))
}

fn body(payload: Payload, entry: Option<Entry>) -> UnsyncBoxBody<Bytes, io::Error> {
    match payload {
        Payload::Empty => Empty::new().map_err(|never| match never {}).boxed_unsync(),
        Payload::Page(page) => {
            if let Some(mut entry) = entry {
                entry.sent = page.len() as u64;
            }
            Full::new(page).map_err(|never| match never {}).boxed_unsync()
        }
        payload => {
            let frames =
                stream::try_unfold((payload, entry), |(mut payload, mut entry)| async move {
                    let piece = payload.next().await?;
                    if let (Some(piece), Some(entry)) = (&piece, &mut entry) {
                        entry.sent += piece.len() as u64;
                    }
                    Ok(piece.map(|piece| (Frame::data(piece), (payload, entry))))
                });
            StreamBody::new(frames).boxed_unsync()
        }
    }
}

/// An answer's content, and what of the request's was left unread: given up before the answer is complete,
/// that would reset the stream.
pub(super) struct ResponseBody {
    inner: UnsyncBoxBody<Bytes, io::Error>,
    _unread: Option<Incoming>,
}

impl http_body::Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An access record that is written when the answer is done with, however that comes.
struct Entry {
    log: AccessLog,
    peer: String,
    at: i64,
    method: Vec<u8>,
    target: Vec<u8>,
    minor_version: Option<u8>,
    status: u16,
    sent: u64,
    referer: Option<Vec<u8>>,
    user_agent: Option<Vec<u8>>,
}

fn entry(
    log: Option<&AccessLog>,
    link: &Link<'_>,
    head: &Head<'_>,
    reply: &Reply,
    at: i64,
) -> Option<Entry> {
    Some(Entry {
        log: log.cloned()?,
        peer: link.peer.clone()?,
        at,
        method: head.method_name.to_vec(),
        target: head.target.to_vec(),
        minor_version: head.minor_version,
        status: reply.head.status.as_u16(),
        sent: 0,
        referer: head.fields.referer.map(<[u8]>::to_vec),
        user_agent: head.fields.user_agent.map(<[u8]>::to_vec),
    })
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.log.write(&Record {
            peer: &self.peer,
            at: self.at,
            request: Some(RequestLine {
                method: &self.method,
                target: &self.target,
                minor_version: self.minor_version,
            }),
            status: self.status,
            sent: self.sent,
            referer: self.referer.as_deref(),
            user_agent: self.user_agent.as_deref(),
        });
    }
}
