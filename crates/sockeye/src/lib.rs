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
//! (RFC 867), over TCP and UDP. `Arc` makes it one value, and its fields one state, for both.
//!
//! ```no_run
//! use std::{io, sync::Arc};
//! use sockeye::{Conn, DatagramHandler, Handler, Packet, Server, SocketName};
//! use tokio::io::AsyncWriteExt;
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
//!
//!     /// Whoever forges a sender has two services answer each other for ever: no answer goes to the
//!     /// ports of well-known ones, nor to this one's own.
//!     fn verify(&self, packet: &Packet) -> bool {
//!         match packet.peer() {
//!             SocketName::Inet(peer) => {
//!                 peer.port() >= 1024 && Some(peer.port()) != packet.listener().port()
//!             }
//!             SocketName::Unix(_) => true,
//!         }
//!     }
//! }
//!
//! fn main() -> Result<(), sockeye::Error> {
//!     tracing_subscriber::fmt().with_writer(io::stderr).init();
//!     let daytime = Arc::new(Daytime);
//!     let streams = Server::bind("tcp://localhost:1313")?.with(Arc::clone(&daytime));
//!     let datagrams = Server::bind_datagram("udp://localhost:1313")?.with(daytime);
//!     let report = streams.join(datagrams).run()?;
//!     println!("{report}");
//!     Ok(())
//! }
//! ```
//!
//! In `Cargo.toml`, beside `sockeye`:
//!
//! ```toml
//! tokio = { version = "1", features = ["io-util"] }   # its traits to read and write
//! tracing-subscriber = "0.3"                          # shows what is logged, such as each failure
//! jiff = "0.2"                                        # for this example alone: the calendar
//! ```
//!
//! The server tells what goes wrong through `tracing`, and nobody sees that until a subscriber is
//! installed, as the first line of `main` does.
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
//! A handler that computes or blocks for long, instead of waiting with `await`, has its thread for
//! itself meanwhile. Under `tasks` and `percore` that holds up the others there, and under `tasks`
//! for a while even those on other threads, as the one that blocks may be the one that hears of
//! new bytes for all. Choose `threads` or `pool` for it, make it a [`BlockingHandler`], or await
//! [`spawn_blocking`](https://docs.rs/tokio/1/tokio/task/fn.spawn_blocking.html) in it.
//!
//! Under `fork` and `prefork` the server forks a *zygote* before it grows, a small process that forks
//! all the children: one for each piece of work under `fork`, the *workers* under `prefork`. It is in
//! `ps` beside the server, with a second that takes its place should it die.
//!
//! # A peer is not to be trusted
//!
//! A connection that resets, half-closes, falls silent or talks nonsense ends alone. A handler
//! that panics ends its connection alone. When descriptors run out, accepting pauses and goes on
//! by itself. What happened is counted in [`Stats`], reported once to
//! [`Handler::on_error`], and logged through `tracing` in a span for each connection.
//!
//! Whom a datagram says that it is from proves nothing: see
//! [`DatagramHandler`](DatagramHandler#who-sent-it).
//!
//! # Testing a handler
//!
//! A server on port 0, in a thread of the test, drained in the end: its [`Report`] tells whether all
//! went well. [`fork`](Model::ForkPerConnection) and [`Prefork`](Model::Prefork) want a process with a single thread, which
//! a test never has: start your program for them.
//!
//! ```
//! use std::{io::{self, Read, Write}, net::{Shutdown, TcpStream}, thread};
//! use sockeye::{Conn, Handler, Server};
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
//! /// In a test: `#[test]`.
//! fn letters_come_back_in_upper_case() {
//!     for model in ["iterative", "pool:2", "threads:2", "tasks", "percore:2"] {
//!         let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(model.parse().unwrap());
//!         // Signals are for the test's own process.
//!         let server = server.signals(false).with(Upper).prepare().unwrap();
//!         let (handle, port) = (server.handle(), server.addrs()[0].port().unwrap());
//!         let running = thread::spawn(move || server.run().unwrap());
//!
//!         let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
//!         client.write_all(b"hello").unwrap();
//!         client.shutdown(Shutdown::Write).unwrap();
//!         let mut answer = String::new();
//!         client.read_to_string(&mut answer).unwrap();
//!         assert_eq!(answer, "HELLO", "{model}");
//!
//!         handle.drain();
//!         let report = running.join().unwrap();
//!         assert_eq!((report.stats.completed, report.cut.len()), (1, 0), "{model}: {report}");
//!     }
//! }
//! # letters_come_back_in_upper_case();
//! ```
//!
//! The crate's own tests take clients, certificates and a macro for all the models from `sockeye-testkit`, in
//! its repository; that is not published, and promises nothing to others.
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
