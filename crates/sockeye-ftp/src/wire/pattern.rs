//! Patterns of names, as LIST and NLST take them in the last part of a path: `*`, `?`, `[a-z]`, `[!a-z]`, and `\` before what
//! is meant as it stands.
//!
//! As in a shell, a wildcard does not stand for a dot at the beginning of a name. A character is one of UTF-8, or a byte
//! that is part of none. Whatever the pattern, a name is looked at in time that grows with their two lengths
//! multiplied, which are both bounded: only the last `*` is ever tried again.

/// Longest part of a pattern that can fit a name, in characters: as a name has no more bytes.
const MOST_PIECES: usize = 255;

/// A pattern that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
    /// Characters that a name has to have at least.
    least: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// `*`
    Any,
    /// One character that fits.
    One(One),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum One {
    /// `?`
    Any,
    /// As it stands.
    Character(Character),
    /// `[…]`: one within, or outside of, these ranges.
    Among { ranges: Vec<(Character, Character)>, inside: bool },
}

/// A character, or a byte that is part of none: above all characters, in the order of the bytes.
type Character = u32;

impl Pattern {
    /// Reads a pattern; `None` if `text` has no wildcard, and so means one name.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        text.iter().any(|b| b"*?[".contains(b)).then(|| {
            let text: Vec<Character> = characters(text).collect();
            let mut pieces = Vec::new();
            let mut rest = &text[..];
            while !rest.is_empty() {
                let (piece, behind) = piece(rest);
                if piece != Piece::Any || pieces.last() != Some(&Piece::Any) {
                    pieces.push(piece);
                }
                rest = behind;
            }
            let least = pieces.iter().filter(|piece| **piece != Piece::Any).count();
            Self { pieces, least }
        })
    }

    /// Whether the pattern stands for `name`.
    #[must_use]
    pub fn matches(&self, name: &[u8]) -> bool {
        if self.least > name.len().min(MOST_PIECES) {
            return false;
        }
        let is_dot = matches!(self.pieces.first(), Some(Piece::One(One::Character(DOT))));
        if name.first() == Some(&b'.') && !is_dot {
            return false;
        }
        let name: Vec<Character> = characters(name).collect();
        let (mut at, mut piece) = (0, 0);
        // The last `*`: the piece behind it, and where in the name that piece is tried next.
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.pieces.get(piece) {
                Some(Piece::Any) => {
                    piece += 1;
                    star = Some((piece, at + 1));
                }
                Some(Piece::One(one)) if one.is(name[at]) => (at, piece) = (at + 1, piece + 1),
                _ => {
                    let Some((behind, next)) = star else { return false };
                    (piece, at) = (behind, next);
                    star = Some((behind, next + 1));
                }
            }
        }
        self.pieces[piece..].iter().all(|piece| *piece == Piece::Any)
    }
}

impl One {
    fn is(&self, character: Character) -> bool {
        match self {
            Self::Any => true,
            Self::Character(own) => *own == character,
            Self::Among { ranges, inside } => {
                let is_within = |(low, high): &(_, _)| (*low..=*high).contains(&character);
                ranges.iter().any(is_within) == *inside
            }
        }
    }
}

const DOT: Character = b'.' as Character;
const BACKSLASH: Character = b'\\' as Character;
const BRACKET: Character = b']' as Character;
const HYPHEN: Character = b'-' as Character;

fn characters(bytes: &[u8]) -> impl Iterator<Item = Character> {
    let beyond = |byte: u8| char::MAX as Character + 1 + Character::from(byte);
    bytes.utf8_chunks().flat_map(move |chunk| {
        let invalid = chunk.invalid().iter().map(move |&byte| beyond(byte));
        chunk.valid().chars().map(Character::from).chain(invalid)
    })
}

/// The first piece of `text`, which is not empty, and what is behind it.
fn piece(text: &[Character]) -> (Piece, &[Character]) {
    let rest = &text[1..];
    match char::from_u32(text[0]) {
        Some('*') => return (Piece::Any, rest),
        Some('?') => return (Piece::One(One::Any), rest),
        Some('[') => {
            if let Some((among, behind)) = among(rest) {
                return (Piece::One(among), behind);
            }
        }
        Some('\\') => {
            if let Some((&escaped, behind)) = rest.split_first() {
                return (Piece::One(One::Character(escaped)), behind);
            }
        }
        _ => {}
    }
    // Also a bracket that is never closed, and a backslash at the end.
    (Piece::One(One::Character(text[0])), rest)
}

/// What stands behind a `[`, if a `]` ends it. Directly behind the `[` or `[!` it is one of the characters.
fn among(text: &[Character]) -> Option<(One, &[Character])> {
    let negated =
        text.first().is_some_and(|first| [b'!', b'^'].map(Character::from).contains(first));
    let mut rest = &text[usize::from(negated)..];
    let mut ranges = Vec::new();
    loop {
        let low = match rest {
            [BRACKET, behind @ ..] if !ranges.is_empty() => {
                return Some((One::Among { ranges, inside: !negated }, behind));
            }
            [BACKSLASH, low, ..] => {
                rest = &rest[2..];
                *low
            }
            [low, ..] => {
                rest = &rest[1..];
                *low
            }
            [] => return None,
        };
        let high = match rest {
            [HYPHEN, BACKSLASH, high, ..] => {
                rest = &rest[3..];
                *high
            }
            [HYPHEN, high, ..] if *high != BRACKET => {
                rest = &rest[2..];
                *high
            }
            _ => low,
        };
        ranges.push((low, high));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &[u8]) -> bool {
        Pattern::parse(pattern.as_bytes()).unwrap().matches(name)
    }

    #[test]
    fn wildcards_stand_for_characters() {
        for (pattern, fits, does_not) in [
            ("*", &["a", "a.b", "文"][..], &[".a", ".", ".."][..]),
            ("*.txt", &["a.txt", "a.b.txt"], &[".txt", "a.txt~", "txt"]),
            (".*", &[".a", "."], &["a"]),
            ("a*", &["a", "ab", "a."], &["b", "ba"]),
            ("a*b*c", &["abc", "axxbxxc", "abbcbc"], &["ab", "acb", "abcd"]),
            ("?", &["a", "é", "文"], &["", "ab", "."]),
            ("a?c", &["abc", "a文c"], &["ac", "abbc"]),
            ("[abc]x", &["ax", "cx"], &["x", "dx", "abx"]),
            ("[a-c0-9]", &["b", "5"], &["d", "-", "B"]),
            ("[!a-c]", &["d", "文"], &["a", "", "."]),
            ("[^a]", &["b"], &["a"]),
            ("[]a]", &["]", "a"], &["b"]),
            ("[a-]", &["a", "-"], &["b"]),
            ("[à-ö]", &["é"], &["z"]),
            ("[z-a]", &[], &["a", "m", "z", "-"]),
            ("[a", &["[a"], &["a"]),
            ("[\\]]", &["]"], &["\\"]),
            ("\\*?", &["*a"], &["ab", "\\*"]),
            ("a[1].txt", &["a1.txt"], &["a[1].txt"]),
            ("*\\", &["a\\"], &["a"]),
            ("***", &["", "abc"], &[".a"]),
        ] {
            for name in fits {
                assert!(matches(pattern, name.as_bytes()), "{pattern} {name}");
            }
            for name in does_not {
                assert!(!matches(pattern, name.as_bytes()), "{pattern} {name}");
            }
        }
        assert!(matches("?\u{fffd}?b", b"\xff\xef\xbf\xbd\xc4b") && !matches("?", b"\xff\xfe"));
        assert_eq!(Pattern::parse(b"a\\b"), None);
    }

    #[test]
    fn no_pattern_takes_long() {
        let name = [b'a'; 255];
        let pattern = Pattern::parse("*a".repeat(255).as_bytes()).unwrap();
        for _ in 0..1000 {
            assert!(pattern.matches(&name));
        }
        for text in [
            "*a".repeat(200) + "b",
            "*".to_owned() + &"a".repeat(120) + "b*",
            "a".repeat(4000) + "*",
        ] {
            let pattern = Pattern::parse(text.as_bytes()).unwrap();
            for _ in 0..100 {
                assert!(!pattern.matches(&name));
            }
        }
    }

    /// The definition, tried in every way there is.
    fn by_definition(pieces: &[Piece], name: &[Character]) -> bool {
        match pieces {
            [] => name.is_empty(),
            [Piece::Any, rest @ ..] => {
                (0..=name.len()).any(|skipped| by_definition(rest, &name[skipped..]))
            }
            [Piece::One(one), rest @ ..] => {
                name.first().is_some_and(|&c| one.is(c)) && by_definition(rest, &name[1..])
            }
        }
    }

    proptest! {
        #[test]
        fn it_matches_what_the_definition_says(pattern in "[ab*?]{0,8}[*]", name in "[ab]{0,10}") {
            let pattern = Pattern::parse(pattern.as_bytes()).unwrap();
            let characters: Vec<_> = characters(name.as_bytes()).collect();
            let expected = by_definition(&pattern.pieces, &characters);
            prop_assert_eq!(pattern.matches(name.as_bytes()), expected);
        }

        #[test]
        fn a_name_that_is_escaped_stands_for_itself_alone(
            name in proptest::collection::vec(any::<u8>().prop_filter("/", |b| *b != b'/'), 1..30),
            other in proptest::collection::vec(any::<u8>(), 0..30),
        ) {
            // A backslash within a character of UTF-8 would split it: only ASCII is escaped.
            let escape = |b: &u8| if b.is_ascii() { vec![b'\\', *b] } else { vec![*b] };
            let escaped = [name.iter().flat_map(escape).collect::<Vec<_>>(), b"[*]".to_vec()].concat();
            let pattern = Pattern::parse(&escaped).unwrap();
            prop_assert!(name[0] == b'.' || pattern.matches(&[&name[..], b"*"].concat()));
            prop_assert!(!pattern.matches(&other) || other == [&name[..], b"*"].concat());
        }

        #[test]
        fn nothing_makes_it_panic(
            pattern in proptest::collection::vec(prop_oneof!["[-*?!\\[\\]\\\\^a]".prop_map(|s| s.as_bytes()[0]), any::<u8>()], 0..40),
            name in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let _ = Pattern::parse(&pattern).map(|pattern| pattern.matches(&name));
        }
    }
}
