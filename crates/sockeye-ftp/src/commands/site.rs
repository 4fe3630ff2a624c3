//! SITE (RFC 959 §4.1.3): CHMOD, UTIME, QUOTA, HASH, WHO, HELP.

use std::time::SystemTime;

use sockeye_node::{Activity, Role, log::Operation, readable};

use super::{
    digests,
    refused::{refused, refused_to},
    times,
};
use crate::{
    control::{Answer, Dialog, NEEDS_ARGUMENT},
    verbs::Outcome,
    wire::{
        change,
        command::{SiteVerb, shown, split, trimmed},
        path::absolute,
        reply::Reply,
        time,
    },
};

/// Most sessions that WHO tells.
const MOST_TOLD: usize = 1_000;

/// SITE. What there is may be asked without a login.
pub(crate) async fn site(dialog: &mut Dialog, argument: &[u8]) -> Result<Outcome, Reply> {
    let (name, rest) = split(argument);
    let unknown = || {
        let named = format!("SITE {}", shown(name));
        let text =
            format!("{}: not understood; SITE HELP names those there are.", named.trim_end());
        Reply::new(504, text)
    };
    let verb = SiteVerb::named(name).ok_or_else(unknown)?;
    if verb != SiteVerb::Help {
        dialog.session()?;
    }
    let is_nothing_alone =
        matches!(verb, SiteVerb::Chmod | SiteVerb::Utime | SiteVerb::Hash) && rest.is_empty();
    if is_nothing_alone {
        return Err(Reply::new(501, NEEDS_ARGUMENT));
    }
    let reply = match verb {
        SiteVerb::Chmod => chmod(dialog, rest).await?,
        SiteVerb::Utime => {
            let (at, name) = time::split_utime(rest)?;
            times::set(dialog, at, name).await?
        }
        SiteVerb::Quota => quota(dialog).await?,
        SiteVerb::Hash => return Ok(digests::hash(dialog, rest).await?.into()),
        SiteVerb::Who => who(dialog)?,
        SiteVerb::Help => help(rest)?,
    };
    Ok(reply.into())
}

async fn chmod(dialog: &Dialog, argument: &[u8]) -> Answer {
    let (mode, name) = change::parse_chmod(argument)?;
    let path = dialog.path(name)?;
    let session = dialog.session()?;
    let done = session.set_mode(&path, mode).await;
    let set = done.map_err(|error| refused_to(session, Operation::Set, &path, &error))?;
    // As far as clients may set them.
    let text = match set.mode & 0o777 {
        set if set == mode => format!(" has the permissions {set:03o}."),
        set => format!(
            " has the permissions {set:03o}, not {mode:03o}: the server keeps its own access to it."
        ),
    };
    Ok(Reply::new(200, [&absolute(&path)[..], text.as_bytes()].concat()))
}

async fn quota(dialog: &Dialog) -> Answer {
    let (session, folder, _) = dialog.user()?;
    let space = session.space(folder).await.map_err(|error| refused(folder, &error))?;
    let most = |quota: Option<u64>| quota.map_or("no limit".to_owned(), |most| format!("{most}"));
    let lines = [
        format!("{} bytes are used, of {}.", space.bytes, most(space.quota.bytes)),
        format!("{} entries are used, of {}.", space.entries, most(space.quota.entries)),
        format!("{} bytes of that are in the trash.", space.trash.bytes),
        format!("{} bytes of that are in uploads that were cut.", space.partials.bytes),
    ];
    Ok(Reply::lines(200, "The room here:", lines, "That is all."))
}

/// Who has a session: for administrators.
fn who(dialog: &Dialog) -> Answer {
    let session = dialog.session()?;
    let account = session.account().ok().flatten();
    // A token bounds its bearer, and none is for administering.
    if !account.is_some_and(|it| it.role == Role::Admin && session.is_by_password()) {
        return Err(Reply::new(550, "Only administrators with their password may see that."));
    }
    let now = SystemTime::now();
    let present = dialog.shared.gate.present(0, MOST_TOLD);
    let lines: Vec<_> = present
        .iter()
        .map(|present| {
            let name = present.account.as_deref().unwrap_or("anonymous");
            let since = now.duration_since(present.since).unwrap_or_default().as_secs();
            let from = present.peer.ip().map_or("local".to_owned(), |ip| ip.to_string());
            let how = if present.tls { " in TLS" } else { "" };
            let does = match present.doing.first() {
                Some(Activity { operation, path, bytes, .. }) => {
                    format!("{} {}, {bytes} bytes so far", operation.name(), readable(path))
                }
                None => format!("idle for {} s", present.idle.as_secs()),
            };
            format!("{name} over {}{how} from {from}, for {since} s: {does}", present.protocol)
        })
        .collect();
    Ok(Reply::lines(200, "There are:", lines, "That is all."))
}

/// SITE HELP, and HELP SITE.
pub(super) fn help(argument: &[u8]) -> Answer {
    if !argument.is_empty() && SiteVerb::named(trimmed(argument)).is_none() {
        return Err(Reply::new(501, "Unrecognized SITE command."));
    }
    let names = SiteVerb::ALL.iter().map(|verb| verb.name());
    Ok(Reply::lines(214, "SITE knows:", names, "That is all."))
}
