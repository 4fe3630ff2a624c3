//! A server that tests start, talk to and kill: one line of JSON on standard output for each event.
//!
//! ```text
//! testserver HANDLER ADDR… [--model M] [--limit NAME=VALUE] [--tls CHAIN KEY] [--nofile N] [--ballast MIB] [--end HOW]
//!     [--space MIB] [--processes N] [--times N] [--workers N] [--reload] [--bystander] [--beside] [--after]
//! ```
//!
//! Stream handlers: `echo`, `script`, `steps`, `setup-fails`, `blocking`, `refuse`, `report-panics`; `starttls`,
//! which has what `--tls` names; `idle`, `idle-echo` and `blocking-idle` end at the drain by themselves.
//! Datagram addresses are always served by the datagram script. The process has one thread until
//! the model starts others, as the process models want; a `#[test]` always has two.
//!
//! Events: `ready`, then what the handlers tell, then `report` or `failed`. `--end unserved` drops
//! the prepared server instead of running it; `--end drained` drains it before it runs; `--end interrupted`
//! runs it under a runtime that stops while another server is prepared. With `--after`
//! the program goes on when the server has stopped, and tells `after`.

mod events;
mod options;
mod packets;
mod streams;

use std::{
    process::{ExitCode, Stdio},
    sync::{Arc, OnceLock, mpsc},
    thread,
};

use serde_json::{Value, json};
use sockeye::{
    Addr, Error, PreparedServer, Report, Server,
    server::{Datagrams, Streams},
    tls::TlsServer,
};

use options::{End, Options};
use sockeye_testkit::processes;

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            events::emit(&json!({"event": "failed", "error": error}));
            return ExitCode::from(2);
        }
    };
    let served = (0..options.times).try_for_each(|_| serve(&options));
    if options.after && served.is_ok() {
        events::emit(&json!({"event": "after"}));
        loop {
            std::thread::park();
        }
    }
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            events::emit(&json!({"event": "failed", "error": error.to_string()}));
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> Result<(), Error> {
    let ready = Arc::new(OnceLock::new());
    let prepared = prepare(options, &ready)?;
    // Its zygotes are forked while the first server is open.
    let beside = options.beside.then(|| {
        let server = Server::bind("tcp://127.0.0.1:0")?.model(options.model);
        let (tell, told) = mpsc::channel();
        let server = server.with(streams::Script).on_ready(move || {
            let _ = tell.send(());
        });
        server.prepare().map(|beside| (beside, told))
    });
    let beside = beside.transpose()?;
    let beside_addr = beside.as_ref().map(|(beside, _)| beside.addrs()[0].to_string());
    // Grown only after the zygote was forked, as a server grows in service.
    let ballast = vec![1_u8; options.ballast << 20];
    let addrs: Vec<_> = prepared.addrs().iter().map(ToString::to_string).collect();
    let bystander = options.bystander.then(bystander);
    let event = json!({
        "event": "ready", "addrs": addrs, "files": processes::open_files(std::process::id()),
        "children": processes::children(std::process::id()).len(), "beside": beside_addr,
    });
    let beside = beside.map(|(beside, told)| {
        let run = move || beside.run().map(|report| emit_report("beside-report", &report));
        let running = thread::Builder::new().spawn(run).expect("a thread");
        let _ = told.recv();
        running
    });
    if matches!(options.end, End::Signalled | End::Interrupted) {
        // Told once signals are obeyed.
        let _ = ready.set(event);
    } else {
        events::emit(&event);
    }
    options.space.into_iter().for_each(options::limit_space);
    match options.end {
        End::Unserved => {
            drop(prepared);
            events::emit(&json!({"event": "dropped"}));
        }
        End::Drained => {
            prepared.handle().drain();
            emit_report("report", &prepared.run()?);
        }
        End::Interrupted => emit_report("report", &run_interrupted(prepared)?),
        End::Signalled => emit_report("report", &prepared.run()?),
    }
    if let Some(mut bystander) = bystander {
        let status = bystander.wait();
        let code = status.ok().and_then(|status| status.code());
        events::emit(&json!({"event": "bystander", "code": code}));
    }
    drop(ballast);
    beside.map_or(Ok(()), |running| running.join().expect("no panic"))
}

/// Runs a server under a runtime of this program's.
fn run_interrupted(prepared: PreparedServer) -> Result<Report, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let mut running = std::pin::pin!(prepared.run_async());
    let ended = runtime.block_on(async {
        tokio::select! {
            ended = &mut running => Some(ended),
            () = streams::WANTED.notified() => None,
        }
    });
    ended.unwrap_or_else(|| {
        streams::prepare_beside();
        runtime.block_on(running)
    })
}

/// A child that has nothing to do with the server, and ends while that serves.
fn bystander() -> std::process::Child {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "exit 7"]).stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().expect("a shell")
}

fn prepare(options: &Options, ready: &Arc<OnceLock<Value>>) -> Result<PreparedServer, Error> {
    let parsed: Vec<Addr> =
        options.addrs.iter().map(|addr| addr.parse()).collect::<Result<_, _>>()?;
    let mut server = Server::on(Vec::new());
    let mut packets = None;
    for addr in parsed {
        if addr.is_stream() {
            server = server.and(addr)?;
        } else {
            packets = Some(match packets {
                None => Server::bind_datagram(addr)?,
                Some(packets) => Server::<Datagrams>::and(packets, addr)?,
            });
        }
    }
    let files = options.tls.as_ref();
    let tls = files.map(|(chain, key)| TlsServer::from_pem_files(chain, key)).transpose();
    let tls = tls.map_err(|error| Error::Bind(std::io::Error::other(error)))?;
    let server = match tls {
        Some(tls) if options.handler == "starttls" => server.with(streams::StartTls(tls)),
        Some(tls) => with_handler(server.tls(tls), &options.handler),
        None => with_handler(server, &options.handler),
    };
    let server = match packets {
        Some(packets) => server.join(packets.with(packets::Script::default())),
        None => server,
    };
    let server = server.model(options.model).limits(options.limits.clone());
    let reload = || events::emit(&json!({"event": "reload"}));
    let server = if options.reload { server.on_reload(reload) } else { server };
    let server =
        if matches!(options.end, End::Interrupted) { server.signals(true) } else { server };
    let ready = Arc::clone(ready);
    let server = server.on_ready(move || ready.get().into_iter().for_each(events::emit));
    match options.workers {
        Some(workers) => server.workers(workers).prepare(),
        None => server.prepare(),
    }
}

fn with_handler(server: Server<Streams>, handler: &str) -> Server {
    match handler {
        "echo" => server.with(streams::Echo),
        "idle" => server.with(streams::Idle),
        "idle-echo" => server.with(streams::IdleEcho),
        "steps" => server.with(streams::steps(false)),
        "setup-fails" => server.with(streams::steps(true)),
        "blocking" => server.with(sockeye::Blocking::new(streams::BlockingScript)),
        "blocking-idle" => server.with(sockeye::Blocking::new(streams::BlockingIdle)),
        "refuse" => server.with(streams::Refuse),
        "report-panics" => server.with(streams::ReportPanics),
        _ => server.with(streams::Script),
    }
}

fn emit_report(event: &str, report: &Report) {
    let stats: serde_json::Map<_, _> =
        report.stats.named().into_iter().map(|(name, n)| (name.to_owned(), n.into())).collect();
    let cut: Vec<_> = report
        .cut
        .iter()
        .map(|conn| json!({"id": conn.id.get(), "peer": conn.peer.to_string()}))
        .collect();
    let drained_ms = u64::try_from(report.drained_in.as_millis()).unwrap_or(u64::MAX);
    events::emit(&json!({
        "event": event, "stats": stats, "cut": cut, "drained_ms": drained_ms,
        "text": report.to_string(),
    }));
}
