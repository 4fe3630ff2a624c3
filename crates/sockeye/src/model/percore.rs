//! A thread for each core, each with its own runtime and its own listeners.

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
};

use super::{
    Run, Sources,
    runtime::{self, ForThread},
    tasks,
};
use crate::{
    Error, Report,
    server::{PacketSource, ServerContext, StreamSource},
    sys::served::Served,
};

pub(super) fn run(run: Run, cores: usize) -> Result<Report, Error> {
    if cores == 1 {
        // Without a second thread, system calls take no lock on the table of descriptors.
        return tasks::run_with(run, 1);
    }
    // Before anyone is served, who might use up the descriptors that this takes.
    let shares = (0..cores)
        .map(|core| Ok((ForThread::new()?, share(&run.sources, core)?)))
        .collect::<io::Result<Vec<_>>>()
        .map_err(Error::system("cannot give each core a runtime and a listener"))?;
    let runtime = runtime::current_thread().map_err(Error::system("cannot start the runtime"))?;
    let (failed, failures) = mpsc::channel();
    let report = runtime.block_on(run.supervise(|server, sources| async move {
        drop(sources);
        for (core, (runtime, share)) in shares.into_iter().enumerate() {
            start(&server, runtime, share, core, failed.clone())
                .map_err(Error::system("cannot start a thread"))?;
        }
        server.shutdown.draining().await;
        Ok(())
    }))?;
    failures.try_recv().map_or(Ok(report), |error| Err(Error::system("a core cannot serve")(error)))
}

/// Starts one core's thread; the server waits for it through its token. If the core cannot serve,
/// the server drains, as clients would wait for that core in vain.
fn start(
    server: &Arc<ServerContext>,
    runtime: ForThread,
    share: Sources,
    core: usize,
    failed: mpsc::Sender<io::Error>,
) -> io::Result<()> {
    let server = Arc::clone(server);
    let token = server.registry.token();
    thread::Builder::new().name(format!("sockeye-core-{core}")).spawn(move || {
        if let Some(Err(error)) = runtime.block_on(tasks::serve(Arc::clone(&server), share)) {
            // Whoever asked for the server is there until its end.
            let _ = failed.send(error);
            server.shutdown.drain();
        }
        drop((runtime, token));
    })?;
    Ok(())
}

/// The sockets of one core: the first has the server's own, the others siblings of them.
fn share(sources: &Sources, core: usize) -> io::Result<Sources> {
    if core == 0 {
        return Ok(sources.clone());
    }
    let streams = sources.streams.iter().map(|source| {
        let listener = match source.listener.reuse_port_sibling() {
            Ok(sibling) => sibling,
            // Unix sockets and inherited ones: all cores accept from the one queue.
            Err(_) => source.listener.try_clone()?,
        };
        let (route, index) = (Arc::clone(&source.route), source.index);
        Ok(Arc::new(StreamSource { listener: Arc::new(Served::new(listener)), route, index }))
    });
    let packets = sources.packets.iter().map(|source| {
        let socket = match source.socket.reuse_port_sibling() {
            Ok(sibling) => sibling,
            Err(_) => source.socket.try_clone()?,
        };
        let (addr, service) = (Arc::clone(&source.addr), Arc::clone(&source.service));
        let (socket, index) = (Arc::new(Served::new(socket)), source.index);
        Ok(Arc::new(PacketSource { socket, addr, service, index }))
    });
    Ok(Sources {
        streams: streams.collect::<io::Result<_>>()?,
        packets: packets.collect::<io::Result<_>>()?,
    })
}
