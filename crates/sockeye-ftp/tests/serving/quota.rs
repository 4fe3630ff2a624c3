//! One quota for eight sessions of one account: whoever passes it is refused, and nobody else; what is counted is what is
//! there.

use std::{io::Write as _, net::TcpStream, thread};

use sockeye_node::Owner;

use crate::{
    client::{FtpClient, Served, content},
    transfers::wait_for,
};

const SESSIONS: usize = 8;

/// What alice's home holds, as it is said and as it is counted again.
fn counted(served: &Served) -> u64 {
    let report = served.node.block_on(async {
        let gate = served.node.gate();
        let name = "alice".parse().expect("a name");
        let account = gate.accounts().find(&name).await.expect("an account");
        let home = gate.homes().get(Owner::Account(account.id)).expect("a home");
        home.check(false).await.expect("a count")
    });
    assert!(report.is_sound(), "{report:?}");
    report.counted.files.bytes
}

/// Waits until so many bytes are left, and no more or less for good.
fn left(client: &mut FtpClient, bytes: usize) {
    let wanted = format!("213 {bytes}");
    let deadline = std::time::Instant::now() + sockeye_testkit::program::PATIENCE;
    loop {
        // What was counted as come is not yet counted as used.
        let told = client.ask("AVBL").join("\n");
        if told == wanted {
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{told} for {wanted}");
        thread::yield_now();
    }
}

#[test]
fn one_of_eight_sessions_that_passes_the_quota_is_refused_and_the_others_are_not() {
    const QUOTA: usize = 8 << 20;
    const LENGTH: usize = 1 << 20;
    const BEGUN: usize = 640 << 10;
    let served = Served::new();
    served.node.set_quota("alice", QUOTA as u64);
    let (content, mut watching) = (content(LENGTH), served.logged_in("alice"));
    let mut sessions: Vec<(FtpClient, TcpStream)> = (0..SESSIONS)
        .map(|number| {
            let mut client = served.logged_in("alice");
            client.binary();
            let mut data = client.passive();
            client.expect(150, &format!("STOR file{number}"));
            data.write_all(&content[..BEGUN]).unwrap();
            wait_for(&mut client, BEGUN);
            (client, data)
        })
        .collect();
    left(&mut watching, QUOTA - SESSIONS * BEGUN);
    assert_eq!(counted(&served), 0, "nothing is a file yet");

    let (mut greedy, mut data) = sessions.remove(3);
    let too_much = vec![0; QUOTA - SESSIONS * BEGUN + 1];
    // It is refused while it is sent, and may be sent to its end nevertheless.
    data.write_all(&too_much).unwrap();
    greedy.expect_code(552, "STOR file3");
    drop(data);
    left(&mut watching, QUOTA - (SESSIONS - 1) * BEGUN);
    greedy.expect(550, "SIZE file3");

    for (mut client, mut data) in sessions {
        data.write_all(&content[BEGUN..]).unwrap();
        drop(data);
        client.expect_code(226, "STOR");
    }
    left(&mut watching, QUOTA - (SESSIONS - 1) * LENGTH);
    assert_eq!(counted(&served), ((SESSIONS - 1) * LENGTH) as u64);
    // To the last byte.
    greedy.binary();
    assert_eq!(greedy.store("STOR file3", &content), 226);
    left(&mut watching, 0);
    assert_eq!(greedy.store("STOR more", b"1"), 552);
    for number in 0..SESSIONS {
        assert!(greedy.fetch(&format!("RETR file{number}")) == content, "file{number}");
    }
    assert_eq!(counted(&served), QUOTA as u64);
}

/// Whether it was stored; else it was over the quota.
fn is_stored(client: &mut FtpClient, line: &str, content: &[u8]) -> bool {
    let mut data = client.passive();
    client.expect(150, line);
    data.write_all(content).expect("a server that reads");
    drop(data);
    let code = client.code();
    assert!([226, 552].contains(&code), "{line}: {code}");
    code == 226
}

#[test]
fn eight_sessions_that_store_at_once_never_have_more_than_the_quota() {
    const QUOTA: usize = 2 << 20;
    const LENGTH: usize = 300 << 10;
    let served = Served::new();
    served.node.set_quota("alice", QUOTA as u64);
    let mut clients: Vec<_> = (0..SESSIONS).map(|_| served.logged_in("alice")).collect();
    clients.iter_mut().for_each(FtpClient::binary);
    let (content, mut watching) = (content(LENGTH), served.logged_in("alice"));
    let mut stored = 0;
    for round in 0..4 {
        stored += thread::scope(|scope| {
            let content = &content;
            let storing: Vec<_> = (clients.iter_mut().enumerate())
                .map(|(number, client)| {
                    let line = format!("STOR {round}-{number}");
                    scope.spawn(move || is_stored(client, &line, content))
                })
                .collect();
            let stored = storing.into_iter().map(|it| it.join().unwrap());
            stored.filter(|stored| *stored).count()
        });
        left(&mut watching, QUOTA - stored * LENGTH);
        assert_eq!(counted(&served), (stored * LENGTH) as u64);
    }
}
