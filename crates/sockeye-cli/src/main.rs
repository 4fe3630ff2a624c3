//! The program `sockeye`: from the arguments to a verb, and from what came of it to an exit code.
//!
//! The only crate that reads the environment, prints, or ends the process. What it does it does by the
//! libraries: a verb resolves its arguments, calls them, and says what happened.

mod args;
mod backup;
mod completions;
mod config;
mod data;
mod dial;
mod failure;
mod lifetime;
mod log;
mod logging;
mod otherwise;
mod output;
mod prompt;
mod quota;
mod reload;
mod serve;
mod session;
mod share;
mod shared;
mod status;
mod store;
mod trash;
mod user;

use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use args::{Args, Verb};

fn main() -> ExitCode {
    let parsed = Args::command().try_get_matches().and_then(|matches| {
        let json = asks_for_json(&matches);
        Ok((Args::from_arg_matches(&matches)?, json))
    });
    let (args, json) = match parsed {
        Ok(parsed) => parsed,
        // Also help and version, which end well.
        Err(error) => return failure::of_arguments(&otherwise::told(error)),
    };
    logging::start(args.verbose, args.quiet);
    let outcome = match args.verb {
        Verb::Serve(serve) => serve::run(serve, args.quiet > 0),
        Verb::User(user) => user::run(user),
        Verb::Shared(shared) => shared::run(shared),
        Verb::Share(share) => share::run(share),
        Verb::Config(config) => config::run(&config),
        Verb::Status(status) => status::run(&status),
        Verb::Session(session) => session::run(&session),
        Verb::Reload(reload) => reload::run(&reload),
        Verb::Trash(trash) => trash::run(&trash),
        Verb::Store(store) => store::run(&store),
        Verb::Backup(backup) => backup::run(&backup),
        Verb::Restore(restore) => backup::restore(&restore),
        Verb::Log(log) => log::run(&log),
        Verb::Dial(dial) => dial::run(dial),
        Verb::Completions(completions) => completions::run(&completions),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(json),
    }
}

/// Whether the verb, or the verb's verb, was given `--json`.
fn asks_for_json(matches: &ArgMatches) -> bool {
    let is_given = matches!(matches.try_get_one::<bool>("json"), Ok(Some(true)));
    is_given || matches.subcommand().is_some_and(|(_, matches)| asks_for_json(matches))
}
