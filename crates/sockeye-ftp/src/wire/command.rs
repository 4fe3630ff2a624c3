//! Command lines (RFC 959 §5.3): a verb, a space, an argument.
//!
//! Every verb that the server has a word for stands in one table here, with the other names that it goes by. What may be
//! done with a verb when is not decided here.

/// The verbs, and what follows SITE and OPTS: one enum each, and one table each of names.
macro_rules! words {
    ($(#[$of:meta])* $kind:ident $table:ident { $($(#[doc = $doc:literal])+ $word:ident: $($name:literal)|+,)+ }) => {
        $(#[$of])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $kind {
            $($(#[doc = $doc])+ $word,)+
        }

        const $table: &[($kind, &[&str])] = &[$(($kind::$word, &[$($name),+]),)+];

        impl $kind {
            /// All of them, in the order in which they stand in the table.
            pub const ALL: &'static [Self] = &[$(Self::$word,)+];

            /// The word of this name, whatever its case.
            #[must_use]
            pub fn named(name: &[u8]) -> Option<Self> {
                let is_named = |names: &[&str]| {
                    names.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name))
                };
                $table.iter().find(|(_, names)| is_named(names)).map(|row| row.0)
            }

            /// Its names in capitals; the first is the usual one.
            #[must_use]
            pub const fn names(self) -> &'static [&'static str] {
                $table[self as usize].1
            }

            /// Its usual name, in capitals.
            #[must_use]
            pub const fn name(self) -> &'static str {
                self.names()[0]
            }
        }
    };
}

words! {
    /// What a client can ask for.
    Verb VERBS {
        /// Name of the account (RFC 959 §4.1.1).
        User: "USER",
        /// Password (RFC 959 §4.1.1).
        Pass: "PASS",
        /// Account for charging (RFC 959 §4.1.1).
        Acct: "ACCT",
        /// Begin anew without an account (RFC 959 §4.1.1).
        Rein: "REIN",
        /// End (RFC 959 §4.1.1).
        Quit: "QUIT",
        /// Another virtual host (RFC 7151 §3).
        Host: "HOST",
        /// Begin TLS (RFC 2228 §3, RFC 4217 §4).
        Auth: "AUTH",
        /// Size of protected buffers: 0 with TLS (RFC 2228 §3, RFC 4217 §9).
        Pbsz: "PBSZ",
        /// Protection of data connections (RFC 2228 §3, RFC 4217 §9).
        Prot: "PROT",
        /// End TLS on the control connection (RFC 2228 §3, RFC 4217 §5).
        Ccc: "CCC",
        /// Change the working folder (RFC 959 §4.1.1).
        Cwd: "CWD" | "XCWD",
        /// Up by one folder (RFC 959 §4.1.1).
        Cdup: "CDUP" | "XCUP",
        /// The working folder (RFC 959 §4.1.3).
        Pwd: "PWD" | "XPWD",
        /// Mount another file system (RFC 959 §4.1.1).
        Smnt: "SMNT",
        /// Representation: ASCII or image (RFC 959 §4.1.2).
        Type: "TYPE",
        /// Transfer mode: stream (RFC 959 §4.1.2).
        Mode: "MODE",
        /// File structure: file (RFC 959 §4.1.2).
        Stru: "STRU",
        /// Active data connection (RFC 959 §4.1.2).
        Port: "PORT",
        /// Passive data connection (RFC 959 §4.1.2).
        Pasv: "PASV",
        /// Active data connection of any address family (RFC 2428 §2).
        Eprt: "EPRT",
        /// Passive data connection of any address family (RFC 2428 §3).
        Epsv: "EPSV",
        /// Active data connection with a long address (RFC 1639).
        Lprt: "LPRT",
        /// Passive data connection with a long address (RFC 1639).
        Lpsv: "LPSV",
        /// Send a file to the client (RFC 959 §4.1.3).
        Retr: "RETR",
        /// Store a file (RFC 959 §4.1.3).
        Stor: "STOR",
        /// Store a file under a name that is free (RFC 959 §4.1.3).
        Stou: "STOU",
        /// Append to a file (RFC 959 §4.1.3).
        Appe: "APPE",
        /// Where the next transfer begins (RFC 3659 §5).
        Rest: "REST",
        /// Make room for so many bytes (RFC 959 §4.1.3).
        Allo: "ALLO",
        /// End the transfer under way (RFC 959 §4.1.3).
        Abor: "ABOR",
        /// A folder for people (RFC 959 §4.1.3).
        List: "LIST",
        /// The names in a folder (RFC 959 §4.1.3).
        Nlst: "NLST",
        /// The facts of one file (RFC 3659 §7).
        Mlst: "MLST",
        /// The facts of the files in a folder (RFC 3659 §7).
        Mlsd: "MLSD",
        /// The state of the connection, of the transfer, or of a file (RFC 959 §4.1.3).
        Stat: "STAT",
        /// Size of a file as it would be sent (RFC 3659 §4).
        Size: "SIZE",
        /// When a file was changed (RFC 3659 §3).
        Mdtm: "MDTM",
        /// Set when a file was changed (draft-somers-ftp-mfxx).
        Mfmt: "MFMT",
        /// Set facts of a file (draft-somers-ftp-mfxx).
        Mff: "MFF",
        /// Remove a file (RFC 959 §4.1.3).
        Dele: "DELE",
        /// Remove a folder (RFC 959 §4.1.3).
        Rmd: "RMD" | "XRMD",
        /// Make a folder (RFC 959 §4.1.3).
        Mkd: "MKD" | "XMKD",
        /// Rename: the old name (RFC 959 §4.1.3).
        Rnfr: "RNFR",
        /// Rename: the new name (RFC 959 §4.1.3).
        Rnto: "RNTO",
        /// Digest of a file (draft-bryan-ftpext-hash).
        Hash: "HASH",
        /// CRC-32 of a file, as before HASH.
        Xcrc: "XCRC",
        /// MD5 of a file, as before HASH.
        Xmd5: "XMD5",
        /// SHA-1 of a file, as before HASH.
        Xsha1: "XSHA1" | "XSHA",
        /// SHA-256 of a file, as before HASH.
        Xsha256: "XSHA256",
        /// What the server can do (RFC 2389 §3).
        Feat: "FEAT",
        /// Options of a command (RFC 2389 §4).
        Opts: "OPTS",
        /// What there is to ask for (RFC 959 §4.1.3).
        Help: "HELP",
        /// Nothing (RFC 959 §4.1.3).
        Noop: "NOOP",
        /// Kind of system (RFC 959 §4.1.3).
        Syst: "SYST",
        /// Name of the client's program, as deployed.
        Clnt: "CLNT",
        /// Bytes that may still be stored (draft-peterson-streamlined-ftp-command-extensions).
        Avbl: "AVBL",
        /// What this server has of its own (RFC 959 §4.1.3).
        Site: "SITE",
    }
}

words! {
    /// What SITE can be followed by.
    SiteVerb SITE_VERBS {
        /// Set a file's permissions: `MODE PATH`.
        Chmod: "CHMOD",
        /// Set when a file was changed.
        Utime: "UTIME",
        /// How much may be stored, and how much is.
        Quota: "QUOTA",
        /// Digest of a file.
        Hash: "HASH",
        /// Who is logged in.
        Who: "WHO",
        /// What can follow SITE.
        Help: "HELP",
    }
}

words! {
    /// What has options (RFC 2389 §4).
    OptsVerb OPTS_VERBS {
        /// Whether names are in UTF-8 (RFC 2640, as deployed).
        Utf8: "UTF8" | "UTF-8",
        /// Which facts are told (RFC 3659 §7.9).
        Mlst: "MLST",
        /// Which digest HASH has (draft-bryan-ftpext-hash).
        Hash: "HASH",
    }
}

/// A command line that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// What is asked for.
    pub verb: Verb,
    /// All behind the one space after the verb. A name may begin and end with spaces; see [`trimmed`] for what
    /// is none.
    pub argument: &'a [u8],
}

/// Why a line is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// Nothing stands there.
    #[error("A command is a word, such as HELP.")]
    Empty,
    /// A verb that nobody here knows; with what of it can be shown.
    #[error("{0}: not understood; HELP names the commands.")]
    Unknown(String),
    /// A request of HTTP: a browser was made to speak to this port. The connection is to be closed at once, so that no
    /// part of what it sends is taken for commands.
    #[error("This is FTP, not HTTP.")]
    Http,
}

impl<'a> Command<'a> {
    /// Reads a line, given without its end.
    ///
    /// Spaces in front are left out, and so is what remains there of an interrupt whose bytes came out of order: no
    /// verb begins with a byte of Telnet's commands.
    ///
    /// # Errors
    /// [`CommandError::Empty`], [`CommandError::Unknown`], [`CommandError::Http`].
    pub fn parse(line: &'a [u8]) -> Result<Self, CommandError> {
        let start = line.iter().position(|&b| b != b' ' && b < 240).unwrap_or(line.len());
        let line = &line[start..];
        let (name, argument) = split(line);
        if name.is_empty() {
            return Err(CommandError::Empty);
        }
        match Verb::named(name) {
            Some(verb) => Ok(Self { verb, argument }),
            None if is_http(line) => Err(CommandError::Http),
            None => Err(CommandError::Unknown(shown(name))),
        }
    }
}

/// The first word, and all behind the one space after it.
///
/// ```
/// use sockeye_ftp::wire::command::split;
/// assert_eq!(split(b"CHMOD 644  a b"), (&b"CHMOD"[..], &b"644  a b"[..]));
/// ```
#[must_use]
pub fn split(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b' ', text) {
        Some(space) => (&text[..space], &text[space + 1..]),
        None => (text, b""),
    }
}

/// An argument that is no name, without the spaces around it.
#[must_use]
pub fn trimmed(argument: &[u8]) -> &[u8] {
    argument.trim_ascii()
}

/// The beginning of `name` with what is no visible ASCII as `?`: fit for a reply and a log.
pub(crate) fn shown(name: &[u8]) -> String {
    const MOST: usize = 32;
    let cleaned = name.iter().map(|&b| if b.is_ascii_graphic() { char::from(b) } else { '?' });
    let mut shown: String = cleaned.take(MOST).collect();
    if name.len() > MOST {
        shown.push('…');
    }
    shown
}

/// Whether a line is the first of a request, as no command ends with HTTP's version.
fn is_http(line: &[u8]) -> bool {
    let last = line.rsplit(|&b| b == b' ').next().unwrap_or_default();
    last.len() == b"HTTP/1.1".len() && last.starts_with(b"HTTP/")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(line: &str) -> Result<(Verb, String), CommandError> {
        let command = Command::parse(line.as_bytes())?;
        Ok((command.verb, String::from_utf8(command.argument.to_vec()).unwrap()))
    }

    #[test]
    fn a_line_is_a_verb_of_any_case_and_the_rest() {
        for (line, verb, argument) in [
            ("NOOP", Verb::Noop, ""),
            ("user Alice", Verb::User, "Alice"),
            ("Pass ", Verb::Pass, ""),
            ("PASS  a b ", Verb::Pass, " a b "),
            ("STOR  a\tb ", Verb::Stor, " a\tb "),
            ("xCwD ..", Verb::Cwd, ".."),
            ("  pwd", Verb::Pwd, ""),
            ("XSHA256 f", Verb::Xsha256, "f"),
        ] {
            assert_eq!(parse(line), Ok((verb, argument.to_owned())), "{line}");
        }
        assert_eq!(trimmed(b"  1 "), b"1");
    }

    #[test]
    fn an_interrupt_whose_bytes_came_out_of_order_is_left_out() {
        for line in [&b"\xf2ABOR"[..], b"\xf4\xffabor", b"\xff\xf4\xff\xf2ABOR"] {
            let command = Command { verb: Verb::Abor, argument: b"" };
            assert_eq!(Command::parse(line), Ok(command));
        }
    }

    #[test]
    fn what_is_no_command_is_named_as_far_as_it_can_be_shown() {
        let long = format!("{}…: not understood; HELP names the commands.", "A".repeat(32));
        for (line, text) in [
            (&b""[..], "A command is a word, such as HELP."),
            (b"   ", "A command is a word, such as HELP."),
            (b"FOO bar", "FOO: not understood; HELP names the commands."),
            (b"USER\0 a", "USER?: not understood; HELP names the commands."),
            (b"a\x1b[2J\xe6", "a?[2J?: not understood; HELP names the commands."),
            (&[b'A'; 33], &long),
            (b"GET / HTTP/1.1", "This is FTP, not HTTP."),
            (b"POST /x HTTP/1.0", "This is FTP, not HTTP."),
            (b"GET /", "GET: not understood; HELP names the commands."),
        ] {
            assert_eq!(Command::parse(line).unwrap_err().to_string(), text);
        }
        assert_eq!(parse("RETR a HTTP/1.1"), Ok((Verb::Retr, "a HTTP/1.1".to_owned())));
    }

    #[test]
    fn every_name_is_of_one_word_alone() {
        let mut seen = std::collections::HashSet::new();
        for verb in Verb::ALL {
            for name in verb.names() {
                assert!(seen.insert(*name), "{name} twice");
                assert!(name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
                assert_eq!(Verb::named(name.to_lowercase().as_bytes()), Some(*verb));
            }
        }
        for verb in SiteVerb::ALL {
            assert_eq!(SiteVerb::named(verb.name().as_bytes()), Some(*verb));
        }
        assert_eq!(OptsVerb::named(b"utf-8"), Some(OptsVerb::Utf8));
        assert_eq!((Verb::named(b""), SiteVerb::named(b"EXEC")), (None, None));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_shown_safely(line in proptest::collection::vec(any::<u8>(), 0..60)) {
            match Command::parse(&line) {
                Ok(command) => prop_assert!(line.ends_with(command.argument)),
                Err(error) => {
                    let text = error.to_string();
                    prop_assert!(text.chars().all(|c| c == ' ' || c == '…' || c.is_ascii_graphic()));
                    prop_assert!(text.chars().count() < 100);
                }
            }
        }

        #[test]
        fn an_argument_comes_through_as_it_was_sent(argument in proptest::collection::vec(any::<u8>(), 0..60)) {
            let line = [b"STOR ", &argument[..]].concat();
            prop_assert_eq!(Command::parse(&line), Ok(Command { verb: Verb::Stor, argument: &argument }));
        }
    }
}
