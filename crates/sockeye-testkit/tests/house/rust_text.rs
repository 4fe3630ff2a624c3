//! Rust source reduced to what a rule is about: code without comments, literals and unit tests.
//!
//! A reader of tokens, no parser: enough to tell a call from a mention.

/// The code of a file: comments and the insides of string and character literals are blanked, and
/// items under `#[cfg(test)]` are too. Lines keep their numbers.
pub(crate) fn shipped_code(text: &str) -> String {
    without_tests(&without_prose(text))
}

/// Where `needle` stands as a path or word of its own: line numbers, from 1.
pub(crate) fn lines_with(code: &str, needle: &str) -> Vec<usize> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    code.lines()
        .enumerate()
        .filter(|(_, line)| {
            line.match_indices(needle).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + needle.len()..].chars().next();
                let starts = needle.starts_with(word);
                let ends = needle.ends_with(word);
                !(starts && before.is_some_and(word) || ends && after.is_some_and(word))
            })
        })
        .map(|(index, _)| index + 1)
        .collect()
}

/// The code of a file, its unit tests included: comments and the insides of literals are blanked.
pub(crate) fn without_prose(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, kept) = match token(rest, code.chars().next_back()) {
            Some(length) => (length, false),
            None => (first.len_utf8(), true),
        };
        let (piece, tail) = rest.split_at(length);
        if kept {
            code.push_str(piece);
        } else {
            code.extend(piece.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        }
        rest = tail;
    }
    code
}

/// The length of the comment or literal that `rest` starts with, if it starts with one.
fn token(rest: &str, before: Option<char>) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    if rest.starts_with('"') {
        return Some(quoted(rest, '"'));
    }
    if rest.starts_with('\'') {
        return character(rest);
    }
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    if !in_word && let Some(raw) = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let body = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let close = body.find(&end).map_or(body.len(), |at| at + end.len());
        return Some(rest.len() - body.len() + close);
    }
    None
}

/// Block comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// A character literal, as opposed to a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut chars = rest.char_indices().skip(1);
    let (_, first) = chars.next()?;
    let (at, second) = chars.next()?;
    if first == '\\' { Some(quoted(rest, '\'')) } else { (second == '\'').then_some(at + 1) }
}

/// Blanks what stands under `#[cfg(test)]`, up to the end of its block or its semicolon.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        out.push_str(&rest[..at]);
        let item = &rest[at..];
        let length = MARK.len() + item_length(&item[MARK.len()..]);
        out.extend(item[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &item[length..];
    }
    out.push_str(rest);
    out
}

fn item_length(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in item.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 && c == '}' {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

#[test]
fn comments_and_literals_are_no_code() {
    let code = shipped_code(concat!(
        "//! std::fs in a doc comment\n",
        "let a = \"std::fs \\\" still\"; /* std::fs /* nested */ std::fs */ let b = '\"';\n",
        "let c = r#\"std::fs \"quoted\" \"#; let d: &'static str = d; // std::fs\n",
    ));
    assert_eq!(lines_with(&code, "std::fs"), [0_usize; 0], "{code}");
    assert!(code.contains("let b =") && code.contains("let d: &'static str = d;"), "{code}");
    assert_eq!(code.lines().count(), 3);
}

#[test]
fn code_after_a_literal_is_still_seen() {
    let code = shipped_code("let quote = '\\''; let q = \"\\\\\"; std::fs::read(q);");
    assert_eq!(lines_with(&code, "std::fs"), [1]);
}

#[test]
fn unit_tests_are_not_shipped_and_what_follows_them_is() {
    let code = shipped_code(
        "#[cfg(test)]\nmod tests {\n    fn f(x: [u8; 2]) { panic!() }\n}\nfn g() { exit(1) }\n\
         #[cfg(test)]\nuse std::env;\nfn h() { exit(2) }\n",
    );
    assert_eq!(lines_with(&code, "panic!"), [0_usize; 0]);
    assert_eq!(lines_with(&code, "std::env"), [0_usize; 0]);
    assert_eq!(lines_with(&code, "exit"), [5, 8]);
}

#[test]
fn a_word_inside_a_longer_one_is_another_word() {
    assert_eq!(lines_with("my_exit(); exits; exit;", "exit"), [1]);
    assert_eq!(lines_with("my_exit(); exits;", "exit"), [0_usize; 0]);
}
