//! What there is to ask for: HELP, FEAT (RFC 2389 §3), SYST.

use sockeye_node::Rights;

use super::{refused::listed, site};
use crate::{
    control::{Answer, Dialog},
    verbs::{Feature, Row},
    wire::{
        command::{Verb, split, trimmed},
        reply::Reply,
    },
};

/// Names in a line of HELP.
const COLUMNS: usize = 10;

/// HELP.
pub(crate) fn help(_: &mut Dialog, argument: &[u8]) -> Answer {
    let argument = trimmed(argument);
    if argument.is_empty() {
        let names: Vec<_> = Row::all().map(|row| format!("{:<8}", row.verb().name())).collect();
        let lines = names.chunks(COLUMNS).map(|line| line.concat().trim_end().to_owned());
        return Ok(Reply::lines(214, "There is:", lines, "HELP COMMAND tells more."));
    }
    match Verb::named(split(argument).0).map(Row::of).filter(|row| !row.refused) {
        // What a server has of its own is told so (RFC 959 §4.1.3).
        Some(row) if row.verb() == Verb::Site => site::help(b""),
        Some(row) => {
            let syntax = format!("{} {}", row.verb().name(), row.argument);
            let rights = match row.rights {
                Rights::NONE => String::new(),
                rights => format!("; needs the right to {}", listed(rights)),
            };
            Ok(Reply::new(214, format!("{}: {}{rights}.", syntax.trim_end(), row.help)))
        }
        None => Err(Reply::new(501, "Unrecognized command; HELP names those there are.")),
    }
}

/// FEAT: what the table says of each verb.
pub(crate) fn feat(dialog: &mut Dialog, _: &[u8]) -> Answer {
    let line = |row: &Row| match row.feature {
        Feature::Known => None,
        Feature::Name => Some(row.verb().name().to_owned()),
        Feature::Line(line) => Some(line.to_owned()),
        Feature::Of(line) => line(dialog),
    };
    let mut lines: Vec<String> = Row::all().filter_map(line).collect();
    lines.extend(["TVFS", "UTF8"].map(str::to_owned));
    Ok(Reply::lines(211, "There is:", lines, "End."))
}

/// SYST: what clients take as the word for listings in the form of `ls -l`.
pub(crate) fn syst(_: &mut Dialog, _: &[u8]) -> Answer {
    Ok(Reply::new(215, "UNIX Type: L8"))
}
