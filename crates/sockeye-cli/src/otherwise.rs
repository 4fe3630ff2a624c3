//! Words that people bring along from other programs, and what they are here.
//!
//! None of them does anything: whoever types one is told the right one, in place of one that is only spelt alike.

use std::env;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Words in a verb's place.
const VERBS: &[(&[&str], &str)] = &[
    (&["start", "run", "up", "daemon", "server", "ftpd"], "sockeye serve"),
    (&["stop", "down", "restart"], "systemctl stop sockeye, or Ctrl-C where it runs"),
    (&["adduser", "useradd", "usermod", "add", "mkuser", "register"], "sockeye user add NAME"),
    (&["deluser", "userdel", "rmuser"], "sockeye user remove NAME"),
    (&["users", "accounts", "list", "ls"], "sockeye user list"),
    (&["passwd", "password"], "sockeye user passwd NAME"),
    (&["grant", "permit", "chmod", "acl"], "sockeye user grant NAME PATH RIGHTS"),
    (&["quota", "setquota"], "sockeye user quota NAME SIZE"),
    (&["lock", "ban", "block"], "sockeye user lock NAME"),
    (&["import", "mkdb", "pure-pw"], "sockeye user import FILE"),
    (&["token", "tokens"], "sockeye user token create NAME LABEL"),
    (&["who", "ftpwho", "pure-ftpwho", "ftptop", "sessions"], "sockeye session list"),
    (&["kick", "kill"], "sockeye session end ID"),
    (&["logs", "journal", "history", "xferlog"], "sockeye log"),
    (&["set", "get", "conf", "settings"], "sockeye config set KEY VALUE"),
    (&["check", "test", "verify", "fsck"], "sockeye config check, or sockeye store check"),
    (&["link", "links"], "sockeye share add PATH --user NAME"),
    (&["version"], "sockeye --version"),
    (&["connect", "open", "nc", "telnet"], "sockeye dial ADDR"),
];

/// Words in an argument's place.
const ARGUMENTS: &[(&[&str], &str)] = &[
    (&["-d", "--dir", "--datadir", "--data-dir"], "write --data DIR"),
    (
        &["-c", "--config", "--conf"],
        "a node's configuration is sockeye.toml in its data folder: write --data DIR",
    ),
    (
        &["--ftp", "--ftps", "--http", "--https", "--tls-port", "-P"],
        "write --listen ftp+tcp://[::]:21, ftp+tls+tcp://[::]:990, http+tls+tcp://[::]:443",
    ),
    (&["--anonymous", "--public"], "write --set public=true"),
    (
        &["-D", "--daemon", "--background", "-B", "--fork"],
        "it stays in front; a service manager, as systemd, keeps it behind",
    ),
    (&["-u", "--username"], "write --user NAME"),
    (&["-n", "--dryrun", "--noop"], "write --dry-run"),
];

/// Tells clap's error what was meant, if that is known, in place of what is spelt alike.
pub(crate) fn told(mut error: clap::Error) -> clap::Error {
    let (kind, table) = match error.kind() {
        ErrorKind::InvalidSubcommand if is_verb(&error) => (ContextKind::InvalidSubcommand, VERBS),
        ErrorKind::UnknownArgument => (ContextKind::InvalidArg, ARGUMENTS),
        _ => return error,
    };
    let Some(ContextValue::String(word)) = error.get(kind) else { return error };
    // Of a verb without a spelling of its own, what clap found is as good.
    let Some(meant) = meant(table, word) else { return error };
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::SuggestedArg);
    let hint = match kind {
        ContextKind::InvalidSubcommand => format!("that is `{meant}` here"),
        _ => meant.to_owned(),
    };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    error
}

fn meant(table: &[(&[&str], &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(words, _)| words.contains(&word)).map(|(_, meant)| *meant)
}

/// Whether the word that is no subcommand stands where a verb does, or was asked help about.
fn is_verb(error: &clap::Error) -> bool {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return false;
    };
    let first = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    first.is_some_and(|first| first == *word || first == "help")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Args;

    #[test]
    fn no_word_is_one_of_ours_and_each_way_out_is() {
        let command = Args::command();
        let verbs: BTreeSet<_> = command.get_subcommands().map(clap::Command::get_name).collect();
        for (words, meant) in VERBS {
            for word in *words {
                assert!(!verbs.contains(word), "{word}");
            }
            let mut told = meant.split([' ', ',']).filter(|word| !word.is_empty());
            if told.next() == Some("sockeye") {
                let first = told.next().unwrap();
                let verb = command.find_subcommand(first);
                assert!(verb.is_some() || first == "--version", "{meant}");
                let second =
                    told.next().filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
                if let (Some(verb), Some(second)) = (verb, second) {
                    assert!(verb.find_subcommand(second).is_some(), "{meant}");
                }
            }
        }
    }
}
