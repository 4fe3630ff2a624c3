//! What every test of the matrix needs: a server for a row, a runtime for its clients.

use std::{future::Future, path::Path};

use sockeye_testkit::{
    certificates::Authority,
    program::{PATIENCE, Program},
};

/// Where the tests' server program is.
pub(crate) const SERVER: &str = env!("CARGO_BIN_EXE_testserver");

/// Runs a client's part, bounded.
#[track_caller]
pub(crate) fn soon<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime
        .block_on(async { tokio::time::timeout(PATIENCE, work).await })
        .expect("it takes too long")
}

/// An echo server for one cell; with a certificate if its address wants one.
pub(crate) fn serve(row: &str, model: &str, folder: &Path) -> (Program, Authority) {
    let addr = addr(row, model, folder);
    let authority = Authority::new("the matrix");
    let mut args = vec!["echo".to_owned(), addr.clone(), "--model".to_owned(), model.to_owned()];
    if addr.starts_with("tls+") {
        let leaf = authority.server(&["localhost", "127.0.0.1"]);
        let (chain, key) = leaf.write(folder, "server");
        let path = |path: std::path::PathBuf| path.to_str().unwrap().to_owned();
        args.extend(["--tls".to_owned(), path(chain), path(key)]);
    }
    (Program::start(SERVER, args), authority)
}

fn addr(row: &str, model: &str, folder: &Path) -> String {
    let folder = folder.display();
    // Abstract names belong to the whole machine.
    let name = format!("sockeye-{}-{}", std::process::id(), model.replace(':', "-"));
    match row {
        "tcp4" => "tcp://127.0.0.1:0".to_owned(),
        "tcp6" => "tcp://[::1]:0".to_owned(),
        "localhost" => "tcp://localhost:0".to_owned(),
        "all_addresses" => "tcp://[::]:0".to_owned(),
        "unix_path" => format!("unix://{folder}/stream"),
        "unix_abstract" => format!("unix://@{name}"),
        "seqpacket" => format!("seqpacket://{folder}/records"),
        "tls" => "tls+tcp://127.0.0.1:0".to_owned(),
        "tls_unix" => format!("tls+unix://{folder}/tls"),
        "proxy" => "proxy+tcp://127.0.0.1:0".to_owned(),
        "tls_proxy" => "tls+proxy+tcp://127.0.0.1:0".to_owned(),
        "udp4" => "udp://127.0.0.1:0".to_owned(),
        "udp6" => "udp://[::1]:0".to_owned(),
        "unixgram_path" => format!("unixgram://{folder}/packets"),
        "unixgram_abstract" => format!("unixgram://@{name}"),
        // A protocol of RFC 3692, for experiments; one for each test, as all that is sent to an
        // address reaches every raw socket there.
        "raw_ip" => format!("ip://{}?proto=253", raw_host(model)),
        _ => panic!("no row {row}"),
    }
}

/// A loopback address for each model and each run: all that comes to one reaches every raw socket
/// there.
pub(crate) fn raw_host(model: &str) -> String {
    let models = ["iterative", "pool:2", "threads:4", "fork:4", "prefork:2", "tasks", "percore:2"];
    let at = models.iter().position(|&other| other == model).unwrap();
    let [_, _, high, low] = std::process::id().to_be_bytes();
    format!("127.{}.{high}.{low}", 10 + 3 * at)
}
