//! The concurrency models: who runs a connection's handler.
//!
//! A model is a value; the same handler runs unchanged under each. Each file here holds one
//! model and never looks at what a handler does.
//!
#![doc = include_str!("pairs.md")]

mod executor;
mod fork;
mod iterative;
mod patience;
mod percore;
mod pool;
mod prefork;
mod runtime;
mod tasks;
mod threads;
mod workers;

use std::{
    fmt,
    future::Future,
    num::NonZeroUsize,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

pub(crate) use executor::{Executor, Packets, Sources, permit, serve_sources};
pub(crate) use iterative::Inline;
pub(crate) use patience::Patience;
pub(crate) use runtime::for_one_connection;

use crate::{
    Error, Report,
    addr::nearest,
    server::{ServerContext, Settings, supervise},
    zygote::Zygotes,
};

/// Who runs a connection's handler, and how many run at once.
///
/// As text, by `parse`: `iterative`, `pool:N`, `threads:MAX`, `fork:MAX`, `prefork:N`, `tasks`,
/// `percore[:N]`. A number that is left out is 40, and for `percore` that of the processors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Model {
    /// One connection after the other, in the calling thread. The rest wait in the backlog.
    Iterative,
    /// A fixed number of threads, each running one connection at a time.
    ThreadPool(usize),
    /// A thread for each connection, at most `max` at once; the rest wait in the backlog.
    ThreadPerConnection {
        /// The most threads at once.
        max: usize,
    },
    /// A process for each connection, at most `max` at once; the rest wait in the backlog.
    /// What a program maps is what each of its children pays for: one that is linked statically
    /// forks markedly faster. What a handler spawns and does not await ends with the process.
    ForkPerConnection {
        /// The most processes at once.
        max: usize,
    },
    /// A fixed number of processes forked beforehand, each running one connection or datagram at a
    /// time, whatever socket it came in by. One that dies takes only that one with it, and is
    /// replaced.
    Prefork(usize),
    /// A task for each connection on one work-stealing runtime. A handler that blocks its thread, or
    /// computes for long, holds up others: see [which model](crate#which-model).
    #[default]
    Tasks,
    /// So many threads, each with its own runtime and its own listener (`SO_REUSEPORT`), and a
    /// task for each connection. Sockets that cannot share a port that way share one listener.
    PerCore(usize),
}

impl Model {
    /// One thread for each processor that this process may use.
    #[must_use]
    pub fn per_core() -> Self {
        Self::PerCore(thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }

    /// Whether connections run in processes of their own.
    #[must_use]
    pub const fn forks(self) -> bool {
        matches!(self, Self::ForkPerConnection { .. } | Self::Prefork(_))
    }

    /// How many connections (or packets) the model runs at once; `None` if it sets no bound.
    #[must_use]
    pub const fn capacity(self) -> Option<usize> {
        match self {
            Self::Iterative => Some(1),
            Self::ThreadPool(n) | Self::Prefork(n) => Some(n),
            Self::ThreadPerConnection { max } | Self::ForkPerConnection { max } => Some(max),
            Self::Tasks | Self::PerCore(_) => None,
        }
    }

    /// Refuses a model that can run nothing.
    pub(crate) fn check(self) -> Result<(), ModelError> {
        let number = if let Self::PerCore(n) = self { Some(n) } else { self.capacity() };
        match number {
            Some(0) => Err(ModelError::new(self.to_string(), "its number must be at least 1")),
            Some(n) if n > MAX_NUMBER => Err(ModelError::new(
                self.to_string(),
                format!("its number must be at most {MAX_NUMBER}"),
            )),
            _ => Ok(()),
        }
    }
}

/// A prepared server, as a model runs it.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) server: Arc<ServerContext>,
    pub(crate) settings: Settings,
    pub(crate) sources: Sources,
    pub(crate) obey_signals: bool,
    pub(crate) zygotes: Option<Zygotes>,
}

impl Run {
    /// Runs the server in the calling thread until it has stopped.
    pub(crate) fn blocking(self) -> Result<Report, Error> {
        match self.server.model {
            Model::Iterative => iterative::run(self),
            Model::ThreadPool(threads) => pool::run(self, threads),
            Model::ThreadPerConnection { .. } => threads::run(self),
            Model::ForkPerConnection { .. } => fork::run(self),
            Model::Prefork(workers) => prefork::run(self, workers),
            Model::Tasks => tasks::run(self),
            Model::PerCore(cores) => percore::run(self, cores),
        }
    }

    /// Runs the server on the caller's runtime until it has stopped.
    pub(crate) async fn on_runtime(self) -> Result<Report, Error> {
        match self.server.model {
            Model::Tasks => tasks::run_async(self).await,
            model => Err(Error::NotAsync(model)),
        }
    }

    /// Supervises `serve`, which must return when the drain has emptied the sockets.
    async fn supervise<F>(
        self,
        serve: impl FnOnce(Arc<ServerContext>, Sources) -> F,
    ) -> Result<Report, Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let Self { server, settings, sources, obey_signals, zygotes: _ } = self;
        let failed = Mutex::new(None);
        let serving = serve(Arc::clone(&server), sources);
        let accepting = async {
            if let Err(error) = serving.await {
                server.shutdown.cut();
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
        };
        let report = supervise(&server, &settings, obey_signals, accepting).await;
        let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.map_or(Ok(report), Err)
    }
}

/// The largest number that a model takes: the most threads or processes at once.
pub const MAX_NUMBER: usize = 32_768;

/// Default number for a model written without one.
const DEFAULT_MAX: usize = 40;

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Iterative => f.write_str("iterative"),
            Self::ThreadPool(n) => write!(f, "pool:{n}"),
            Self::ThreadPerConnection { max } => write!(f, "threads:{max}"),
            Self::ForkPerConnection { max } => write!(f, "fork:{max}"),
            Self::Prefork(n) => write!(f, "prefork:{n}"),
            Self::Tasks => f.write_str("tasks"),
            Self::PerCore(n) => write!(f, "percore:{n}"),
        }
    }
}

/// The models' names.
const NAMES: [&str; 7] = ["iterative", "pool", "threads", "fork", "prefork", "tasks", "percore"];

impl FromStr for Model {
    type Err = ModelError;

    /// Parses a model; `pool`, `threads`, `fork` and `prefork` without a number mean 40.
    fn from_str(text: &str) -> Result<Self, ModelError> {
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let number = number
            .map(|digits| {
                digits.parse::<usize>().map_err(|_| {
                    ModelError::new(text, format!("{:?} is not a whole number", digits))
                })
            })
            .transpose()?;
        let or_default = number.unwrap_or(DEFAULT_MAX);
        let model = match name {
            "pool" => Self::ThreadPool(or_default),
            "threads" => Self::ThreadPerConnection { max: or_default },
            "fork" => Self::ForkPerConnection { max: or_default },
            "prefork" => Self::Prefork(or_default),
            "percore" => number.map_or_else(Self::per_core, Self::PerCore),
            "iterative" | "tasks" if number.is_some() => {
                return Err(ModelError::new(text, format!("{name} takes no number")));
            }
            "iterative" => Self::Iterative,
            "tasks" => Self::Tasks,
            _ => return Err(ModelError::unknown(text, name)),
        };
        model.check()?;
        Ok(model)
    }
}

/// A model that cannot be.
///
/// `Debug` prints what `Display` does.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "model {input:?}: {reason}; the models are iterative, pool:N, threads:MAX, fork:MAX, \
     prefork:N, tasks, percore[:N]"
)]
pub struct ModelError {
    input: String,
    reason: String,
}

impl ModelError {
    fn unknown(text: &str, name: &str) -> Self {
        let reason = nearest(name, NAMES).map_or_else(
            || "no such model".to_owned(),
            |meant| format!("no such model (did you mean {meant}{}?)", &text[name.len()..]),
        );
        Self::new(text, reason)
    }

    fn new(input: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { input: input.into(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Conn, Handler, Listener, Server};

    struct Nothing;

    impl Handler for Nothing {
        async fn handle(&self, _: &mut Conn) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_server_that_cannot_serve_says_so_under_every_model() {
        for model in ["iterative", "pool:2", "threads:2", "tasks", "percore:1", "percore:2"] {
            let server = Server::on(vec![Listener::unwatchable()]).signals(false);
            let error = server.model(model.parse().unwrap()).serve(Nothing).unwrap_err();
            assert!(matches!(error, Error::System { .. }), "{model}: {error}");
        }
    }

    #[test]
    fn models_print_as_they_are_written() {
        for text in
            ["iterative", "pool:4", "threads:100", "fork:40", "prefork:8", "tasks", "percore:2"]
        {
            assert_eq!(text.parse::<Model>().unwrap().to_string(), text);
        }
        assert_eq!("fork".parse(), Ok(Model::ForkPerConnection { max: 40 }));
        assert_eq!("percore".parse(), Ok(Model::per_core()));
    }

    #[test]
    fn a_model_that_cannot_be_is_refused_by_name() {
        for (text, part) in [
            ("pool:0", "at least 1"),
            ("fork:99999999", "at most"),
            ("threads:x", "whole number"),
            ("tasks:3", "takes no number"),
            ("coroutines", "no such model;"),
            ("task", "did you mean tasks?"),
            ("Tasks", "did you mean tasks?"),
            ("frok:4", "did you mean fork:4?"),
        ] {
            let error = text.parse::<Model>().unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("percore[:N]"), "{error}");
        }
    }
}
