//! What is known of a client between two commands, and how a command is carried out.

use std::{net::IpAddr, sync::Arc};

use sockeye::{Conn, tls::TlsServer};
use sockeye_node::{Algorithm, FilePath, Origin, Peer, Session};

use super::turned_away;
use crate::{
    config::Security,
    data::{DataTls, Neighbour, Prepared},
    ftp::Shared,
    transfer::{Lingering, Transfer},
    verbs::{Access, Outcome, Row, Run},
    wire::{
        charset::Charset,
        command::{Command, Verb, trimmed},
        facts::Facts,
        parameter::Type,
        path,
        reply::Reply,
    },
};

/// The text for who is not logged in. Where clients and their tests know a text, it is used here.
const LOG_IN: &str = "Log in with USER and PASS first.";

/// What HASH computes for who has not chosen.
const HASH: Algorithm = Algorithm::Sha256;

/// The reply to what is nothing without an argument.
pub(crate) const NEEDS_ARGUMENT: &str = "Syntax error: command needs an argument.";

/// The reply to a command, whether it was carried out or not.
pub(crate) type Answer = Result<Reply, Reply>;

/// How far a client has come.
#[derive(Debug)]
pub(crate) enum Phase {
    /// It has said nothing of who it is.
    Greeted,
    /// It has a name, and owes the password.
    Named(String),
    /// It is in.
    In {
        /// What it may do.
        session: Session,
        /// Its working folder.
        folder: FilePath,
        /// Who it is.
        name: Arc<str>,
    },
}

impl Phase {
    pub(crate) fn session(&self) -> Option<&Session> {
        match self {
            Self::In { session, .. } => Some(session),
            _ => None,
        }
    }
}

/// How data is protected (RFC 4217 §9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Not at all; and PBSZ is still owed.
    Clear,
    /// Not at all, and PBSZ was said.
    Ready,
    /// By TLS.
    Private,
}

/// What becomes of the connection once the replies are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    GoOn,
    /// It goes on in TLS.
    StartTls,
    Close,
    /// As `Close`, while the client may still be sending.
    TurnAway,
}

/// What is known of a client.
pub(crate) struct Dialog {
    pub(crate) shared: Arc<Shared>,
    pub(crate) origin: Origin,
    /// This end of the control connection, if it has an IP address.
    pub(crate) local: Option<IpAddr>,
    pub(crate) phase: Phase,
    pub(crate) representation: Type,
    pub(crate) facts: Facts,
    pub(crate) charset: Charset,
    /// The sessions of TLS that its connections share, once it has begun that.
    pub(crate) tls: Option<TlsServer>,
    /// Its place among those from the same address, some of whose sessions count as its own.
    pub(crate) neighbour: Option<Neighbour>,
    pub(crate) protection: Protection,
    /// TLS was asked for by its older name, as curl does: it has but one ticket at a time, uses it once, and takes the next
    /// when it closes a connection, also one on which it has only sent.
    pub(crate) takes_tickets: bool,
    /// What HASH computes.
    pub(crate) hash: Algorithm,
    /// The data connection of the next transfer.
    pub(crate) data: Prepared,
    /// EPSV ALL was asked for: no other way to a data connection is taken.
    pub(crate) only_epsv: bool,
    /// Where the next transfer begins (REST).
    pub(crate) restart: u64,
    /// How long the next file is said to be (ALLO).
    pub(crate) allocated: Option<u64>,
    /// What is renamed by the next command (RNFR).
    pub(crate) renaming: Option<FilePath>,
    pub(crate) transfer: Option<Transfer>,
    /// The data connection of a file that was refused while it came.
    pub(crate) lingering: Option<Lingering>,
    pub(crate) then: Then,
    /// Replies that are not yet sent.
    pub(crate) out: Vec<u8>,
    mistakes: u8,
    /// Refused logins.
    refusals: u8,
}

impl Dialog {
    pub(super) fn new(conn: &Conn, shared: Arc<Shared>) -> Self {
        let listener = shared.config.bandwidth.clone();
        let sessions = shared.config.sessions;
        let origin = Origin { listener, sessions, ..Origin::new("ftp", Peer::from(conn.peer())) };
        let local = conn.local().ok().and_then(|name| name.ip());
        Self {
            charset: shared.config.charset,
            shared,
            origin,
            local: local.map(|ip| ip.to_canonical()),
            phase: Phase::Greeted,
            representation: Type::default(),
            facts: Facts::default(),
            tls: None,
            neighbour: None,
            protection: Protection::Clear,
            takes_tickets: false,
            hash: HASH,
            data: Prepared::None,
            only_epsv: false,
            restart: 0,
            allocated: None,
            renaming: None,
            transfer: None,
            lingering: None,
            then: Then::GoOn,
            out: Vec::new(),
            mistakes: 0,
            refusals: 0,
        }
    }

    /// What a client chooses is as it is at the beginning.
    pub(crate) fn set_defaults(&mut self) {
        self.representation = Type::default();
        self.facts = Facts::default();
        self.charset = self.shared.config.charset;
        self.hash = HASH;
        self.only_epsv = false;
    }

    /// TLS has begun: whoever was in, or what was prepared, is so no more (RFC 4217 §4.2).
    pub(super) fn secured(&mut self, tls: TlsServer, neighbour: Option<Neighbour>) {
        (self.phase, self.data, self.then) = (Phase::Greeted, Prepared::None, Then::GoOn);
        (self.tls, self.neighbour) = (Some(tls), neighbour);
        self.origin.tls = true;
    }

    /// Data is encrypted without being asked for.
    pub(super) fn protect(&mut self) {
        self.protection = Protection::Private;
    }

    /// How data is to be encrypted, if it is.
    pub(crate) fn data_tls(&self) -> Result<Option<DataTls>, Reply> {
        match (&self.tls, self.protection) {
            (Some(server), Protection::Private) => {
                let (resumed, takes_tickets) = (self.shared.config.resumed, self.takes_tickets);
                let (server, others) = match &self.neighbour {
                    Some(neighbour) => neighbour.with_others(server),
                    None => (server.clone(), None),
                };
                Ok(Some(DataTls { server, resumed, takes_tickets, others }))
            }
            _ if self.shared.config.security == Security::Allowed => Ok(None),
            _ => Err(Reply::new(
                521,
                "Data is not sent in plain text here: PBSZ 0 and PROT P first.",
            )),
        }
    }

    pub(super) fn greet(&mut self) {
        self.say(&Reply::new(220, "sockeye is ready; log in with USER and PASS."));
    }

    /// Puts a reply behind those that are to be sent.
    pub(crate) fn say(&mut self, reply: &Reply) {
        reply.encode(self.charset, &mut self.out);
    }

    /// Says that something was no command, or no login; who goes on like that before it is in is not served.
    pub(crate) fn mistake(&mut self, reply: &Reply) {
        self.say(reply);
        if self.phase.session().is_none() {
            self.mistakes += 1;
            if self.mistakes >= self.shared.config.limits.mistakes {
                self.say(&Reply::new(421, "Too many mistakes; connect again."));
                self.then = Then::TurnAway;
            }
        }
    }

    /// Says that a login was refused; with the last that may be, the connection ends.
    fn refuse(&mut self, reply: Reply) {
        self.refusals += 1;
        if self.refusals < self.shared.config.limits.refusals {
            return self.mistake(&reply);
        }
        // One reply, as a second one would answer nothing.
        self.say(&reply.adding(" Too many refused logins; connect again."));
        self.then = Then::TurnAway;
    }

    /// Carries out a command, and says what came of it, or begins a transfer.
    pub(super) async fn carry_out(&mut self, command: Command<'_>) {
        let Command { verb, argument } = command;
        let row = Row::of(verb);
        // Also where nobody was told of it, as when the public tree is closed.
        if self.phase.session().is_some_and(Session::is_ended) {
            self.say(&Reply::new(421, "The session was ended; log in again."));
            self.then = Then::TurnAway;
            return;
        }
        if verb != Verb::Rnto {
            self.renaming = None;
        }
        if row.access == Access::Session && self.phase.session().is_none() {
            self.mistake(&Reply::new(530, LOG_IN));
            return;
        }
        if row.needs_argument() && argument.is_empty() {
            self.say(&Reply::new(501, NEEDS_ARGUMENT));
            return;
        }
        if row.argument.is_empty() && !trimmed(argument).is_empty() && !row.refused {
            self.say(&Reply::new(501, "Syntax error: command does not accept arguments."));
            return;
        }
        let answer = match row.run {
            Run::Now(run) => run(self, argument),
            Run::Later(run) => match run(self, argument).await {
                Ok(Outcome::Told(reply)) => Ok(reply),
                Ok(Outcome::Begun(work)) => {
                    self.transfer = Some(work);
                    return;
                }
                Err(refusal) => Err(refusal),
            },
            Run::Transfer(run) => {
                let begun = run(self, argument).await;
                (self.restart, self.allocated) = (0, None);
                match begun {
                    Ok(transfer) => {
                        self.transfer = Some(transfer);
                        return;
                    }
                    Err(reply) => Err(reply),
                }
            }
        };
        let reply = answer.unwrap_or_else(|refusal| refusal);
        turned_away::record_command(self, verb, argument, &reply);
        match reply.code() {
            530 if verb == Verb::Pass => self.refuse(reply),
            530 => self.mistake(&reply),
            // What says that the connection ends (RFC 959 §4.2.2).
            421 => {
                self.say(&reply);
                self.then = Then::TurnAway;
            }
            _ => self.say(&reply),
        }
    }

    /// Whether it is logged in, and then: its session, working folder and name.
    pub(crate) fn user(&self) -> Result<(&Session, &FilePath, &Arc<str>), Reply> {
        match &self.phase {
            Phase::In { session, folder, name } => Ok((session, folder, name)),
            _ => Err(Reply::new(530, LOG_IN)),
        }
    }

    /// The name of its account, if it has one: files are said to belong to that.
    pub(crate) fn account(&self) -> Option<&Arc<str>> {
        let (session, _, name) = self.user().ok()?;
        session.account().ok().flatten().map(|_| name)
    }

    /// The session, if it is logged in.
    pub(crate) fn session(&self) -> Result<&Session, Reply> {
        Ok(self.user()?.0)
    }

    /// The path that an argument means.
    pub(crate) fn path(&self, argument: &[u8]) -> Result<FilePath, Reply> {
        let decoded = self.charset.decode(argument)?;
        Ok(path::resolve(self.user()?.1, &decoded)?)
    }

    /// The path that an argument means, of something that is to get this name.
    pub(crate) fn new_path(&self, argument: &[u8]) -> Result<FilePath, Reply> {
        let decoded = self.charset.decode(argument)?;
        Ok(path::resolve_new(self.user()?.1, &decoded)?)
    }
}
