//! TLS that somebody in between would like to be without: older versions, other protocols, ways back to plain text.

use std::process::Command;

use sockeye_ftp::Security;
use sockeye_testkit::{client::Client, node::password, peer, processes::until};

use crate::{
    client::Served,
    peers::run,
    tls::{secure, secured},
};

const PYTHON: &str = r#"
import ftplib, io, socket, ssl, sys, warnings
warnings.simplefilter('ignore')
port, password, security = int(sys.argv[1]), sys.argv[2], sys.argv[3]

def context():
    return ssl._create_unverified_context()

def begun(context):
    sock = socket.create_connection(('127.0.0.1', port), timeout=30)
    lines = sock.makefile('rb')
    assert lines.readline().startswith(b'220')
    sock.sendall(b'AUTH TLS\r\n')
    assert lines.readline().startswith(b'234')
    return context.wrap_socket(sock, server_hostname='127.0.0.1')

# The name of the protocol is told where it is asked for, and another is refused.
asked = context()
asked.set_alpn_protocols(['x', 'ftp'])
assert begun(asked).selected_alpn_protocol() == 'ftp'
assert begun(context()).selected_alpn_protocol() is None
for other in ['http/1.1', 'h2', 'smtp']:
    asked = context()
    asked.set_alpn_protocols([other])
    try:
        begun(asked).recv(1)
        assert False, other
    except OSError:
        pass

# Older versions are none.
old = context()
old.set_ciphers('ALL:@SECLEVEL=0')
old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
try:
    begun(old).recv(1)
    assert False, 'TLS 1.1'
except OSError:
    pass

class Reusing(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        if self._prot_p:
            conn = self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session)
        return conn, size

def refused(ftp, line, code):
    try:
        told = ftp.voidcmd(line)
        assert False, (line, told)
    except ftplib.Error as error:
        assert str(error).startswith(code), (line, error)

# There is no way back, neither before the login nor behind it.
ftp = Reusing(context=context())
ftp.connect('127.0.0.1', port, timeout=30)
ftp.auth()
for line, code in [('CCC', '534'), ('REIN', '502'), ('AUTH TLS', '503'), ('PROT P', '503'), ('PBSZ x', '501')]:
    refused(ftp, line, code)
ftp.login('alice', password, secure=False)
for line, code in [('CCC', '534'), ('REIN', '502'), ('AUTH TLS', '503')]:
    refused(ftp, line, code)
ftp.voidcmd('PBSZ 0')
for line, code in [('PROT S', '536'), ('PROT E', '536'), ('PROT X', '504')]:
    refused(ftp, line, code)
if security == 'Required':
    refused(ftp, 'PROT C', '534')
    refused(ftp, 'NLST', '521')

# What is to be encrypted is not taken in plain text.
ftp.prot_p()
host, data = ftp.makepasv()
sock = socket.create_connection((host, data), timeout=30)
assert ftp.sendcmd('STOR file').startswith('150')
sock.sendall(b'USER alice\r\nas plain as can be\r\n' * 10)
sock.shutdown(socket.SHUT_WR)
try:
    told = ftp.voidresp()
    assert False, told
except ftplib.Error as error:
    assert str(error).startswith('425'), error
refused(ftp, 'MLST file', '550')

# Whoever ends the connection in between is found out: the client has not said that this was all.
conn = ftp.transfercmd('STOR file')
conn.sendall(b'half of')
conn.close()
try:
    told = ftp.voidresp()
    assert False, told
except ftplib.Error as error:
    assert str(error).startswith('426') and 'close_notify' in str(error), error
refused(ftp, 'MLST file', '550')

# And all goes on as it was.
ftp.storbinary('STOR file', io.BytesIO(b'there'))
got = io.BytesIO()
ftp.retrbinary('RETR file', got.write)
assert got.getvalue() == b'there'
ftp.quit()
"#;

#[test]
fn nothing_leads_back_to_plain_text_or_to_older_versions() {
    let Some(python) = peer::require("python3") else { return };
    for security in [Security::Allowed, Security::Required] {
        let folder = tempfile::tempdir().unwrap();
        let served = secured(folder.path(), security);
        let port = served.server.port().to_string();
        let security = format!("{security:?}");
        run(Command::new(&python).args(["-c", PYTHON, &port, &password("alice"), &security]));
    }
}

const WITHOUT_END: &str = r#"
import ftplib, io, ssl, sys
port, password, version, tolerated = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == 'tolerated'

class Reusing(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session), size

def log_in():
    context = ssl._create_unverified_context()
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    ftp = Reusing(context=context)
    ftp.connect('127.0.0.1', port, timeout=30)
    ftp.login('alice', password)
    ftp.prot_p()
    ftp.voidcmd('TYPE I')
    return ftp

ftp = log_in()
for length in [0, 5, 3_000_000]:
    conn = ftp.transfercmd('STOR file')
    conn.sendall(b'x' * length)
    conn.close()
    try:
        told = ftp.voidresp()
        assert tolerated and told.startswith('226') and ftp.size('file') == length, told
    except ftplib.error_temp as error:
        assert not tolerated and 'ftp.close-notify' in str(error), error
# Of a client that is gone with both its connections, it is not taken for all.
conn = ftp.transfercmd('STOR cut')
conn.sendall(b'x' * 3_000_000)
while ': 3000000 bytes' not in ftp.sendcmd('STAT'):
    pass
ftp.close()
conn.close()
"#;

#[test]
fn an_end_without_close_notify_is_taken_where_that_is_tolerated() {
    let Some(python) = peer::require("python3") else { return };
    for version in ["TLSv1_2", "TLSv1_3"] {
        for tolerated in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let served = Served::with(|config| {
                secure(folder.path(), Security::Required, config);
                config.close_notify = !tolerated;
            });
            let port = served.server.port().to_string();
            let way = if tolerated { "tolerated" } else { "refused" };
            let mut command = Command::new(&python);
            run(command.args(["-c", WITHOUT_END, &port, &password("alice"), version, way]));
            until("the last is over", || {
                served.node.records("write").iter().any(|record| record["path"] == "/cut")
            });
            let records = served.node.records("write");
            let outcomes: Vec<_> =
                records.iter().map(|it| it["outcome"].as_str().unwrap()).collect();
            let each = if tolerated { "ok" } else { "cut" };
            assert_eq!(outcomes, [each, each, each, "cut"], "{version} {way}");
        }
    }
}

const WITHOUT_REUSE: &str = r#"
import ftplib, io, ssl, sys
ftp = ftplib.FTP_TLS(context=ssl._create_unverified_context())
ftp.connect('127.0.0.1', int(sys.argv[1]), timeout=30)
ftp.login('alice', sys.argv[2])
ftp.prot_p()
ftp.storbinary('STOR file', io.BytesIO(b'there'))
assert ftp.nlst() == ['file']
ftp.quit()
"#;

#[test]
fn clients_that_cannot_resume_are_served_where_that_is_allowed() {
    let Some(python) = peer::require("python3") else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(|config| {
        secure(folder.path(), Security::Required, config);
        config.resumed = false;
    });
    let port = served.server.port().to_string();
    run(Command::new(&python).args(["-c", WITHOUT_REUSE, &port, &password("alice")]));
}

#[test]
fn plain_text_where_tls_is_from_the_start_is_not_answered() {
    let folder = tempfile::tempdir().unwrap();
    let served = secured(folder.path(), Security::Implicit);
    let mut client = Client::connect(served.server.port());
    client.send_bytes(b"USER alice\r\nPASS x\r\nFEAT\r\n");
    let mut told = Vec::new();
    while let Some(line) = client.line() {
        told.push(line);
    }
    assert!(!told.iter().any(|line| line.starts_with(|c: char| c.is_ascii_digit())), "{told:?}");
}

const SILENT: &str = r#"
import ftplib, socket, ssl, sys
ftp = ftplib.FTP_TLS(context=ssl._create_unverified_context())
ftp.connect('127.0.0.1', int(sys.argv[1]), timeout=30)
ftp.login('alice', sys.argv[2])
ftp.prot_p()
for command in ['NLST', 'STOR file']:
    told = ''
    # A port that was not connected to in time is told of otherwise.
    while 'TLS' not in told:
        try:
            sock = socket.create_connection(ftp.makepasv(), timeout=30)
            ftp.sendcmd(command)
            told = ftp.voidresp()
            assert False, told
        except ConnectionRefusedError:
            pass
        except ftplib.Error as error:
            told = str(error)
            assert told.startswith('425'), told
try:
    assert False, ftp.sendcmd('MLST file')
except ftplib.Error as error:
    assert str(error).startswith('550'), error
ftp.quit()
"#;

#[test]
fn a_data_connection_on_which_tls_is_never_begun_is_given_up() {
    let Some(python) = peer::require("python3") else { return };
    let folder = tempfile::tempdir().unwrap();
    let served = Served::with(|config| {
        secure(folder.path(), Security::Required, config);
        config.limits.connect = std::time::Duration::from_millis(500);
    });
    let port = served.server.port().to_string();
    run(Command::new(&python).args(["-c", SILENT, &port, &password("alice")]));
}

#[test]
fn a_handshake_that_is_broken_off_ends_the_connection() {
    let folder = tempfile::tempdir().unwrap();
    let served = secured(folder.path(), Security::Allowed);
    let mut client = served.client();
    client.expect(234, "AUTH TLS");
    // The beginning of a ClientHello, and then plain text again.
    client.inner.send_bytes(b"\x16\x03\x01\x00\xff\x01USER alice\r\n");
    client.inner.half_close();
    assert!(!client.try_reply().is_some_and(|reply| reply[0].starts_with("331")));
}
