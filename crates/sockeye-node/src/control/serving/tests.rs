//! What a node that serves obeys while it reloads.

use sockeye_testkit::soon;

use super::*;
use crate::{
    data::{DataFolder, Hold},
    listeners::tests::PROTOCOLS,
};

#[tokio::test]
async fn a_node_that_waits_for_a_reload_ends_when_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    let folder = DataFolder::new(dir.path().join("data"));
    let _hold = Hold::take_or_create(&folder).unwrap();
    let text = "listen = \"http+tcp://127.0.0.1:0\"\n".to_owned();
    let sources = Sources { file: Some((folder.config(), text)), ..Sources::default() };
    let config = Config::load(&sources, PROTOCOLS).unwrap();
    let bound = vec![Bound::open(&config.settings.listen[0], PROTOCOLS).unwrap()];
    let node = Node::open(&folder, config).await.unwrap();
    let setup = Setup {
        bound,
        certificate: None,
        names: |_| Vec::new(),
        sources,
        protocols: PROTOCOLS,
        limits: Limits::default(),
        notifier: Notifier::silent(),
        watchdog: None,
    };
    let serving = Serving::start(Arc::clone(&node), setup).unwrap();
    // As one does that waits for a name to be resolved.
    let under_way = serving.reloading.lock().await;
    let begun = || {
        assert!(serving.obey(Order::Reload).is_continue());
        serving.finish();
    };
    soon(serving.run(begun)).await.unwrap();
    drop(under_way);
    let late = serving.reload_and_tell(&Commander::Server).await;
    assert!(matches!(late, Err(ReloadError::Ending)), "{late:?}");
    node.close().await.unwrap();
}
