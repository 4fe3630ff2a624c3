//! Names, paths, rights, keys and hashes: what is accepted prints as a text that reads back as the same.

#![no_main]

use std::{fmt::Display, str::FromStr};

use libfuzzer_sys::fuzz_target;
use sockeye_accounts::{
    AccountCommand, AccountId, AccountName, PasswordHash, Prefix, Protocols, PublicKey,
    ReadOptions, Rights, Role, SharedName, read_newcomers,
};

fn reads_back<T: FromStr + Display + PartialEq>(text: &str)
where
    T::Err: Display,
{
    match text.parse::<T>() {
        Ok(value) => {
            let printed = value.to_string();
            let again = printed.parse::<T>();
            assert!(again.is_ok_and(|again| again == value), "{text:?} printed as {printed:?}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fuzz_target!(|text: &str| {
    reads_back::<AccountId>(text);
    reads_back::<AccountName>(text);
    reads_back::<PasswordHash>(text);
    reads_back::<Prefix>(text);
    reads_back::<Protocols>(text);
    reads_back::<PublicKey>(text);
    reads_back::<Rights>(text);
    reads_back::<Role>(text);
    reads_back::<SharedName>(text);
    let options = ReadOptions { map_names: true, plain: true, ..ReadOptions::default() };
    let _ = read_newcomers(text, &options);
    if let Ok(command) = serde_json::from_str::<AccountCommand>(text) {
        let printed = serde_json::to_string(&command).expect("a command is written");
        serde_json::from_str::<AccountCommand>(&printed).expect("a command is read back");
    }
});
