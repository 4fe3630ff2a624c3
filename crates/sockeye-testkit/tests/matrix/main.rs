//! Transport × model: one echo server for each pair, talked to over real sockets; the table of
//! `sockeye`'s documentation names every test here, and the pairs that cannot be.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the functions that tests share are tests too"
)]

mod exchange;
mod packets;
mod refused;
mod streams;
mod table;

/// A row of the table: a module with one test for each model.
macro_rules! row {
    ($row:ident: $check:path) => {
        mod $row {
            row!(@cells $row, $check;
                under_iterative = "iterative", under_pool = "pool:2", under_threads = "threads:4",
                under_fork = "fork:4", under_prefork = "prefork:2", under_tasks = "tasks",
                under_percore = "percore:2");
        }
    };
    (@cells $row:ident, $check:path; $($test:ident = $model:literal),+) => {
        /// The tests of this row, in the order of the table's columns.
        pub(crate) const CELLS: &[&str] =
            &[$(concat!(stringify!($row), "::", stringify!($test))),+];

        $(#[test]
        fn $test() {
            $check(stringify!($row), $model);
        })+
    };
}

row!(tcp4: crate::streams::echoes);
row!(tcp6: crate::streams::echoes);
row!(localhost: crate::streams::echoes);
row!(all_addresses: crate::streams::echoes);
row!(unix_path: crate::streams::echoes);
row!(unix_abstract: crate::streams::echoes);
row!(seqpacket: crate::streams::echoes);
row!(tls: crate::streams::echoes);
row!(tls_unix: crate::streams::echoes);
row!(proxy: crate::streams::echoes);
row!(tls_proxy: crate::streams::echoes);
row!(udp4: crate::packets::echoes);
row!(udp6: crate::packets::echoes);
row!(unixgram_path: crate::packets::echoes);
row!(unixgram_abstract: crate::packets::echoes);
row!(raw_ip: crate::packets::echoes);

/// Every cell, row by row.
const ROWS: &[&[&str]] = &[
    tcp4::CELLS,
    tcp6::CELLS,
    localhost::CELLS,
    all_addresses::CELLS,
    unix_path::CELLS,
    unix_abstract::CELLS,
    seqpacket::CELLS,
    tls::CELLS,
    tls_unix::CELLS,
    proxy::CELLS,
    tls_proxy::CELLS,
    udp4::CELLS,
    udp6::CELLS,
    unixgram_path::CELLS,
    unixgram_abstract::CELLS,
    raw_ip::CELLS,
];
