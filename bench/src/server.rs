//! The echo server on `sockeye` that the loads measure: any model, stream or datagram.

use std::{io, io::Write as _};

use clap::Args;
use sockeye::{Addr, Conn, DatagramHandler, Handler, Model, Packet, PreparedServer};
use tokio::io::AsyncWriteExt as _;

/// Most bytes read at once; the C peer has the same.
const CHUNK: usize = 4096;

/// Serves echo until it is told to end; its first line says where.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// Where, in sockeye's address grammar; a datagram address serves datagrams.
    #[arg(long)]
    addr: Addr,
    /// The concurrency model: `tasks`, `percore:1`, `threads:64`, `fork:40`, ….
    #[arg(long, default_value = "tasks")]
    model: Model,
    /// How many threads `tasks` has.
    #[arg(long)]
    workers: Option<usize>,
    /// MiB of memory that the server holds, and has written to, once it is prepared.
    #[arg(long, default_value_t = 0)]
    resident: usize,
}

struct Echo;

impl Handler for Echo {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        loop {
            let chunk = conn.recv(CHUNK).await?;
            if chunk.is_empty() {
                return Ok(());
            }
            conn.write_all(&chunk).await?;
        }
    }
}

impl DatagramHandler for Echo {
    async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
        packet.reply(packet.data()).await
    }
}

impl Server {
    /// Serves until SIGINT or SIGTERM.
    ///
    /// # Errors
    /// If the address cannot be bound or the model cannot start.
    pub(crate) fn run(&self) -> io::Result<()> {
        let server = self.prepare()?;
        let ballast = vec![1_u8; self.resident << 20];
        let addr = server.addrs().first().map(ToString::to_string).unwrap_or_default();
        writeln!(io::stdout(), "listening on {addr}")?;
        server.run()?;
        drop(ballast);
        Ok(())
    }

    fn prepare(&self) -> io::Result<PreparedServer> {
        let addr = self.addr.clone();
        Ok(if addr.is_datagram() {
            let mut server = sockeye::Server::bind_datagram(addr)?.model(self.model);
            if let Some(workers) = self.workers {
                server = server.workers(workers);
            }
            server.with(Echo).prepare()?
        } else {
            let mut server = sockeye::Server::bind(addr)?.model(self.model);
            if let Some(workers) = self.workers {
                server = server.workers(workers);
            }
            server.with(Echo).prepare()?
        })
    }
}
