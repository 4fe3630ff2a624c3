//! The node's side of the control socket.

use std::{io, sync::Arc};

use serde_json::value::RawValue;
use sockeye::{Conn, Handler};
use tokio::io::AsyncWriteExt as _;

use super::{Reply, Request, VERSION};
use crate::command::{Commander, Execute, Refusal, RefusalKind, user_of_this_machine};

/// Serves one command a connection to those who may give any: the node's own user, and root.
#[derive(Debug)]
pub(super) struct Control<E>(pub(super) Arc<E>);

impl<E: Execute> Handler for Control<E> {
    async fn handle(&self, conn: &mut Conn) -> io::Result<()> {
        let peer = conn.stream().peer_credentials()?;
        let own = rustix::process::geteuid().as_raw();
        let reply = if peer.uid != own && peer.uid != 0 {
            let message = format!("the user with id {} may not give this node commands", peer.uid);
            Reply::Refused(Refusal::new(RefusalKind::Denied, message))
        } else {
            let Some(line) = conn.read_line().await? else { return Ok(()) };
            // What takes long is waited for: whoever asked has not to send anything meanwhile.
            self.answer(&line, user_of_this_machine(peer.uid)).await
        };
        let mut line = serde_json::to_vec(&reply)?;
        line.push(b'\n');
        conn.write_all(&line).await
    }
}

impl<E: Execute> Control<E> {
    async fn answer(&self, line: &[u8], by: Commander) -> Reply {
        let request = match serde_json::from_slice::<Request<Box<RawValue>>>(line) {
            Ok(request) => request,
            Err(error) => {
                let message = format!("that is no command: {error}");
                return Reply::Refused(Refusal::new(RefusalKind::Usage, message));
            }
        };
        match serde_json::from_str(request.command.get()) {
            Ok(command) => match self.0.execute(command, by).await {
                Ok(answer) => Reply::Done(answer),
                Err(refusal) => Reply::Refused(refusal),
            },
            Err(error) => {
                let message = format!(
                    "the running node is version {VERSION} and does not know this command of \
                     version {}: {error}",
                    request.version
                );
                let refusal = Refusal::new(RefusalKind::Failed, message);
                Reply::Refused(refusal.hint("restart the node, so that both are the same"))
            }
        }
    }
}
