//! One request in hyper's types.

use std::{borrow::Cow, io, pin::pin};

use ::http::{
    HeaderMap, HeaderName, HeaderValue, Request, Response, Version, header, request::Parts,
};
use bytes::Bytes;
use futures_util::{
    future::{Either, select},
    stream,
};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::super::{Link, patience::Patience, seconds_now};
use crate::{
    Http,
    answer::Reply,
    config::AccessLog,
    payload::Payload,
    wire::{
        date,
        head::{Fields, Head, Method},
        log::{Record, RequestLine},
    },
};

pub(super) type ResponseBody = UnsyncBoxBody<Bytes, io::Error>;

/// Answers one request; also says whether a part of its body was left unread.
pub(super) async fn exchange(
    http: &Http,
    link: &Link<'_>,
    request: Request<Incoming>,
    draining: bool,
) -> (Response<ResponseBody>, bool) {
    let now = seconds_now();
    let (parts, body) = request.into_parts();
    let unread = !throw_away(&parts, body, http, link).await;
    let joined = join_repeated(&parts.headers);
    let target = target(&parts);
    let head = head(&parts, &target, &joined);
    let reply = http.answerer(link, now).answer(&head).await;
    let close = unread || draining || reply.head.traits.last || !link.may_stay();
    let entry = entry(http, link, &head, &reply, now);
    let response = respond(reply, head.method == Method::Head, &parts, close, now, entry);
    (response, unread)
}

/// Reads the request's body to its end, within the limits, as nothing here takes one. A client that waits
/// to be told to send it is not told.
async fn throw_away(parts: &Parts, mut body: Incoming, http: &Http, link: &Link<'_>) -> bool {
    if body.is_end_stream() {
        return true;
    }
    if parts.headers.contains_key(header::EXPECT) {
        return false;
    }
    let limits = &http.config().limits;
    let all = async {
        let mut left = limits.body;
        while let Some(frame) = body.frame().await {
            let length = frame.ok().and_then(|f| f.into_data().ok()).map_or(0, |d| d.len() as u64);
            match left.checked_sub(length) {
                Some(rest) => left = rest,
                None => return false,
            }
        }
        true
    };
    let patience = Patience::new(Instant::now(), limits.head_time, limits.crowded_head);
    match select(pin!(all), pin!(patience.run_out(link))).await {
        Either::Left((complete, _)) => complete,
        Either::Right(_) => false,
    }
}

/// The request target as it stood on the wire.
fn target(parts: &Parts) -> Cow<'_, str> {
    let path = parts.uri.path_and_query().map(|p| p.as_str());
    match (parts.uri.authority(), path) {
        (Some(authority), None) => Cow::Borrowed(authority.as_str()),
        (Some(authority), Some(path)) if parts.version != Version::HTTP_2 => {
            Cow::Owned(format!("http://{authority}{path}"))
        }
        (_, path) => Cow::Borrowed(path.unwrap_or("/")),
    }
}

/// Fields sent more than once, each as the one list that they stand for (RFC 9110 §5.3).
fn join_repeated(headers: &HeaderMap) -> Vec<(&HeaderName, Vec<u8>)> {
    headers
        .keys()
        .filter(|name| headers.get_all(*name).iter().nth(1).is_some() && *name != header::HOST)
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
    let mut fields = Fields::default();
    let http2 = parts.version == Version::HTTP_2;
    // HTTP/2 has `:authority` in place of Host (RFC 9113 §8.3.1).
    let authority = parts.uri.authority().filter(|_| http2);
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
        minor_version: match parts.version {
            Version::HTTP_10 => Some(0),
            Version::HTTP_2 => None,
            _ => Some(1),
        },
        fields,
    }
}

fn respond(
    reply: Reply,
    head_only: bool,
    request: &Parts,
    close: bool,
    now: i64,
    entry: Option<Entry>,
) -> Response<ResponseBody> {
    let http2 = request.version == Version::HTTP_2;
    let mut response = Response::new(());
    *response.status_mut() = reply.head.status;
    reply.head.fields(&date::http_date(now), |name, value| {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            response.headers_mut().append(name.clone(), value);
        }
    });
    if close && !http2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    // To HEAD, hyper leaves the body unsent, but needs one to see that its length is not known.
    let known = reply.head.length.is_some() || !reply.head.has_content();
    let empty = head_only && (http2 || known);
    let payload = if empty { Payload::Empty } else { reply.payload };
    response.map(|()| body(payload, entry))
}

fn body(payload: Payload, entry: Option<Entry>) -> ResponseBody {
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

fn entry(http: &Http, link: &Link<'_>, head: &Head<'_>, reply: &Reply, at: i64) -> Option<Entry> {
    Some(Entry {
        log: http.config().access_log.clone()?,
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
