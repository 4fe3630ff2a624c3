//! Help and version.

use insta::assert_snapshot;

use super::running::{run, sockeye, within};

/// The help that these words ask for.
async fn help(words: &[&str]) -> String {
    String::from_utf8(run(words).await.done()).unwrap()
}

#[tokio::test]
async fn the_program_says_what_it_can_do() {
    assert_snapshot!(help(&["--help"]).await, @"
    A team's own server in one program

    Usage: sockeye [OPTIONS] <COMMAND>

    Commands:
      serve        Serve a team's node, or share one folder on the web
      user         Add, list and change the accounts of a node
      shared       Add, list and change the folders that several accounts use
      share        Share a file or a folder by a link, with whoever has no account
      config       Check, show or change the configuration of a node
      status       Tell how a running node is
      session      List who has a session on a running node, and end sessions
      reload       Have a running node read its configuration and certificate again
      trash        List, restore or destroy what was deleted or replaced
      store        Check the homes on the disk
      backup       Back up accounts, configuration, journal and keys, also while the node runs
      restore      Put a backup back into a data folder that has no accounts
      log          Show, follow or verify the log of what was done
      dial         Open a line to any address, from the terminal or a pipe
      completions  Print a script that completes this program's words in a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -q, --quiet...    Say nothing but errors; twice for only what ends the program
      -v, --verbose...  Say more on standard error; twice or three times for more still
      -h, --help        Print help
      -V, --version     Print version

    Examples:
      sockeye serve                            a team's server, on http://127.0.0.1:8080/
      sockeye serve ~/photos --listen [::]:80  one folder, shared with everybody for reading
      sockeye user add alice --quota 10GiB     an account on it
      sockeye dial tls+tcp://example.org:443   a line to a server

    Environment:
      NO_COLOR      no colours, also on a terminal
      SOCKEYE_DATA  the data folder, where no --data is given
      SOCKEYE_LOG   what is said on standard error, as debug or sockeye::client=debug,warn
      SOCKEYE_…     keys of a node's configuration: SOCKEYE_TRASH_KEEP sets trash.keep

    Exit codes:
      0 done · 1 failed · 2 usage · 3 not found · 4 denied · 5 no space or over quota · 6 network ·
      7 partly done
    ");
}

#[tokio::test]
async fn serve_explains_itself() {
    assert_snapshot!(help(&["serve", "-h"]).await, @"
    Serve a team's node, or share one folder on the web

    Usage: sockeye serve [OPTIONS] [DIR]

    Arguments:
      [DIR]  A folder to share for reading, in place of a node

    Options:
      -l, --listen <ADDR>     Where to listen, in place of what is configured: http+tcp://…,
                              http+tls+tcp://…, ftp+tcp://…, ftp+tls+tcp://…, http+unix://PATH,
                              http+fd://NAME; DIR has http alone, also as HOST:PORT or PORT; repeatable
                              [default for DIR: 127.0.0.1:8080]
      -m, --model <MODEL>     Who runs a connection: tasks, percore[:N]; for DIR also iterative, pool:N,
                              threads:MAX, fork:MAX, prefork:N; a number left out is 40, that of percore
                              the processors [default: tasks]
          --workers <N>       Threads of the model `tasks` [default: one for each processor]
          --cert <FILE>       The certificate chain, PEM, the server's own first; read again on SIGHUP
          --key <FILE>        The certificate's private key, PEM [default: in the file of --cert]
          --index <NAME>      A file that stands for its folder; repeatable, the first that exists is
                              taken [default: index.html]
          --listing <on|off>  Whether folders without such a file are listed [default: on]
          --host <NAME>       A further name that listeners on loopback answer to, beside localhost;
                              repeatable
          --drain <TIME>      How long connections may go on after Ctrl-C or SIGTERM, as 5m; a second
                              signal ends them [default: 10s]
          --open              Open the folder in a browser
          --qr                Show the URL as a QR code, for a telephone
          --json              Print one line of JSON when ready, and nothing else, on standard output
      -q, --quiet...          Say nothing but errors; twice for only what ends the program
      -v, --verbose...        Say more on standard error; twice or three times for more still
      -h, --help              Print help (see more with '--help')

    Of a shared folder:
          --tls                  TLS on every listener, with a certificate made for this run unless
                                 --cert gives one
          --hidden               Serve hidden files as well: those whose name, or a folder's above them,
                                 begins with a dot
          --precompressed        Send FILE.br, FILE.zst or FILE.gz for FILE, to who takes that
          --access-log [<FILE>]  Write a line for each request to FILE, reopened on SIGHUP; without FILE
                                 to standard output, with --json to standard error

    Of a node:
          --data <DIR>       The data folder [default: $SOCKEYE_DATA, or sockeye in the user's data
                             directory]
          --set <KEY=VALUE>  Set a key of a node's configuration, as --set trash.keep=7d; repeatable

    Examples:
      sockeye serve                                            a node, on http://127.0.0.1:8080/
      sockeye serve --listen http+tls+tcp://[::]:8443          the same for everybody, encrypted
      sockeye serve ~/photos                                   one folder, on http://127.0.0.1:8080/
      sockeye serve ~/photos --tls --listen [::]:8443 --qr     for everybody, encrypted, with a QR code
      sockeye serve ~/photos --listen 'unix:///run/web.sock?mode=0660'
      sockeye serve ~/photos --model fork:40                   a process for each connection
    ");
}

#[tokio::test]
async fn dial_explains_itself() {
    assert_snapshot!(help(&["dial", "-h"]).await, @r#"
    Open a line to any address, from the terminal or a pipe

    Usage: sockeye dial [OPTIONS] <ADDR>

    Arguments:
      <ADDR>  The address: HOST:PORT, tcp://…, tls+tcp://…, unix://…, seqpacket://…, udp://…,
              unixgram://…

    Options:
      -t, --timeout <TIME>   How long connecting may take, and then how long nothing may pass; as 30s or
                             500ms
          --source <ADDR>    Where to call from: an IP address, with or without a port, or a path for a
                             Unix socket
          --crlf             End the lines that are sent with CR LF, as network protocols want it
          --encoding <NAME>  The text encoding of the other side, as gbk, big5, shift_jis or utf-16le;
                             here it is UTF-8
      -q, --quiet...         Say nothing but errors; twice for only what ends the program
      -v, --verbose...       Say more on standard error; twice or three times for more still
      -h, --help             Print help (see more with '--help')

    TLS:
          --ca <FILE>           Trust certificates of these authorities, PEM, in place of the system's
          --pin <FINGERPRINT>   Trust the certificate with this SHA-256 fingerprint alone, as `sockeye
                                serve` prints it
          --insecure            Trust any certificate: the other side may then be anybody
          --cert <FILE>         A certificate to show to the server, PEM
          --key <FILE>          Its private key, PEM [default: in the file of --cert]
          --server-name <NAME>  The name to ask for and to verify by, in place of the address's host
          --alpn <NAME>         Application protocols to offer, as h2,http/1.1

    Examples:
      echo hello | sockeye dial tcp://localhost:9999
      printf 'GET / HTTP/1.0\n\n' | sockeye dial tls+tcp://example.org:443 --crlf -v
      sockeye dial unix:///run/app.sock
      echo 你好 | sockeye dial udp://127.0.0.1:9999 --encoding gbk --timeout 3s
    "#);
}

#[tokio::test]
async fn log_explains_itself() {
    assert_snapshot!(help(&["log", "-h"]).await, @r#"
    Show, follow or verify the log of what was done

    Usage: sockeye log [OPTIONS]
           sockeye log <COMMAND>

    Commands:
      verify  Say whether the log is whole: nothing edited, reordered, forged or cut off
      head    Print how far the log has come, to be kept on another machine
      export  Print the log for another program
      help    Print this message or the help of the given subcommand(s)

    Options:
          --utc         Take and show times in UTC, and not in the zone of this machine or of TZ
      -n, --lines <N>   Show only the last so many lines [default: all, with --follow 10; at most 10000]
      -f, --follow      Go on showing lines as they come, until it is interrupted
          --json        Print the lines as they are: JSON, one object a line
          --data <DIR>  The data folder [default: $SOCKEYE_DATA, or sockeye in the user's data
                        directory]
      -q, --quiet...    Say nothing but errors; twice for only what ends the program
      -v, --verbose...  Say more on standard error; twice or three times for more still
      -h, --help        Print help (see more with '--help')

    Which lines:
      -u, --user <NAME>        Of this account only; `anonymous` is who has none
      -o, --op <OP>            Of these operations only, as write,remove: read, list, write, append,
                               mkdir, remove, rename, …
      -p, --path <PATH>        On this path or below it, also moved or copied there: /… in homes,
                               /shared/NAME/…, /public/…
          --since <WHEN>       Not before: 2h (ago), today, 14:30, 2026-11-21, "2026-11-21 14:30",
                               2026-11-21T14:30:00Z
          --until <WHEN>       Before; as --since
          --outcome <OUTCOME>  With this outcome only: ok, denied, not-found, conflict, no-space,
                               over-quota, cut, busy, failed
          --protocol <NAME>    Over this protocol only: http, ftp; https and ftps are the same under TLS
          --tls <yes|no>       Over connections under TLS only, or with `no` over those in plain text

    Examples:
      sockeye log --since today                   all of today
      sockeye log --user alice --op write,remove  what alice wrote and removed
      sockeye log --path /shared/plans --json     what happened there, as JSON lines
      sockeye log --follow --outcome denied       refusals, as they come
      sockeye log --op login --tls no             who logged in in plain text
      sockeye log verify --against "$(cat head)"  is it whole, and the one I knew?
      sockeye log export --format csv > log.csv   all of it, as a table
    "#);
}

#[tokio::test]
async fn what_else_the_log_is_for_explains_itself() {
    assert_snapshot!(help(&["log", "verify", "-h"]).await, @"
    Say whether the log is whole: nothing edited, reordered, forged or cut off

    Usage: sockeye log verify [OPTIONS]

    Options:
          --against <HEAD>  A head that was kept elsewhere: SEQ:HASH:KEY, as `sockeye log head` prints
                            it
          --key <KEY>       The public key [default: that of the head, or of journal.key]
          --json            Print one line of JSON
          --data <DIR>      The data folder [default: $SOCKEYE_DATA, or sockeye in the user's data
                            directory]
      -q, --quiet...        Say nothing but errors; twice for only what ends the program
      -v, --verbose...      Say more on standard error; twice or three times for more still
      -h, --help            Print help (see more with '--help')

    Examples:
      sockeye log verify
      sockeye log verify --against 42:5f0e…:9d61…    with what `sockeye log head` printed some day
      sockeye log verify --key 9d61…                 without reading journal.key
    ");
    assert_snapshot!(help(&["log", "export", "-h"]).await, @r#"
    Print the log for another program

    Usage: sockeye log export [OPTIONS]

    Options:
          --utc              Take and show times in UTC, and not in the zone of this machine or of TZ
          --format <FORMAT>  json (one object a line) or csv [default: json]
          --data <DIR>       The data folder [default: $SOCKEYE_DATA, or sockeye in the user's data
                             directory]
      -q, --quiet...         Say nothing but errors; twice for only what ends the program
      -v, --verbose...       Say more on standard error; twice or three times for more still
      -h, --help             Print help

    Which lines:
      -u, --user <NAME>        Of this account only; `anonymous` is who has none
      -o, --op <OP>            Of these operations only, as write,remove: read, list, write, append,
                               mkdir, remove, rename, …
      -p, --path <PATH>        On this path or below it, also moved or copied there: /… in homes,
                               /shared/NAME/…, /public/…
          --since <WHEN>       Not before: 2h (ago), today, 14:30, 2026-11-21, "2026-11-21 14:30",
                               2026-11-21T14:30:00Z
          --until <WHEN>       Before; as --since
          --outcome <OUTCOME>  With this outcome only: ok, denied, not-found, conflict, no-space,
                               over-quota, cut, busy, failed
          --protocol <NAME>    Over this protocol only: http, ftp; https and ftps are the same under TLS
          --tls <yes|no>       Over connections under TLS only, or with `no` over those in plain text

    Examples:
      sockeye log export --since 2026-11-01 --until 2026-12-01 > november.jsonl
      sockeye log export --format csv --user alice > alice.csv
    "#);
}

#[tokio::test]
async fn completions_says_where_a_script_belongs() {
    assert_snapshot!(help(&["completions", "-h"]).await, @r#"
    Print a script that completes this program's words in a shell

    Usage: sockeye completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      -q, --quiet...    Say nothing but errors; twice for only what ends the program
      -v, --verbose...  Say more on standard error; twice or three times for more still
      -h, --help        Print help

    Examples:
      sockeye completions bash > ~/.local/share/bash-completion/completions/sockeye
      sockeye completions zsh > "${fpath[1]}/_sockeye"
      sockeye completions fish > ~/.config/fish/completions/sockeye.fish
    "#);
}

#[tokio::test]
async fn every_verb_shows_an_example() {
    for verb in [
        "serve",
        "user",
        "user add",
        "user list",
        "user show",
        "user passwd",
        "user rename",
        "user remove",
        "user lock",
        "user unlock",
        "user quota",
        "user role",
        "user grant",
        "user key",
        "user token",
        "shared",
        "share",
        "config",
        "reload",
        "trash",
        "store",
        "backup",
        "restore",
        "log",
        "dial",
        "completions",
    ] {
        assert!(
            help(&[&verb.split(' ').collect::<Vec<_>>()[..], &["--help"]].concat())
                .await
                .contains(&format!("  sockeye {verb} ")),
            "{verb}"
        );
    }
}

#[tokio::test]
async fn the_version_is_that_of_the_package_with_the_commit_if_there_is_one() {
    let version = help(&["--version"]).await;
    let version = version.strip_suffix('\n').unwrap();
    let numbers = concat!("sockeye ", env!("CARGO_PKG_VERSION"));
    let rest = version.strip_prefix(numbers).unwrap();
    let commit = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
    assert!(rest.is_empty() || commit.is_some_and(|it| it.len() == 12), "{version}");
}

#[tokio::test]
async fn without_a_verb_the_help_comes_as_an_error() {
    let ended = run(&[]).await;
    assert_eq!((ended.code, ended.text()), (Some(2), ""));
    assert!(ended.err.contains("Usage: sockeye"), "{}", ended.err);
}

#[tokio::test]
async fn colour_is_for_terminals_or_where_it_is_wanted() {
    for (variables, coloured) in [
        (&[][..], false),
        (&[("CLICOLOR_FORCE", "1")], true),
        (&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
    ] {
        for words in [&["--help"][..], &["serve", "/no/such/folder"]] {
            let mut command = sockeye(words);
            let output = within(command.envs(variables.iter().copied()).output()).await.unwrap();
            let printed = [output.stdout, output.stderr].concat();
            assert_eq!(printed.contains(&0x1b), coloured, "{variables:?} {words:?}");
        }
    }
}
