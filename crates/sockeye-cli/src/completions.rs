//! `sockeye completions`: what teaches a shell the program's words.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{args::Args, failure::Failure, output::print};

/// Print a script that completes this program's words in a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sockeye completions bash > ~/.local/share/bash-completion/completions/sockeye
  sockeye completions zsh > \"${fpath[1]}/_sockeye\"
  sockeye completions fish > ~/.config/fish/completions/sockeye.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    // Made in memory, as clap would panic if standard output was closed.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "sockeye", &mut script);
    print(script)
}
