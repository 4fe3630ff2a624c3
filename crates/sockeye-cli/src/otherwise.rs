//! Words that people bring along from other programs, and what they are here.
//!
//! None of them does anything: whoever types one is told the right one, in place of one that is only spelt alike.

use std::env;

use clap::{
    CommandFactory as _,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::args::Args;

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

/// Words in an argument's place, the option that a verb has to have where that is the way out, and what is told.
const ARGUMENTS: &[(&[&str], &str, &str)] = &[
    (&["-d", "--dir", "--datadir", "--data-dir"], "data", "write --data DIR"),
    (
        &["-c", "--config", "--conf"],
        "data",
        "a node's configuration is sockeye.toml in its data folder: write --data DIR",
    ),
    (
        &["--ftp", "--ftps", "--http", "--https", "--tls-port", "-P"],
        "listen",
        "write --listen ftp+tcp://[::]:21, ftp+tls+tcp://[::]:990, http+tls+tcp://[::]:443",
    ),
    (&["--anonymous", "--public"], "set", "write --set public=true"),
    (
        &["-D", "--daemon", "--background", "-B", "--fork"],
        "listen",
        "it stays in front; a service manager, as systemd, keeps it behind",
    ),
    (&["-u", "--username"], "user", "write --user NAME"),
    (&["-n", "--dryrun", "--noop"], "dry-run", "write --dry-run"),
];

/// Tells clap's error what was meant, if that is known, in place of what is spelt alike.
pub(crate) fn told(mut error: clap::Error) -> clap::Error {
    let kind = match error.kind() {
        ErrorKind::InvalidSubcommand if is_verb(&error) => ContextKind::InvalidSubcommand,
        ErrorKind::UnknownArgument => ContextKind::InvalidArg,
        _ => return error,
    };
    let Some(ContextValue::String(word)) = error.get(kind) else { return error };
    let hint = match kind {
        ContextKind::InvalidSubcommand => verb(word).map(|meant| format!("that is `{meant}` here")),
        _ => argument(word, env::args().skip(1)).map(str::to_owned),
    };
    // Of a word without a spelling of its own, what clap found is as good.
    let Some(hint) = hint else { return error };
    error.remove(ContextKind::SuggestedSubcommand);
    error.remove(ContextKind::SuggestedArg);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![hint.into()]));
    error
}

fn verb(word: &str) -> Option<&'static str> {
    VERBS.iter().find(|(words, _)| words.contains(&word)).map(|(_, meant)| *meant)
}

/// What is meant by an argument among all that were given, if the verb that it was given to has that.
fn argument(word: &str, given: impl Iterator<Item = String>) -> Option<&'static str> {
    let (_, option, meant) = ARGUMENTS.iter().find(|(words, ..)| words.contains(&word))?;
    let mut command = Args::command();
    command.build();
    let before = given.take_while(|argument| argument.split('=').next() != Some(word));
    let of = before
        .fold(&command, |command, argument| command.find_subcommand(argument).unwrap_or(command));
    of.get_arguments().any(|it| it.get_long() == Some(option)).then_some(*meant)
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

    use super::*;

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

    #[test]
    fn an_argument_is_answered_where_the_verb_has_what_is_told() {
        let meant = |line: &str, word| argument(word, line.split(' ').map(str::to_owned));
        for (line, word, expected) in [
            ("serve -d /srv", "-d", true),
            ("user add bob -d /srv", "-d", true),
            ("-v user import --dryrun f", "--dryrun", true),
            ("user add bob -n", "-n", false),
            ("dial -d x", "-d", false),
            ("status -u x", "-u", false),
            ("-d /srv serve", "-d", false),
            ("log --fork", "--fork", false),
        ] {
            assert_eq!(meant(line, word).is_some(), expected, "{line}");
        }
    }

    #[test]
    fn each_way_out_of_an_argument_is_somewhere_that_does_not_have_the_argument() {
        fn all<'a>(command: &'a clap::Command, found: &mut Vec<&'a clap::Command>) {
            found.push(command);
            command.get_subcommands().for_each(|it| all(it, found));
        }
        let (mut command, mut found) = (Args::command(), Vec::new());
        command.build();
        all(&command, &mut found);
        for (words, option, meant) in ARGUMENTS {
            let has =
                |it: &&&clap::Command| it.get_arguments().any(|it| it.get_long() == Some(option));
            let having: Vec<_> = found.iter().filter(has).collect();
            assert!(!having.is_empty(), "{meant}");
            let longs = meant.split([' ', ',']).filter_map(|word| word.strip_prefix("--"));
            longs.for_each(|long| assert_eq!(long, *option, "{meant}"));
            // Else clap would never ask.
            let spells = |it: &clap::Arg| {
                let (short, long) = (it.get_short(), it.get_long());
                let ours = [short.map(|it| format!("-{it}")), long.map(|it| format!("--{it}"))];
                ours.iter().flatten().any(|it| words.contains(&it.as_str()))
            };
            assert!(having.iter().any(|it| !it.get_arguments().any(spells)), "{meant}");
        }
    }
}
