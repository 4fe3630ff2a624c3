//! `sockeye config show`: what holds in the node that runs, or else what one would have that is started here.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;
use sockeye_node::{
    command::{Answer, Command, Holding},
    config::{Held, KEYS, Key, json, no_key},
    control::{self, ControlError},
};

use super::{load, printed};
use crate::{
    data::{self, DataArgs},
    failure::Failure,
};

/// What is shown.
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// A key, or a table of keys as `ftp` [default: all]
    #[arg(value_name = "KEY")]
    keys: Vec<String>,

    #[command(flatten)]
    data: DataArgs,

    /// Leave out what is as it is by default, and not to be changed
    #[arg(long)]
    changed: bool,

    /// Print one JSON object for each key
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    key: &'a str,
    value: Value,
    from: &'a str,
    default: Value,
    /// Whether a node runs and this holds in it, and is not just what is configured.
    running: bool,
    /// What is to hold, if that is something else.
    next: Option<NextRow<'a>>,
    help: String,
}

#[derive(Debug, Serialize)]
struct NextRow<'a> {
    value: Value,
    from: &'a str,
    after: &'static str,
}

/// Shows.
pub(super) fn show(args: &ShowArgs) -> Result<(), Failure> {
    for asked in &args.keys {
        if !KEYS.iter().any(|key| is_of(key.name, asked)) {
            return Err(Failure::usage(format!("{asked}: {}", no_key(asked))));
        }
    }
    let (pid, values) = held(&args.data)?;
    let is_shown = |held: &&Held| {
        let asked = args.keys.is_empty() || args.keys.iter().any(|asked| is_of(&held.key, asked));
        asked && (!args.changed || !held.is_default || held.next.is_some())
    };
    printed(|out| {
        if !args.json && args.keys.is_empty() {
            match pid {
                Some(pid) => writeln!(out, "# What holds in the node that runs, process {pid}.")?,
                None => writeln!(out, "# No node runs: what one would have that is started here.")?,
            }
        }
        for held in values.iter().filter(is_shown) {
            if args.json { object(out, held, pid.is_some())? } else { line(out, held)? }
        }
        Ok(())
    })
}

/// Whether a key is the one that is asked for, or in the table of that name.
fn is_of(key: &str, asked: &str) -> bool {
    key == asked || key.strip_prefix(asked).is_some_and(|rest| rest.starts_with('.'))
}

/// What the node that runs has, and its process; or what is configured, if none runs.
fn held(data: &DataArgs) -> Result<(Option<u32>, Vec<Held>), Failure> {
    match control::ask(&data.folder()?, Command::Config) {
        Ok(Answer::Config(Holding { pid, values, fault })) => {
            if let Some(fault) = fault {
                tracing::warn!(
                    "nothing would be taken up by a reload, as the file is wrong: {fault}"
                );
            }
            Ok((Some(pid), values))
        }
        Ok(_) => Err(data::unexpected()),
        Err(ControlError::Nobody { .. }) => {
            let config = load(data)?;
            Ok((None, config.held(&config)))
        }
        Err(error) => Err(error.into()),
    }
}

fn line(out: &mut impl Write, held: &Held) -> io::Result<()> {
    let Held { key, value, from, next, .. } = held;
    write!(out, "{key} = {value}  # {from}")?;
    if let Some(next) = next {
        write!(out, "; {} ({}) after a {}", next.value, next.from, after(next.at_start))?;
    }
    writeln!(out)
}

fn object(out: &mut impl Write, held: &Held, running: bool) -> io::Result<()> {
    let Held { key, value, from, next, .. } = held;
    let row = Key::find(key);
    let row = Row {
        key,
        value: json(value),
        from,
        default: row.map_or(Value::Null, |row| json(&row.default_toml())),
        running,
        next: next.as_ref().map(|next| NextRow {
            value: json(&next.value),
            from: &next.from,
            after: after(next.at_start),
        }),
        help: row.map(|row| row.help.concat().trim().to_owned()).unwrap_or_default(),
    };
    serde_json::to_writer(&mut *out, &row)?;
    out.write_all(b"\n")
}

fn after(at_start: bool) -> &'static str {
    if at_start { "restart" } else { "reload" }
}
