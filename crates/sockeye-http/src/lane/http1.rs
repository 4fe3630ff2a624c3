//! HTTP/1 connections.
//!
//! A request for a file costs one read, what its file costs, and one write. A connection that stays idle
//! holds no buffer. Requests are answered one after the other, so pipelined ones wait.

use std::io;

use sockeye::Conn;

use super::{Clock, Draining, Link, Respond};
use crate::{
    refused::refuse,
    reply::Reply,
    wire::{
        framing::{Framing, framing},
        head::{self, Connection, Head, Parsed},
        log::{Record, RequestLine},
        method::Method,
        plan::Refusal,
    },
};

mod body;
mod input;
mod send;

use body::{Body, Rest};
use input::{Filled, Input};
use send::{Manner, send};

/// Serves the connection until it ends.
pub(crate) async fn serve(
    service: &impl Respond,
    conn: &mut Conn,
    link: &Link<'_>,
    draining: Draining<'_>,
) -> io::Result<()> {
    let limits = &service.config().limits;
    let mut input = Input::new(draining);
    let mut lane = Lane { service, link, output: Vec::new(), clock: Clock::new() };
    loop {
        let drained = input.drained;
        let refusal = match input.parse(limits) {
            Parsed::Head(head, length) => {
                let behind = &input.bytes[length..];
                // On the heap: between requests a connection holds none of what one takes.
                let exchanged = match head.fields.repeated {
                    false => Box::pin(lane.exchange(conn, &head, behind, drained)).await?,
                    true => {
                        let whole = &input.bytes[..length];
                        Box::pin(lane.joined(conn, whole, behind, drained)).await?
                    }
                };
                match exchanged.rest {
                    Rest::AfterTaking(taken) => input.consume(length + taken),
                    Rest::Other(bytes) => input.replace(bytes),
                }
                if exchanged.close {
                    if exchanged.unread || !input.bytes.is_empty() {
                        conn.leave_rest();
                    }
                    return Ok(());
                }
                if !input.bytes.is_empty() {
                    // Who sends many requests at once takes turns with everybody else.
                    tokio::task::yield_now().await;
                }
                input.look_at_drain().await;
                continue;
            }
            Parsed::Partial => match input.fill(conn, limits, &mut lane.output, link).await? {
                Filled::Some => match input.excess(limits) {
                    Some(refusal) => refusal,
                    None => continue,
                },
                Filled::End => return Ok(()),
                Filled::Late => Refusal::Timeout,
            },
            Parsed::Malformed => input.excess(limits).unwrap_or(Refusal::Malformed),
            Parsed::TooManyFields => Refusal::Fields,
        };
        lane.clock.tick();
        Box::pin(lane.send(conn, None, refuse(refusal, None), true)).await?;
        conn.leave_rest();
        return Ok(());
    }
}

/// What one request led to.
struct Exchanged {
    /// What has come and belongs to the next request.
    rest: Rest,
    /// Whether the connection is to be closed now.
    close: bool,
    /// Whether a part of the content was left unread.
    unread: bool,
}

/// What of a connection stays the same from request to request.
struct Lane<'a, S> {
    service: &'a S,
    link: &'a Link<'a>,
    output: Vec<u8>,
    clock: Clock,
}

impl<S: Respond> Lane<'_, S> {
    /// Answers a request that has a list in several lines.
    async fn joined(
        &mut self,
        conn: &mut Conn,
        head: &[u8],
        behind: &[u8],
        drained: bool,
    ) -> io::Result<Exchanged> {
        let joined = head::join_repeated(head);
        match head::parse(&joined) {
            Parsed::Head(head, _) => self.exchange(conn, &head, behind, drained).await,
            _ => self.give_up(conn, None, Refusal::Malformed).await,
        }
    }

    /// Answers one request; `behind` is what has come behind its head.
    async fn exchange(
        &mut self,
        conn: &mut Conn,
        head: &Head<'_>,
        behind: &[u8],
        drained: bool,
    ) -> io::Result<Exchanged> {
        let now = self.clock.tick();
        let framing = match framing(head) {
            Ok(framing) => framing,
            Err(error) => {
                return self.give_up(conn, Some(head), Refusal::Framing(error)).await;
            }
        };
        let limits = &self.service.config().limits;
        let mut body = Body::new(conn, limits, framing, behind);
        body.withhold(expects_to_be_told(head, framing));
        let reply = self.service.respond(self.link, now, head, &mut body).await;
        let (rest, unread) = body.into_rest();
        // Without chunks, only the end of the connection ends what has no known length.
        let content = reply.head.has_content() && head.method != Method::Head;
        let endless = head.is_http_1_0() && content && reply.head.length.is_none();
        let last = reply.head.traits.last || endless || unread;
        let close = drained || last || !head.persists() || !self.link.may_stay();
        self.send(conn, Some(head), reply, close).await?;
        Ok(Exchanged { rest, close, unread })
    }

    /// Answers what nobody can know the end of.
    async fn give_up(
        &mut self,
        conn: &mut Conn,
        head: Option<&Head<'_>>,
        refusal: Refusal,
    ) -> io::Result<Exchanged> {
        self.send(conn, head, refuse(refusal, head), true).await?;
        Ok(Exchanged { rest: Rest::AfterTaking(0), close: true, unread: true })
    }

    async fn send(
        &mut self,
        conn: &mut Conn,
        head: Option<&Head<'_>>,
        reply: Reply,
        close: bool,
    ) -> io::Result<()> {
        let old = head.is_some_and(Head::is_http_1_0);
        let manner = Manner {
            head_only: head.is_some_and(|head| head.method == Method::Head),
            chunks: !old,
            connection: match close {
                true => Connection::Close,
                // What HTTP/1.1 takes for granted has to be said to HTTP/1.0 (RFC 9112 §9.3).
                false if old => Connection::KeepAlive,
                false => Connection::Unsaid,
            },
        };
        let status = reply.head.status.as_u16();
        self.output.clear();
        let sent = send(conn, &mut self.output, reply, manner, &self.clock).await;
        self.log(head, status, sent.body);
        sent.result
    }

    fn log(&self, head: Option<&Head<'_>>, status: u16, sent: u64) {
        let log = &self.service.config().access_log;
        let (Some(access_log), Some(peer)) = (log, &self.link.peer) else { return };
        access_log.write(&Record {
            peer,
            at: self.clock.seconds(),
            request: head.map(RequestLine::of),
            status,
            sent,
            referer: head.and_then(|h| h.fields.referer),
            user_agent: head.and_then(|h| h.fields.user_agent),
        });
    }
}

/// Whether the client waits to be told to send the content; HTTP/1.0 knows no such thing (RFC 9110 §10.1.1).
fn expects_to_be_told(head: &Head<'_>, framing: Framing) -> bool {
    let content = !matches!(framing, Framing::None | Framing::Length(0));
    content && !head.is_http_1_0() && head.fields.expect.is_some()
}
