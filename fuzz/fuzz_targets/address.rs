//! Addresses: what is accepted prints as a text that reads back as the same address.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye::Addr;

fuzz_target!(|text: &str| {
    match text.parse::<Addr>() {
        Ok(addr) => {
            let printed = addr.to_string();
            match printed.parse::<Addr>() {
                Ok(again) => assert_eq!(addr, again, "{text:?} printed as {printed:?}"),
                Err(error) => panic!("{text:?} printed as {printed:?}: {error}"),
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
