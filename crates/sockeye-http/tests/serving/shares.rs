//! Links: what `/-/s/LINK` gives to whoever has it, and to whoever guesses.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::SocketAddr,
    thread,
};

use data_encoding::BASE64URL_NOPAD;
use sockeye_node::{
    AccountName, Secret,
    accounts::{NewShare, Share, ShareKind},
};

use crate::{
    node::{Served, basic_with},
    site::{Answer, connect},
};

fn of(path: &str) -> NewShare {
    NewShare::of(path.parse().unwrap())
}

/// A node where alice has files, and a link of hers.
fn shared(new: NewShare) -> (Served, Share, String) {
    let site = Served::new();
    for folder in ["docs", "in"] {
        site.put("alice", "/here", b"");
        fs::create_dir(site.file("alice", folder)).unwrap();
    }
    fs::create_dir(site.file("alice", "docs/sub")).unwrap();
    assert_eq!(site.put("alice", "/docs/plan%20b.txt", b"the plan").status, 201);
    assert_eq!(site.put("alice", "/docs/sub/deep.html", b"<script>").status, 201);
    assert_eq!(site.put("alice", "/secret", b"secret").status, 201);
    assert_eq!(site.put("alice", "/in/x.txt", b"alice's").status, 201);
    let accounts = site.node.gate().accounts().clone();
    let alice: AccountName = "alice".parse().unwrap();
    let share = site.node.block_on(accounts.create_share(&alice, new)).unwrap();
    let link = format!("/-/s/{}", accounts.link(share.id).expose());
    (site, share, link)
}

fn get(site: &Served, target: &str) -> Answer {
    site.get("", target)
}

#[test]
fn a_shared_folder_is_listed_and_its_files_are_had_without_an_account() {
    let (site, _, link) = shared(of("/docs"));
    let moved = get(&site, &link);
    assert_eq!(moved.status, 301);
    assert_eq!(moved.field("location"), Some(&*format!("{link}/")));
    let page = get(&site, &format!("{link}/"));
    assert_eq!(page.status, 200);
    assert!(page.text().contains("plan%20b.txt") && page.text().contains(&format!("{link}/")));
    // The module knows what it is below, and whose it is not.
    let told = format!("data-base=\"{link}/\" data-name=\"docs\"");
    assert!(page.text().contains(&told) && page.text().contains("data-account=\"\""));
    let by_alice = site.get("alice", &format!("{link}/"));
    assert!(by_alice.text().contains("data-account=\"\" data-csrf=\"\""));
    let all = get(&site, &format!("{link}/?all")).text();
    assert!(!all.contains("main.js") && all.contains("name=\"all\""), "another order is of all");
    let file = get(&site, &format!("{link}/plan%20b.txt"));
    assert_eq!((file.status, file.text().as_str()), (200, "the plan"));
    assert_eq!(file.field("content-disposition"), None, "its address names it");
    let saved = get(&site, &format!("{link}/plan%20b.txt?download"));
    assert_eq!(saved.field("content-disposition"), Some("attachment; filename=\"plan b.txt\""));
    let to = get(&site, &format!("{link}/sub?all"));
    assert_eq!(to.field("location"), Some(&*format!("{link}/sub/?all")));
    assert_eq!(file.field("referrer-policy"), Some("no-referrer"));
    let range = ["Range: bytes=4-"];
    let part = site.ask("", &format!("GET {link}/plan%20b.txt"), &range, b"");
    assert_eq!((part.status, part.text().as_str()), (206, "plan"));
    let active = get(&site, &format!("{link}/sub/deep.html"));
    assert!(active.field("content-security-policy").unwrap().starts_with("sandbox"));
    for elsewhere in ["/secret", "/../secret", "/%2e%2e/secret", "/docs/plan%20b.txt", "/nothing"] {
        let answer = get(&site, &format!("{link}{elsewhere}"));
        assert!(matches!(answer.status, 400 | 404), "{elsewhere}: {}", answer.status);
    }
    assert_eq!(site.put("", &format!("{link}/new"), b"x").status, 403);
    assert_eq!(site.delete("", &format!("{link}/plan%20b.txt")).status, 405);
    assert_eq!(site.delete("alice", &format!("{link}/plan%20b.txt")).status, 405);
}

#[test]
fn a_shared_file_is_had_by_its_link_alone_and_by_its_name() {
    let (site, share, link) = shared(of("/docs/plan b.txt"));
    for target in [link.clone(), format!("{link}/plan%20b.txt")] {
        let head = site.ask("", &format!("HEAD {target}"), &[], b"");
        assert_eq!((head.status, head.field("content-length")), (200, Some("8")));
        let file = get(&site, &target);
        assert_eq!(file.text(), "the plan");
        assert_eq!(file.field("content-disposition"), Some("inline; filename=\"plan b.txt\""));
        assert_eq!(file.field("content-type"), Some("text/plain; charset=utf-8"));
        let digest = ["Want-Repr-Digest: sha-256=1"];
        let digested = site.ask("", &format!("HEAD {target}"), &digest, b"");
        assert!(digested.field("repr-digest").unwrap().starts_with("sha-256=:"));
    }
    assert_eq!(get(&site, &format!("{link}/other.txt")).status, 404);
    let accounts = site.node.gate().accounts().clone();
    let counted = site.node.block_on(accounts.find_share(share.id)).unwrap();
    assert_eq!(counted.downloaded, 2);
    site.node.block_on(accounts.revoke_share(share.id)).unwrap();
    assert_eq!(get(&site, &link).status, 410);
}

#[test]
fn a_link_that_opens_nothing_says_so_and_no_more() {
    let (site, share, link) = shared(of("/docs"));
    let html = |target: &str, language: &str| {
        let fields = ["Accept: text/html", language];
        site.ask("", &format!("GET {target}"), &fields, b"")
    };
    let cut = &link[..link.len() - 3];
    for (language, said) in
        [("Accept-Language: en", "This link leads nowhere"), ("Accept-Language: zh", "此链接无效")]
    {
        let page = html(cut, language);
        assert_eq!(page.status, 404);
        assert!(page.text().contains(said), "{}", page.text());
        assert!(!page.text().contains("404") && !page.text().contains("href=\"/\""));
    }
    assert_eq!(get(&site, cut).text(), "404 Not found: this link leads nowhere\n");
    let accounts = site.node.gate().accounts().clone();
    site.node.block_on(accounts.revoke_share(share.id)).unwrap();
    let page = html(&link, "Accept-Language: en");
    assert_eq!(page.status, 410);
    assert!(page.text().contains("This link has ended") && !page.text().contains("410"));
}

#[test]
fn a_link_that_was_used_up_is_gone() {
    let (site, _, link) = shared(NewShare { downloads: Some(2), ..of("/docs") });
    let file = format!("{link}/plan%20b.txt");
    for _ in 0..3 {
        assert_eq!(site.ask("", &format!("HEAD {file}"), &[], b"").status, 200);
    }
    assert_eq!(get(&site, &file).status, 200);
    assert_eq!(get(&site, &file).status, 200);
    let gone = get(&site, &file);
    assert_eq!(gone.status, 410, "{}", gone.text());
    // What was counted can still be finished.
    let rest = site.ask("", &format!("GET {file}"), &["Range: bytes=4-"], b"");
    assert_eq!((rest.status, rest.text().as_str()), (206, "plan"));
}

#[test]
fn a_password_comes_by_basic_or_from_a_form() {
    let protected = NewShare { password: Some(Secret::new("öffne dich")), ..of("/docs") };
    let (site, _, link) = shared(protected);
    let file = format!("{link}/plan%20b.txt");
    let bare = get(&site, &file);
    assert_eq!(bare.status, 401);
    assert!(bare.field("www-authenticate").unwrap().contains("Basic"));
    let with = |password: &str| {
        let field = basic_with("", password);
        site.ask("", &format!("GET {file}"), &[field.trim_end()], b"")
    };
    assert_eq!(with("öffne dich").text(), "the plan");

    let html = ["Accept: text/html"];
    let page = site.ask("", &format!("GET {link}/"), &html, b"");
    assert_eq!(page.status, 403);
    assert!(page.field("www-authenticate").is_none() && page.text().contains("<form"));
    // A browser says of a form where it is from, unless its page forbids that.
    assert_eq!(page.field("referrer-policy"), Some("same-origin"));
    let post_from = |origin: &str, body: &str| {
        let length = format!("Content-Length: {}", body.len());
        let form = "Content-Type: application/x-www-form-urlencoded";
        let fields = ["Accept: text/html", form, origin, &length];
        site.ask("", &format!("POST {link}/"), &fields, body.as_bytes())
    };
    let post = |body: &str| post_from("Origin: http://localhost", body);
    assert_eq!(post_from("Origin: null", "password=%C3%B6ffne+dich").status, 403);
    let entered = post("password=%C3%B6ffne+dich");
    assert_eq!(entered.status, 303, "{}", entered.text());
    assert_eq!(entered.field("location"), Some(&*format!("{link}/")));
    let cookie = entered.field("set-cookie").unwrap();
    assert!(cookie.contains(&format!("Path={link};")) && cookie.contains("HttpOnly"), "{cookie}");
    let kept = format!("Cookie: {}", cookie.split(';').next().unwrap());
    assert_eq!(site.ask("", &format!("GET {file}"), &[&kept], b"").text(), "the plan");
    assert_eq!(
        site.ask("", &format!("GET {file}"), &["Cookie: sockeye-share=1.x"], b"").status,
        401
    );
    // What a browser has of the site's own is no guess.
    for _ in 0..20 {
        let own = basic_with("alice", "her own password");
        let asked =
            site.ask("", &format!("GET {link}/"), &["Accept: text/html", own.trim_end()], b"");
        assert_eq!(asked.status, 403);
        assert!(!asked.text().contains("not the password"), "it was not wrong");
        let with_pass = site.ask("", &format!("GET {file}"), &[own.trim_end(), &kept], b"");
        assert_eq!(with_pass.text(), "the plan");
    }
    let wrong = post("password=wrong+one");
    assert_eq!(wrong.status, 403);
    let waits = post("password=another+one");
    assert_eq!(waits.status, 429);
    assert!(waits.field("retry-after").is_some());
    assert_eq!(
        site.ask("", &format!("GET {file}"), &[&kept], b"").status,
        200,
        "who is in stays in"
    );
}

#[test]
fn a_drop_box_takes_new_files_and_tells_nothing() {
    let (site, _, link) = shared(NewShare { kind: ShareKind::Upload, ..of("/in") });
    let put = |name: &str, body: &[u8]| site.put("", &format!("{link}/{name}"), body);
    for (name, expected) in
        [("x.txt", "x%20%282%29.txt"), ("x.txt", "x%20%283%29.txt"), ("new", "new")]
    {
        let made = put(name, b"a visitor's");
        assert_eq!(made.status, 201, "{}", made.text());
        assert_eq!(made.field("location"), Some(&*format!("{link}/{expected}")));
    }
    assert_eq!(fs::read(site.file("alice", "in/x.txt")).unwrap(), b"alice's");
    assert_eq!(fs::read(site.file("alice", "in/x (3).txt")).unwrap(), b"a visitor's");
    let large = put("large", &vec![b'x'; 3 << 20]);
    assert_eq!(large.status, 201, "{}", large.text());
    for name in ["x.txt", "new", "nothing", "sub/", ""] {
        let answer = get(&site, &format!("{link}/{name}"));
        let told = answer.text();
        assert!(!told.contains("x.txt"), "{told}");
        assert_eq!(told.contains("alice"), name.is_empty(), "whose it is: {told}");
        assert_eq!(answer.status, if name.is_empty() { 200 } else { 404 }, "{name}");
    }
    for (at, expected) in [("sub/a/x", "sub/a/x"), ("sub/a/x", "sub/a/x%20%282%29")] {
        let made = put(at, &vec![b'x'; 2 << 20]);
        assert_eq!(made.status, 201, "{}", made.text());
        assert_eq!(made.field("location"), Some(&*format!("{link}/{expected}")));
    }
    assert!(site.file("alice", "in/sub/a/x (2)").is_file());
    assert_eq!(put("x.txt/y", b"x").status, 409, "no folder takes the place of a file");
    assert_eq!(put(&format!("{}x", "a/".repeat(17)), b"x").status, 403, "too deep");
    assert_eq!(put("", b"x").status, 409);
    assert_eq!(site.ask("", &format!("PUT {link}/a%FF"), &[], b"x").status, 400);
}

#[test]
fn a_drop_box_that_is_full_takes_no_more() {
    let kind = ShareKind::Upload;
    let most = NewShare { kind, max_bytes: Some(4 << 20), max_files: Some(2), ..of("/in") };
    let (site, _, link) = shared(most);
    let put = |name: &str, body: &[u8]| site.put("", &format!("{link}/{name}"), body);
    let large = put("large", &vec![b'x'; (4 << 20) + 1]);
    assert_eq!(large.status, 507, "{}", large.text());
    let unknown = [b"400001\r\n".as_slice(), &vec![b'x'; (4 << 20) + 1], b"\r\n0\r\n\r\n"].concat();
    let chunked = ["Transfer-Encoding: chunked"];
    assert_eq!(site.ask("", &format!("PUT {link}/large"), &chunked, &unknown).status, 507);
    assert_eq!(put("a", b"1").status, 201);
    assert_eq!(put("b", &vec![b'x'; (4 << 20) - 1]).status, 201);
    assert_eq!(put("c", b"").status, 507);
    assert_eq!(fs::read_dir(site.file("alice", "in")).unwrap().count(), 3);
}

#[test]
fn people_are_told_in_their_language_why_something_does_not_open() {
    let (site, share, link) = shared(NewShare { downloads: Some(1), ..of("/docs") });
    let page = |target: &str, language: &str| {
        let language = format!("Accept-Language: {language}");
        site.ask("", &format!("GET {target}"), &["Accept: text/html", &language], b"").text()
    };
    let lead_nowhere = format!("/-/s/{}", "A".repeat(43));
    for (target, english, chinese) in [
        (&*lead_nowhere, "This link leads nowhere", "此链接无效"),
        ("/%zz", "two hexadecimal digits", "不是两位十六进制数字。"),
    ] {
        assert!(page(target, "en").contains(english), "{}", page(target, "en"));
        let page = page(target, "zh-CN");
        assert!(page.contains(chinese) && !page.contains(english), "{page}");
    }
    let accounts = site.node.gate().accounts().clone();
    site.node.block_on(accounts.revoke_share(share.id)).unwrap();
    assert!(page(&link, "zh").contains("其内容已不再共享"));
    // What is meant for programs alone is not said to people in another language than their own.
    let put = ["Accept: text/html", "Accept-Language: zh", "Content-Range: bytes 0-0/2"];
    let refused = site.ask("alice", "PUT /a", &put, b"x").text();
    assert!(refused.contains("请求有误") && !refused.contains("Content-Range"), "{refused}");
}

#[test]
fn guesses_find_nothing_and_keep_nobody_out() {
    let (site, _, link) = shared(of("/docs"));
    let mut statuses = Vec::new();
    for n in 0..300_u32 {
        let guess = BASE64URL_NOPAD.encode(&[n.to_be_bytes(); 8].concat());
        statuses.push(get(&site, &format!("/-/s/{guess}/")).status);
    }
    assert!(statuses.iter().all(|status| matches!(status, 404 | 429)), "{statuses:?}");
    assert!(statuses.iter().filter(|status| **status == 429).count() > 200, "most wait");
    for wrong in ["/-/s/", "/-/s", "/-/s/x", "/-/s/%00"] {
        assert!(matches!(get(&site, wrong).status, 400 | 404 | 429), "{wrong}");
    }
    assert_eq!(get(&site, &format!("{link}/")).status, 200);
    assert_eq!(site.get("alice", "/").status, 200);
    assert!(site.node.records("refuse").len() < 50, "and the log is not filled with them");
}

#[test]
fn a_shared_folder_is_had_as_an_archive_which_is_one_download() {
    let (site, share, link) = shared(NewShare { downloads: Some(1), ..of("/docs") });
    let archive = get(&site, &format!("{link}/?zip"));
    assert_eq!((archive.status, archive.field("content-type")), (200, Some("application/zip")));
    assert_eq!(archive.field("content-disposition"), Some("attachment; filename=\"docs.zip\""));
    let accounts = site.node.gate().accounts().clone();
    let counted = site.node.block_on(accounts.find_share(share.id)).unwrap();
    assert_eq!(counted.downloaded, 1);
    let part = |range: &str| site.ask("", &format!("GET {link}/?zip"), &[range], b"");
    assert_eq!(part("Range: bytes=10-").status, 206, "it goes on");
    assert_eq!(get(&site, &format!("{link}/?zip")).status, 410);
    assert_eq!(part("Range: bytes=0-").status, 410, "all of it in one stretch is another");
    // What was counted bounds what goes on.
    let fetched = archive.body.len() as u64;
    let most = 2 * fetched + 64 * 1024;
    let mut all = fetched;
    while all <= most {
        match part("Range: bytes=10-").status {
            206 => all += fetched - 10,
            410 => break,
            other => panic!("{other}"),
        }
    }
    assert!(all <= most, "{all} of {most} bytes");
}

#[test]
fn a_file_that_was_counted_opens_no_archive() {
    let (site, share, link) = shared(NewShare { downloads: Some(1), ..of("/docs") });
    assert_eq!(get(&site, &format!("{link}/plan%20b.txt")).status, 200);
    for field in [&[][..], &["Range: bytes=0-"], &["Range: bytes=10-"], &["Range: bytes=-5"]] {
        let refused = site.ask("", &format!("GET {link}/?zip"), field, b"");
        assert_eq!(refused.status, 410, "{field:?}");
    }
    let accounts = site.node.gate().accounts().clone();
    let counted = site.node.block_on(accounts.find_share(share.id)).unwrap();
    assert_eq!(counted.downloaded, 1);
}

/// Guesses of links, pipelined over one connection: nonsense, and near misses of one that there is.
fn guess(at: SocketAddr, link: &str, from: u32, count: u32) {
    const AT_ONCE: u32 = 50;
    let (_, text) = link.rsplit_once('/').unwrap();
    let right = BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
    let mut stream = connect(at);
    let mut answers = vec![0; 64 * 1024];
    for batch in 0..count.div_ceil(AT_ONCE) {
        let mut requests = String::new();
        for n in (0..AT_ONCE).map(|n| from + batch * AT_ONCE + n) {
            let mut guess = right.clone();
            match n % 4 {
                0 => guess = [n.to_be_bytes(); 8].concat(),
                // The share is right, and its hash is not.
                1 => guess[16..].copy_from_slice(&[n.to_be_bytes(); 4].concat()),
                2 => guess[usize::try_from(n / 4).unwrap() % 32] ^= 1 << (n / 128 % 8),
                _ => guess.truncate(31),
            }
            let guess = BASE64URL_NOPAD.encode(&guess);
            requests += &format!("HEAD /-/s/{guess}/ HTTP/1.1\r\nHost: localhost\r\n\r\n");
        }
        stream.write_all(requests.as_bytes()).unwrap();
        let (mut length, mut found) = (0, 0);
        while found < AT_ONCE as usize {
            let n = stream.read(&mut answers[length..]).unwrap();
            assert!(n > 0, "{}", String::from_utf8_lossy(&answers[..length]));
            length += n;
            found = answers[..length].windows(4).filter(|end| end == b"\r\n\r\n").count();
        }
        let text = str::from_utf8(&answers[..length]).unwrap();
        let refused = ["HTTP/1.1 404 ", "HTTP/1.1 429 "].map(|it| text.matches(it).count());
        assert_eq!(refused[0] + refused[1], found, "{text}");
    }
}

/// Bytes of memory that this process has.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let (_, rest) = status.split_once("VmRSS:").unwrap();
    let (kib, _) = rest.trim_start().split_once(' ').unwrap();
    kib.parse::<usize>().unwrap() * 1024
}

#[test]
#[ignore = "soak: a link guessed a million times"]
fn soak_a_link_guessed_a_million_times_is_not_found_and_open_to_who_has_it() {
    let seconds = std::env::var("SOAK_SECONDS").map_or(60, |text| text.parse().unwrap());
    let guesses: u32 = if seconds < 60 { 4_000 } else { 1_000_000 };
    let (site, share, link) = shared(of("/docs"));
    guess(site.addr(), &link, 0, 2_000);
    let before = resident();
    thread::scope(|scope| {
        let part = guesses / 4;
        let guessing: Vec<_> = (0..4)
            .map(|n| {
                let (at, link) = (site.addr(), &link);
                scope.spawn(move || guess(at, link, n * part, part))
            })
            .collect();
        let mut opened = 0;
        while opened == 0 || guessing.iter().any(|it| !it.is_finished()) {
            assert_eq!(get(&site, &format!("{link}/")).status, 200);
            assert_eq!(site.get("alice", "/").status, 200);
            opened += 1;
        }
    });
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for {guesses} guesses");
    let accounts = site.node.gate().accounts().clone();
    assert_eq!(site.node.block_on(accounts.find_share(share.id)).unwrap().downloaded, 0);
    assert!(site.node.records("refuse").len() < 1000, "and the log is not filled with them");
}
