//! The verbs: a row each, with what it needs, when it may come, what carries it out, and what HELP and FEAT say of it.

use std::pin::Pin;

use sockeye_node::Rights;

use crate::{
    commands::{
        active, changes, digests, facts, folders, help, login, parameters, passive, running, site,
        times, tls, transfers,
    },
    control::{Answer, Dialog},
    transfer::Transfer,
    wire::{command::Verb, reply::Reply},
};

/// A future on the heap, so that an idle connection has no room for it.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T, Reply>> + Send + 'a>>;

/// What has to come before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing.
    Anyone,
    /// A login.
    Session,
}

/// What becomes of a verb that comes while a transfer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum During {
    /// It waits until the transfer has ended.
    Waits,
    /// It is carried out beside.
    Runs,
    /// It is carried out beside once the client was told that the transfer has begun, and otherwise in its turn: who sends
    /// several commands at once counts on the order of their replies.
    RunsOnceBegun,
}

/// What FEAT says of a verb (RFC 2389 §3.2).
#[derive(Clone, Copy)]
pub(crate) enum Feature {
    /// Nothing: RFC 959 has it already.
    Known,
    /// Its name.
    Name,
    /// This line.
    Line(&'static str),
    /// What depends on the client's choice.
    Of(fn(&Dialog) -> Option<String>),
}

/// What comes of a command that was carried out.
pub(crate) enum Outcome {
    /// A reply.
    Told(Reply),
    /// What takes long and goes on beside the control connection; its reply is the last it says.
    Begun(Transfer),
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        Self::Told(reply)
    }
}

impl From<Transfer> for Outcome {
    fn from(transfer: Transfer) -> Self {
        Self::Begun(transfer)
    }
}

/// What carries a verb out.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    Now(fn(&mut Dialog, &[u8]) -> Answer),
    Later(for<'a> fn(&'a mut Dialog, &'a [u8]) -> Later<'a, Outcome>),
    /// Begins a transfer over a data connection.
    Transfer(for<'a> fn(&'a mut Dialog, &'a [u8]) -> Later<'a, Transfer>),
}

/// A row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    verb: Verb,
    /// What stands behind the verb; between brackets, what may.
    pub(crate) argument: &'static str,
    pub(crate) help: &'static str,
    pub(crate) run: Run,
    pub(crate) access: Access,
    /// What an account has to have at the path that it names: the session asks for it, whatever is said here.
    pub(crate) rights: Rights,
    pub(crate) during: During,
    pub(crate) feature: Feature,
    /// Whether it is not done here, so that HELP leaves it out.
    pub(crate) refused: bool,
}

macro_rules! later {
    ($run:path) => {
        Run::Later(|dialog, argument| {
            Box::pin(async move { $run(dialog, argument).await.map(Outcome::from) })
        })
    };
}

macro_rules! transfer {
    ($run:path) => {
        Run::Transfer(|dialog, argument| Box::pin($run(dialog, argument)))
    };
}

const fn row(verb: Verb, argument: &'static str, help: &'static str, run: Run) -> Row {
    let (access, rights, during) = (Access::Session, Rights::NONE, During::Waits);
    let (feature, refused) = (Feature::Known, false);
    Row { verb, argument, help, run, access, rights, during, feature, refused }
}

/// A verb that is known and not done.
const fn refused(verb: Verb, run: Run) -> Row {
    Row { refused: true, ..row(verb, "", "not done here", run).anyone() }
}

impl Row {
    const fn anyone(self) -> Self {
        Self { access: Access::Anyone, ..self }
    }

    const fn needs(self, rights: Rights) -> Self {
        Self { rights, ..self }
    }

    const fn runs(self) -> Self {
        Self { during: During::Runs, ..self }
    }

    const fn runs_once_begun(self) -> Self {
        Self { during: During::RunsOnceBegun, ..self }
    }

    const fn feature(self, feature: Feature) -> Self {
        Self { feature, ..self }
    }

    /// The row of a verb.
    pub(crate) fn of(verb: Verb) -> &'static Self {
        &TABLE[verb as usize]
    }

    /// All that are done here, in their order.
    pub(crate) fn all() -> impl Iterator<Item = &'static Self> {
        TABLE.iter().filter(|row| !row.refused)
    }

    pub(crate) fn verb(&self) -> Verb {
        self.verb
    }

    /// Whether it is nothing without an argument.
    pub(crate) fn needs_argument(&self) -> bool {
        !self.argument.is_empty() && !self.argument.starts_with('[')
    }
}

/// What is moved away is read where it was.
const MOVES: Rights = Rights::READ.and(Rights::DELETE);

const TABLE: [Row; Verb::ALL.len()] = [
    row(Verb::User, "NAME", "who logs in", Run::Now(login::user)).anyone().runs_once_begun(),
    row(Verb::Pass, "[PASSWORD]", "the password", later!(login::pass)).anyone(),
    row(
        Verb::Acct,
        "[ACCOUNT]",
        "nothing: a name and a password are enough",
        Run::Now(login::acct),
    )
    .anyone(),
    row(Verb::Rein, "", "begin anew, logged out", Run::Now(login::rein)).anyone().runs_once_begun(),
    row(Verb::Quit, "", "end, once a transfer has ended", Run::Now(login::quit))
        .anyone()
        .runs_once_begun(),
    row(Verb::Host, "NAME", "the server that is meant; there is one", Run::Now(login::host))
        .anyone()
        .feature(Feature::Name),
    row(Verb::Auth, "TLS", "begin TLS", Run::Now(tls::auth))
        .anyone()
        .feature(Feature::Of(|dialog| tls::feature(dialog, "AUTH TLS"))),
    row(Verb::Pbsz, "0", "what PROT wants to come before", Run::Now(tls::pbsz))
        .anyone()
        .feature(Feature::Of(|dialog| tls::feature(dialog, "PBSZ"))),
    row(Verb::Prot, "C|P", "whether data is encrypted", Run::Now(tls::prot))
        .anyone()
        .feature(Feature::Of(|dialog| tls::feature(dialog, "PROT"))),
    refused(Verb::Ccc, Run::Now(tls::ccc)),
    row(Verb::Cwd, "PATH", "change the working folder", later!(folders::cwd)),
    row(Verb::Cdup, "", "the folder above", later!(folders::cdup)),
    row(Verb::Pwd, "", "the working folder", Run::Now(folders::pwd)),
    refused(Verb::Smnt, Run::Now(parameters::not_done)),
    row(Verb::Type, "A|I|L 8", "text or bytes", Run::Now(parameters::representation)),
    row(Verb::Mode, "S", "how data is sent", Run::Now(parameters::mode)),
    row(Verb::Stru, "F", "how files are made up", Run::Now(parameters::structure)),
    row(Verb::Port, "H1,H2,H3,H4,P1,P2", "connect to the client for data", Run::Now(active::port)),
    row(Verb::Pasv, "", "an address to connect to for data", later!(passive::pasv)),
    row(Verb::Eprt, "|PROTOCOL|ADDRESS|PORT|", "connect to the client", Run::Now(active::eprt))
        .feature(Feature::Name),
    row(Verb::Epsv, "[1|2|ALL]", "a port to connect to for data", later!(passive::epsv))
        .feature(Feature::Name),
    refused(Verb::Lprt, Run::Now(active::long)),
    refused(Verb::Lpsv, Run::Now(active::long)),
    row(Verb::Retr, "PATH", "fetch a file", transfer!(transfers::retr)).needs(Rights::READ),
    row(Verb::Stor, "PATH", "store a file", transfer!(transfers::stor)).needs(Rights::WRITE),
    row(Verb::Stou, "[PATH]", "store under a name that is free", transfer!(transfers::stou))
        .needs(Rights::WRITE),
    row(Verb::Appe, "PATH", "append to a file", transfer!(transfers::appe)).needs(Rights::WRITE),
    row(Verb::Rest, "BYTE", "where the next transfer begins", Run::Now(parameters::rest))
        .feature(Feature::Line("REST STREAM")),
    row(Verb::Allo, "BYTES", "how long the next file is", later!(parameters::allo)),
    row(Verb::Abor, "", "break a transfer off", later!(running::abor)).runs(),
    row(
        Verb::List,
        "[-aR] [PATH]",
        "a folder, for people; -R: and those below it",
        transfer!(transfers::list),
    )
    .needs(Rights::LIST),
    row(Verb::Nlst, "[PATH]", "the names in a folder", transfer!(transfers::nlst))
        .needs(Rights::LIST),
    row(Verb::Mlst, "[PATH]", "the facts of one file", later!(facts::mlst))
        .feature(Feature::Of(|dialog| Some(dialog.facts.feature()))),
    row(Verb::Mlsd, "[PATH]", "the facts of what is in a folder", transfer!(transfers::mlsd))
        .needs(Rights::LIST),
    row(Verb::Stat, "[PATH]", "how things stand, or a folder", later!(running::stat))
        .anyone()
        .runs(),
    row(Verb::Size, "PATH", "how long a file is as it is sent", later!(facts::size))
        .feature(Feature::Name),
    row(Verb::Mdtm, "PATH", "when a file was changed", later!(times::mdtm)).feature(Feature::Name),
    row(Verb::Mfmt, "TIME PATH", "set when a file was changed", later!(times::mfmt))
        .needs(Rights::WRITE)
        .feature(Feature::Name),
    row(Verb::Mff, "FACTS PATH", "set facts of a file", later!(times::mff))
        .needs(Rights::WRITE)
        .feature(Feature::Line("MFF modify;UNIX.mode;")),
    row(Verb::Dele, "PATH", "remove a file", later!(changes::dele)).needs(Rights::DELETE),
    row(Verb::Rmd, "PATH", "remove an empty folder", later!(changes::rmd)).needs(Rights::DELETE),
    row(Verb::Mkd, "PATH", "make a folder", later!(changes::mkd)).needs(Rights::WRITE),
    row(Verb::Rnfr, "PATH", "what is to be renamed", later!(changes::rnfr)).needs(MOVES),
    row(Verb::Rnto, "PATH", "its new name", later!(changes::rnto)).needs(Rights::WRITE),
    row(Verb::Hash, "PATH", "a file's digest", later!(digests::hash))
        .needs(Rights::READ)
        .feature(Feature::Of(digests::feature)),
    row(Verb::Xcrc, "PATH [START END]", "CRC-32", later!(digests::xcrc))
        .needs(Rights::READ)
        .feature(Feature::Name),
    row(Verb::Xmd5, "PATH [START END]", "MD5", later!(digests::xmd5))
        .needs(Rights::READ)
        .feature(Feature::Name),
    row(Verb::Xsha1, "PATH [START END]", "SHA-1", later!(digests::xsha1))
        .needs(Rights::READ)
        .feature(Feature::Name),
    row(Verb::Xsha256, "PATH [START END]", "SHA-256", later!(digests::xsha256))
        .needs(Rights::READ)
        .feature(Feature::Name),
    row(Verb::Feat, "", "what there is beyond RFC 959", Run::Now(help::feat)).anyone(),
    row(Verb::Opts, "COMMAND [OPTIONS]", "choose options of a command", Run::Now(parameters::opts))
        .anyone(),
    row(Verb::Help, "[COMMAND]", "this", Run::Now(help::help)).anyone(),
    row(Verb::Noop, "", "nothing", Run::Now(parameters::noop)).anyone().runs(),
    row(Verb::Syst, "", "the kind of system", Run::Now(help::syst)).anyone(),
    row(Verb::Clnt, "NAME", "the client's program", Run::Now(parameters::clnt))
        .anyone()
        .feature(Feature::Name),
    row(Verb::Avbl, "[PATH]", "bytes that may still be stored", later!(facts::avbl))
        .needs(Rights::LIST)
        .feature(Feature::Name),
    row(Verb::Site, "COMMAND", "what this server has of its own", later!(site::site)).anyone(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_has_its_row() {
        for verb in Verb::ALL {
            assert_eq!(Row::of(*verb).verb, *verb);
        }
    }
}
