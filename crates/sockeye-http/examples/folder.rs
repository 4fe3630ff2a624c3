//! Serves a folder over HTTP: `folder DIR [ADDRESS [MODEL]]`, by default on `tcp://127.0.0.1:8080`.

#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use std::{env, error::Error, path::Path};

use sockeye::{Model, Server};
use sockeye_http::{Config, Http};
use sockeye_node::{Home, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().unwrap_or_else(|| ".".into());
    let address = arguments.next().unwrap_or_else(|| "tcp://127.0.0.1:8080".into());
    let model: Model = arguments.next().unwrap_or_else(|| "tasks".into()).parse()?;

    let session = Session::guest(Home::open(Path::new(&folder))?);
    let http = Http::new(session, Config::default());
    let server = Server::bind(address)?.with(http).model(model).prepare()?;
    println!("listening on {}", server.addrs()[0]);
    server.run()?;
    Ok(())
}
