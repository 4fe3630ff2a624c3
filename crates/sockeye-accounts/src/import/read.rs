//! A whole file of accounts: who can come, who is left where they are, and what is wrong with which line.

use std::collections::HashMap;

use super::{
    Brought, Newcomer,
    line::{Format, Line, guess},
};
use crate::{AccountName, PasswordHash, PasswordHashError, Secret};

/// What the second column is called where the first line says what the columns are.
const HASH_HEADINGS: [&str; 3] = ["hash", "password", "passwd"];

/// How a text begins that is a hash or a lock, known here or not, and no password itself.
const NO_PLAIN: [char; 4] = ['$', '!', '*', '{'];

/// How a file is read.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// Its format; each line is looked at where none is named.
    pub format: Option<Format>,
    /// Whether a name that cannot be is replaced by the nearest that can.
    pub map_names: bool,
    /// Whether what is no hash is the password itself.
    pub plain: bool,
    /// Only these names, as they stand in the file; all, where there are none.
    pub only: Vec<String>,
}

/// A line of the file, and what there is to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLine {
    /// Which, counted from 1.
    pub line: usize,
    /// The name that stands there.
    pub name: String,
    /// What is wrong with it, or why it is left out.
    pub why: String,
}

/// A name that is another one here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// What stands in the file.
    pub from: String,
    /// What it is called here.
    pub to: AccountName,
}

/// What a file says.
#[derive(Clone, Debug, Default)]
pub struct Newcomers {
    /// Those that can come, each with its line.
    pub accounts: Vec<(usize, Newcomer)>,
    /// Those whose name is another one here.
    pub renamed: Vec<Renamed>,
    /// Those that have no password, or are not to be brought.
    pub passed_over: Vec<FileLine>,
    /// Lines that are wrong.
    pub wrong: Vec<FileLine>,
    /// Of how many more is said than there is here: rates, addresses, times.
    pub said_more: usize,
    /// Names that were asked for and are not there.
    pub missing: Vec<String>,
}

/// Reads a file of accounts. Empty lines and those that begin with `#` are passed over.
#[must_use]
pub fn read(text: &str, options: &ReadOptions) -> Newcomers {
    let (found, lines) = (Newcomers::default(), HashMap::new());
    let mut reading = Reading { options, found, lines, has_begun: false };
    for (index, text) in text.trim_start_matches('\u{FEFF}').lines().enumerate() {
        if !text.trim().is_empty() && !text.starts_with('#') {
            reading.line(index + 1, text);
        }
    }
    let is_missing = |name: &&String| !reading.lines.contains_key(name.as_str());
    reading.found.missing = options.only.iter().filter(is_missing).cloned().collect();
    reading.found
}

struct Reading<'a> {
    options: &'a ReadOptions,
    found: Newcomers,
    /// Names as they stand in the file, and as they are here, each with its first line.
    lines: HashMap<String, usize>,
    /// Whether there was a line already.
    has_begun: bool,
}

/// Whether it says what the columns are: `name,hash,role,quota`. An account may be called `name`.
fn is_heading(text: &str, format: Format) -> bool {
    let is_table = matches!(format, Format::Csv | Format::Tsv);
    let mut fields = text.split([',', '\t']).map(|field| field.trim().trim_matches('"'));
    let is_name = fields.next().is_some_and(|field| field.eq_ignore_ascii_case("name"));
    let is_hash = |field: &str| HASH_HEADINGS.iter().any(|it| field.eq_ignore_ascii_case(it));
    is_table && is_name && fields.next().is_some_and(is_hash)
}

/// Why nobody logs in with it where it comes from, if that is so: `/etc/shadow` has nothing there, or marks of a lock,
/// alone (`*`, `!!`, `*LK*`) or in front of the hash (`!$6$…`, and two of RHEL's).
fn closed(hash: &str) -> Option<&'static str> {
    let open = hash.strip_prefix("*LK*").unwrap_or(hash).trim_start_matches(['!', '*']);
    if open.is_empty() {
        return Some("has no password there");
    }
    let is_hash = || {
        open.starts_with('$') || PasswordHash::from_elsewhere(open) != Err(PasswordHashError::Form)
    };
    (open.len() < hash.len() && is_hash()).then_some("is locked there")
}

/// Why a line brings no account.
enum Unfit {
    PassedOver(&'static str),
    Wrong(String),
}

impl Reading<'_> {
    fn line(&mut self, number: usize, text: &str) {
        let format = self.options.format.unwrap_or_else(|| guess(text));
        if !std::mem::replace(&mut self.has_begun, true) && is_heading(text, format) {
            return;
        }
        let line = match Line::parse(text, format) {
            Ok(line) => line,
            // Where no name is told from the rest, any part may be a secret.
            Err(why) => return self.wrong(number, "", why),
        };
        let only = &self.options.only;
        if !only.is_empty() && !only.iter().any(|name| name == line.name) {
            return;
        }
        match self.newcomer(number, &line) {
            Ok(newcomer) => {
                self.found.said_more += usize::from(line.says_more);
                self.found.accounts.push((number, newcomer));
            }
            Err(Unfit::PassedOver(why)) => {
                let (name, why) = (line.name.to_owned(), why.to_owned());
                self.lines.entry(name.clone()).or_insert(number);
                self.found.passed_over.push(FileLine { line: number, name, why });
            }
            Err(Unfit::Wrong(why)) => self.wrong(number, line.name, why),
        }
    }

    fn newcomer(&mut self, number: usize, line: &Line<'_>) -> Result<Newcomer, Unfit> {
        if line.name == "root" {
            return Err(Unfit::PassedOver(
                "is left where it is: root of a machine is nobody's account here",
            ));
        }
        let password = self.password(line)?;
        let name = match line.name.parse::<AccountName>() {
            Ok(name) => name,
            Err(error) => match AccountName::nearest(line.name) {
                Some(nearest) if self.options.map_names => nearest,
                Some(_) => {
                    return Err(Unfit::Wrong(format!("{error}, or let --map-names call it so")));
                }
                None => return Err(Unfit::Wrong(error.to_string())),
            },
        };
        if let Brought::Plain(secret) = &password {
            secret
                .check_password(name.as_str())
                .map_err(|error| Unfit::Wrong(error.to_string()))?;
        }
        for name in [line.name, name.as_str()] {
            let first = *self.lines.entry(name.to_owned()).or_insert(number);
            if first != number {
                return Err(Unfit::Wrong(format!("line {first} is called {name} already")));
            }
        }
        if name.as_str() != line.name {
            let (from, to) = (line.name.to_owned(), name.clone());
            self.found.renamed.push(Renamed { from, to });
        }
        Ok(Newcomer { name, role: line.role, quota: line.quota, password })
    }

    fn password(&self, line: &Line<'_>) -> Result<Brought, Unfit> {
        let hash = line.hash;
        if let Some(why) = closed(hash) {
            return Err(Unfit::PassedOver(why));
        }
        if hash == "x" {
            return Err(Unfit::Wrong("its hash is in /etc/shadow, not in this file".to_owned()));
        }
        match PasswordHash::from_elsewhere(hash) {
            Ok(hash) => Ok(Brought::Hash(hash)),
            Err(PasswordHashError::Form) if self.options.plain => plain(line).map_err(Unfit::Wrong),
            Err(error) => Err(Unfit::Wrong(error.to_string())),
        }
    }

    fn wrong(&mut self, line: usize, name: &str, why: String) {
        self.lines.entry(name.to_owned()).or_insert(line);
        let name = name.to_owned();
        self.found.wrong.push(FileLine { line, name, why });
    }
}

/// What is no hash, as the password itself: all of it, and nothing that may be a hash.
fn plain(line: &Line<'_>) -> Result<Brought, String> {
    if line.hash.starts_with(NO_PLAIN) {
        return Err(format!(
            "what begins with {} may be a hash of another kind, and is taken for no password: add the account by hand",
            NO_PLAIN.map(String::from).join(" ")
        ));
    }
    if line.may_be_cut {
        return Err("what follows may be the rest of a password with a colon: write NAME,PASSWORD"
            .to_owned());
    }
    Ok(Brought::Plain(Secret::new(line.hash)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HASH: &str = "$5$saltstring$vc6YOOogU4kWVvwga8e9zTFgKcy4tb5LaPxIiPJzqEC";

    fn names(found: &Newcomers) -> Vec<(usize, &str)> {
        found.accounts.iter().map(|(line, it)| (*line, it.name.as_str())).collect()
    }

    fn whys(lines: &[FileLine]) -> Vec<(usize, &str)> {
        lines.iter().map(|it| (it.line, it.why.as_str())).collect()
    }

    #[test]
    fn of_the_systems_accounts_those_with_a_password_come() {
        let text = format!(
            "root:{HASH}:1:0:9:7:::\nbin:*:1:0:9:7:::\nalice:{HASH}:1:0:9:7:::\nbob:!{HASH}:1:0:9:7:::\n\
             carol:!:1:0:9:7:::\n"
        );
        let found = read(&text, &ReadOptions::default());
        assert_eq!(names(&found), [(3, "alice")]);
        assert_eq!((found.wrong.len(), found.passed_over.len()), (0, 4));
        assert_eq!(whys(&found.passed_over)[2], (4, "is locked there"));
    }

    #[test]
    fn names_are_mapped_if_that_is_asked_for_and_else_refused_with_what_would_be_right() {
        let text = format!("# ours\n\njohn.doe:{HASH}\nJSmith:{HASH}\n小明:{HASH}\n");
        let found = read(&text, &ReadOptions::default());
        assert_eq!(names(&found), [(4, "jsmith")]);
        let wrong = whys(&found.wrong);
        assert!(
            wrong[0].1.ends_with("; write john-doe, or let --map-names call it so"),
            "{wrong:?}"
        );
        assert_eq!(wrong[1].0, 5);
        let found = read(&text, &ReadOptions { map_names: true, ..ReadOptions::default() });
        assert_eq!(names(&found), [(3, "john-doe"), (4, "jsmith")]);
        let renamed: Vec<_> = found.renamed.iter().map(|it| (&*it.from, it.to.as_str())).collect();
        assert_eq!(renamed, [("john.doe", "john-doe"), ("JSmith", "jsmith")]);
    }

    #[test]
    fn what_is_wrong_is_told_by_line_and_shows_no_secret() {
        let text = format!(
            "alice:{HASH}\nalice:{HASH}\nALICE:{HASH}\nbob:x\ncarol:hunter2hunter2\nsecret\ndora:$1$salt$hash\n"
        );
        let found = read(&text, &ReadOptions::default());
        assert_eq!(names(&found), [(1, "alice")]);
        let wrong = whys(&found.wrong);
        let lines: Vec<_> = wrong.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 6, 7]);
        assert_eq!(wrong[0].1, "line 1 is called alice already");
        assert!(wrong[5].1.contains("MD5"), "{wrong:?}");
        let shown = format!("{:?}", found.wrong);
        assert!(!shown.contains("hunter2") && !shown.contains("secret"), "{shown}");
        let plain = read(&text, &ReadOptions { plain: true, ..ReadOptions::default() });
        assert_eq!(names(&plain), [(1, "alice"), (5, "carol")]);
        assert!(!format!("{plain:?}").contains("hunter2"));
    }

    #[test]
    fn the_locks_of_all_systems_are_locks() {
        let locks =
            ["!", "!!", "*", "*!", "*LK*"].map(|lock| format!("bob:{lock}{HASH}:1:0:9:7:::\n"));
        let none = ["", "*", "!*", "!!", "*LK*"].map(|lock| format!("carol:{lock}:1:0:9:7:::\n"));
        for plain in [false, true] {
            let options = ReadOptions { plain, ..ReadOptions::default() };
            for (texts, expected) in [(&locks, "is locked there"), (&none, "has no password there")]
            {
                for text in texts {
                    let found = read(text, &options);
                    assert_eq!(whys(&found.passed_over), [(1, expected)], "{text}");
                }
            }
        }
        let found = read("bob:!!abJnggxhB/yWI\n", &ReadOptions::default());
        assert_eq!(whys(&found.passed_over), [(1, "is locked there")]);
    }

    #[test]
    fn what_may_be_a_hash_is_no_password_and_a_password_is_not_cut() {
        let options = ReadOptions { plain: true, ..ReadOptions::default() };
        for (text, expected) in [
            ("bob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "one of a directory service"),
            ("bob:{UNHEARD-OF}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", "one of a directory service"),
            ("bob:_J9..rasmBYk8r9AiWNc", "this hash is DES"),
            ("bob:abJnggxhB/yWI", "this hash is DES"),
            ("bob:$9$saltstring$vc6YOOogU4kWVvwga8e9z", "may be a hash of another kind"),
            ("bob:!!not-a-hash-of-ours", "may be a hash of another kind"),
            ("bob:*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29", "may be a hash of another kind"),
            ("bob:correct horse:battery", "the rest of a password with a colon"),
            ("bob:correct:horse:battery:staple:::::", "the rest of a password with a colon"),
            ("bob:correct:horse:1:1::/srv/bob::::::::::::", "the rest of a password with a colon"),
        ] {
            let found = read(text, &options);
            assert_eq!((found.accounts.len(), found.wrong.len()), (0, 1), "{text}");
            assert!(found.wrong[0].why.contains(expected), "{text}: {:?}", found.wrong);
        }
        let found = read("bob,correct horse:battery\n", &options);
        let Brought::Plain(secret) = &found.accounts[0].1.password else { panic!("{found:?}") };
        assert_eq!(secret.expose(), "correct horse:battery");
    }

    #[test]
    fn an_account_may_be_called_as_a_column_is() {
        let options = ReadOptions { plain: true, ..ReadOptions::default() };
        assert_eq!(names(&read("name,correct horse\n", &options)), [(1, "name")]);
        assert!(names(&read("Name\tPassword\tRole\n", &options)).is_empty());
    }

    #[test]
    fn only_those_who_are_named_come() {
        let text = format!(
            "# of the old server\nName,Hash,Role\nalice,{HASH},guest\nbob,{HASH}\nc.d,{HASH}\n"
        );
        let only = ["bob", "nobody"].map(str::to_owned).to_vec();
        let found = read(&text, &ReadOptions { only, ..ReadOptions::default() });
        assert_eq!(names(&found), [(4, "bob")]);
        let all = read(&text, &ReadOptions { map_names: true, ..ReadOptions::default() });
        assert_eq!(names(&all), [(3, "alice"), (4, "bob"), (5, "c-d")]);
        assert_eq!((found.wrong.len(), &*found.missing), (0, &["nobody".to_owned()][..]));
    }

    proptest! {
        #[test]
        fn any_file_is_answered(text in "([a-z.]{0,5}[:,\t](\\$5\\$a\\$b|[a-z]{0,9})[:,\t0-9]{0,12}\n?){0,5}", plain: bool) {
            let options = ReadOptions { plain, map_names: true, ..ReadOptions::default() };
            let _ = read(&text, &options);
        }
    }
}
