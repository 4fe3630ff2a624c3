//! Whatever is shared by a link, for administrators: listed, and revoked. The links themselves only their owners are told:
//! they lead into homes, where an administrator has no right.

use sockeye_node::command::ShareCommand;

use super::super::{
    Call,
    answer::{Answered, done},
    shares::{Shown, command, page},
};

/// `GET admin/shares`
pub(in super::super) async fn list(call: &Call<'_>) -> Answered {
    let (of, after) = (call.asked_as("by")?, call.asked_as("after")?);
    page(command(call, ShareCommand::List { of, after }).await?, Shown::without_link)
}

/// `DELETE admin/shares/*`
pub(in super::super) async fn revoke(call: &Call<'_>) -> Answered {
    let id = call.named(0, "share")?;
    command(call, ShareCommand::Revoke { id, of: None }).await?;
    done()
}
