//! Where the admin listener's answers come from.

use std::sync::Arc;

use sockeye_node::{Node, Phase};

use super::{
    metrics::{Measures, Metric},
    process,
};
use crate::Requests;

/// What is told of a node. It is asked on a connection's thread and must not block for long.
pub trait Vitals: Send + Sync + 'static {
    /// Why nothing can be served, or not everything; `None` if all is well.
    fn not_ready(&self) -> Option<String>;

    /// Adds what can be measured.
    fn measure(&self, measures: &mut Measures);
}

/// The vitals of a node and of the process it runs in.
#[derive(Debug)]
pub struct NodeVitals {
    node: Arc<Node>,
    requests: Requests,
}

impl NodeVitals {
    /// Those of `node`.
    #[must_use]
    pub fn new(node: Arc<Node>) -> Self {
        Self { requests: Requests::of(&node), node }
    }

    fn measure_listeners(&self, measures: &mut Measures) {
        let servers = self.node.servers();
        let mut protocols: Vec<_> = servers.iter().map(|(listen, _)| &*listen.protocol).collect();
        protocols.sort_unstable();
        for listeners in protocols.chunk_by(|a, b| a == b) {
            measures.add(&Metric::LISTENERS, &[listeners[0]], listeners.len());
        }
        for (listen, server) in &servers {
            // Where it really listens: two listeners on any port are told apart.
            let (stats, address) =
                (server.stats(), server.addrs().first().unwrap_or(&listen.addr).to_string());
            let labels = [listen.protocol.as_str(), &address];
            for (metric, value) in [
                (&Metric::CONNECTIONS, stats.active),
                (&Metric::ACCEPTED, stats.accepted),
                (&Metric::RECEIVED, stats.bytes_read),
                (&Metric::SENT, stats.bytes_written),
            ] {
                measures.add(metric, &labels, value);
            }
            for (metric, reason, value) in [
                (&Metric::REFUSED, "address", stats.refused_per_ip),
                (&Metric::REFUSED, "descriptors", stats.refused_no_descriptors),
                (&Metric::REFUSED, "protocol", stats.refused_by_verify),
                (&Metric::FAILED, "handshake", stats.errors_handshake),
                (&Metric::FAILED, "peer", stats.errors_peer_gone),
                (&Metric::FAILED, "deadline", stats.errors_deadline),
                (&Metric::FAILED, "handler", stats.errors_handler + stats.panics),
                (&Metric::FAILED, "cut", stats.cut),
            ] {
                measures.add(metric, &[labels[0], labels[1], reason], value);
            }
        }
    }
}

impl NodeVitals {
    fn measure_gate(&self, measures: &mut Measures) {
        let gate = self.node.gate();
        let logins = gate.accounts().login_counts();
        for (outcome, count) in [
            ("remembered", logins.cached),
            ("verified", logins.verified),
            ("wrong", logins.wrong),
            ("too-soon", logins.waiting),
            ("busy", logins.busy),
            ("failed", logins.failed),
        ] {
            measures.add(&Metric::LOGINS, &[outcome], count);
        }
        for (operation, outcome, count) in gate.operations() {
            measures.add(&Metric::OPERATIONS, &[operation, outcome], count);
        }
        measures.add(&Metric::JOURNAL_WRITING, &[], gate.read_only().is_none());
        measures.add(&Metric::JOURNAL_RECORDS, &[], gate.journal().written());
        measures.add(&Metric::JOURNAL_WAITING, &[], gate.journal().waiting());
        measures.add(&Metric::WANTING_PORTS, &[], gate.wanting_ports());
        measures.add(&Metric::HOMES, &[], gate.homes().count());
        measures.add(&Metric::POOL_WAITING, &[], self.node.pool().waiting());
    }
}

impl Vitals for NodeVitals {
    fn not_ready(&self) -> Option<String> {
        match self.node.phase() {
            Phase::Starting => Some("starting".to_owned()),
            Phase::Ready => self.node.gate().read_only(),
            Phase::Draining => Some("draining".to_owned()),
        }
    }

    fn measure(&self, measures: &mut Measures) {
        measures.add(&Metric::READY, &[], self.not_ready().is_none());
        measures.add(&Metric::UPTIME, &[], self.node.since().elapsed());
        self.measure_listeners(measures);
        self.measure_gate(measures);
        for (method, status, count) in self.requests.counted() {
            measures.add(&Metric::REQUESTS, &[method, status], count);
        }
        process::measure(measures);
    }
}
