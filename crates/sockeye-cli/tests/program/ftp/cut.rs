//! What is left of uploads that were cut: ended by the whole file over any protocol, and by the administrator.

use serde_json::Value;

use super::{
    super::{accounts::base64, running::within},
    across::{Begun, CUT, PIECE, TUS},
    client::content,
    site::Site,
};

/// How the whole file comes.
#[derive(Clone, Copy, Debug)]
enum Whole {
    Stor,
    Put,
    Tus,
    Copy,
    Move,
}

impl Whole {
    const ALL: [Self; 5] = [Self::Stor, Self::Put, Self::Tus, Self::Copy, Self::Move];

    async fn carry_out(self, site: &Site, name: &str) {
        let request = format!("PUT /{name}");
        let status = match self {
            Self::Stor => {
                let mut client = site.client().await;
                client.store(&format!("STOR {name}"), b"whole", || {}).await.unwrap();
                return client.quit().await.unwrap();
            }
            Self::Put => site.http(&request, &[], b"whole").await.status,
            Self::Tus => {
                let path = base64(format!("/{name}").as_bytes());
                let metadata = format!("Upload-Metadata: path {path}");
                let fields = [TUS, PIECE, "Upload-Length: 5", &metadata];
                site.http("POST /-/tus/", &fields, b"whole").await.status
            }
            Self::Copy | Self::Move => {
                site.http("PUT /from", &[], b"whole").await;
                let method = format!("{self:?}").to_uppercase();
                let destination = format!("Destination: /{name}");
                site.http(&format!("{method} /from"), &[&destination], b"").await.status
            }
        };
        assert_eq!(status, 201, "{self:?}");
    }
}

async fn begin(site: &Site, begun: Begun, name: &str) {
    begun.carry_out(site, name, &content(1, CUT)).await;
    within(async { while site.is_uploading().await {} }).await;
}

#[tokio::test]
async fn a_whole_file_over_any_protocol_ends_what_was_cut_over_any() {
    let site = Site::new().await;
    for begun in [Begun::Put, Begun::Stor] {
        for whole in Whole::ALL {
            let name = format!("{begun:?}-{whole:?}");
            begin(&site, begun, &name).await;
            assert_eq!(site.uploads().await.len(), 1, "{name}");
            whole.carry_out(&site, &name).await;
            assert_eq!(site.uploads().await, Vec::<Value>::new(), "{name}");
        }
    }
    // One with an address of its own stays there for as long as was promised.
    begin(&site, Begun::Tus, "addressed").await;
    Whole::Stor.carry_out(&site, "addressed").await;
    let uploads = site.uploads().await;
    let at = format!("/-/tus/home/{}", uploads[0]["id"].as_str().unwrap());
    let looked = site.http(&format!("HEAD {at}"), &[TUS], b"").await;
    assert_eq!(looked.field("upload-offset"), Some(&*CUT.to_string()));
    site.stop().await;
}

#[tokio::test]
async fn the_administrator_sees_what_was_cut_and_destroys_it() {
    let site = Site::new().await;
    begin(&site, Begun::Stor, "by ftp").await;
    begin(&site, Begun::Tus, "by tus").await;
    let shown = site.place.run(&["user", "show", "alice"]).await;
    assert!(shown.text().contains("; 2.3MiB of it in uploads that were cut\n"), "{}", shown.text());
    let json = site.place.run(&["user", "show", "alice", "--json"]).await.done();
    let json: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["space"]["cut"], 2 * CUT);

    let list = ["store", "partials", "list", "--user", "alice"];
    let listed = site.place.run(&list).await;
    let lines: Vec<_> = listed.text().lines().collect();
    assert!(
        lines[0].starts_with("ID ") && lines[0].ends_with("  SIZE        OF  PATH"),
        "{lines:?}"
    );
    assert!(lines[1].ends_with("ago    1.1MiB         -  /by ftp  by alice"), "{lines:?}");
    assert!(lines[2].ends_with("ago    1.1MiB    1.9MiB  /by tus  by alice"), "{lines:?}");
    let json = site.place.run(&[&list[..], &["--json"]].concat()).await;
    let rows: Vec<Value> =
        json.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&rows[1]["path"], &rows[1]["in_use"]), (&"/by tus".into(), &false.into()));
    assert_eq!((&rows[1]["bytes"], &rows[1]["by"]), (&CUT.into(), &"alice".into()));

    let purge = ["store", "partials", "purge", "--user", "alice"];
    let id = rows[0]["id"].as_str().unwrap();
    for (words, code, message) in [
        (&[][..], 2, "hint: name an id that `sockeye store partials list` has"),
        (&["x"], 2, "\"x\": an id has 26 letters"),
        (&["01JD7YV3W8Z6T1Q2R4S5K9X0AB"], 3, "hint: `sockeye store partials list` has"),
    ] {
        let refused = site.place.run(&[&purge[..], words].concat()).await;
        assert_eq!(refused.code, Some(code), "{words:?}");
        assert!(refused.err.contains(message), "{words:?}: {}", refused.err);
    }
    for (words, said) in [
        (&["--older-than", "1d"][..], "destroyed 0 uploads, 0B\n"),
        (&[id], "destroyed 1 upload, 1.1MiB\n"),
        (&["--all"], "destroyed 1 upload, 1.1MiB\n"),
    ] {
        let purged = site.place.run(&[&purge[..], words].concat()).await;
        assert_eq!(purged.text(), said, "{words:?}: {}", purged.err);
    }
    let place = site.stop().await;
    // Also where no node runs.
    assert_eq!(place.run(&list).await.text(), "no upload to the home of alice was cut\n");
    let log = place.run(&["log", "--op", "purge", "--json"]).await;
    let purged: Vec<Value> =
        log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(purged.len(), 3, "{purged:?}");
    assert_eq!(purged[1]["detail"], format!("upload {id} of the home of alice"));
}
