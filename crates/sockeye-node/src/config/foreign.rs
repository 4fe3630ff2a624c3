//! What other FTP servers call a setting, and what there is for it here.
//!
//! Whoever comes over has their words at the fingers' ends: one of them in `sockeye.toml` is answered with the
//! way to have the same. Nothing here reads a file of another server. README.md has the same rows.

/// A setting of another server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// Whose it is.
    pub server: &'static str,
    /// What it is called there.
    pub name: &'static str,
    /// What there is for it here: an instruction, or that there is nothing.
    pub here: &'static str,
}

/// The setting of another server of this name, in any case and without the table that it was written in.
#[must_use]
pub fn foreign(name: &str) -> Option<Foreign> {
    let name = name.rsplit('.').next().unwrap_or(name);
    SERVERS.iter().find_map(|(server, rows)| {
        let same = |known: &&&str| known.eq_ignore_ascii_case(name);
        let found = |&(names, here): &Row| names.iter().find(same).map(|known| (*known, here));
        let (name, here) = rows.iter().find_map(found)?;
        Some(Foreign { server, name, here })
    })
}

/// Settings that have one thing here in common.
type Row = (&'static [&'static str], &'static str);

/// The servers, with what each can be told.
const SERVERS: &[(&str, &[Row])] =
    &[("vsftpd", VSFTPD), ("pure-ftpd", PURE_FTPD), ("proftpd", PROFTPD)];

const PASSIVE: &str = "write ftp.passive-ports = \"50000-50100\"";
const ADDRESS: &str = "write ftp.address = \"files.example.org\"";
const ACTIVE: &str = "write ftp.active = false to have none";
const DATA_TLS: &str = "write ftp.data-tls = \"prefer\" for clients that cannot";
const CLOSE_NOTIFY: &str = "write ftp.close-notify = \"tolerate\" for clients that do not send it";
const IDLE: &str = "write ftp.idle = \"5m\"";
const STALL: &str = "write ftp.stall = \"60s\"";
const CONNECT: &str = "write ftp.connect = \"30s\"";
const CONNECTIONS: &str = "write limits.connections = 200, which holds for each listener";
const PER_ADDRESS: &str = "write limits.per-address = 10";
const PER_ACCOUNT: &str = "write ftp.per-account = 5";
const RATE: &str = "write bandwidth.account = \"1MiB\", which holds for each account alike; there is no other for \
                    one account, nor one for who has none";
const PUBLIC: &str = "write public = true, and everybody reads /public without an account";
const LISTEN: &str = "write it into the listener: listen = [\"ftp+tcp://[::]:21\", …]";
const TLS: &str = "write it into the listener: ftp+tcp://[::]:21?tls=required, or ftp+tls+tcp://[::]:990 for TLS \
                   from the start";
const VERSIONS: &str = "there is none: TLS 1.2 and 1.3 are spoken, with what is safe of either";
const CERTIFICATE: &str = "write tls.cert = \"/etc/ssl/files.pem\" and tls.key";
const ACCOUNTS: &str = "accounts are the node's own, each kept in its home: `sockeye user add`, or `sockeye user \
                        import FILE` for many with the passwords that they have";
const EACH: &str =
    "there is no file for each: `sockeye user quota`, `sockeye user role` and `sockeye user grant`";
const HOME: &str =
    "there is none: a home lies in the data folder, and `sockeye user show` says where";
const WRITE: &str = "`sockeye user grant NAME / read,list` takes writing away, and `… /shared/team \
                     read,write,list` gives it";
const DROP: &str = "nobody uploads without an account; `sockeye share add /in --user NAME --upload` makes a link \
                    by which everybody can, on the web";
const QUOTA: &str =
    "write quota.bytes = \"10GiB\" for new accounts, and `sockeye user quota NAME 10GiB` for one";
const LOG: &str = "`sockeye log` has each operation, always; `--json` is for programs";
const OWNER: &str = "there is none: all files belong to the user that the server runs as, and nobody else reads them";
const NONE: &str = "there is none";
const NAMES: &str = "there is none: what an account may do where is said by `sockeye user grant`";
const FIREWALL: &str = "there is none: let through at the firewall whom you want";
const FAILS: &str =
    "there is none to set: whoever fails waits longer each time, by name and address";

const VSFTPD: &[Row] = &[
    (
        &[
            "local_enable",
            "userlist_enable",
            "userlist_file",
            "userlist_deny",
            "chroot_local_user",
            "chroot_list_enable",
            "chroot_list_file",
            "allow_writeable_chroot",
            "pam_service_name",
            "guest_enable",
            "guest_username",
            "virtual_use_local_privs",
        ],
        ACCOUNTS,
    ),
    (&["user_config_dir"], EACH),
    (&["local_root", "anon_root", "user_sub_token"], HOME),
    (&["write_enable"], WRITE),
    (&["anonymous_enable"], PUBLIC),
    (&["anon_upload_enable", "anon_mkdir_write_enable", "anon_other_write_enable"], DROP),
    (&["ssl_enable", "force_local_logins_ssl", "force_local_data_ssl", "implicit_ssl"], TLS),
    (&["ssl_tlsv1", "ssl_sslv2", "ssl_sslv3", "ssl_ciphers"], VERSIONS),
    (&["rsa_cert_file", "rsa_private_key_file"], CERTIFICATE),
    (&["require_ssl_reuse"], DATA_TLS),
    (&["strict_ssl_read_eof"], CLOSE_NOTIFY),
    (&["pasv_min_port", "pasv_max_port", "pasv_enable"], PASSIVE),
    (&["pasv_address", "pasv_addr_resolve"], ADDRESS),
    (&["port_enable"], ACTIVE),
    (&["pasv_promiscuous", "port_promiscuous", "connect_from_port_20", "ftp_data_port"], NONE),
    (&["listen_port", "listen_address", "listen_ipv6"], LISTEN),
    (&["max_clients"], CONNECTIONS),
    (&["max_per_ip"], PER_ADDRESS),
    (&["local_max_rate", "anon_max_rate"], RATE),
    (&["idle_session_timeout"], IDLE),
    (&["data_connection_timeout"], STALL),
    (&["accept_timeout", "connect_timeout"], CONNECT),
    (
        &[
            "xferlog_enable",
            "xferlog_file",
            "xferlog_std_format",
            "vsftpd_log_file",
            "dual_log_enable",
            "log_ftp_protocol",
            "syslog_enable",
        ],
        LOG,
    ),
    (&["ls_recurse_enable"], "LIST -R is answered always, within bounds"),
    (&["ftpd_banner", "banner_file", "dirmessage_enable"], NONE),
    (&["local_umask", "anon_umask", "file_open_mode", "chown_uploads"], OWNER),
    (&["hide_file", "deny_file", "cmds_allowed", "cmds_denied"], NAMES),
    (&["tcp_wrappers"], FIREWALL),
    (&["max_login_fails", "delay_failed_login"], FAILS),
];

const PURE_FTPD: &[Row] = &[
    (
        &[
            "PureDB",
            "UnixAuthentication",
            "PAMAuthentication",
            "LDAPConfigFile",
            "MySQLConfigFile",
            "PGSQLConfigFile",
            "ExtAuth",
            "ChrootEveryone",
            "TrustedGID",
            "MinUID",
            "CreateHomeDir",
        ],
        ACCOUNTS,
    ),
    (&["NoAnonymous", "AnonymousOnly"], PUBLIC),
    (&["AnonymousCantUpload", "AnonymousCanCreateDirs"], DROP),
    (&["TLS"], TLS),
    (&["TLSCipherSuite"], VERSIONS),
    (&["CertFile", "CertFileAndKey"], CERTIFICATE),
    (&["PassivePortRange"], PASSIVE),
    (&["ForcePassiveIP"], ADDRESS),
    (&["AllowUserFXP", "AllowAnonymousFXP"], NONE),
    (&["Bind", "IPV4Only", "IPV6Only"], LISTEN),
    (&["MaxClientsNumber"], CONNECTIONS),
    (&["MaxClientsPerIP"], PER_ADDRESS),
    (&["PerUserLimits"], PER_ACCOUNT),
    (&["UserBandwidth", "AnonymousBandwidth"], RATE),
    (&["UserRatio", "AnonymousRatio", "MaxLoad"], NONE),
    (&["MaxIdleTime"], IDLE),
    (&["MaxDiskUsage"], QUOTA),
    (&["AltLog", "SyslogFacility", "VerboseLog"], LOG),
    (&["LimitRecursion"], "a listing ends at bounds of its own"),
    (
        &["FileSystemCharset", "ClientCharset"],
        "write it into the listener: ftp+tcp://[::]:21?charset=gbk",
    ),
    (&["Umask", "NoChmod"], OWNER),
    (&["ProhibitDotFilesRead", "ProhibitDotFilesWrite", "AntiWarez", "NoRename"], NAMES),
    (
        &["KeepAllFiles", "AutoRename", "NoTruncate"],
        "what is replaced or removed is in the trash: trash.keep = \"30d\"",
    ),
    (&["FortunesFile", "DisplayDotFiles", "CallUploadScript"], NONE),
];

const PROFTPD: &[Row] = &[
    (
        &[
            "AuthUserFile",
            "AuthGroupFile",
            "AuthOrder",
            "DefaultRoot",
            "RequireValidShell",
            "RootLogin",
        ],
        ACCOUNTS,
    ),
    (&["TLSEngine", "TLSRequired"], TLS),
    (&["TLSProtocol"], VERSIONS),
    (&["TLSRSACertificateFile", "TLSRSACertificateKeyFile"], CERTIFICATE),
    (&["TLSOptions"], DATA_TLS),
    (&["PassivePorts"], PASSIVE),
    (&["MasqueradeAddress"], ADDRESS),
    (&["Port", "DefaultAddress"], LISTEN),
    (&["MaxClients", "MaxInstances", "MaxConnections"], CONNECTIONS),
    (&["MaxClientsPerHost", "MaxConnectionsPerHost"], PER_ADDRESS),
    (&["MaxClientsPerUser"], PER_ACCOUNT),
    (&["TransferRate"], RATE),
    (&["TimeoutIdle", "TimeoutNoTransfer"], IDLE),
    (&["TimeoutStalled"], STALL),
    (&["QuotaEngine"], QUOTA),
    (&["TransferLog", "SystemLog", "ExtendedLog"], LOG),
    (&["MaxLoginAttempts"], FAILS),
    (&["ServerIdent", "DisplayLogin", "DisplayConnect"], NONE),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{super::KEYS, *};

    fn names(rows: &[Row]) -> BTreeSet<&'static str> {
        rows.iter().flat_map(|(names, _)| names.iter().copied()).collect()
    }

    #[test]
    fn a_setting_of_another_server_is_known_in_any_case_and_table() {
        let meant = foreign("ftp.pasv_min_port").unwrap();
        assert_eq!((meant.server, meant.here), ("vsftpd", PASSIVE));
        let meant = foreign("passiveportrange").unwrap();
        assert_eq!((meant.server, meant.name), ("pure-ftpd", "PassivePortRange"));
        assert_eq!(foreign("pasv"), None);
    }

    #[test]
    fn no_setting_of_another_server_hides_a_key_and_each_key_that_is_named_is_one() {
        for (server, rows) in SERVERS {
            for (names, here) in *rows {
                for name in *names {
                    let own = KEYS.iter().find(|key| key.name.rsplit('.').next() == Some(*name));
                    assert!(own.is_none(), "{server} {name}");
                }
                let words = here.split(' ').filter(|word| word.contains('.'));
                let keys = words.filter(|word| {
                    word.bytes().all(|b| b.is_ascii_lowercase() || b"-.".contains(&b))
                });
                for key in keys {
                    assert!(KEYS.iter().any(|known| known.name == key), "{server}: {key}");
                }
            }
        }
    }

    #[test]
    fn the_readme_tells_of_the_same_settings() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
        for file in ["README.md", "README.zh-CN.md"] {
            let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
            for (heading, rows) in [("vsftpd.conf", VSFTPD), ("pure-ftpd.conf", PURE_FTPD)] {
                let table =
                    text.lines().skip_while(|line| !line.starts_with(&format!("| {heading}")));
                let rows_told = table.skip(2).take_while(|line| line.starts_with('|'));
                let told: Vec<_> = rows_told.filter_map(|line| line.split('|').nth(1)).collect();
                let words = told.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2));
                let words: BTreeSet<_> =
                    words.map(|word| word.split('=').next().unwrap_or(word)).collect();
                let known = names(rows);
                assert!(!words.is_empty(), "{file}: no table of {heading}");
                let unknown: Vec<_> = words.difference(&known).collect();
                let untold: Vec<_> = known.difference(&words).collect();
                assert!(unknown.is_empty(), "{file}, {heading}: {unknown:?} have no answer");
                assert!(untold.is_empty(), "{file}, {heading}: {untold:?} are not told");
            }
        }
    }
}
