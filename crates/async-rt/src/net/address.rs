//! Where to connect to or listen on.

use crate::blocking::spawn_blocking_on;
use crate::runtime::Core;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, ToSocketAddrs};
use std::sync::Arc;

/// Where to connect to or listen on: an IP address and a port, or a name and a port.
///
/// Made from a `SocketAddr`, from a pair such as `("localhost", 80)` or `([127, 0, 0, 1], 80)`, or from text such as
/// `"localhost:80"`. A name is looked up on a blocking thread, when it is used; an IP address, be it written as text,
/// needs none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    target: Target,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Known(SocketAddr),
    /// `name:port`.
    Named(Box<str>),
}

impl Address {
    /// The socket addresses that it stands for, at least one.
    pub(super) async fn resolve(self, core: &Arc<Core>) -> io::Result<Vec<SocketAddr>> {
        let name = match self.target {
            Target::Known(address) => return Ok(vec![address]),
            Target::Named(name) => name,
        };
        let looked_up = spawn_blocking_on(core, move || {
            let found: Vec<_> = name
                .to_socket_addrs()
                .map_err(|why| io::Error::new(why.kind(), format!("cannot look up \"{name}\": {why}")))?
                .collect();
            if found.is_empty() {
                let why = format!("\"{name}\" has no address");
                return Err(io::Error::new(io::ErrorKind::NotFound, why));
            }
            Ok(found)
        });
        looked_up.await.map_err(io::Error::other)?
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Known(address) => address.fmt(f),
            Target::Named(name) => f.pad(name),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Address { target: Target::Known(address) }
    }
}

impl From<SocketAddrV4> for Address {
    fn from(address: SocketAddrV4) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<SocketAddrV6> for Address {
    fn from(address: SocketAddrV6) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<(IpAddr, u16)> for Address {
    fn from(address: (IpAddr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<(Ipv4Addr, u16)> for Address {
    fn from(address: (Ipv4Addr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<(Ipv6Addr, u16)> for Address {
    fn from(address: (Ipv6Addr, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<([u8; 4], u16)> for Address {
    fn from(address: ([u8; 4], u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

impl From<(&str, u16)> for Address {
    fn from((name, port): (&str, u16)) -> Self {
        match name.parse::<IpAddr>() {
            Ok(ip) => (ip, port).into(),
            Err(_) => Address { target: Target::Named(format!("{name}:{port}").into()) },
        }
    }
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        match text.parse() {
            Ok(address) => Address { target: Target::Known(address) },
            Err(_) => Address { target: Target::Named(text.into()) },
        }
    }
}

impl From<String> for Address {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<&String> for Address {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}
