//! HTTP requests: whatever a peer sends, the file it leads to is in the folder and the range in the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye_http::wire::{
    accept::{self, Form},
    coding,
    condition::{self, Selection, Validators},
    cookie, digest, form, framing,
    head::{self, Fields, Head, Once, Parsed},
    host::HostRule,
    method::Method,
    plan::{self, Plan, Rules},
    query,
    target::{self, Target, url_path},
};
use sockeye_node::{FilePath, Kind, Meta, Range, Timestamp};

/// The fields that the lines after the target stand for.
const FIELDS: [&[u8]; 17] = [
    b"host",
    b"range",
    b"if-range",
    b"if-none-match",
    b"if-match",
    b"if-modified-since",
    b"accept",
    b"accept-language",
    b"connection",
    b"content-length",
    b"transfer-encoding",
    b"if-unmodified-since",
    b"origin",
    b"sec-fetch-site",
    b"cookie",
    b"accept-encoding",
    b"want-repr-digest",
];

const METHODS: [&[u8]; 6] = [b"GET", b"OPTIONS", b"PUT", b"DELETE", b"POST", b"MOVE"];

fuzz_target!(|input: (u64, &[u8])| {
    let (size, bytes) = input;
    if let Parsed::Head(head, length) = head::parse(bytes) {
        assert!(length <= bytes.len());
        check(&head, size);
        if head.fields.repeated {
            let joined = head::join_repeated(&bytes[..length]);
            match head::parse(&joined) {
                Parsed::Head(again, all) => assert!(!again.fields.repeated && all == joined.len()),
                other => panic!("{other:?}"),
            }
        }
    }
    // And past the syntax, which chance seldom meets: a target, and the fields line by line.
    let mut lines = bytes.split(|&b| b == b'\n');
    let target = lines.next().unwrap_or_default();
    let mut fields = Fields::default();
    for (name, value) in FIELDS.into_iter().zip(lines) {
        fields.add(name, value);
    }
    for method_name in METHODS {
        let method = Method::parse(method_name);
        check(&Head { method, method_name, target, minor_version: Some(0), fields }, size);
    }
});

fn check(head: &Head<'_>, size: u64) {
    let _ = accept::form(head.fields.accept, &[Form::Html, Form::Json]);
    let _ = accept::language(head.fields.accept_language);
    let _ = framing::framing(head);
    let _ = cookie::sign_in(&head.fields);
    assert!(coding::accepted(head.fields.accept_encoding).len() <= coding::Coding::ALL.len());
    let _ = head.fields.want_repr_digest.is_some_and(digest::wants_sha_256);
    let _ = form::value(head.target, "next");
    if let Some(next) = target::local(head.target) {
        let next = next.split('?').next().unwrap_or_default();
        assert!(next.starts_with('/') && !next.starts_with("//") && !next.contains('\\'), "{next}");
    }
    let hosts = HostRule::Local(Vec::new());
    let plan = plan::plan(head, &Rules { hosts: &hosts, target: 8192, node: true });
    for name in ["cookie", "depth", "if"] {
        assert_eq!(head.fields.all(name).count() == 0, head.fields.get(name) == Once::Missing);
    }
    if let Plan::Own(wanted) | Plan::Dav(_, wanted) = &plan {
        check_path(&wanted.path);
    }
    if let Plan::Serve(wanted) | Plan::Put(wanted) | Plan::Delete(wanted) = plan {
        assert!(!wanted.is_own());
        check_path(&wanted.path);
        assert!(head.method != Method::Put || !wanted.path.is_root());
        let _ = query::order(wanted.query);
    }
    let modified = Timestamp { seconds: 784_111_777, nanos: 0 };
    let meta = Meta { kind: Kind::File, size, modified, mode: 0o644, device: 1, inode: 2 };
    let file = Validators::of(&meta);
    let _ = condition::guard(&head.fields, Some(&file));
    match condition::select(head.method, &head.fields, &file, 784_111_800, 16) {
        Selection::Part(range) => check_range(range, size),
        Selection::Parts(ranges) => {
            assert!(ranges.len() > 1 && ranges.len() <= 16);
            ranges.into_iter().for_each(|range| check_range(range, size));
        }
        _ => {}
    }
}

fn check_path(path: &FilePath) {
    assert!(path.segments().all(|s| s != b".." && s != b"." && !s.contains(&0)));
    let url = url_path(path, true);
    assert!(url.starts_with('/') && !url.starts_with("//"), "{url}");
    match target::parse(url.as_bytes()) {
        Ok(Target::Resource(again)) => assert_eq!(&again.path, path),
        other => panic!("{url}: {other:?}"),
    }
}

fn check_range(range: Range, size: u64) {
    assert!(range.length > 0);
    assert!(range.offset.checked_add(range.length).is_some_and(|end| end <= size));
}
