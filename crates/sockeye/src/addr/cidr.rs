//! Blocks of IP addresses, RFC 4632 §3.1 and RFC 4291 §2.3.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use super::{
    error::{AddrError, AddrErrorKind, quoted},
    part::Part,
};

/// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address alone.
///
/// An IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`), which is how a dual-stack
/// listener sees IPv4 peers, counts as the IPv4 address that it is; so `::/0` is every
/// IPv6 address and no IPv4 one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cidr {
    network: IpAddr,
    prefix: u8,
}

const MAPPED_BITS: u8 = 96;

impl Cidr {
    /// The block of the addresses that begin with the first `prefix` bits of `ip`; later
    /// bits of `ip` are dropped. `None` if the prefix is longer than the address.
    #[must_use]
    pub fn new(ip: IpAddr, prefix: u8) -> Option<Self> {
        let (ip, prefix) = match ip.to_canonical() {
            IpAddr::V4(v4) if ip.is_ipv6() && prefix >= MAPPED_BITS => {
                (IpAddr::V4(v4), prefix - MAPPED_BITS)
            }
            _ => (ip, prefix),
        };
        let network = match ip {
            IpAddr::V4(v4) if prefix <= 32 => {
                Ipv4Addr::from_bits(v4.to_bits() & mask4(prefix)).into()
            }
            IpAddr::V6(v6) if prefix <= 128 => {
                Ipv6Addr::from_bits(v6.to_bits() & mask6(prefix)).into()
            }
            _ => return None,
        };
        Some(Self { network, prefix })
    }

    /// Whether the address lies in the block.
    #[must_use]
    pub fn contains(&self, ip: IpAddr) -> bool {
        match (self.network, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => ip.to_bits() & mask4(self.prefix) == net.to_bits(),
            (IpAddr::V6(net), IpAddr::V6(ip)) => ip.to_bits() & mask6(self.prefix) == net.to_bits(),
            _ => false,
        }
    }

    /// The first address of the block.
    #[must_use]
    pub fn network(&self) -> IpAddr {
        self.network
    }

    /// The number of leading bits that the block's addresses share.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }
}

fn mask4(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

fn mask6(prefix: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

impl From<IpAddr> for Cidr {
    /// The block of this one address.
    fn from(ip: IpAddr) -> Self {
        let network = ip.to_canonical();
        Self { network, prefix: if network.is_ipv4() { 32 } else { 128 } }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.network, self.prefix) {
            (IpAddr::V4(_), 32) | (IpAddr::V6(_), 128) => write!(f, "{}", self.network),
            _ => write!(f, "{}/{}", self.network, self.prefix),
        }
    }
}

impl FromStr for Cidr {
    type Err = AddrError;

    /// Reads `ADDRESS/PREFIX` or `ADDRESS`; bits after the prefix must be zero, as a block
    /// that is not what it looks like is dangerous where it says whom to trust.
    fn from_str(text: &str) -> Result<Self, AddrError> {
        parse(text).map_err(|(message, remedy)| {
            Part::whole(text).fault(AddrErrorKind::OptionValue, message, remedy).in_input(text)
        })
    }
}

/// The error is what is wrong and the way out.
pub(super) fn parse(text: &str) -> Result<Cidr, (String, String)> {
    let wrong = |why: &str| {
        let remedy = "write it as 10.0.0.0/8, 2001:db8::/32 or one address";
        (format!("{} is not a block of addresses{why}", quoted(text)), remedy.to_owned())
    };
    let (ip, prefix) = match text.split_once('/') {
        Some((ip, prefix)) => (ip, Some(prefix)),
        None => (text, None),
    };
    let ip: IpAddr = ip.parse().map_err(|_| wrong(""))?;
    let Some(prefix) = prefix else { return Ok(Cidr::from(ip)) };
    if prefix.is_empty() || !prefix.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong(": the prefix is no number"));
    }
    let block = prefix
        .parse()
        .ok()
        .and_then(|prefix| Cidr::new(ip, prefix))
        .ok_or_else(|| wrong(": the prefix is too long"))?;
    if block.network != ip.to_canonical() {
        let message = format!("{} has bits set after its prefix", quoted(text));
        return Err((message, format!("write {block}, or {ip} for that one address")));
    }
    Ok(block)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(text: &str) -> Cidr {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_block_contains_its_addresses_and_no_others() {
        let cases = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "::10.1.2.3", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
            ("2001:db8::/32", "2001:db8:ffff::1", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("::/0", "::1", true),
            ("::/0", "::ffff:10.1.2.3", false),
            ("::ffff:10.0.0.0/104", "10.9.9.9", true),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
        ];
        for (block_, address, expected) in cases {
            assert_eq!(block(block_).contains(ip(address)), expected, "{block_} {address}");
        }
    }

    #[test]
    fn a_block_that_is_none_is_refused_with_the_right_form() {
        let wrong = [
            ("", "not a block"),
            ("10.0.0.0/", "prefix is no number"),
            ("10.0.0.0/+8", "prefix is no number"),
            ("10.0.0.0/33", "prefix is too long"),
            ("::/129", "prefix is too long"),
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("2001:db8::1/32", "write 2001:db8::/32"),
            ("example.org", "not a block"),
        ];
        for (text, expected) in wrong {
            let message = text.parse::<Cidr>().unwrap_err().to_string();
            assert!(message.contains(expected), "{text}: {message}");
        }
    }

    proptest! {
        #[test]
        fn a_printed_block_is_read_back_and_holds_its_first_address(ip: IpAddr, prefix in 0u8..=128) {
            if let Some(block) = Cidr::new(ip, prefix) {
                prop_assert_eq!(block.to_string().parse::<Cidr>().unwrap(), block);
                prop_assert!(block.contains(block.network()));
            }
        }
    }
}
