//! The admin listener of a node that runs.

use super::{node::Place, running::get};

#[tokio::test]
async fn a_node_tells_that_it_is_well_and_what_it_did() {
    let place = Place::new();
    let listeners = ["--listen", "admin+tcp://127.0.0.1:0", "--listen", "http+tcp://127.0.0.1:0"];
    let serving = place.serve(&listeners).await;
    let admin = serving.host_port();
    assert!(get(admin, "/healthz").await.ends_with("\r\n\r\nok\n"));
    assert!(get(admin, "/readyz").await.ends_with("\r\n\r\nready\n"));
    let web = serving.ready["listeners"][1]["address"].as_str().unwrap().rsplit("//").next();
    let refused = get(web.unwrap(), "/").await;
    assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
    let metrics = get(admin, "/metrics").await;
    for line in [
        "\nsockeye_ready 1\n",
        "\nsockeye_listeners{protocol=\"admin\"} 1\n",
        "\nsockeye_listeners{protocol=\"http\"} 1\n",
        // Its own, and those before it that may not have been seen off yet.
        &format!("\nsockeye_connections{{protocol=\"admin\",listener=\"tcp://{admin}\"}} "),
        &format!(
            "\nsockeye_connections_accepted_total{{protocol=\"admin\",listener=\"tcp://{admin}\"}} 3\n"
        ),
        "\nsockeye_http_requests_total{method=\"GET\",status=\"4xx\"} 1\n",
        "\nsockeye_logins_total{outcome=\"wrong\"} 0\n",
        "\nsockeye_journal_writing 1\n",
        "\nsockeye_open_homes 0\n",
        "\n# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes ",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    serving.running.stop().await;
}
