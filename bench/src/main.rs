//! The loads and the servers that `bench/run` measures with.
//!
//! Each subcommand is one measurement, or one server to be measured; it prints one line of JSON. It
//! pins nothing, compares nothing and knows no peer: that is `bench/run`'s part.

mod connect;
mod echo;
mod ftp;
mod idle;
mod latency;
mod list;
mod poll;
mod report;
mod resident;
mod server;
mod sources;
mod tus;
mod udp;
mod web;

use std::{io, process::ExitCode};

use clap::{Parser, Subcommand};
use report::Report;

/// The loads and the servers that bench/run measures with.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Echo(echo::Echo),
    Connect(connect::Connect),
    Udp(udp::Udp),
    Idle(idle::Idle),
    Put(web::Put),
    Get(web::Get),
    Tus(tus::Tus),
    Ftp(ftp::Ftp),
    List(list::List),
    Server(Box<server::Server>),
}

fn main() -> ExitCode {
    match run(&Arguments::parse().command) {
        Ok(report) => {
            if let Some(report) = report {
                print(&report);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> io::Result<Option<Report>> {
    match command {
        Command::Echo(echo) => echo.run().map(Some),
        Command::Connect(connect) => connect.run().map(Some),
        Command::Udp(udp) => udp.run().map(Some),
        Command::Idle(idle) => idle.run().map(Some),
        Command::Put(put) => put.run().map(Some),
        Command::Get(get) => get.run().map(Some),
        Command::Tus(tus) => tus.run().map(Some),
        Command::Ftp(ftp) => ftp.run().map(Some),
        Command::List(list) => list.run().map(Some),
        Command::Server(server) => server.run().map(|()| None),
    }
}

#[expect(clippy::print_stdout, reason = "the result is what this program is for")]
fn print(report: &Report) {
    println!("{report}");
}

#[expect(clippy::print_stderr, reason = "a failed measurement is told to who asked for it")]
fn complain(error: &io::Error) {
    eprintln!("sockeye-bench: {error}");
}
