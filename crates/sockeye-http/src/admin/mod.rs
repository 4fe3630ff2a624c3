//! The admin listener: whether the node lives, whether it is ready, and its metrics.
//!
//! It is for this machine alone, and reads: no page of another site gets there (the Host is checked), and
//! nothing can be changed by it.

mod metrics;
mod process;
mod vitals;

use std::{io, pin::pin, sync::Arc};

use ::http::StatusCode;
use bytes::Bytes;
use sockeye::{Conn, ConnInfo, Handler, SocketName};

pub use metrics::{METRICS, Measures, Metric, MetricKind};
pub use vitals::{NodeVitals, Vitals};

use crate::{
    config::Config,
    content::{Content, throw_away},
    lane::{Link, Respond, http1},
    payload::Payload,
    refused::refuse,
    reply::{Reply, error},
    wire::{
        head::Head,
        host::HostRule,
        method::Allowed,
        plan::{Plan, Refusal, Rules, plan},
        reply::ReplyHead,
    },
};

/// The media type of the Prometheus text format.
const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers GET and HEAD of `/healthz` (200 as long as the process answers), `/readyz` (200, or 503 and why the
/// node cannot serve) and `/metrics` (Prometheus text format 0.0.4; [`METRICS`] is the table).
///
/// Connections that do not come from this machine are refused, whatever it listens on.
#[derive(Debug)]
pub struct Admin<V> {
    vitals: Arc<V>,
    config: Config,
    hosts: HostRule,
}

impl<V: Vitals> Admin<V> {
    /// Tells of `vitals`. Of `config`, the hosts, the limits and the access log hold.
    #[must_use]
    pub fn new(vitals: Arc<V>, config: Config) -> Self {
        let hosts = HostRule::Local(config.hosts.clone());
        Self { vitals, config, hosts }
    }

    fn tell(&self, path: &[u8]) -> Option<(StatusCode, &'static str, String)> {
        const TEXT: &str = "text/plain; charset=utf-8";
        Some(match path {
            b"healthz" => (StatusCode::OK, TEXT, "ok\n".to_owned()),
            b"readyz" => match self.vitals.not_ready() {
                None => (StatusCode::OK, TEXT, "ready\n".to_owned()),
                Some(why) => (StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("{why}\n")),
            },
            b"metrics" => {
                let mut measures = Measures::default();
                self.vitals.measure(&mut measures);
                (StatusCode::OK, EXPOSITION, measures.exposition())
            }
            _ => return None,
        })
    }
}

impl<V: Vitals> Respond for Admin<V> {
    fn config(&self) -> &Config {
        &self.config
    }

    async fn respond(
        &self,
        link: &Link<'_>,
        _: i64,
        head: &Head<'_>,
        content: &mut impl Content,
    ) -> Reply {
        let limits = &self.config.limits;
        let rules = Rules { hosts: link.hosts, target: limits.request_line, node: false };
        let plan = plan(head, &rules);
        if let Err(error) = throw_away(content, limits, link).await {
            return refuse(Refusal::Content(error), Some(head));
        }
        match plan {
            Plan::Serve(wanted) => match self.tell(wanted.path.as_bytes()) {
                Some((status, media, text)) if !wanted.folder => page(status, media, text),
                _ => {
                    let there = "there are /healthz, /readyz and /metrics";
                    error(StatusCode::NOT_FOUND, Some(&there), Some(head))
                }
            },
            Plan::Refuse(refusal) => refuse(refusal, Some(head)),
            Plan::Options(_) => Reply {
                head: ReplyHead {
                    allow: Some(Allowed::READ),
                    ..ReplyHead::new(StatusCode::NO_CONTENT)
                },
                payload: Payload::Empty,
            },
            Plan::Put(_) | Plan::Delete(_) | Plan::Dav(..) | Plan::Own(_) => {
                refuse(Refusal::Method(Allowed::READ), Some(head))
            }
        }
    }
}

fn page(status: StatusCode, media: &'static str, text: String) -> Reply {
    let mut head = ReplyHead::new(status);
    head.content_type = Some(media.into());
    head.length = Some(text.len() as u64);
    head.cache_control = Some("no-store".into());
    Reply { head, payload: Payload::Page(Bytes::from(text)) }
}

/// Over HTTP/1 alone.
impl<V: Vitals> Handler for Admin<V> {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        conn.set_read_idle(None);
        conn.set_write_stall(Some(self.config.limits.write_stall));
        let link = Link::new(conn, &self.config, &self.hosts)?;
        let drain = conn.drain_signal();
        http1::serve(self, conn, &link, pin!(drain.wait())).await
    }

    fn verify(&self, info: &ConnInfo) -> bool {
        match info.peer() {
            SocketName::Inet(address) => address.ip().to_canonical().is_loopback(),
            SocketName::Unix(_) => true,
        }
    }
}
