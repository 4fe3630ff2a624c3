//! What pages load, and how they look.

use crate::{node::Served, site::Site};

/// The addresses of the site's own files that a page names.
fn loaded(page: &str) -> Vec<String> {
    let from = page.match_indices("\"/-/static/").map(|(at, _)| &page[at + 1..]);
    from.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// What a browser says of what it wants.
const BROWSER: &[&str] = &["Accept: text/html"];

#[test]
fn a_page_loads_its_style_from_where_it_is_kept_for_good() {
    let site = Served::new();
    site.put("alice", "/a", b"");
    let page = site.get("alice", "/");
    let policy = page.field("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
    assert!(!policy.contains("unsafe"), "{policy}");
    let style = loaded(&page.text()).into_iter().find(|name| name.ends_with("/style.css")).unwrap();
    for address in loaded(&page.text()) {
        // Nobody need sign in for it.
        let answer = site.get("", &address);
        assert_eq!(answer.status, 200, "{address}");
        let cache = answer.field("cache-control").unwrap();
        assert!(cache.contains("immutable"), "{cache}");
    }
    assert_eq!(site.get("", &style).field("content-type"), Some("text/css; charset=utf-8"));
    let module = style.replace("style.css", "views/trash.js");
    assert_eq!(site.get("", &module).field("content-type"), Some("text/javascript; charset=utf-8"));
}

#[test]
fn there_are_no_assets_but_those_of_this_version() {
    let site = Served::new();
    let page = site.get("alice", "/");
    let style = loaded(&page.text()).into_iter().find(|name| name.ends_with("/style.css")).unwrap();
    let version = style.split('/').nth(3).unwrap();
    for target in [
        "/-/static/",
        "/-/static/0000000000000000/style.css",
        &format!("{style}/"),
        &format!("/-/static/{version}/../style.css"),
        &format!("/-/static/{version}/views"),
        &format!("/-/static/{version}/views/"),
        &format!("/-/static/{version}/%2e%2e/mod.rs"),
    ] {
        assert_ne!(site.get("alice", target).status, 200, "{target}");
    }
    assert_eq!(site.put("alice", &style, b"").status, 405);
}

#[test]
fn a_reader_who_has_chosen_language_and_theme_gets_them() {
    let site = Served::new();
    let fields = ["Cookie: sockeye-language=zh; sockeye-theme=dark", "Accept: text/html"];
    for (target, status) in [("/", 200), ("/none", 404)] {
        let page = site.ask("alice", &format!("GET {target}"), &fields, b"");
        assert_eq!(page.status, status);
        assert!(
            page.text().contains("<html lang=\"zh-CN\" data-theme=\"dark\""),
            "{}",
            page.text()
        );
    }
}

#[test]
fn a_folder_that_is_only_shared_loads_the_same_and_keeps_its_own_files() {
    let site = Site::new();
    site.write("-/static/a.js", "a file");
    let page = site.ask("GET /", BROWSER);
    assert!(page.text().contains("data-base=\"/\"") && !page.text().contains("Sign in"));
    assert!(loaded(&page.text()).iter().any(|name| name.ends_with("/main.js")));
    assert!(!page.field("content-security-policy").unwrap().contains("unsafe"));
    for address in loaded(&page.text()) {
        let answer = site.get(&address);
        assert_eq!(answer.status, 200, "{address}");
        assert_eq!(site.get(&format!("{address}x")).status, 404);
    }
    assert_eq!(site.get("/-/static/a.js").text(), "a file");
    assert_eq!(site.get("/-/api/v1/me").status, 404);
}

#[test]
fn without_script_one_folder_has_all_its_entries_and_an_archive() {
    let site = Site::new();
    for n in 0..400 {
        site.write(&format!("file-{n}"), "x");
    }
    let page = site.ask("GET /", BROWSER).text();
    assert!(page.contains("<a href=\"?all\">") && page.contains("name=\"zip\""));
    for (target, fields) in [("/?all", BROWSER), ("/", &[])] {
        let all = site.ask(&format!("GET {target}"), fields).text();
        assert_eq!(all.matches("<tr data-size").count(), 400);
        assert!(!all.contains("<script"));
    }
    assert_eq!(site.get("/?zip=").field("content-type"), Some("application/zip"));
}

#[test]
fn pages_that_a_module_fills_are_for_who_has_an_account() {
    let site = Served::new();
    for target in ["/-/account", "/-/trash", "/-/shares", "/-/admin", "/-/admin/log"] {
        let page = site.get("root", target);
        assert_eq!(page.status, 200, "{target}");
        assert!(loaded(&page.text()).iter().any(|name| name.ends_with("/main.js")));
        assert_eq!(page.field("cache-control"), Some("no-store"));
        assert_eq!(site.get("", target).status, 401, "{target}");
        let browser = site.ask("", &format!("GET {target}"), &["Accept: text/html"], b"");
        assert_eq!(browser.status, 303, "{target}");
        assert!(browser.field("location").unwrap().starts_with("/-/login?next="));
    }
    assert_eq!(site.get("alice", "/-/trash").status, 200);
    assert_eq!(site.get("alice", "/-/admin").status, 403);
    assert_eq!(site.get("alice", "/-/trash/x").status, 404);
}
