//! The data folder that a verb is for, and how a command is carried out there: by the node that runs on it,
//! or else by this program.

use std::{
    env,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

use clap::ValueHint;
use sockeye_accounts::{AccountAnswer, AccountCommand, MAX_PAGE, Shared};
use sockeye_node::{
    Node, NodeError,
    command::{Answer, Command, Execute as _, Refusal, RefusalKind, Used, user_of_this_machine},
    config::{Config, ConfigError, Fault as ConfigFault, PREFIX, Place, Sources},
    control::{self, ControlError},
    data::{DataError, DataFolder, Hold},
};

use crate::{
    failure::{Failure, Fault},
    serve::PROTOCOLS,
};

/// Names the data folder where no argument does.
const VARIABLE: &str = "SOCKEYE_DATA";

/// How long a folder is waited for that somebody holds who takes no commands: another verb, or a node that
/// starts or ends.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// Which data folder.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct DataArgs {
    /// The data folder [default: $SOCKEYE_DATA, or sockeye in the user's data directory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    data: Option<PathBuf>,
}

impl DataArgs {
    /// Whether it was named as an argument.
    pub(crate) fn is_given(&self) -> bool {
        self.data.is_some()
    }

    /// The folder, which need not be there.
    pub(crate) fn folder(&self) -> Result<DataFolder, Failure> {
        let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let given = self.data.clone().or_else(|| set(VARIABLE));
        let path = given
            // The XDG Base Directory Specification: relative paths are passed over.
            .or_else(|| {
                set("XDG_DATA_HOME").filter(|it| it.is_absolute()).map(|it| it.join("sockeye"))
            })
            .or_else(|| set("HOME").map(|home| home.join(".local/share/sockeye")));
        let Some(path) = path else {
            let message = "no data folder: neither HOME nor XDG_DATA_HOME is set";
            return Err(Failure::usage(message).hint("name one with --data DIR"));
        };
        // The server may run elsewhere, and what is printed is to be found from anywhere.
        let path =
            std::path::absolute(&path).map_err(|error| Failure::from(error).about("--data"))?;
        Ok(DataFolder::new(path))
    }
}

/// What a configuration is made of: the folder's file, the environment, and these arguments.
pub(crate) fn sources(
    folder: &DataFolder,
    flags: Vec<(String, String, String)>,
) -> Result<Sources, Failure> {
    let environment = env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok().filter(|name| name.starts_with(PREFIX))?;
        Some((name, value.to_string_lossy().into_owned()))
    });
    Ok(Sources { file: folder.read_config()?, environment: environment.collect(), flags })
}

/// Where a verb works, and how it answers.
#[derive(Debug, clap::Args)]
pub(crate) struct Target {
    #[command(flatten)]
    pub(crate) data: DataArgs,

    /// Print JSON, one line for each thing
    #[arg(long)]
    pub(crate) json: bool,
}

/// Has a command of the accounts carried out on a data folder, whoever holds it.
pub(crate) fn ask_accounts(
    target: &Target,
    command: AccountCommand,
) -> Result<AccountAnswer, Failure> {
    match execute(&target.data, Command::Account(command))? {
        Answer::Account(answer) => Ok(answer),
        _ => Err(unexpected()),
    }
}

/// Has it told what homes hold, by a [`Command::Used`].
pub(crate) fn ask_used(data: &DataArgs, command: Command) -> Result<Vec<Option<Used>>, Failure> {
    match execute(data, command)? {
        Answer::Used(used) => Ok(used),
        _ => Err(unexpected()),
    }
}

/// Asks for page after page, each with what comes after the `key` of the last one's end, and hands them on as long
/// as that says `true`.
pub(crate) fn each_page<T, K>(
    mut ask: impl FnMut(Option<K>) -> Result<(Vec<T>, bool), Failure>,
    key: impl Fn(&T) -> K,
    mut take: impl FnMut(Vec<T>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let mut after = None;
    loop {
        let (entries, more) = ask(after)?;
        after = entries.last().filter(|_| more).map(&key);
        if !take(entries)? || after.is_none() {
            return Ok(());
        }
    }
}

/// Hands on the shared folders in the order of their names, page by page, as long as `take` says `true`.
pub(crate) fn each_shared(
    target: &Target,
    take: impl FnMut(Vec<Shared>) -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let page = |after| {
        let command = AccountCommand::SharedList { after, limit: MAX_PAGE };
        match ask_accounts(target, command)? {
            AccountAnswer::SharedFolders(page) => Ok((page.entries, page.more)),
            _ => Err(unexpected()),
        }
    };
    each_page(page, |shared: &Shared| shared.name.clone(), take)
}

/// Has a command carried out on a data folder, whoever holds it.
pub(crate) fn execute(data: &DataArgs, command: Command) -> Result<Answer, Failure> {
    Ok(execute_holding(data, command)?.0)
}

/// Has a command carried out, and goes on holding the data folder if it is this program that holds it.
pub(crate) fn execute_holding(
    data: &DataArgs,
    command: Command,
) -> Result<(Answer, Option<Hold>), Failure> {
    let folder = data.folder()?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let held = match Hold::take(&folder) {
            Ok(hold) => return Ok((execute_here(&hold, command)?, Some(hold))),
            // Root may give a node commands that it must not carry out itself.
            Err(error @ (DataError::Held { .. } | DataError::NotOwned { .. })) => error,
            Err(error) => return Err(error.into()),
        };
        match control::ask(&folder, command.clone()) {
            Ok(answer) => return Ok((answer, None)),
            Err(ControlError::Nobody { .. }) if matches!(held, DataError::NotOwned { .. }) => {
                return Err(held.into());
            }
            // It starts or ends, or is another verb.
            Err(ControlError::Nobody { .. }) if Instant::now() < deadline => thread::sleep(AGAIN),
            Err(ControlError::Nobody { .. }) => return Err(held.into()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Has the node that runs on a data folder carry out a command; nobody else could.
pub(crate) fn ask_running(data: &DataArgs, command: Command) -> Result<Answer, Failure> {
    let folder = data.folder()?;
    // Whoever holds it for a moment only is waited for: it may be a node that starts.
    let deadline = Instant::now() + PATIENCE;
    loop {
        match control::ask(&folder, command.clone()) {
            Ok(answer) => return Ok(answer),
            Err(ControlError::Nobody { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        match Hold::take(&folder) {
            Err(DataError::Held { .. }) if Instant::now() < deadline => thread::sleep(AGAIN),
            Ok(_) | Err(DataError::Held { .. } | DataError::NotOwned { .. }) => {
                let message = format!("no node runs on {}", folder.path().display());
                return Err(Failure::new(Fault::NotFound, message)
                    .hint("`sockeye serve` starts one; --data names another data folder"));
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Takes a data folder to serve it, which is made if it is not there. A verb that just works on it is waited
/// for; a node that serves it is not.
pub(crate) fn take_to_serve(folder: &DataFolder) -> Result<Hold, Failure> {
    let deadline = Instant::now() + PATIENCE;
    let mut is_told = false;
    loop {
        match Hold::take_or_create(folder) {
            Err(DataError::Held { pid, .. })
                if Instant::now() < deadline && !control::is_attended(folder) =>
            {
                if !is_told {
                    tracing::debug!(pid, "waits for whoever works on the data folder");
                    is_told = true;
                }
                thread::sleep(AGAIN);
            }
            held => return Ok(held?),
        }
    }
}

/// Carries a command out in this process, which holds the folder.
fn execute_here(hold: &Hold, command: Command) -> Result<Answer, Failure> {
    let config = Config::load(&sources(hold.folder(), Vec::new())?, PROTOCOLS)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let node = Node::open(hold.folder(), config).await?;
        let by = user_of_this_machine(rustix::process::getuid().as_raw());
        let answer = node.execute(command, by).await;
        let closed = node.close().await;
        let answer = answer?;
        closed?;
        Ok(answer)
    })
}

/// A node of another version answered something else.
pub(crate) fn unexpected() -> Failure {
    Failure::new(Fault::Failed, "the node answered something else than was asked")
        .hint("restart the node, so that both are the same version")
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        let fault = match &error {
            DataError::NotThere(_) => Fault::NotFound,
            DataError::Foreign { .. } | DataError::NotAFolder(_) => Fault::Usage,
            DataError::NotOwned { .. } => Fault::Denied,
            DataError::Io { source, .. } => crate::failure::fault_of(source),
            _ => Fault::Failed,
        };
        let hint = error.hint();
        Self::new(fault, error).hints(hint)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let in_arguments = |fault: &ConfigFault| matches!(fault.place, Place::Flag(_));
        // Each fault says what would be right; where a file is to be written, all keys are worth seeing.
        let hint = "`sockeye config default` prints every key with its default";
        let is_said = error.to_string().contains("`sockeye config default`");
        let hint = (!is_said && !error.faults().iter().all(in_arguments)).then_some(hint);
        Self::usage(error).hints(hint)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let fault = match refusal.kind {
            RefusalKind::Failed => Fault::Failed,
            RefusalKind::Usage => Fault::Usage,
            RefusalKind::NotFound => Fault::NotFound,
            RefusalKind::Denied => Fault::Denied,
            RefusalKind::NoSpace => Fault::NoSpace,
        };
        Self::new(fault, &refusal.message).hints(refusal.hint)
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::Refused(refusal) => refusal.into(),
            other => Self::new(Fault::Failed, other),
        }
    }
}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        match error {
            NodeError::Data(error) => error.into(),
            // Says itself what it is about and the way out.
            NodeError::Accounts(error) => Refusal::from(error).into(),
            other => Self::new(Fault::Failed, other),
        }
    }
}
