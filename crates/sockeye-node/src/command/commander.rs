//! Who gives commands: users of the machine, by number and by name.

use std::{fs::File, io::Read as _};

use super::Commander;

/// The file with the machine's own users (passwd(5)). Those of a directory service are told by number alone.
const USERS: &str = "/etc/passwd";

/// Most of it that is read, in bytes.
const MAX_USERS: u64 = 4 * 1024 * 1024;

/// The user with this number, on this machine, as who gives a command. Reads a small file.
#[must_use]
pub fn user_of_this_machine(uid: u32) -> Commander {
    let mut users = Vec::new();
    let read = File::open(USERS).and_then(|file| file.take(MAX_USERS).read_to_end(&mut users));
    let name = read.ok().and_then(|_| name_of(uid, &users));
    Commander::User { uid, name }
}

/// The name of the first user with this number.
fn name_of(uid: u32, users: &[u8]) -> Option<String> {
    let lines = users.split(|&byte| byte == b'\n');
    lines.filter_map(|line| std::str::from_utf8(line).ok()).find_map(|line| {
        let mut fields = line.split(':');
        let (name, _password, number) = (fields.next()?, fields.next()?, fields.next()?);
        (number.parse() == Ok(uid) && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_the_first_user_with_the_number() {
        let users = b"root:x:0:0:root:/root:/bin/sh\n\n+@team\nb\xffd:x:7:7\nann:x:7:7::/:\nbo:x:7:7\n:x:8:8\n";
        assert_eq!(name_of(0, users).as_deref(), Some("root"));
        assert_eq!(name_of(7, users).as_deref(), Some("ann"));
        for uid in [1, 8] {
            assert_eq!(name_of(uid, users), None);
        }
    }
}
