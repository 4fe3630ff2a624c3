//! How many sessions an account has at once over a protocol with long ones: counted exactly, and given back however
//! they end.

use std::{io, sync::Arc};

use sockeye::{Conn, Handler};
use sockeye_node::{Credentials, Gate, LoginError, Origin, Peer, Session, Sessions};
use sockeye_testkit::{
    client::Client,
    node::{TempNode, password},
    processes::until,
};
use tokio::{io::AsyncWriteExt as _, task::JoinSet};

fn origin(protocol: &'static str, sessions: Sessions) -> Origin {
    Origin { sessions, ..Origin::new(protocol, Peer::Local) }
}

async fn log_in(gate: &Arc<Gate>, name: &str, origin: Origin) -> Result<Session, LoginError> {
    gate.login(&Credentials::password(name, password(name)), origin).await
}

#[test]
fn an_account_has_so_many_sessions_at_once_over_a_protocol_and_no_more() {
    let node = TempNode::new();
    let gate = node.gate();
    let two = || origin("ftp", Sessions::Long { most: 2 });
    node.block_on(async {
        let first = log_in(&gate, "alice", two()).await.unwrap();
        let second = log_in(&gate, "alice", two()).await.unwrap();
        let refused = log_in(&gate, "alice", two()).await.unwrap_err();
        assert!(matches!(refused, LoginError::TooMany { most: 2 }), "{refused:?}");
        // Others, over other protocols, or by requests, have their own.
        let others = [
            log_in(&gate, "bob", two()).await,
            log_in(&gate, "alice", origin("sftp", Sessions::Long { most: 1 })).await,
            log_in(&gate, "alice", origin("ftp", Sessions::Brief)).await,
        ];
        assert!(others.iter().all(Result::is_ok), "{others:?}");
        // A session has its place as long as anything of it lasts.
        let transfer = first.clone();
        drop(first);
        assert!(log_in(&gate, "alice", two()).await.is_err());
        drop(transfer);
        let third = log_in(&gate, "alice", two()).await.unwrap();
        drop((second, third));
        // A limit that was lowered holds for who comes then.
        let one = || origin("ftp", Sessions::Long { most: 1 });
        let _first = log_in(&gate, "alice", one()).await.unwrap();
        assert!(log_in(&gate, "alice", one()).await.is_err());
        assert!(
            log_in(&gate, "alice", origin("ftp", Sessions::Long { most: usize::MAX }))
                .await
                .is_ok()
        );
    });
    let refused = node.records("refuse");
    assert_eq!(refused.len(), 3, "{refused:?}");
    assert!(
        refused.iter().all(|it| it["user"] == "alice" && it["protocol"] == "ftp"),
        "{refused:?}"
    );
}

#[test]
fn whoever_races_has_no_more_than_there_may_be() {
    let node = TempNode::new();
    let gate = node.gate();
    node.block_on(async {
        // Known from here on, so that all of the others are at it at once.
        drop(log_in(&gate, "alice", origin("ftp", Sessions::Brief)).await.unwrap());
        for _ in 0..20 {
            let mut racing = JoinSet::new();
            for _ in 0..16 {
                let gate = Arc::clone(&gate);
                let origin = origin("ftp", Sessions::Long { most: 3 });
                racing.spawn(async move { log_in(&gate, "alice", origin).await.ok() });
            }
            let sessions = racing.join_all().await;
            assert_eq!(sessions.iter().flatten().count(), 3);
        }
    });
}

/// Logs in as alice at once, and holds the session until the connection ends.
struct Long(Arc<Gate>);

impl Handler for Long {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let session = log_in(&self.0, "alice", origin("ftp", Sessions::Long { most: 1 })).await;
        let answer = session.as_ref().map_or_else(ToString::to_string, |_| "in".to_owned());
        conn.write_all(format!("{answer}\n").as_bytes()).await?;
        while session.is_ok() && conn.read_line().await?.is_some() {}
        Ok(())
    }
}

#[test]
fn a_connection_gives_its_place_back_when_it_is_reset_or_cut() {
    let node = TempNode::new();
    let server = node.serve(Long(node.gate()));
    let full = "as many sessions of this account are open as there may be at once (1); end one of \
                them first";
    let get_in = || {
        let mut inside = None;
        until("a free place", || {
            let mut client = Client::connect(server.port());
            let answer = client.line();
            assert!(["in", full].map(Some).contains(&answer.as_deref()), "{answer:?}");
            inside = (answer.as_deref() == Some("in")).then_some(client);
            inside.is_some()
        });
        inside.unwrap()
    };
    let first = get_in();
    assert_eq!(Client::connect(server.port()).line().as_deref(), Some(full));
    first.reset();
    let second = get_in();
    assert_eq!(Client::connect(server.port()).line().as_deref(), Some(full));
    drop(second);
    let last = get_in();
    server.handle().stop();
    drop(last);
    let gate = node.gate();
    let free =
        || node.block_on(log_in(&gate, "alice", origin("ftp", Sessions::Long { most: 1 }))).is_ok();
    until("the place of the connection that was cut", free);
}
