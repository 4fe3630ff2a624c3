//! The program `web`.

use std::fs;

use tempfile::tempdir;

use crate::{
    example::{Server, client, places, printed},
    python::peer,
    transfers::folder_beside_a_secret,
};

#[tokio::test]
async fn python_gets_pages_and_nothing_outside_the_folder_under_every_model() {
    let (_around, folder) = folder_beside_a_secret();
    fs::write(folder.join("index.html"), "<h1>index</h1>").unwrap();
    fs::write(folder.join("inner/index.html"), "<h1>inner</h1>").unwrap();
    let servers = Server::start_all(&folder, "web", &[]).await;
    if !peer(&folder, "web", &places(&servers)).await {
        return;
    }
    for mut server in servers {
        // The head of the first request, as it came.
        assert!(server.line().await.ends_with(" asks"));
        assert_eq!(server.line().await, "    GET / HTTP/1.1");
        assert!(server.line().await.starts_with("    Host: 127.0.0.1:"));
    }
}

#[tokio::test]
async fn the_fixed_page_is_the_answer_to_everything() {
    let folder = tempdir().unwrap();
    for server in Server::start_all(folder.path(), "web", &["--fixed"]).await {
        for path in ["/", "/any/thing?at=all"] {
            let output = client(folder.path(), "web", &[&server.addr, path], b"").await;
            let answer = printed(&output);
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.ends_with("\r\n\r\nhello world"), "{answer}");
        }
    }
}
