//! What a listener that is written cannot be, and what to write instead.

use sockeye::addr::AddrError;

use super::Listen;

/// A listener that cannot be.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// The address is none.
    #[error(transparent)]
    Address(#[from] AddrError),
    /// It is what a browser takes.
    #[error("{text}: a URL, and a listener is an address")]
    Url {
        /// What was given.
        text: String,
        /// What was meant.
        meant: String,
    },
    /// Nothing says what is to be spoken there.
    #[error("{text}: nothing says which protocol is spoken there")]
    NoProtocol {
        /// What was given.
        text: String,
        /// What was probably meant.
        meant: String,
    },
    /// The protocol is not known.
    #[error("{listen}: `{}` is not spoken here, only {known}", listen.protocol)]
    Unknown {
        /// What was given.
        listen: Box<Listen>,
        /// The protocols that are, joined by commas.
        known: String,
        /// What to write instead, if that can be guessed.
        meant: Option<String>,
    },
    /// The protocol is to come.
    #[error("{text}: SSH, and SFTP in it, is not spoken here yet")]
    NotYet {
        /// What was given.
        text: String,
    },
    /// The protocol cannot run over that.
    #[error("{listen}: {} needs a stream of bytes, which {} is not", listen.protocol, listen.addr.transport())]
    Transport {
        /// What was given.
        listen: Box<Listen>,
    },
    /// The protocol has options, and none of this name.
    #[error("{listen}: {} has no option {name:?}, only {known}", listen.protocol)]
    UnknownOption {
        /// What was given.
        listen: Box<Listen>,
        /// The option.
        name: String,
        /// Those that the protocol has, joined by commas, each with how its value is written.
        known: String,
        /// The option that was probably meant, of the protocol or of the address.
        meant: Option<&'static str>,
    },
    /// A value that an option of the protocol's does not have.
    #[error("{listen}: {name} is {notation}, not {value:?}")]
    OptionValue {
        /// What was given.
        listen: Box<Listen>,
        /// The option.
        name: &'static str,
        /// How its value is written.
        notation: &'static str,
        /// What was given for it.
        value: String,
    },
    /// An option of the protocol's stands twice.
    #[error("{listen}: {name} stands twice")]
    OptionTwice {
        /// What was given.
        listen: Box<Listen>,
        /// The option.
        name: String,
    },
    /// An option says when TLS begins, and the address that it begins at once.
    #[error("{listen}: {name} says when TLS begins, and tls+ that it begins at once")]
    OptionUnderTls {
        /// What was given.
        listen: Box<Listen>,
        /// The option.
        name: &'static str,
    },
    /// The protocol is for this machine alone, and the address is not.
    #[error("{listen}: {} is for this machine alone", listen.protocol)]
    NotLocal {
        /// What was given.
        listen: Box<Listen>,
    },
}

impl ListenError {
    /// What to write instead, if that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address(_) => None,
            Self::Url { meant, .. } | Self::NoProtocol { meant, .. } => {
                Some(format!("write {meant}"))
            }
            Self::Unknown { meant, .. } => meant.clone(),
            Self::UnknownOption { meant, .. } => {
                meant.map(|meant| format!("did you mean {meant}?"))
            }
            Self::NotYet { .. } => {
                let files =
                    "ftp+tls+tcp:// is FTP encrypted by TLS, and http+tls+tcp:// has WebDAV";
                Some(files.to_owned())
            }
            Self::OptionValue { .. } => None,
            Self::OptionTwice { .. } => Some("write it once".to_owned()),
            Self::OptionUnderTls { .. } => Some("leave out one of them".to_owned()),
            Self::Transport { .. } => Some("listen on tcp://, unix:// or fd://".to_owned()),
            Self::NotLocal { .. } => Some("listen on 127.0.0.1, [::1] or a Unix socket".to_owned()),
        }
    }

    /// What is wrong and what to write instead, in one line.
    #[must_use]
    pub fn in_full(&self) -> String {
        match self.hint() {
            Some(hint) => format!("{self}; {hint}"),
            // It says so by itself.
            None => self.to_string(),
        }
    }
}
