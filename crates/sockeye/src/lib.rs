//! A socket-server framework: a handler is written once and is served over any
//! transport, under any concurrency model.

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
    ServerHandle, Stats,
};
pub use socket::{Listener, SocketName, Stream};
