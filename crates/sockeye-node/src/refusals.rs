//! Refused logins as they come into the journal: one by one while an origin has few of them, counted while it has many.
//!
//! A journal that is bounded by its size keeps what happened longer the less is written: whoever guesses passwords
//! all day must not be able to push out what others did. Nothing is left out: each refusal is a record or part of a count.

use std::{
    collections::HashMap,
    mem,
    net::IpAddr,
    time::{Duration, Instant},
};

use sockeye::Site;

/// For how long refusals are counted before that is recorded.
pub(crate) const PERIOD: Duration = Duration::from_secs(60);

/// Refusals of one origin in a period that are recorded one by one.
const ONE_BY_ONE: u64 = 20;

/// Origins told apart in a period; refusals of all further ones are counted together.
const ORIGINS: usize = 1024;

/// The refusals of the current period.
#[derive(Debug)]
pub(crate) struct Refusals {
    begun: Instant,
    origins: HashMap<Option<Site>, u64>,
    /// Of origins beyond those.
    others: u64,
}

/// Refusals that were not recorded one by one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// From where.
    pub(crate) from: From,
    /// How many there were.
    pub(crate) count: u64,
}

/// From where counted refusals came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// This machine, by a socket that has no address.
    Local,
    /// One IPv4 address, or the IPv6 /64 of which this is the first.
    Address(IpAddr),
    /// More origins than are told apart.
    Many,
}

impl Refusals {
    /// None yet, in a period that begins now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { begun: now, origins: HashMap::new(), others: 0 }
    }

    /// Counts a refusal, and says whether it is to be recorded by itself.
    pub(crate) fn add(&mut self, address: Option<IpAddr>) -> bool {
        let origin = address.map(Site::of);
        if self.origins.len() == ORIGINS && !self.origins.contains_key(&origin) {
            self.others += 1;
            return false;
        }
        let count = self.origins.entry(origin).or_default();
        *count += 1;
        *count <= ONE_BY_ONE
    }

    /// What was only counted in the period that is over, if one is; a new one then begins.
    pub(crate) fn over(&mut self, now: Instant) -> Vec<Counted> {
        if now.saturating_duration_since(self.begun) < PERIOD {
            return Vec::new();
        }
        self.end(now)
    }

    /// Ends the period whether it is over or not.
    pub(crate) fn end(&mut self, now: Instant) -> Vec<Counted> {
        let Self { origins, others, .. } = mem::replace(self, Self::new(now));
        let each = origins.into_iter().map(|(origin, count)| Counted {
            from: origin.map_or(From::Local, |site| From::Address(site.ip())),
            count: count.saturating_sub(ONE_BY_ONE),
        });
        each.chain([Counted { from: From::Many, count: others }])
            .filter(|counted| counted.count > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn few_are_recorded_and_many_are_counted_so_that_none_is_lost() {
        let now = Instant::now();
        let mut refusals = Refusals::new(now);
        let address: IpAddr = "192.0.2.7".parse().unwrap();
        let recorded = (0..100).filter(|_| refusals.add(Some(address))).count() as u64;
        assert_eq!(recorded, ONE_BY_ONE);
        assert!(refusals.add(Some("192.0.2.8".parse().unwrap())), "another is not counted with it");
        assert_eq!(refusals.over(now + PERIOD / 2), []);
        let counted = Counted { from: From::Address(address), count: 80 };
        assert_eq!(refusals.over(now + PERIOD), [counted]);
        assert!(refusals.add(Some(address)), "a new period begins");
        assert_eq!(refusals.over(now + PERIOD * 3), []);
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let mut refusals = Refusals::new(Instant::now());
        let recorded = (0..100_u16).filter(|&host| {
            refusals.add(Some(Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, host).into()))
        });
        assert_eq!(recorded.count() as u64, ONE_BY_ONE);
        let [counted] = &*refusals.end(Instant::now()) else { panic!("one origin") };
        assert_eq!(counted.from, From::Address("2001:db8:0:7::".parse().unwrap()));
    }

    #[test]
    fn more_origins_than_are_told_apart_take_no_more_memory() {
        let mut refusals = Refusals::new(Instant::now());
        for host in 0..10_000_u32 {
            refusals.add(Some(std::net::Ipv4Addr::from(host).into()));
        }
        assert_eq!(refusals.origins.len(), ORIGINS);
        let others = Counted { from: From::Many, count: 10_000 - ORIGINS as u64 };
        assert_eq!(refusals.end(Instant::now()), [others]);
    }
}
