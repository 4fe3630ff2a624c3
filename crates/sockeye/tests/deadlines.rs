//! Deadlines that a handler sets itself, beside those of the server.
#![expect(clippy::unwrap_used, reason = "the functions that tests share are tests too")]

use std::{
    io,
    time::{Duration, Instant},
};

use sockeye::{Conn, Handler, Limits, Model, Server};
use sockeye_testkit::{client::Client, running::Running};
use tokio::io::AsyncWriteExt;

/// Answers each line; one that is a number is the time in milliseconds that the next may take.
struct Patient;

impl Handler for Patient {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        while let Some(line) = conn.read_line().await? {
            let time = std::str::from_utf8(&line).ok().and_then(|line| line.parse().ok());
            if let Some(time) = time {
                conn.set_read_idle((time > 0).then(|| Duration::from_millis(time)));
            }
            conn.write_all(&[&line[..], b"\n"].concat()).await?;
        }
        Ok(())
    }
}

fn start(model: Model, read_idle: Duration) -> Running {
    let limits = Limits { read_idle: Some(read_idle), ..Limits::default() };
    let server = Server::bind("tcp://127.0.0.1:0").unwrap();
    Running::start(server.model(model).workers(1).limits(limits).with(Patient))
}

const MODELS: [Model; 5] = [
    Model::Tasks,
    Model::PerCore(2),
    Model::Iterative,
    Model::ThreadPool(3),
    Model::ThreadPerConnection { max: 3 },
];

#[test]
fn a_shorter_limit_that_a_handler_sets_holds_at_once_and_not_too_early() {
    for model in MODELS {
        let server = start(model, Duration::from_secs(1000));
        // Under `iterative` the next in line waits; elsewhere somebody is watched for long already.
        let mut other = (model != Model::Iterative).then(|| Client::connect(server.port()));
        if let Some(other) = &mut other {
            assert_eq!(other.ask("here"), "here");
        }
        let mut hasty = Client::connect(server.port());
        let before = Instant::now();
        assert_eq!(hasty.ask("100"), "100");
        assert_eq!(hasty.line(), None, "{model}");
        assert!(before.elapsed() >= Duration::from_millis(100), "{model}");
        if let Some(other) = &mut other {
            assert_eq!(other.ask("still here"), "still here");
        }
        drop((other, hasty));
        assert_eq!(server.drain().stats.errors_deadline, 1, "{model}");
    }
}

#[test]
fn a_limit_that_a_handler_lifts_holds_no_more() {
    for model in [Model::Tasks, Model::ThreadPool(2)] {
        let server = start(model, Duration::from_secs(1));
        let mut patient = Client::connect(server.port());
        assert_eq!(patient.ask("0"), "0");
        // By the time that another has been cut, this one would have been as well.
        assert_eq!(Client::connect(server.port()).line(), None, "{model}");
        assert_eq!(patient.ask("here"), "here");
        drop(patient);
        server.drain();
    }
}

/// Reads, and gives each read up for a moment now and then.
struct Restless;

impl Handler for Restless {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let mut moment = tokio::time::interval(Duration::from_millis(20));
        loop {
            tokio::select! {
                received = conn.recv(100) => drop(received?),
                _ = moment.tick() => {}
            }
        }
    }
}

#[test]
fn a_read_that_is_given_up_and_begun_again_is_one_wait() {
    let limits = Limits { read_idle: Some(Duration::from_millis(300)), ..Limits::default() };
    let server = Server::bind("tcp://127.0.0.1:0").unwrap();
    let server = Running::start(server.limits(limits).with(Restless));
    assert_eq!(Client::connect(server.port()).line(), None);
    assert_eq!(server.drain().stats.errors_deadline, 1);
}
