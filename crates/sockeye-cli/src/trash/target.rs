//! Whose home a verb is for.

use sockeye_accounts::NameError;
use sockeye_node::command::Whose;

use crate::failure::Failure;

/// Whose home.
#[derive(Clone, Debug, clap::Args)]
#[group(multiple = false)]
pub(crate) struct TargetArgs {
    /// The home of this account
    #[arg(long, value_name = "NAME")]
    user: Option<String>,

    /// This shared folder
    #[arg(long, value_name = "NAME")]
    shared: Option<String>,

    /// The public tree
    #[arg(long)]
    public: bool,
}

impl TargetArgs {
    /// Whose home is meant; one has to be named.
    pub(crate) fn whose(&self) -> Result<Whose, Failure> {
        self.any()?.ok_or_else(|| {
            Failure::usage("nothing says whose home is meant")
                .hint("name it with --user NAME, --shared NAME or --public")
        })
    }

    /// Whose home is meant, if one is.
    pub(crate) fn any(&self) -> Result<Option<Whose>, Failure> {
        let wrong = |flag: &str, text: &str, error: &dyn std::fmt::Display| {
            Failure::usage(format!("{flag} {text}: {error}"))
        };
        match (&self.user, &self.shared) {
            (Some(name), _) => name
                .parse()
                .map(|name| Some(Whose::Account(name)))
                .map_err(|error: NameError| wrong("--user", name, &error)),
            (None, Some(name)) => name
                .parse()
                .map(|name| Some(Whose::Shared(name)))
                .map_err(|error: NameError| wrong("--shared", name, &error)),
            (None, None) => Ok(self.public.then_some(Whose::Public)),
        }
    }
}
