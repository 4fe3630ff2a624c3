//! A socket-server framework: a handler is written once and is served over any transport, under
//! any concurrency model.
//!
//! ```no_run
//! use std::io;
//! use sockeye::{Conn, Handler, Model, Server};
//! use tokio::io::AsyncWriteExt;
//!
//! struct Upper;
//!
//! impl Handler for Upper {
//!     async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
//!         loop {
//!             let chunk = conn.recv(4096).await?;
//!             if chunk.is_empty() {
//!                 return Ok(());
//!             }
//!             conn.write_all(&chunk.to_ascii_uppercase()).await?;
//!         }
//!     }
//! }
//!
//! fn main() -> Result<(), sockeye::Error> {
//!     let report = Server::bind("tcp://localhost:9999")?
//!         .model(Model::ForkPerConnection { max: 40 })
//!         .serve(Upper)?;
//!     println!("{report}");
//!     Ok(())
//! }
//! ```
//!
//! One value may handle connections and datagrams, and one server serve both: here the time of day
//! (RFC 867), over TCP and UDP.
//!
//! ```no_run
//! # use std::io;
//! # use tokio::io::AsyncWriteExt;
//! use sockeye::{Conn, DatagramHandler, Handler, Packet, Server};
//!
//! struct Daytime;
//!
//! impl Daytime {
//!     fn now() -> String {
//!         jiff::Zoned::now().strftime("%A, %B %-d, %Y %H:%M:%S-%Z\r\n").to_string()
//!     }
//! }
//!
//! impl Handler for Daytime {
//!     async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
//!         conn.write_all(Self::now().as_bytes()).await
//!     }
//! }
//!
//! impl DatagramHandler for Daytime {
//!     async fn handle(&self, packet: &mut Packet) -> io::Result<()> {
//!         packet.reply(Self::now().as_bytes()).await
//!     }
//! }
//!
//! fn main() -> Result<(), sockeye::Error> {
//!     let streams = Server::bind("tcp://localhost:1313")?.with(Daytime);
//!     let datagrams = Server::bind_datagram("udp://localhost:1313")?.with(Daytime);
//!     streams.join(datagrams).run()?;
//!     Ok(())
//! }
//! ```
//!
//! In `Cargo.toml`, beside `sockeye`: `tokio = { version = "1", features = ["io-util"] }` for the
//! reading and writing traits. What goes wrong is logged through `tracing`: install a subscriber
//! (`tracing-subscriber`) to see it.
//!
//! # The parts
//!
//! - **Where**: an [`Addr`] names the transport, the place and the socket options, and the layers
//!   above them: `tls+tcp://[::]:443?backlog=1024`, `unix:///run/x.sock?mode=0660`, `udp://…`. The
//!   grammar stands in [`addr`].
//! - **What**: a [`Handler`] serves a connection, a [`DatagramHandler`] a datagram. With state of
//!   its own for each connection it is a [`RequestHandler`] (setup, handle, finish); with plain
//!   blocking reads and writes a [`BlockingHandler`].
//! - **Who runs it**: a [`Model`]. The handler never learns which.
//! - **Several at once**: [`Server::bind_all`](Server::<server::Streams>::bind_all) binds several
//!   addresses for one handler, [`Server::join`] runs stream and datagram servers as one.
//! - **How much**: [`Limits`]; every queue, wait and count has its bound there.
//! - **Until when**: [`Server::serve`](server::Server) returns a [`Report`] once SIGINT, SIGTERM or
//!   [`ServerHandle::drain`] has stopped it and every connection has finished or had its time. A
//!   handler that is idle between requests ends by itself if it reads them with
//!   [`Conn::recv_or_drain`] or [`Conn::read_line_or_drain`].
//! - The other side: [`client`] connects to any address, trying all that its host resolves to.
//! - Below: [`socket`] has all that a Berkeley socket offers; [`framing`] finds the messages in a
//!   stream, and tells why they need finding; [`tls`], [`proxy`] and [`systemd`] do what they say.
//!
//! # Which model
//!
//! | model | as text | a connection is | choose it for |
//! |---|---|---|---|
//! | [`Tasks`](Model::Tasks) | `tasks` | a task on a work-stealing runtime | nearly everything; idle connections cost under 4 KiB |
//! | [`PerCore`](Model::PerCore) | `percore:N` | a task on the core that accepted it | many short exchanges on many cores |
//! | [`ThreadPerConnection`](Model::ThreadPerConnection) | `threads:MAX` | a thread | handlers that compute or block |
//! | [`ThreadPool`](Model::ThreadPool) | `pool:N` | one of N threads | the same, with a fixed number |
//! | [`ForkPerConnection`](Model::ForkPerConnection) | `fork:MAX` | a process | handlers that must not be able to harm each other |
//! | [`Prefork`](Model::Prefork) | `prefork:N` | one of N processes | the same, without the cost of a fork each |
//! | [`Iterative`](Model::Iterative) | `iterative` | the server itself | tools and lessons |
//!
//! Where the number is used up, further connections wait in the system's backlog. Datagrams take
//! the same places: one being handled counts as a connection does; under `tasks` and `percore` they
//! are handled where they arrive, and only a handler that waits becomes a task.
//!
//! # A peer is not to be trusted
//!
//! A connection that resets, half-closes, falls silent or talks nonsense ends alone. A handler
//! that panics ends its connection alone. When descriptors run out, accepting pauses and goes on
//! by itself. What happened is counted in [`Stats`], reported once to
//! [`Handler::on_error`], and logged through `tracing` in a span for each connection.
//!
//! Linux 5.12 or newer.

/// The README's program compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod addr;
pub mod client;
mod error;
pub mod framing;
pub mod handler;
pub mod model;
pub mod pool;
pub mod proxy;
pub mod quantity;
pub mod server;
pub mod socket;
mod sys;
pub mod systemd;
#[cfg(feature = "tls")]
pub mod tls;
pub mod worker;
mod zygote;

pub use addr::Addr;
pub use error::Error;
pub use handler::{
    Blocking, BlockingConn, BlockingHandler, DatagramHandler, Handler, Packet, PerConnection,
    RequestHandler,
};
pub use model::Model;
pub use server::{
    Conn, ConnId, ConnInfo, DrainSignal, Failure, Limits, PreparedServer, Report, Server,
    ServerHandle, Site, Stats,
};
pub use socket::{Listener, SocketName, Stream};
