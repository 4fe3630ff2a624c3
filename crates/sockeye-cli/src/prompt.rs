//! Asking whoever sits at the terminal: for a password, without showing it, and before what cannot be undone.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr,
};
use sockeye_accounts::{MAX_SECRET, MIN_PASSWORD, Secret};
use zeroize::Zeroizing;

use crate::failure::{Failure, Fault};

/// How often a password that cannot be is asked for again, with the first time.
const TRIES: u32 = 3;

const CTRL_C: u8 = 3;
const CTRL_D: u8 = 4;
const BACKSPACE: u8 = 8;
const CTRL_U: u8 = 21;
const DELETE: u8 = 127;

/// Asks twice for a password of this, which the account `name` is to have: both have to be the same. Whoever
/// types one that cannot be is told why and asked again, a few times: what is typed next is then no command to the
/// shell.
pub(crate) fn twice(of: &str, name: &str) -> Result<Secret, Failure> {
    // Before the question: what is typed as soon as it stands there is not thrown away.
    let _hidden = Hidden::start()?;
    let mut left = TRIES;
    loop {
        let why = match ask_twice(of, name)? {
            Ok(password) => return Ok(password),
            Err(why) => why,
        };
        left -= 1;
        if left == 0 {
            return Err(Failure::usage(why));
        }
        // Where nobody reads it, the question stands alone.
        let _ = writeln!(io::stderr(), "{why}; try again");
    }
}

/// A password that was typed twice, or why it cannot be.
fn ask_twice(of: &str, name: &str) -> Result<Result<Secret, String>, Failure> {
    let first = once(&format!("New password for {of}, at least {MIN_PASSWORD} characters: "))?;
    // Before it is typed a second time.
    if let Err(error) = first.check_password(name) {
        return Ok(Err(error.to_string()));
    }
    let second = once("The same again: ")?;
    Ok(if first == second { Ok(first) } else { Err("the two passwords differ".to_owned()) })
}

fn once(question: &str) -> Result<Secret, Failure> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question}")?;
    terminal.flush()?;
    let read = read_line(&mut io::stdin().lock());
    // The line's end was not shown either.
    writeln!(terminal)?;
    match read? {
        Some(secret) => Ok(secret),
        None => Err(Failure::new(Fault::Failed, "no password was given; nothing was done")),
    }
}

/// Reads up to the line's end, byte by byte; `None` if it is given up with Ctrl-C or Ctrl-D.
fn read_line(input: &mut impl io::BufRead) -> io::Result<Option<Secret>> {
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_SECRET + 1));
    for byte in input.bytes() {
        match byte? {
            b'\r' | b'\n' => {
                let text = std::str::from_utf8(&line).map_err(io::Error::other)?;
                return Ok(Some(Secret::new(text)));
            }
            CTRL_C => return Ok(None),
            CTRL_D if line.is_empty() => return Ok(None),
            BACKSPACE | DELETE => {
                // A letter of UTF-8 is its first byte and those that go on.
                while line.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
            }
            CTRL_U => line.clear(),
            // Longer than any that is taken; refused for its length.
            byte if line.len() <= MAX_SECRET => line.push(byte),
            _ => {}
        }
    }
    Ok(None)
}

/// The password on the first line of standard input.
pub(crate) fn from_stdin() -> Result<Secret, Failure> {
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_SECRET + 3));
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

/// Goes on if `yes` was said on the command line, or is said now on the terminal.
pub(crate) fn confirm(yes: bool, question: &str) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage("this cannot be undone, and nobody is there to be asked")
            .hint("--yes says that it is meant"));
    }
    let mut error = io::stderr().lock();
    write!(error, "{question} [y/N] ")?;
    error.flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new(Fault::Failed, "nothing was done")),
    }
}

/// The terminal while it shows nothing; as it was again when this is dropped.
///
/// Also the keys that send signals are read as bytes: a program ended by one would leave the terminal
/// silent.
struct Hidden(Termios);

impl Hidden {
    fn start() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        silent.special_codes[SpecialCodeIndex::VMIN] = 1;
        silent.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // The terminal is gone if this fails.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        read_line(&mut &*bytes).unwrap().map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn a_line_is_read_with_its_corrections() {
        assert_eq!(read(b"secret\nmore").as_deref(), Some("secret"));
        assert_eq!(read(b"sex\x7fcret\r").as_deref(), Some("secret"));
        assert_eq!(read("口令\x7f号\n".as_bytes()).as_deref(), Some("口号"));
        assert_eq!(read(b"wrong\x15right\n").as_deref(), Some("right"));
        assert_eq!(read(b"\x08\n").as_deref(), Some(""));
    }

    #[test]
    fn it_is_given_up_by_ctrl_c_by_ctrl_d_and_by_the_end() {
        assert_eq!(read(b"half\x03\n"), None);
        assert_eq!(read(b"\x04"), None);
        assert_eq!(read(b"half"), None);
    }

    #[test]
    fn a_line_without_end_is_not_kept() {
        let long = [b'x'; MAX_SECRET * 4];
        let line = [&long, b"\n".as_slice()].concat();
        assert_eq!(read(&line).unwrap().len(), MAX_SECRET + 1);
    }
}
