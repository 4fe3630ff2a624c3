//! What a datagram socket is bound to.

use std::net::{IpAddr, SocketAddr};

use super::{Addr, AddrError, Endpoint};

/// The address of a datagram socket.
///
/// It is made of whatever an [`Addr`] is made of, with one difference: an IP address and a port
/// without a scheme mean `udp://` here, and `tcp://` there.
///
/// ```
/// use sockeye::addr::DatagramAddr;
///
/// let bare: std::net::SocketAddr = "127.0.0.1:7".parse()?;
/// assert_eq!(DatagramAddr::from(bare), DatagramAddr::try_from("udp://127.0.0.1:7")?);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatagramAddr(Addr);

impl From<DatagramAddr> for Addr {
    fn from(addr: DatagramAddr) -> Self {
        addr.0
    }
}

/// `udp://` at this address.
impl From<SocketAddr> for DatagramAddr {
    fn from(addr: SocketAddr) -> Self {
        Self(Addr::udp(addr))
    }
}

/// `udp://` at this address and port.
impl From<(IpAddr, u16)> for DatagramAddr {
    fn from(at: (IpAddr, u16)) -> Self {
        Self(Addr::udp(at))
    }
}

/// What makes the same [`Addr`] as everywhere.
macro_rules! as_addr {
    (always: $($always:ty),+; perhaps: $($perhaps:ty),+ $(,)?) => {
        $(impl From<$always> for DatagramAddr {
            fn from(addr: $always) -> Self {
                Self(addr.into())
            }
        })+
        $(impl TryFrom<$perhaps> for DatagramAddr {
            type Error = AddrError;

            fn try_from(text: $perhaps) -> Result<Self, AddrError> {
                text.try_into().map(Self)
            }
        })+
    };
}

as_addr!(always: Addr, &Addr, Endpoint; perhaps: &str, String, &String);
