//! Hosts become socket addresses, the same way blocking and not.

use std::{
    net::{SocketAddr, SocketAddrV6},
    time::Duration,
};

use super::read;

/// Both ways of resolving, which must agree.
fn resolve(text: &str) -> std::io::Result<Vec<SocketAddr>> {
    let addr = read(text);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let found = runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(30), addr.resolve_async()).await.unwrap()
    });
    let blocking = addr.resolve();
    assert_eq!(found.as_ref().ok(), blocking.as_ref().ok());
    found
}

#[test]
fn localhost_is_all_the_loopback_addresses_that_the_system_has() {
    let mut expected = vec!["127.0.0.1:80".parse::<SocketAddr>().unwrap()];
    if std::net::TcpListener::bind("[::1]:0").is_ok() {
        expected.push("[::1]:80".parse().unwrap());
    }
    for text in ["tcp://localhost:80", "udp://LocalHost:80", "tcp://localhost.:80"] {
        assert_eq!(resolve(text).unwrap(), expected, "{text}");
    }
}

#[test]
fn literal_addresses_resolve_to_themselves() {
    assert_eq!(resolve("tcp://192.0.2.1:7").unwrap(), ["192.0.2.1:7".parse().unwrap()]);
    assert_eq!(resolve("udp://[2001:db8::1]:7").unwrap(), ["[2001:db8::1]:7".parse().unwrap()]);
    assert_eq!(resolve("icmp://192.0.2.1").unwrap(), ["192.0.2.1:0".parse().unwrap()]);
}

#[test]
fn a_scope_becomes_the_index_of_its_interface() {
    let lo: u32 =
        std::fs::read_to_string("/sys/class/net/lo/ifindex").unwrap().trim().parse().unwrap();
    let expected = [SocketAddr::from(SocketAddrV6::new("fe80::1".parse().unwrap(), 7, 0, lo))];
    assert_eq!(resolve("tcp://[fe80::1%lo]:7").unwrap(), expected);
    assert_eq!(resolve(&format!("tcp://[fe80::1%{lo}]:7")).unwrap(), expected);
    assert_eq!(resolve("tcp://[fe80::1]:7?interface=lo").unwrap(), expected);

    let error = resolve("tcp://[fe80::1]:7").unwrap_err().to_string();
    assert!(error.contains("write [fe80::1%eth0] or ?interface=eth0"), "{error}");
    for scope in ["nosuchone", "4000000000"] {
        let error = resolve(&format!("tcp://[fe80::1%{scope}]:7")).unwrap_err().to_string();
        assert!(error.contains(&format!("no network interface `{scope}`")), "{error}");
    }
}

#[test]
fn what_cannot_be_resolved_is_named() {
    // RFC 6761 §6.4: this name never exists, and no resolver asks for it.
    let error = resolve("tcp://no-such-host.invalid:80").unwrap_err().to_string();
    assert!(error.starts_with("cannot resolve `no-such-host.invalid` ("), "{error}");
    assert!(error.ends_with("check the name and the network, or write an IP address"), "{error}");
    let error = resolve("unix:///run/x").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    assert!(error.to_string().contains("unix:///run/x has no host"), "{error}");
}
