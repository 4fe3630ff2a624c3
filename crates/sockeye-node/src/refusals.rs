//! Refusals, and visitors' logins, as they come into the journal: one by one while an origin has few of them, counted while
//! it has many.
//!
//! A journal that is bounded by its size keeps what happened longer the less is written: whoever guesses passwords, or comes
//! as a visitor, all day must not be able to push out what others did. Nothing is left out: each is a record or part of a count.
//! What each was is counted by itself, so that a client which dials again and again hides no guess.

use std::{
    collections::HashMap,
    mem,
    net::IpAddr,
    time::{Duration, Instant},
};

use sockeye::Site;

/// For how long refusals are counted before that is recorded.
pub(crate) const PERIOD: Duration = Duration::from_secs(60);

/// Origins told apart in a period, of each thing that is counted; all further ones are counted together.
const ORIGINS: usize = 1024;

/// What anybody can have recorded again and again, without an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Recurring {
    /// A login that was refused.
    Login,
    /// A connection that was, before it had said anything.
    Connection,
    /// A data connection that was, or how it would have been protected.
    Data,
    /// A visitor's login.
    Visit,
}

/// What there was of these in the current period.
#[derive(Debug)]
pub(crate) struct Refusals {
    begun: Instant,
    /// By what it was.
    tallies: [Tally; Recurring::ALL.len()],
}

/// How often there was one of them.
#[derive(Debug, Default)]
struct Tally {
    origins: HashMap<Option<Site>, u64>,
    /// Of origins beyond those.
    others: u64,
}

/// What was not recorded one by one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Counted {
    /// What it was.
    pub(crate) what: Recurring,
    /// From where.
    pub(crate) from: From,
    /// How many there were.
    pub(crate) count: u64,
}

/// From where came what was counted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// This machine, by a socket that has no address.
    Local,
    /// One IPv4 address, or the IPv6 /64 of which this is the first.
    Address(IpAddr),
    /// More origins than are told apart.
    Many,
}

impl Recurring {
    const ALL: [Self; 4] = [Self::Login, Self::Connection, Self::Data, Self::Visit];

    /// How many of one origin are recorded one by one in a period. One connection too many is like the other, and clients
    /// dial again by themselves.
    const fn one_by_one(self) -> u64 {
        match self {
            Self::Login | Self::Data | Self::Visit => 20,
            Self::Connection => 1,
        }
    }

    /// What the log calls several.
    pub(crate) const fn several(self) -> &'static str {
        match self {
            Self::Login => "refused logins",
            Self::Connection => "refused connections",
            Self::Data => "refused data connections",
            Self::Visit => "logins",
        }
    }
}

impl Refusals {
    /// None yet, in a period that begins now.
    pub(crate) fn new(now: Instant) -> Self {
        Self { begun: now, tallies: Default::default() }
    }

    /// Counts one, and says whether it is to be recorded by itself.
    pub(crate) fn add(&mut self, what: Recurring, address: Option<IpAddr>) -> bool {
        let origin = address.map(Site::of);
        let Tally { origins, others } = &mut self.tallies[what as usize];
        if origins.len() == ORIGINS && !origins.contains_key(&origin) {
            *others += 1;
            return false;
        }
        let count = origins.entry(origin).or_default();
        *count += 1;
        *count <= what.one_by_one()
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
        let Self { tallies, .. } = mem::replace(self, Self::new(now));
        let all = Recurring::ALL.into_iter().zip(tallies).flat_map(|(what, tally)| {
            let each = tally.origins.into_iter().map(move |(origin, count)| Counted {
                what,
                from: origin.map_or(From::Local, |site| From::Address(site.ip())),
                count: count.saturating_sub(what.one_by_one()),
            });
            each.chain([Counted { what, from: From::Many, count: tally.others }])
        });
        all.filter(|counted| counted.count > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::{Recurring::Login, *};

    #[test]
    fn few_are_recorded_and_many_are_counted_so_that_none_is_lost() {
        let now = Instant::now();
        let mut refusals = Refusals::new(now);
        let address: IpAddr = "192.0.2.7".parse().unwrap();
        for (at, what) in Recurring::ALL.into_iter().enumerate() {
            assert_eq!(what as usize, at);
            let recorded = (0..100).filter(|_| refusals.add(what, Some(address))).count() as u64;
            assert_eq!(recorded, what.one_by_one(), "others do not count for {what:?}");
            let elsewhere = "192.0.2.8".parse().unwrap();
            assert!(refusals.add(what, Some(elsewhere)), "another is not counted with it");
        }
        assert_eq!(refusals.over(now + PERIOD / 2), []);
        let counted = |what: Recurring| {
            let count = 100 - what.one_by_one();
            Counted { what, from: From::Address(address), count }
        };
        assert_eq!(refusals.over(now + PERIOD), Recurring::ALL.map(counted));
        assert!(refusals.add(Login, Some(address)), "a new period begins");
        assert_eq!(refusals.over(now + PERIOD * 3), []);
    }

    #[test]
    fn addresses_of_one_network_count_as_one() {
        let mut refusals = Refusals::new(Instant::now());
        let recorded = (0..100_u16).filter(|&host| {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 0, 0, 0, host);
            refusals.add(Login, Some(address.into()))
        });
        assert_eq!(recorded.count() as u64, Login.one_by_one());
        let [counted] = &*refusals.end(Instant::now()) else { panic!("one origin") };
        assert_eq!(counted.from, From::Address("2001:db8:0:7::".parse().unwrap()));
    }

    #[test]
    fn more_origins_than_are_told_apart_take_no_more_memory() {
        let mut refusals = Refusals::new(Instant::now());
        for host in 0..10_000_u32 {
            refusals.add(Login, Some(std::net::Ipv4Addr::from(host).into()));
        }
        assert_eq!(refusals.tallies[Login as usize].origins.len(), ORIGINS);
        let others = Counted { what: Login, from: From::Many, count: 10_000 - ORIGINS as u64 };
        assert_eq!(refusals.end(Instant::now()), [others]);
    }
}
