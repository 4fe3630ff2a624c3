//! `sockeye log verify`: whether the log is whole.

use sockeye::quantity::format_count;
use sockeye_journal::{Head, PublicKey, Verdict, verify};

use super::args::VerifyArgs;
use crate::{
    failure::{Failure, Fault},
    output::print,
};

/// Verifies, prints what was found out, and fails if anything is wrong.
pub(super) fn run(args: &VerifyArgs) -> Result<(), Failure> {
    let folder = args.data.folder()?.journal();
    let against: Option<Head> = args.against.as_deref().map(str::parse).transpose()?;
    let given = args.key.as_deref().map(str::parse::<PublicKey>).transpose()?;
    let key = match given.or(against.map(|head| head.key)) {
        Some(key) => key,
        None => PublicKey::of_folder(&folder)?,
    };
    if against.is_some_and(|head| head.key != key) {
        let message = "--key and --against are of different logs";
        return Err(Failure::usage(message).hint("leave --key out: the head has its key"));
    }
    let verdict = verify(&folder, key, against)?;
    let is_known = given.is_some() || against.is_some();
    let text = if args.json { json(&verdict) + "\n" } else { told(&verdict, is_known) };
    print(text)?;
    if verdict.is_whole() {
        return Ok(());
    }
    let faults = verdict.faults.len() as u64 + verdict.more_faults;
    let faults = format_count(faults, "fault", "faults");
    let message = format!("the log {} is not whole: {faults}", folder.display());
    Err(Failure::new(Fault::Failed, message)
        .hint("keep the folder as it is, and compare it with a backup"))
}

fn told(verdict: &Verdict, is_known: bool) -> String {
    let Verdict { segments, lines, first, last, signed, checkpoints, .. } = verdict;
    let mut text = String::new();
    for fault in &verdict.faults {
        text += &format!("{fault}\n");
    }
    if verdict.more_faults > 0 {
        text += &format!("and {} more\n", verdict.more_faults);
    }
    if verdict.is_whole() {
        text += "whole\n";
    }
    let (lines, segments) =
        (format_count(*lines, "line", "lines"), format_count(*segments, "segment", "segments"));
    text += &format!("{lines}, {first} to {last}, in {segments}\n");
    text += &format!(
        "signed up to line {signed}, by {}\n",
        format_count(*checkpoints, "checkpoint", "checkpoints")
    );
    for note in &verdict.notes {
        text += &format!("note: {note}\n");
    }
    if !is_known {
        text += "note: verified with the key in the folder itself; a head kept elsewhere (`sockeye log \
                 head`, --against) also finds a log that was replaced together with its key\n";
    }
    text
}

fn json(verdict: &Verdict) -> String {
    let faults: Vec<_> = verdict
        .faults
        .iter()
        .map(|fault| {
            serde_json::json!({
                "file": fault.file.to_string_lossy(),
                "line": fault.line,
                "fault": fault.kind.to_string(),
            })
        })
        .collect();
    serde_json::json!({
        "whole": verdict.is_whole(),
        "segments": verdict.segments,
        "lines": verdict.lines,
        "first": verdict.first,
        "last": verdict.last,
        "signed": verdict.signed,
        "checkpoints": verdict.checkpoints,
        "faults": faults,
        "more_faults": verdict.more_faults,
        "notes": verdict.notes,
    })
    .to_string()
}
