//! `sockeye user import`: accounts of another server, with the passwords that they have there.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::ValueHint;
use serde::Serialize;
use sockeye::quantity::format_count;
use sockeye_accounts::{
    AccountAnswer, AccountCommand, FileLine, Format, Imported, Newcomer, Newcomers, ReadOptions,
    Role, Taking, read_newcomers,
};

use crate::{
    data::{Target, ask_accounts, unexpected},
    failure::{Failure, Fault},
    output::{note, print, print_json},
};

/// Longest file that is read, in bytes: more than a hundred thousand accounts.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Accounts that a node is asked for at once.
const AT_ONCE: usize = 200;

/// Take over accounts of another server, with the passwords that they have
///
/// FILE is what /etc/shadow says, a file of htpasswd, pure-ftpd's pureftpd.passwd, or NAME,HASH,ROLE,QUOTA,FILES with commas or tabs,
/// of which all but the first two may be missing; `-` is standard input. Hashes are those of argon2id, yescrypt ($y$),
/// SHA-crypt ($6$, $5$) and bcrypt ($2b$); each is replaced by one of sockeye's own at its owner's first login. Until then
/// a wrong password takes longer for that account than for a name that nobody has, which tells that it is one.
///
/// Nobody comes as long as a line is wrong, unless --skip-bad; an account that is there stays as it is, unless --update.
/// Who has no password there, or is locked, and root are passed over. Files do not come along: `sockeye user show` says
/// where a home lies.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo cat /etc/shadow | sockeye user import - --dry-run     who would come, and who not
  sudo cat /etc/shadow | sockeye user import - alice bob     these two alone
  sockeye user import /etc/pure-ftpd/pureftpd.passwd --map-names
  sockeye user import users.csv --update --json")]
pub(super) struct ImportArgs {
    /// What is read
    #[arg(value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Only these, as they are called there
    names: Vec<String>,

    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,

    /// Take over those whose lines are right, though others are wrong; the exit code is 7 then
    #[arg(long)]
    skip_bad: bool,

    /// Give accounts that are there the password, role and quota that the file says
    #[arg(long)]
    update: bool,

    /// Replace what cannot be a name by the nearest that can: john.doe becomes john-doe
    #[arg(long)]
    map_names: bool,

    /// Take what is no hash for the password itself; thirteen letters, and what begins with $, !, * or {, may be one
    #[arg(long)]
    plain: bool,

    /// The role of those of whom no other is said: admin, member or guest
    #[arg(long, value_name = "ROLE")]
    role: Option<Role>,

    /// What the file is made of: shadow, htpasswd, pure-ftpd, csv or tsv [default: what each line looks like]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    #[command(flatten)]
    target: Target,
}

/// What became of a line.
#[derive(Debug, Serialize)]
struct Row<'a> {
    line: usize,
    name: &'a str,
    /// What it is called in the file, if that is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    done: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

/// Takes them over.
pub(super) fn run(args: ImportArgs) -> Result<(), Failure> {
    let text = read(&args.file).map_err(|error| error.about(args.file.display()))?;
    let options = ReadOptions {
        format: args.format,
        map_names: args.map_names,
        plain: args.plain,
        only: args.names.clone(),
    };
    let mut found = read_newcomers(&text, &options);
    for (_, newcomer) in &mut found.accounts {
        newcomer.role = newcomer.role.or(args.role);
    }
    if !found.missing.is_empty() {
        let message =
            format!("{}: nobody is called {}", args.file.display(), found.missing.join(", "));
        return Err(Failure::new(Fault::NotFound, message));
    }
    if !found.wrong.is_empty() && !args.skip_bad {
        return Err(nothing_taken(&args, &found));
    }
    let taking = Taking { update: args.update, dry_run: args.dry_run, ..Taking::default() };
    let (outcomes, failed) = take(&args.target, &found, taking)?;
    let rows = rows(&found, &outcomes, taking);
    match args.target.json {
        true => print_json(rows.iter())?,
        false => print(told(&rows, &args))?,
    }
    told_beside(&found, taking);
    if let Some(failure) = failed {
        let line = found.accounts.get(outcomes.len()).map_or(0, |(line, _)| *line);
        return Err(failure.hint(format!(
            "from line {line} on nobody was taken over; the same again goes on with them"
        )));
    }
    match not_taken(&rows, args.dry_run) {
        Some(message) => Err(Failure::new(Fault::Partly, message)),
        None => Ok(()),
    }
}

/// What is said in the end if it was not all right.
fn not_taken(rows: &[Row<'_>], is_dry: bool) -> Option<String> {
    let refused = rows.iter().filter(|row| row.done == "refused").count();
    let others = rows.iter().any(|row| matches!(row.done, "added" | "updated" | "kept"));
    let count = |one, more| format_count(refused as u64, one, more);
    match (refused, is_dry) {
        (0, _) => None,
        (_, true) => Some(format!("{} not be taken over", count("line would", "lines would"))),
        (_, false) => {
            let others = if others { "; all others are done" } else { "" };
            Some(format!("{} not taken over{others}", count("line was", "lines were")))
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let input: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(File::open(path)?),
    };
    input.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Failure::usage("longer than a file of accounts can be (64 MiB)"));
    }
    // What people wrote about themselves may be in any charset; names and hashes are not.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// All that is wrong at once, so that it is mended at once.
fn nothing_taken(args: &ImportArgs, found: &Newcomers) -> Failure {
    let file = args.file.display();
    let line = |it: &FileLine| {
        let name = if it.name.is_empty() { String::new() } else { format!("{}: ", it.name) };
        format!("{file}:{}: {name}{}", it.line, it.why)
    };
    let lines: Vec<_> = found.wrong.iter().map(line).collect();
    let wrong = format_count(lines.len() as u64, "line is", "lines are");
    let message = format!("nobody was taken over, as {wrong} wrong:\n{}", lines.join("\n"));
    let right = match found.accounts.len() {
        0 => None,
        1 => Some("--skip-bad takes over the other".to_owned()),
        more => Some(format!("--skip-bad takes over the {more} others")),
    };
    Failure::usage(message).hints(right)
}

/// Has them taken, some at a time; what became of each, and what failed after those.
fn take(
    target: &Target,
    found: &Newcomers,
    taking: Taking,
) -> Result<(Vec<Imported>, Option<Failure>), Failure> {
    let newcomers: Vec<Newcomer> = found.accounts.iter().map(|(_, it)| it.clone()).collect();
    let mut outcomes = Vec::with_capacity(newcomers.len());
    for some in newcomers.chunks(AT_ONCE) {
        let command = AccountCommand::Import { accounts: some.to_vec(), taking };
        match ask_accounts(target, command) {
            Ok(AccountAnswer::Imported(done)) if done.len() == some.len() => outcomes.extend(done),
            Ok(_) => return Err(unexpected()),
            Err(failure) if outcomes.is_empty() => return Err(failure),
            Err(failure) => return Ok((outcomes, Some(failure))),
        }
    }
    Ok((outcomes, None))
}

/// Every line of which there is something to say, in the file's order.
fn rows<'a>(found: &'a Newcomers, outcomes: &'a [Imported], taking: Taking) -> Vec<Row<'a>> {
    let renamed: HashMap<_, _> =
        found.renamed.iter().map(|it| (it.to.as_str(), it.from.as_str())).collect();
    let taken = found.accounts.iter().zip(outcomes).map(|((line, newcomer), outcome)| {
        let name = newcomer.name.as_str();
        let (done, why) = match (outcome, taking.dry_run) {
            (Imported::Added, false) => ("added", None),
            (Imported::Added, true) => ("would be added", None),
            (Imported::Updated, false) => ("updated", None),
            (Imported::Updated, true) => ("would be updated", None),
            (Imported::Kept, _) => ("kept", Some("is there already, and stays as it is")),
            (Imported::Refused(why), _) => ("refused", Some(why.as_str())),
        };
        Row { line: *line, name, from: renamed.get(name).copied(), done, why }
    });
    let left = |it: &'a FileLine, done| Row {
        line: it.line,
        name: &it.name,
        from: None,
        done,
        why: Some(&it.why),
    };
    let passed_over = found.passed_over.iter().map(|it| left(it, "passed over"));
    let wrong = found.wrong.iter().map(|it| left(it, "refused"));
    let mut rows: Vec<_> = taken.chain(passed_over).chain(wrong).collect();
    rows.sort_by_key(|row| row.line);
    rows
}

fn told(rows: &[Row<'_>], args: &ImportArgs) -> String {
    let mut text = String::new();
    for Row { line, name, from, done, why } in rows {
        let from = from.map_or_else(String::new, |from| format!(", called {from} there"));
        let told = match (*done, why) {
            ("refused", Some(why)) => format!("refused: line {line}: {why}"),
            (_, Some(why)) => (*why).to_owned(),
            (done, None) => done.to_owned(),
        };
        // System accounts are no news, unless somebody looks who would come.
        let is_news = *done != "passed over" || args.dry_run || !args.names.is_empty();
        if is_news {
            let name = if name.is_empty() { "?" } else { name };
            text.push_str(&format!("{name}: {told}{from}\n"));
        }
    }
    let count = |done: &[&str]| rows.iter().filter(|row| done.contains(&row.done)).count();
    let counts = [
        (count(&["added", "would be added"]), "added"),
        (count(&["updated", "would be updated"]), "updated"),
        (count(&["kept"]), "left as they are"),
        (count(&["passed over"]), "passed over"),
        (count(&["refused"]), "refused"),
    ];
    let counts = counts.iter().filter(|(count, _)| *count > 0);
    let counts: Vec<_> = counts.map(|(count, what)| format!("{count} {what}")).collect();
    let would = if args.dry_run { "would be: " } else { "" };
    let sum = if counts.is_empty() { "nobody is in it".to_owned() } else { counts.join(", ") };
    text + would + &sum + "\n"
}

/// What is worth knowing of those who came.
fn told_beside(found: &Newcomers, taking: Taking) {
    if found.said_more > 0 {
        let who = format_count(found.said_more as u64, "account has", "accounts have");
        note(&format!(
            "{who} rates, addresses or times of their own there, which do not come along"
        ));
    }
    if !found.accounts.is_empty() && !taking.dry_run {
        note("the files do not come along; `sockeye user show NAME` says where they belong");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_in_the_end_what_was_done_and_what_was_not() {
        let row = |done| Row { line: 1, name: "bob", from: None, done, why: None };
        let all = |done: &[&'static str]| done.iter().copied().map(row).collect::<Vec<_>>();
        assert_eq!(not_taken(&all(&["added", "passed over"]), false), None);
        for (rows, is_dry, said) in [
            (all(&["added", "refused"]), false, "1 line was not taken over; all others are done"),
            (all(&["refused", "refused"]), false, "2 lines were not taken over"),
            (all(&["refused", "would be added"]), true, "1 line would not be taken over"),
        ] {
            assert_eq!(not_taken(&rows, is_dry).as_deref(), Some(said));
        }
    }
}
