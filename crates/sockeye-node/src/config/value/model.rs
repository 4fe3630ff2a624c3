//! Who runs a node's connections.

use std::fmt;

use sockeye::Model;

use super::{Raw, Value, Within, quoted};

/// Who runs the connections of a node: a model that needs no process of its own for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeModel {
    /// A task for each connection, on so many threads; on as many as there are processors if that is not said.
    Tasks(Option<Within<1, 1024>>),
    /// So many threads, each with its own runtime and listeners.
    PerCore(Within<1, 1024>),
}

impl NodeModel {
    /// The framework's model.
    #[must_use]
    pub const fn model(self) -> Model {
        match self {
            Self::Tasks(_) => Model::Tasks,
            Self::PerCore(cores) => Model::PerCore(cores.count()),
        }
    }

    /// Threads of the runtime that all listeners share under `tasks`, if their number is set.
    #[must_use]
    pub fn workers(self) -> Option<usize> {
        match self {
            Self::Tasks(workers) => workers.map(Within::count),
            Self::PerCore(_) => Some(1),
        }
    }
}

impl fmt::Display for NodeModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tasks(None) => f.write_str("tasks"),
            Self::Tasks(Some(workers)) => write!(f, "tasks:{}", workers.get()),
            Self::PerCore(cores) => write!(f, "percore:{}", cores.get()),
        }
    }
}

impl Value for NodeModel {
    fn expected() -> String {
        "\"tasks\", \"tasks:N\", \"percore\" or \"percore:N\"".to_owned()
    }

    fn read(raw: &Raw) -> Result<Self, String> {
        let text = raw.text().ok_or_else(|| Self::unlike(raw))?;
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number)),
            None => (text, None),
        };
        let number = number.map(|digits| Within::read(&Raw::Number(digits.to_owned())));
        match (name, number.transpose()?) {
            ("tasks", workers) => Ok(Self::Tasks(workers)),
            ("percore", Some(cores)) => Ok(Self::PerCore(cores)),
            ("percore", None) => {
                let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
                Ok(Self::PerCore(Within::nearest(cores)))
            }
            _ if text.parse::<Model>().is_ok() => Err(format!(
                "a node does not run {text}: write {}; `sockeye serve DIR` runs every model",
                Self::expected()
            )),
            _ => Err(Self::unlike(raw)),
        }
    }

    fn print(&self) -> String {
        quoted(&self.to_string())
    }
}
