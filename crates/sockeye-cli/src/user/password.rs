//! Where a password comes from: the terminal, standard input, or nowhere as it is made up.

use std::io::{self, IsTerminal as _};

use sockeye_accounts::PasswordChoice;

use crate::{failure::Failure, prompt};

/// How the password is given.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct PasswordArgs {
    /// Read the password from standard input, up to the line's end
    #[arg(long)]
    password_stdin: bool,

    /// Make a password up and print it once; it holds until its owner changes it
    #[arg(long)]
    initial: bool,
}

impl PasswordArgs {
    /// Whether somebody at a terminal is asked for it.
    pub(super) fn asks(self) -> bool {
        !self.initial && !self.password_stdin && io::stdin().is_terminal()
    }

    /// The password, asked for twice on the terminal unless it comes from elsewhere.
    pub(super) fn choice(self, name: &str, must_change: bool) -> Result<PasswordChoice, Failure> {
        if self.initial {
            return Ok(PasswordChoice::Initial);
        }
        let password = match self.password_stdin {
            true => prompt::from_stdin()?,
            false if self.asks() => prompt::twice(name, name)?,
            false => {
                return Err(Failure::usage("no password, and no terminal to ask for one").hint(
                    "--password-stdin reads it from standard input, --initial makes one up",
                ));
            }
        };
        password.check_password(name).map_err(Failure::usage)?;
        Ok(PasswordChoice::Chosen { password, must_change })
    }
}
