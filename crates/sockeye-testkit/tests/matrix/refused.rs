//! The pairs that cannot be: refused when bound or prepared, with the reason and the way out.

use std::io;

use sockeye::{Conn, DatagramHandler, Error, Handler, Model, Packet, Server};

struct Nothing;

impl Handler for Nothing {
    async fn handle(&self, _: &mut Conn) -> io::Result<()> {
        Ok(())
    }
}

impl DatagramHandler for Nothing {
    async fn handle(&self, _: &mut Packet) -> io::Result<()> {
        Ok(())
    }
}

/// The tests here, as the table names them.
pub(crate) const TESTS: &[&str] = &[
    "refused::a_stream_handler_on_datagrams",
    "refused::a_datagram_handler_on_a_stream",
    "refused::a_datagram_handler_on_icmp",
    "refused::tls_without_a_certificate",
    "refused::tls_over_records_or_datagrams",
    "refused::async_serving_under_another_model_than_tasks",
    "refused::forking_with_more_than_one_thread",
    "refused::forking_inside_an_async_runtime",
    "refused::a_model_of_none",
];

#[test]
fn a_stream_handler_on_datagrams() {
    for addr in ["udp://127.0.0.1:0", "unixgram://@sockeye-refused", "icmp://127.0.0.1"] {
        let error = Server::bind(addr).unwrap_err();
        assert!(matches!(&error, Error::Pair { addr: named, .. } if named == addr), "{error}");
        assert!(error.to_string().contains("Server::bind_datagram"), "{error}");
    }
}

#[test]
fn a_datagram_handler_on_a_stream() {
    for addr in ["tcp://127.0.0.1:0", "unix://@sockeye-refused", "seqpacket://@sockeye-refused"] {
        let error = Server::bind_datagram(addr).unwrap_err();
        assert!(matches!(&error, Error::Pair { addr: named, .. } if named == addr), "{error}");
        assert!(error.to_string().contains("Server::bind "), "{error}");
    }
}

#[test]
fn a_datagram_handler_on_icmp() {
    let error = Server::bind_datagram("icmp://127.0.0.1").unwrap_err();
    assert!(matches!(&error, Error::Pair { addr, .. } if addr == "icmp://127.0.0.1"), "{error}");
    assert!(error.to_string().contains("Ping"), "{error}");
}

#[test]
fn tls_without_a_certificate() {
    let server = Server::bind("tls+tcp://127.0.0.1:0").unwrap().with(Nothing);
    let error = server.prepare().unwrap_err();
    assert!(matches!(error, Error::Pair { .. }), "{error}");
    assert!(error.to_string().contains("Server::tls"), "{error}");
}

#[test]
fn tls_over_records_or_datagrams() {
    for addr in ["tls+seqpacket://@sockeye-refused", "tls+udp://127.0.0.1:0"] {
        let error = Server::bind(addr).unwrap_err();
        assert!(matches!(error, Error::Address(_)), "{error}");
        assert!(error.to_string().contains("tls+"), "{error}");
    }
}

#[test]
fn async_serving_under_another_model_than_tasks() {
    let models = [Model::Iterative, Model::ThreadPool(1), Model::PerCore(1)];
    for model in models {
        let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(model);
        let error = crate::exchange::soon(server.serve_async(Nothing)).unwrap_err();
        assert!(matches!(error, Error::NotAsync(named) if named == model), "{error}");
        assert!(error.to_string().contains("Model::Tasks"), "{error}");
    }
}

#[test]
fn forking_with_more_than_one_thread() {
    // The test runner's own thread is the second.
    for model in [Model::ForkPerConnection { max: 1 }, Model::Prefork(1)] {
        let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(model);
        let error = server.with(Nothing).prepare().unwrap_err();
        assert!(matches!(error, Error::Fork(_)), "{error}");
        assert!(error.to_string().contains("threads"), "{error}");
        assert!(error.to_string().contains("start the server before"), "{error}");
    }
}

#[test]
fn forking_inside_an_async_runtime() {
    for model in [Model::ForkPerConnection { max: 1 }, Model::Prefork(1)] {
        let prepare = async {
            let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(model);
            server.with(Nothing).prepare()
        };
        let error = crate::exchange::soon(prepare).unwrap_err();
        assert!(matches!(error, Error::Fork(_)), "{error}");
        assert!(error.to_string().contains("inside an async runtime"), "{error}");
    }
}

#[test]
fn a_model_of_none() {
    let models = [
        Model::ThreadPool(0),
        Model::ThreadPerConnection { max: 0 },
        Model::ForkPerConnection { max: 0 },
        Model::Prefork(0),
        Model::PerCore(0),
    ];
    for model in models {
        let server = Server::bind("tcp://127.0.0.1:0").unwrap().model(model).with(Nothing);
        let error = server.prepare().unwrap_err();
        assert!(matches!(error, Error::Model(_)), "{error}");
        assert!(error.to_string().contains("at least 1"), "{error}");
    }
}
