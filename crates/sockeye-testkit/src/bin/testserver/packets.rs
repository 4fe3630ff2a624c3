//! A datagram handler that does what each datagram says.

use std::{io, sync::Arc};

use sockeye::{DatagramHandler, Failure, Packet, SocketName};
use tokio::sync::Notify;

use crate::events;

/// `panic`, `error`, `abort`, `pid`, `in-hand`, `gate…` (answered once `open` comes), `wait` (answered at once and at the drain),
/// `hang` and `block` (answered at once, and never done: waiting, and in blocking code); anything else comes back
/// unchanged.
#[derive(Default)]
pub(crate) struct Script {
    gate: Arc<Notify>,
}

impl DatagramHandler for Script {
    async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
        let data = packet.data().clone();
        match &data[..] {
            #[expect(clippy::panic, reason = "the handler is told to")]
            b"panic" => panic!("the handler was told to panic"),
            b"error" => Err(io::Error::other("the handler was told to fail")),
            b"abort" => std::process::abort(),
            b"hang" => {
                packet.reply(b"hanging").await?;
                std::future::pending().await
            }
            b"block" => {
                packet.reply(b"blocking").await?;
                tokio::task::yield_now().await;
                loop {
                    std::thread::park();
                }
            }
            b"in-hand" => {
                let in_hand = packet.server().stats().packets_active;
                packet.reply(in_hand.to_string().as_bytes()).await
            }
            b"pid" => packet.reply(std::process::id().to_string().as_bytes()).await,
            b"refused" => packet.reply(b"verify let it through").await,
            b"open" => {
                self.gate.notify_waiters();
                packet.reply(&data).await
            }
            gated if gated.starts_with(b"gate") => {
                self.gate.notified().await;
                packet.reply(&data).await
            }
            b"wait" => {
                packet.reply(b"waiting").await?;
                packet.drain_signal().wait().await;
                packet.reply(b"drained").await
            }
            _ => packet.reply(&data).await,
        }
    }

    fn verify(&self, packet: &Packet) -> bool {
        &packet.data()[..] != b"refused"
    }

    fn on_error(&self, _peer: &SocketName, failure: &Failure) {
        events::failed(None, failure);
    }
}
