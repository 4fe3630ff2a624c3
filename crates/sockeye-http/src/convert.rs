//! Between this crate's requests and replies and those of the `http` crate, for what is built on axum or dav-server.

#![allow(dead_code, reason = "what is built on them is built one by one")]

use std::io;

use ::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body::Body;
use http_body_util::BodyStream;

use crate::{
    answer::Reply,
    payload::{Payload, StreamBody},
    wire::{
        head::Head,
        reply::{More, ReplyHead},
    },
};

/// A request as the `http` crate has it, with a content that was read whole.
///
/// Its target is what stood on the wire. Over HTTP/2 it has a Host as well, made of `:authority`.
///
/// # Errors
/// If the target is none that the `http` crate takes: 400.
pub(crate) fn request(head: &Head<'_>, content: Bytes) -> Result<Request<Bytes>, StatusCode> {
    let method = Method::from_bytes(head.method_name).map_err(|_| StatusCode::BAD_REQUEST)?;
    let uri = Uri::try_from(head.target).map_err(|_| StatusCode::BAD_REQUEST)?;
    let mut request = Request::new(content);
    (*request.method_mut(), *request.uri_mut()) = (method, uri);
    let fields = request.headers_mut();
    if let Some(Ok(host)) = head.fields.host.one().map(HeaderValue::from_bytes) {
        fields.insert(header::HOST, host);
    }
    for (name, value) in head.fields.iter() {
        // What was read as a head has no others.
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value))
        else {
            continue;
        };
        if name != header::HOST {
            fields.append(name, value);
        }
    }
    Ok(request)
}

/// A reply made of a response. Where it says how long its content is, it is held to it; its content is sent piece by
/// piece, as the socket takes it.
pub(crate) fn reply<B>(response: Response<B>) -> Reply
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let (parts, body) = response.into_parts();
    let mut head = ReplyHead::new(parts.status);
    let said = parts.headers.get(header::CONTENT_LENGTH);
    let said = said.and_then(|length| length.to_str().ok()?.parse().ok());
    let exact = body.size_hint().exact();
    head.length = said.or(exact).filter(|_| head.has_content());
    head.more = more(parts.headers);
    let payload = match exact {
        Some(0) => Payload::Empty,
        _ if !head.has_content() => Payload::Empty,
        _ => {
            let frames = BodyStream::new(body).map_err(io::Error::other);
            let pieces = frames.try_filter_map(|frame| async { Ok(frame.into_data().ok()) });
            Payload::Stream(StreamBody::new(head.length, pieces))
        }
    };
    Reply { head, payload }
}

fn more(fields: ::http::HeaderMap) -> More {
    let (mut more, mut last) = (More::default(), None);
    for (name, value) in fields {
        // A name that comes again is not said again.
        last = name.or(last);
        if let Some(name) = &last {
            more.add(name.clone(), value);
        }
    }
    more
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http_body::Frame;
    use http_body_util::{Full, StreamBody as Frames};

    use super::*;
    use crate::wire::head::{Parsed, parse};

    #[test]
    fn a_request_has_what_stood_on_the_wire() {
        let text =
            "MOVE /a%20b?c HTTP/1.1\r\nHost: h:1\r\nDepth: 0\r\nIf: (<a>)\r\nIf: (<b>)\r\n\r\n";
        let Parsed::Head(head, _) = parse(text.as_bytes()) else { panic!() };
        let made = request(&head, Bytes::from_static(b"x")).unwrap();
        assert_eq!((made.method().as_str(), made.uri().to_string()), ("MOVE", "/a%20b?c".into()));
        let values = |name| {
            made.headers()
                .get_all(name)
                .iter()
                .map(HeaderValue::as_bytes)
                .collect::<Vec<_>>()
                .join(&b'|')
        };
        assert_eq!((values("host"), values("depth")), (b"h:1".to_vec(), b"0".to_vec()));
        assert_eq!((values("if"), made.body().as_ref()), (b"(<a>)|(<b>)".to_vec(), &b"x"[..]));
        let odd = Head { target: b"/\xff", ..head };
        assert_eq!(request(&odd, Bytes::new()).err(), Some(StatusCode::BAD_REQUEST));
    }

    async fn content(mut reply: Reply) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        while let Some(piece) = reply.payload.next().await? {
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }

    #[tokio::test]
    async fn a_reply_has_what_the_response_had() {
        let response = Response::builder().status(207).header("etag", "\"a\"").header("dav", "1");
        let made = reply(response.body(Full::new(Bytes::from_static(b"text"))).unwrap());
        assert_eq!((made.head.status.as_u16(), made.head.length), (207, Some(4)));
        let mut fields = Vec::new();
        made.head.fields(b"Thu, 01 Jan 1970 00:00:00 GMT", |name, _| fields.push(name.clone()));
        assert!(fields.contains(&header::ETAG) && fields.iter().any(|name| name == "dav"));
        assert_eq!(content(made).await.unwrap(), b"text");
        let nothing = reply(Response::builder().status(204).body(Full::new(Bytes::new())).unwrap());
        assert!(matches!(nothing.payload, Payload::Empty) && nothing.head.length.is_none());
    }

    #[tokio::test]
    async fn a_response_is_held_to_its_length_and_its_trailers_are_passed_over() {
        for (length, fits) in [(None, true), (Some(2), true), (Some(3), false)] {
            let frames = [
                Ok::<_, io::Error>(Frame::data(Bytes::from_static(b"ab"))),
                Ok(Frame::trailers(::http::HeaderMap::new())),
            ];
            let mut response = Response::new(Frames::new(stream::iter(frames)));
            if let Some(length) = length {
                response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            }
            let made = reply(response);
            assert_eq!(made.head.length, length);
            assert_eq!(content(made).await.ok(), fits.then(|| b"ab".to_vec()), "{length:?}");
        }
    }
}
