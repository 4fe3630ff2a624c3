//! WebDAV: whatever a request has in its fields and its content, it is understood or refused, and what is kept of it
//! means the same when it is read again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye_http::wire::{
    if_header::{self, MAX_CONDITIONS},
    webdav::{self, Depth, LockInfo, Patch, PropFind},
    xml,
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(lists) = if_header::parse(bytes) {
        let conditions: usize = lists.iter().map(|list| list.conditions.len()).sum();
        assert!((1..=MAX_CONDITIONS).contains(&conditions));
    }
    let _ = if_header::lock_token(bytes);
    let _ = (Depth::parse(bytes), webdav::overwrite(bytes), webdav::timeout(bytes));
    if let Ok(resource) = webdav::destination(bytes, Some(b"localhost")) {
        assert!(resource.path.segments().all(|name| name != b"..".as_slice()));
    }
    let _ = (PropFind::parse(bytes), LockInfo::parse(bytes, 100));
    if let Ok(steps) = Patch::parse(bytes, 1000) {
        for step in steps {
            if let Patch::Set(_, Some(value)) = step {
                assert!(value.len() <= 1000);
                // Written out, it may declare more namespaces than a document can have.
                if let Ok(again) = xml::parse(value.as_bytes()) {
                    assert_eq!(again.write(usize::MAX).as_deref(), Some(&*value));
                }
            }
        }
    }
});
