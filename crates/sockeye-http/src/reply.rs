//! Replies: what a request is answered with, and those that need no session to be made.

use ::http::StatusCode;
use bytes::Bytes;

use crate::{
    dav,
    page::{Told, error_page, media_type},
    payload::Payload,
    wire::{
        accept::{self, Form},
        head::Head,
        look::Look,
        method::{Allowed, Method},
        reply::ReplyHead,
    },
};

/// A reply, ready to be sent. For HEAD it is the reply to GET, whose payload is left unsent.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) head: ReplyHead,
    pub(crate) payload: Payload,
}

/// A reply without content.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut head = ReplyHead::new(status);
    head.length = head.has_content().then_some(0);
    Reply { head, payload: Payload::Empty }
}

/// What can be done there.
pub(crate) fn allow(allowed: Allowed) -> Reply {
    let mut reply = empty(StatusCode::NO_CONTENT);
    reply.head.allow = Some(allowed);
    if allowed.contains(Method::PropFind) {
        dav::tell(&mut reply);
        // Clients of WebDAV have seen no other.
        (reply.head.status, reply.head.length) = (StatusCode::OK, Some(0));
    }
    reply
}

/// An error page in the form and the language that the request prefers.
pub(crate) fn error(
    status: StatusCode,
    detail: Option<&dyn Told>,
    request: Option<&Head<'_>>,
) -> Reply {
    let fields = request.map(|r| &r.fields);
    let forms = [Form::Text, Form::Html, Form::Json, Form::Problem];
    let form = match accept::form(fields.and_then(|f| f.accept), &forms) {
        Form::Json => Form::Problem,
        form => form,
    };
    let look = fields.map(Look::of).unwrap_or_default();
    let mut reply = page(status, media_type(form), error_page(status, detail, form, look));
    reply.head.traits.negotiated = true;
    reply
}

/// A page of our own.
pub(crate) fn page(status: StatusCode, media: &'static str, text: String) -> Reply {
    let text = Bytes::from(text);
    let mut head = ReplyHead::new(status);
    head.content_type = Some(media.into());
    head.length = Some(text.len() as u64);
    head.traits.own_page = true;
    Reply { head, payload: Payload::Page(text) }
}
