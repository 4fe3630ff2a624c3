//! Where a password comes from: the terminal, standard input, or nowhere as it is made up.

use std::io::{self, IsTerminal as _, Read as _};

use sockeye_accounts::{MAX_SECRET, PasswordChoice, Secret};

use super::prompt;
use crate::failure::Failure;

/// How the password is given.
#[derive(Clone, Copy, Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct PasswordArgs {
    /// Read the password from standard input, up to the line's end
    #[arg(long)]
    password_stdin: bool,

    /// Make a password up and print it once; its owner is to change it
    #[arg(long)]
    one_time: bool,
}

impl PasswordArgs {
    /// The password, asked for twice on the terminal unless it comes from elsewhere.
    pub(super) fn choice(self, name: &str, must_change: bool) -> Result<PasswordChoice, Failure> {
        if self.one_time {
            return Ok(PasswordChoice::OneTime);
        }
        let password = match self.password_stdin {
            true => from_stdin()?,
            false if io::stdin().is_terminal() => prompt::twice(name)?,
            false => {
                return Err(Failure::usage("no password, and no terminal to ask for one").hint(
                    "--password-stdin reads it from standard input, --one-time makes one up",
                ));
            }
        };
        password.check_password(name).map_err(Failure::usage)?;
        Ok(PasswordChoice::Chosen { password, must_change })
    }
}

/// The first line of standard input.
pub(crate) fn from_stdin() -> Result<Secret, Failure> {
    let mut text = zeroize::Zeroizing::new(Vec::with_capacity(MAX_SECRET + 3));
    // One byte more than can be right, and the line's end.
    let most = u64::try_from(MAX_SECRET + 3).unwrap_or(u64::MAX);
    io::stdin().lock().take(most).read_to_end(&mut text)?;
    let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line)
        .map_err(|_| Failure::usage("the password on standard input is not UTF-8"))?;
    if text.is_empty() {
        return Err(Failure::usage("there is no password on standard input"));
    }
    Ok(Secret::new(text))
}
