//! What a configuration says of itself and of its mistakes.

use proptest::prelude::*;

use super::*;
use crate::listeners::tests::PROTOCOLS;

fn load(
    text: &str,
    environment: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Config, String> {
    let own = |text: &&str| (*text).to_owned();
    let sources = Sources {
        file: Some(("sockeye.toml".into(), text.to_owned())),
        environment: environment.iter().map(|(a, b)| (own(a), own(b))).collect(),
        flags: flags.iter().map(|(a, b)| (own(a), format!("--{a}"), own(b))).collect(),
    };
    Config::load(&sources, PROTOCOLS).map_err(|error| error.to_string())
}

#[test]
fn arguments_go_before_the_environment_and_that_before_the_file() {
    let text = "drain = \"1s\"\npublic = true\n[journal]\nkeep = \"9d\"\n";
    let environment = [("SOCKEYE_DRAIN", "2s"), ("SOCKEYE_JOURNAL_KEEP", "none"), ("PATH", "x")];
    let config = load(text, &environment, &[("drain", "3s")]).unwrap();
    assert_eq!(config.settings.drain.as_secs(), 3);
    assert_eq!(config.settings.journal_keep, None);
    let places = ["drain", "journal.keep", "public", "durability"].map(|key| config.place(key));
    assert_eq!(
        places.map(|place| place.to_string()),
        ["--drain", "SOCKEYE_JOURNAL_KEEP", "sockeye.toml:2", "default"]
    );
}

#[test]
fn an_argument_given_twice_is_a_list_in_place_of_the_configured_one() {
    let flags = [("listen", "http+tcp://127.0.0.1:0"), ("listen", "http+unix:///run/x.sock")];
    let config = load("listen = \"http+tcp://[::1]:1\"", &[], &flags).unwrap();
    let listen: Vec<_> = config.settings.listen.iter().map(ToString::to_string).collect();
    assert_eq!(listen, ["http+tcp://127.0.0.1:0", "http+unix:///run/x.sock"]);
}

#[test]
fn every_mistake_is_told_with_its_line_and_what_would_be_right() {
    let text = "\
drian = \"5s\"
durability = \"later\"
listen = [\"http+tcp://127.0.0.1:80\", \"gopher+tcp://127.0.0.1:70\"]

[journal]
keep = 30
sinc = true
[http]
head = \"64X\"
[nothing]
at = \"all\"
";
    let expected = "\
sockeye.toml:1: drian: there is no such key; did you mean drain?
sockeye.toml:2: durability: expected \"sync\" or \"rename\", found \"later\"
sockeye.toml:6: journal.keep: `30` has no unit: write 30s or 30ms
sockeye.toml:7: journal.sinc: there is no such key; did you mean journal.sync?
sockeye.toml:9: http.head: `64X` is not a size: write it as 64KiB, 10MiB or a number of bytes
sockeye.toml:11: nothing.at: there is no such key; `sockeye config default` has them all";
    assert_eq!(load(text, &[], &[]).unwrap_err(), expected);
}

#[test]
fn a_value_that_is_no_toml_is_answered_with_what_it_should_be() {
    let error = load("public = yes\n", &[], &[]).unwrap_err();
    assert_eq!(error, "sockeye.toml:1: public: expected true or false, found \"yes\"");
    let error = load("drain = 5s\n", &[], &[]).unwrap_err();
    assert!(error.starts_with("sockeye.toml:1: "), "{error}");
}

#[test]
fn a_key_in_the_wrong_table_is_shown_the_right_one() {
    for (text, expected) in [
        ("segment-age = 1", "did you mean journal.segment-age? it belongs in the table [journal]"),
        ("[http]\nlisten = 1", "did you mean listen? it belongs in front of the first [table]"),
    ] {
        let error = load(text, &[], &[]).unwrap_err();
        assert!(error.ends_with(expected), "{error}");
    }
}

#[test]
fn a_key_of_another_server_is_answered_with_what_there_is_here() {
    let error = load("pasv_min_port = 50000\n[ftp]\nMaxClientsPerIP = 3\n", &[], &[]).unwrap_err();
    assert_eq!(
        error,
        "sockeye.toml:1: pasv_min_port: there is no such key; what vsftpd calls so is had otherwise: write \
         ftp.passive-ports = \"50000-50100\"\n\
         sockeye.toml:3: ftp.MaxClientsPerIP: there is no such key; what pure-ftpd calls so is had otherwise: write \
         limits.per-address = 10"
    );
}

#[test]
fn a_variable_that_sets_no_key_is_odd_and_no_mistake() {
    let environment = [("SOCKEYE_PORT_8080_TCP", "x"), ("SOCKEYE_LOG", "debug")];
    let config = load("", &environment, &[]).unwrap();
    let warnings: Vec<_> = config.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("SOCKEYE_PORT_8080_TCP: there is no such key"), "{warnings:?}");
    let error = load("", &[("SOCKEYE_DRAIN", "soon")], &[]).unwrap_err();
    assert_eq!(
        error,
        "SOCKEYE_DRAIN: drain: `soon` is not a duration: write it as 30s, 200ms or 1h30m"
    );
}

#[test]
fn listeners_that_cannot_be_are_told() {
    for (listen, expected) in [
        ("[]", "a node without a listener serves nobody"),
        ("\"gopher+tcp://127.0.0.1:70\"", "`gopher` is not spoken here"),
        ("\"127.0.0.1:8090\"", "spoken there; write http+tcp://127.0.0.1:8090"),
        ("\"https://0.0.0.0:8443\"", "an address; write http+tls+tcp://0.0.0.0:8443"),
        ("\"admin+tcp://0.0.0.0:9\"", "admin is for this machine alone; listen on 127.0.0.1"),
        ("\"http+udp://127.0.0.1:80\"", "http needs a stream of bytes"),
        ("\"http+tcp://127.0.0.1:80?blacklog=9\"", "no option is called `blacklog`; write backlog"),
        (
            "\"ftp+tcp://127.0.0.1:21?tlz=off\"",
            "ftp has no option \"tlz\", only tls (required, allowed or off)",
        ),
        (
            "\"ftp+tls+tcp://127.0.0.1:990?tls=off\"",
            "tls says when TLS begins, and tls+ that it begins at once; leave out one of them",
        ),
        ("\"ftp+tcp://127.0.0.1:21?tls=on\"", "tls is required, allowed or off, not \"on\""),
        ("[\"http+tcp://[::1]:1\", \"http+tcp://[::1]:1\"]", "is there twice"),
        ("\"http+tcp://localhost:99999\"", "the port `99999` is out of range"),
        ("7", "expected a list in [brackets], each being a listener"),
    ] {
        let error = load(&format!("listen = {listen}"), &[], &[]).unwrap_err();
        assert!(error.starts_with("sockeye.toml:1: listen: "), "{error}");
        assert!(error.contains(expected), "{listen}: {error}");
    }
}

#[test]
fn what_ftp_is_told_is_checked() {
    let text = "[ftp]\npassive-ports = \"50000-50100\"\naddress = \"ftp.example.org\"\ndata-tls = \"prefer\"\nclose-notify = \"tolerate\"\n\
                per-account = 3\n";
    let settings = load(text, &[("SOCKEYE_FTP_PASSIVE_PORTS", "2000-2001")], &[]).unwrap().settings;
    assert_eq!(settings.ftp_passive_ports.unwrap().ports(), 2000..=2001);
    assert_eq!(settings.ftp_address.unwrap().to_string(), "ftp.example.org");
    assert_eq!((settings.ftp_data_tls, settings.ftp_active), (DataTls::Prefer, true));
    assert_eq!(settings.ftp_close_notify, CloseNotify::Tolerate);
    assert_eq!(settings.ftp_per_account.map(Within::get), Some(3));
    for (setting, expected) in [
        ("passive-ports = \"9-1\"", "the range 9-1 ends before it begins: write 1-9"),
        ("passive-ports = \"all\"", "expected a range of ports, as \"50000-50100\", found \"all\""),
        ("address = \"0.0.0.0\"", "0.0.0.0 is no address that others can connect to"),
        ("address = \"a b\"", "address `a b`: "),
        ("close-notify = \"no\"", "expected \"require\" or \"tolerate\", found \"no\""),
        ("data-tls = \"maybe\"", "expected \"require\" or \"prefer\", found \"maybe\""),
        ("per-account = 0", "expected a whole number from 1 to 1000000, found the number 0"),
    ] {
        let error = load(&format!("[ftp]\n{setting}\n"), &[], &[]).unwrap_err();
        let name = setting.split(' ').next().unwrap();
        let start = format!("sockeye.toml:2: ftp.{name}: {expected}");
        assert!(error.starts_with(&start), "{error}");
    }
}

#[test]
fn a_certificate_comes_with_its_key() {
    let error = load("[tls]\ncert = \"own.pem\"\n", &[], &[]).unwrap_err();
    assert!(error.starts_with("sockeye.toml:2: tls.cert: its key is missing"), "{error}");
    assert!(load("[tls]\ncert = \"own.pem\"\nkey = \"own.pem\"\n", &[], &[]).is_ok());
}

#[test]
fn a_reload_knows_what_can_change_and_what_cannot() {
    let old = load("", &[], &[]).unwrap();
    let new = load("public = true\nmodel = \"percore:2\"\n", &[], &[]).unwrap();
    let changed = |key: &str, before: &str, after: &str, applied| Changed {
        key: key.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
        applied,
    };
    let (reloaded, changes) = old.reloaded(new);
    assert_eq!(
        changes,
        [
            changed("model", "\"tasks\"", "\"percore:2\"", false),
            changed("public", "false", "true", true),
        ]
    );
    assert!(reloaded.settings.public);
    assert_eq!(reloaded.settings.model, NodeModel::Tasks(None));
    assert_eq!(reloaded.clone().reloaded(reloaded).1, []);
}

proptest! {
    #[test]
    fn any_text_is_answered(text: String, name in "[A-Z_]{0,20}", value: String) {
        let name = format!("SOCKEYE_{name}");
        let _ = load(&text, &[(&name, &value)], &[("listen", &value)]);
    }

    #[test]
    fn what_is_printed_is_read_back(keep in 0_u64..1 << 40, size: u64, name in "[a-z.]{1,20}") {
        let text = format!(
            "[trash]\nkeep = \"{keep}s\"\n[journal]\nsegment = \"{size}\"\n[http]\nhosts = [{name:?}]\n"
        );
        let config = load(&text, &[], &[]).unwrap();
        let printed: String = config.shown().iter().fold(String::new(), |text, it| {
            text + it.key + " = " + &it.value + "\n"
        });
        let again = load(&printed, &[], &[]).unwrap();
        prop_assert_eq!(again.settings, config.settings);
    }
}

#[test]
fn what_holds_is_shown_in_full() {
    let shown = load("public = true", &[], &[]).unwrap().shown();
    assert_eq!(shown.len(), KEYS.len());
    let public = shown.iter().find(|it| it.key == "public").unwrap();
    assert_eq!((&*public.value, public.place.to_string()), ("true", "sockeye.toml:1".to_owned()));
}

#[test]
fn what_the_readme_sets_before_a_reload_is_taken_up_by_it() {
    for page in [include_str!("../../../../README.md"), include_str!("../../../../README.zh-CN.md")]
    {
        let lines: Vec<_> = page.lines().collect();
        let mut found = 0;
        for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
            let reloads = line.contains(" --reload") || next.starts_with("sockeye reload ");
            let Some(rest) = line.strip_prefix("sockeye config set ").filter(|_| reloads) else {
                continue;
            };
            let key = Key::find(rest.split_whitespace().next().unwrap()).unwrap();
            assert_ne!(key.change, Change::Restart, "{line}");
            found += 1;
        }
        assert!(found >= 1, "there is an example");
    }
}
