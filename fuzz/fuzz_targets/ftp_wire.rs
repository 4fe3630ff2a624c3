//! FTP's syntax: however a client's bytes are cut into pieces they say the same, and whatever they name, the file is in the
//! home and the line about it one line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sockeye_ftp::wire::{
    ascii, change,
    charset::Charset,
    command::{Command, split},
    facts::Facts,
    host::{self, Family},
    item::{Item, ItemKind},
    line::{Line, Lines, MAX_LINE},
    ls, parameter,
    path::{self, PathError},
    pattern::Pattern,
    protection,
    reply::{self, Reply},
    stretch, telnet, time,
};
use sockeye_node::{FilePath, Rights, Timestamp};

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let step = usize::from(step) + 1;
    let lines = read(bytes, step);
    assert_eq!(lines, read(bytes, usize::MAX));
    for line in lines.iter().flatten() {
        assert!(line.len() <= MAX_LINE);
        let (told, argument) = match Command::parse(line) {
            Ok(command) => (command.verb.name().to_owned(), command.argument),
            Err(error) => (error.to_string(), split(line).1),
        };
        one_line(&Reply::new(500, told));
        understand(argument);
    }
    text(bytes, step);
});

/// The lines of a control connection whose bytes come in pieces; `None` is one that is too long.
fn read(bytes: &[u8], step: usize) -> Vec<Option<Vec<u8>>> {
    let (mut decoder, mut reader) = (telnet::Decoder::default(), Lines::default());
    let mut lines = Vec::new();
    for piece in bytes.chunks(step) {
        let mut data = Vec::new();
        let heard = decoder.decode(piece, &mut data);
        assert!(heard.answers.len() <= piece.len() + 2);
        let mut rest = &data[..];
        while !rest.is_empty() {
            let (used, line) = reader.next(rest);
            assert!(used > 0);
            lines.extend(line.map(|line| match line {
                Line::Whole(line) => Some(line.to_vec()),
                Line::TooLong => None,
            }));
            rest = &rest[used..];
        }
    }
    lines
}

/// Takes an argument for that of every command.
fn understand(argument: &[u8]) {
    for family in [Family::V4, Family::V6] {
        if let Ok(address) = host::parse_eprt(argument, family) {
            assert!(address.port() > 0 && address.is_ipv4() == (family == Family::V4));
        }
        let _ = host::parse_epsv(argument, family);
    }
    let _ = host::parse_port(argument);
    let _ = (parameter::parse_type(argument), parameter::parse_structure(argument));
    let _ = (parameter::parse_mode(argument), parameter::parse_offset(argument));
    let _ = parameter::parse_allocation(argument);
    for found in [time::split_time(argument), time::split_utime(argument)] {
        if let Ok((at, path)) = found {
            let mut out = Vec::new();
            time::write(&mut out, at);
            assert_eq!(time::parse(&out).map(|at| at.seconds), Ok(at.seconds));
            assert!(!path.is_empty());
        }
    }
    if let Ok((changes, path)) = change::parse_mff(argument) {
        let mut out = Vec::new();
        changes.write(&mut out, path);
        let again = change::parse_mff(&out).map(|(again, path)| (again.mode, path));
        assert_eq!(again, Ok((changes.mode, path)));
    }
    assert!(change::parse_chmod(argument).map_or(0, |(mode, _)| mode) <= 0o777);
    let _ = (protection::parse_auth(argument), protection::parse_prot(argument));
    let _ = protection::parse_pbsz(argument);
    if let Ok(facts) = Facts::parse(argument) {
        let chosen = facts.chosen();
        assert_eq!(Facts::parse(&chosen.as_bytes()["MLST OPTS ".len()..]), Ok(facts));
    }
    if let Some((path, ..)) = stretch::parse(argument) {
        assert!(argument.starts_with(path) || argument[1..].starts_with(path));
    }
    let (_, rest) = ls::Options::parse(argument);
    assert!(argument.ends_with(rest));
    names(argument);
}

fn names(argument: &[u8]) {
    for label in ["utf-8", "gbk", "big5", "shift_jis", "windows-1252"] {
        let charset: Charset = label.parse().expect("it is a charset");
        if let Ok(stored) = charset.decode(argument) {
            assert_eq!(*charset.encode(&stored), *argument);
        }
    }
    let folder = FilePath::parse(b"a/b").expect("it is a path");
    if let Ok(path) = path::resolve(&folder, argument) {
        assert!(path.segments().all(|s| s != b".." && s != b"." && !s.contains(&0)));
        let absolute = path::absolute(&path);
        assert_eq!(path::resolve(&FilePath::root(), &absolute).as_ref(), Ok(&path));
        one_line(&Reply::new(257, reply::quoted(&absolute)));
    }
    match path::resolve_new(&folder, argument) {
        Ok(path) => assert!(path.file_name().is_some_and(|n| !n.iter().any(u8::is_ascii_control))),
        Err(PathError::Control | PathError::Root) => {
            assert!(path::resolve(&folder, argument).is_ok());
        }
        Err(_) => assert!(path::resolve(&folder, argument).is_err()),
    }
    listed(argument);
    let (pattern, name) = split(argument);
    if let Some(pattern) = Pattern::parse(pattern) {
        let _ = (pattern.matches(name), pattern.matches(argument));
    }
}

/// A file of this name, in every listing.
fn listed(name: &[u8]) {
    let modified = Timestamp { seconds: 784_111_777, nanos: 0 };
    let item = Item {
        name,
        kind: ItemKind::File,
        size: name.len() as u64,
        modified,
        unique: Some((1, 2)),
        mode: 0o644,
        owner: "alice",
        group: "team",
        rights: Rights::ALL,
    };
    let mut out = Vec::new();
    Facts::ALL.write_line(&mut out, &item);
    ls::write_line(&mut out, &item, modified);
    ls::write_name_line(&mut out, name);
    assert_eq!(out.iter().filter(|&&b| b == b'\n').count(), 3);
    assert_eq!(out.iter().filter(|&&b| b == b'\r').count(), 3);
}

fn one_line(reply: &Reply) {
    let mut out = Vec::new();
    reply.encode(Charset::UTF_8, &mut out);
    assert_eq!(out.iter().position(|&b| b == b'\n'), Some(out.len() - 1));
}

/// The same bytes as a file under type A, both ways.
fn text(bytes: &[u8], step: usize) {
    let send = |step: usize| {
        let (mut encoder, mut length, mut out) =
            (ascii::Encoder::default(), ascii::Length::default(), Vec::new());
        for piece in bytes.chunks(step) {
            encoder.encode(piece, &mut out);
            length.add(piece);
        }
        assert_eq!(length.get(), out.len() as u64);
        out
    };
    let receive = |text: &[u8], step: usize| {
        let (mut decoder, mut out) = (ascii::Decoder::default(), Vec::new());
        text.chunks(step).for_each(|piece| decoder.decode(piece, &mut out));
        decoder.finish(&mut out);
        out
    };
    let sent = send(step);
    assert_eq!(sent, send(usize::MAX));
    let received = receive(&sent, step);
    assert_eq!(received, receive(&sent, usize::MAX));
    assert_eq!(received, receive(bytes, step));
}
