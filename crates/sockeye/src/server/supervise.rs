//! A server's life from its first connection to its report.

use std::{
    future::{Future, pending},
    pin::pin,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use super::{Report, context::ServerContext, settings::Settings, signals};
use crate::systemd::State;

/// How long cut connections have to let go.
const CUT_GRACE: Duration = Duration::from_secs(1);

/// A server that is supervised: without that, nothing of it goes on.
struct Supervised<'a>(&'a Arc<ServerContext>);

impl Drop for Supervised<'_> {
    fn drop(&mut self) {
        self.0.cut_all();
    }
}

/// Runs `accepting` until the drain has emptied the backlogs, then waits for the connections, at
/// most until the deadline.
///
/// `accepting` must return once the drain has begun and nothing is left to accept.
pub(crate) async fn supervise(
    server: &Arc<ServerContext>,
    settings: &Settings,
    obey_signals: bool,
    accepting: impl Future<Output = ()>,
) -> Report {
    let supervised = Supervised(server);
    let mut life = pin!(async {
        accepting.await;
        server.registry.closed().await;
    });
    let obeying = obey_signals.then(|| signals::obey(server, &settings.notifier));
    let mut signals = pin!(async {
        match obeying {
            Some(Ok(obeying)) => obeying.await,
            Some(Err(error)) => tracing::warn!(%error, "signals are not handled"),
            None => {}
        }
        pending::<()>().await;
    });
    let drained = OnceLock::new();
    let mut enforce = pin!(async {
        server.shutdown.draining().await;
        drained.get_or_init(Instant::now);
        signals::tell(&settings.notifier, State::Stopping);
        server.shutdown.enforce(server.limits.drain).await;
        tokio::time::sleep(CUT_GRACE).await;
    });
    let mut watchdog = pin!(server.watchdog.run(server));
    signals::tell(&settings.notifier, State::Ready);
    if let Some(hook) = &settings.on_ready {
        hook();
    }
    tokio::select! {
        biased;
        // A handler that never waits, in this very task, leaves no budget to who comes after it.
        () = &mut signals => {}
        () = &mut enforce => {}
        () = &mut watchdog => {}
        () = &mut life => {}
    }
    drop(supervised);
    Report::at_end(
        server.stats(),
        server.registry.cut(),
        drained.get().map_or(Duration::ZERO, Instant::elapsed),
    )
}
