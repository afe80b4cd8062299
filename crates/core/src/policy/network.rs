//! Where a login comes from, and the networks that a rule speaks of. Addresses only: a name is what somebody's DNS says.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

use crate::messages;

/// Where a login comes from, as the application says (`PAM_RHOST`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// From this host: the application names no source.
    Here,
    /// From an address. An IPv4 address that is written as an IPv6 one counts as what it is.
    Address(IpAddr),
    /// From something that is not an address.
    Name,
}

/// A network in CIDR notation, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl Source {
    /// Reads `PAM_RHOST`.
    #[must_use]
    pub fn from_rhost(rhost: Option<&str>) -> Self {
        match rhost {
            None | Some("") => Self::Here,
            Some(text) => address(text).map_or(Self::Name, Self::Address),
        }
    }

    /// The network that remembers a login, and by which wrong answers are spaced: the address itself in IPv4, its /64 in
    /// IPv6, where one host has many.
    #[must_use]
    pub fn neighbourhood(&self) -> Option<Network> {
        let Self::Address(address) = self else {
            return None;
        };
        let bits = if address.is_ipv4() { 32 } else { 64 };
        IpNet::new(*address, bits).ok().map(|net| Network(net.trunc()))
    }
}

/// An address as getnameinfo(3) writes it, which puts the interface behind a link-local one and behind no other.
fn address(text: &str) -> Option<IpAddr> {
    let (plain, zone) = text.split_once('%').map_or((text, None), |(plain, zone)| (plain, Some(zone)));
    let address: IpAddr = plain.parse().ok()?;
    let link_local = matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
    let sound = zone.is_none_or(|zone| link_local && !zone.is_empty());
    sound.then(|| address.to_canonical())
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address.
    ///
    /// # Errors
    /// What a network must be.
    pub fn parse(text: &str) -> Result<Self, String> {
        let net = match text.parse::<IpNet>() {
            Ok(net) => net,
            Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| messages::not_a_network(text))?),
        };
        if net.trunc() != net {
            return Err(messages::address_in_network(text, &net.trunc()));
        }
        Ok(Self(canonical(net)))
    }

    /// Whether the address is of the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether all of `other` is in this network.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }
}

/// `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
fn canonical(net: IpNet) -> IpNet {
    match (net.addr().to_canonical(), net.prefix_len().checked_sub(96)) {
        (IpAddr::V4(address), Some(bits)) if matches!(net, IpNet::V6(_)) => {
            Ipv4Net::new(address, bits).map_or(net, IpNet::V4)
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => net,
    }
}

impl std::fmt::Display for Network {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(network: &str, rhost: &str) -> bool {
        match Source::from_rhost(Some(rhost)) {
            Source::Address(address) => Network::parse(network).unwrap().contains(address),
            Source::Here | Source::Name => false,
        }
    }

    #[test]
    fn an_address_is_in_its_network_however_it_is_written() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.1.2.3"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("fd00::/8", "fd12:3456::1", "fe80::1"),
            ("fe80::/10", "fe80::1%eth0", "fd00::1"),
            ("0.0.0.0/0", "255.255.255.255", "::1"),
            ("::/0", "2001:db8::1", "10.0.0.1"),
            ("2001:db8::/32", "2001:DB8:0:0::1", "2001:db9::"),
        ] {
            assert!(is_in(network, inside), "{inside} in {network}");
            assert!(!is_in(network, outside), "{outside} in {network}");
        }
    }

    #[test]
    fn what_is_no_address_is_a_name_and_in_no_network() {
        for rhost in [
            "localhost",
            "10.0.0.1.example.com",
            "10.0.0",
            "010.0.0.1",
            "0x0a.0.0.1",
            "167772161",
            "10.0.0.1 ",
            " 10.0.0.1",
            "10.0.0.1%eth0",
            "::ffff:10.0.0.1%eth0",
            "fd00::1%eth0",
            "fe80::1%",
            "[::1]",
            "10.0.0.1:22",
            "١٠.0.0.1",
            "10.0.0.1\n",
            "10.0.0.0/8",
            "UNKNOWN",
        ] {
            assert_eq!(Source::from_rhost(Some(rhost)), Source::Name, "{rhost:?}");
        }
        assert_eq!(Source::from_rhost(None), Source::Here);
        assert_eq!(Source::from_rhost(Some("")), Source::Here);
    }

    #[test]
    fn a_network_that_is_none_is_refused() {
        for (text, told) in [
            ("10.0.0.5/8", "`10.0.0.5/8` has bits set after its prefix; the network is 10.0.0.0/8"),
            ("10.0.0.0/33", "`10.0.0.0/33` is neither"),
            ("example.com", "`example.com` is neither"),
            ("fe80::1%eth0", "`fe80::1%eth0` is neither"),
            ("", "`` is neither"),
        ] {
            assert!(Network::parse(text).unwrap_err().starts_with(told), "{text}");
        }
    }

    #[test]
    fn neighbours_are_one_address_or_a_64() {
        let of = |rhost| Source::from_rhost(Some(rhost)).neighbourhood().map(|net| net.to_string());
        assert_eq!(of("192.0.2.7"), Some("192.0.2.7/32".into()));
        assert_eq!(of("::ffff:192.0.2.7"), Some("192.0.2.7/32".into()));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), Some("2001:db8:1:2::/64".into()));
        assert_eq!(of("host"), None);
    }
}
