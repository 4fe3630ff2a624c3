//! How the value of each kind of option is written, read and printed.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use super::{
    SocketOptions, cidr,
    error::quoted,
    host::is_interface,
    options::{Linger, MulticastGroup},
};
use crate::quantity::{format_duration, format_size, parse_duration, parse_size};

/// Where in [`SocketOptions`] a value is kept.
pub(super) struct Slot<T: 'static> {
    pub(super) get: fn(&SocketOptions) -> &T,
    pub(super) get_mut: fn(&mut SocketOptions) -> &mut T,
}

/// The notation of an option's value, and its slot.
pub(super) enum Field {
    Flag(Slot<Option<bool>>),
    Byte(Slot<Option<u8>>, RangeInclusive<u8>),
    Count(Slot<Option<u32>>, RangeInclusive<u32>),
    Size(Slot<Option<u32>>),
    /// Whole seconds in this range.
    Seconds(Slot<Option<Duration>>, RangeInclusive<u64>),
    /// A flag, or how long a connection is silent before it is probed.
    KeepAlive,
    Linger,
    Mode,
    Interface(Slot<Option<String>>),
    Groups,
    Networks,
    /// The protocol of `ip://`, which is kept in the endpoint.
    Protocol,
}

/// Why a value was not stored.
pub(super) enum Refusal {
    /// It stands twice.
    Duplicate,
    /// It is not of the notation.
    Value { message: String, remedy: String },
}

type Outcome<T> = Result<T, Refusal>;

/// The range of `TCP_KEEPIDLE` and `TCP_KEEPINTVL` (`MAX_TCP_KEEPIDLE`), in seconds.
pub(super) const KEEPALIVE_SECONDS: RangeInclusive<u64> = 1..=32_767;

const LINGER_SECONDS: RangeInclusive<u64> = 0..=65_535;
const MAX_MODE: u32 = 0o777;

impl Field {
    /// The notation, as it stands in the documentation.
    pub(super) fn notation(&self) -> &'static str {
        match self {
            Self::Flag(_) => "`1` or `0`",
            Self::Byte(..) | Self::Count(..) => "number",
            Self::Size(_) => "size",
            Self::Seconds(..) => "time",
            Self::KeepAlive => "`1`, `0` or time",
            Self::Linger => "time or `off`",
            Self::Mode => "octal",
            Self::Interface(_) => "interface",
            Self::Groups => "group or group`%`interface",
            Self::Networks => "blocks of addresses",
            Self::Protocol => "number or name",
        }
    }

    /// Whether the option may stand more than once.
    pub(super) fn is_list(&self) -> bool {
        matches!(self, Self::Groups | Self::Networks)
    }

    /// Whether a value is set.
    pub(super) fn is_set(&self, options: &SocketOptions) -> bool {
        !self.print(options).is_empty()
    }

    /// Reads `text` into its slot. [`Field::Protocol`] has none and is never asked.
    pub(super) fn store(&self, options: &mut SocketOptions, text: Option<&str>) -> Outcome<()> {
        // A flag alone is on; everything else needs its value.
        let text = match (text, self) {
            (Some(text), _) => text,
            (None, Self::Flag(_) | Self::KeepAlive) => "1",
            (None, _) => "",
        };
        match self {
            Self::Flag(slot) => put((slot.get_mut)(options), flag(text)?),
            Self::Byte(slot, range) => {
                let number = number(text, u32::from(*range.start())..=u32::from(*range.end()))?;
                put((slot.get_mut)(options), u8::try_from(number).unwrap_or(u8::MAX))
            }
            Self::Count(slot, range) => put((slot.get_mut)(options), number(text, range.clone())?),
            Self::Size(slot) => put((slot.get_mut)(options), size(text)?),
            Self::Seconds(slot, range) => put((slot.get_mut)(options), time(text, range)?),
            Self::KeepAlive => keepalive(options, text),
            Self::Linger => put(&mut options.linger, linger(text)?),
            Self::Mode => put(&mut options.mode, mode(text)?),
            Self::Interface(slot) => put((slot.get_mut)(options), interface(text)?),
            Self::Groups => add(&mut options.multicast_join, group(text)?),
            Self::Networks => text.split(',').try_for_each(|text| {
                let block = cidr::parse(text)
                    .map_err(|(message, remedy)| Refusal::Value { message, remedy })?;
                add(&mut options.trust, block)
            }),
            Self::Protocol => Ok(()),
        }
    }

    /// Unsets what storing `instead` would set. A list and [`Field::Protocol`] stay.
    pub(super) fn clear(&self, options: &mut SocketOptions, instead: &str) {
        match self {
            Self::Flag(slot) => *(slot.get_mut)(options) = None,
            Self::Byte(slot, _) => *(slot.get_mut)(options) = None,
            Self::Count(slot, _) | Self::Size(slot) => *(slot.get_mut)(options) = None,
            Self::Seconds(slot, _) => *(slot.get_mut)(options) = None,
            Self::KeepAlive => {
                options.keepalive = None;
                if flag(instead).is_err() {
                    options.keepalive_idle = None;
                }
            }
            Self::Linger => options.linger = None,
            Self::Mode => options.mode = None,
            Self::Interface(slot) => *(slot.get_mut)(options) = None,
            Self::Groups | Self::Networks | Self::Protocol => {}
        }
    }

    /// The values that [`store`](Self::store) reads back; none if nothing is set.
    pub(super) fn print(&self, options: &SocketOptions) -> Vec<String> {
        let bit = |on: bool| if on { "1" } else { "0" }.to_owned();
        let time = |duration: Duration| format_duration(duration).to_string();
        let one = match self {
            Self::Flag(slot) => (slot.get)(options).map(bit),
            Self::Byte(slot, _) => (slot.get)(options).map(|n| n.to_string()),
            Self::Count(slot, _) => (slot.get)(options).map(|n| n.to_string()),
            Self::Size(slot) => (slot.get)(options).map(|n| format_size(n.into()).to_string()),
            Self::Seconds(slot, _) => (slot.get)(options).map(time),
            Self::KeepAlive => options.keepalive.map(bit),
            Self::Linger => options.linger.map(|linger| match linger {
                Linger::Off => "off".to_owned(),
                Linger::For(duration) => time(duration),
            }),
            Self::Mode => options.mode.map(|mode| format!("{mode:04o}")),
            Self::Interface(slot) => (slot.get)(options).clone(),
            Self::Groups => {
                return options.multicast_join.iter().map(ToString::to_string).collect();
            }
            Self::Networks => {
                let blocks: Vec<_> = options.trust.iter().map(ToString::to_string).collect();
                (!blocks.is_empty()).then(|| blocks.join(","))
            }
            Self::Protocol => None,
        };
        one.into_iter().collect()
    }
}

fn put<T>(slot: &mut Option<T>, value: T) -> Outcome<()> {
    match slot {
        Some(_) => Err(Refusal::Duplicate),
        None => {
            *slot = Some(value);
            Ok(())
        }
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, value: T) -> Outcome<()> {
    if list.contains(&value) {
        return Err(Refusal::Duplicate);
    }
    if list.len() >= SocketOptions::MAX_LIST {
        return Err(Refusal::Value {
            message: "too many values".to_owned(),
            remedy: format!("at most {} are possible", SocketOptions::MAX_LIST),
        });
    }
    list.push(value);
    Ok(())
}

fn wrong<T>(text: &str, what: &str, remedy: impl Into<String>) -> Outcome<T> {
    let message = match text {
        "" => "the value is missing".to_owned(),
        _ => format!("{} is {what}", quoted(text)),
    };
    Err(Refusal::Value { message, remedy: remedy.into() })
}

fn flag(text: &str) -> Outcome<bool> {
    match text {
        "1" | "on" | "true" | "yes" => Ok(true),
        "0" | "off" | "false" | "no" => Ok(false),
        _ => wrong(text, "neither on nor off", "write 1 or 0"),
    }
}

pub(super) fn number(text: &str, range: RangeInclusive<u32>) -> Outcome<u32> {
    let remedy = || format!("write a number from {} to {}", range.start(), range.end());
    let (digits, radix) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return wrong(text, "not a number", remedy());
    }
    match u32::from_str_radix(digits, radix) {
        Ok(number) if range.contains(&number) => Ok(number),
        _ => wrong(text, "out of range", remedy()),
    }
}

/// The kernel keeps buffer sizes in an `int` and doubles them.
const MAX_BUFFER: u32 = i32::MAX.unsigned_abs() / 2;

fn size(text: &str) -> Outcome<u32> {
    match parse_size(text) {
        Ok(bytes) => match u32::try_from(bytes) {
            Ok(bytes) if (1..=MAX_BUFFER).contains(&bytes) => Ok(bytes),
            _ => wrong(text, "out of range", "write a size from 1B to 1023MiB"),
        },
        Err(_) if text.is_empty() => wrong(text, "", "write a size as 64KiB or 1MiB"),
        Err(error) => Err(from_quantity(&error)),
    }
}

fn time(text: &str, range: &RangeInclusive<u64>) -> Outcome<Duration> {
    if text.is_empty() {
        return wrong(text, "", "write a time as 30s");
    }
    let duration = parse_duration(text).map_err(|error| from_quantity(&error))?;
    if duration.subsec_nanos() != 0 {
        return wrong(text, "not a whole number of seconds", "the system counts in seconds here");
    }
    if !range.contains(&duration.as_secs()) {
        let remedy = format!("write a time from {}s to {}s", range.start(), range.end());
        return wrong(text, "out of range", remedy);
    }
    Ok(duration)
}

/// A message of `quantity` holds what is wrong and, behind its last colon, the way out.
fn from_quantity(error: &crate::quantity::QuantityError) -> Refusal {
    let text = error.to_string();
    let (message, remedy) = text.rsplit_once(": ").unwrap_or((&text, "write a smaller one"));
    Refusal::Value { message: message.to_owned(), remedy: remedy.to_owned() }
}

fn keepalive(options: &mut SocketOptions, text: &str) -> Outcome<()> {
    if let Ok(on) = flag(text) {
        return put(&mut options.keepalive, on);
    }
    if text.is_empty() {
        return wrong(text, "", "write 1, 0 or a time as 30s");
    }
    let idle = time(text, &KEEPALIVE_SECONDS)?;
    put(&mut options.keepalive, true)?;
    put(&mut options.keepalive_idle, idle)
}

fn linger(text: &str) -> Outcome<Linger> {
    match text {
        "off" => Ok(Linger::Off),
        "" => wrong(text, "", "write off or a time as 5s"),
        _ => time(text, &LINGER_SECONDS).map(Linger::For),
    }
}

fn mode(text: &str) -> Outcome<u32> {
    let octal = text.bytes().all(|b| b.is_ascii_digit());
    match u32::from_str_radix(text, 8) {
        Ok(mode) if octal && mode <= MAX_MODE => Ok(mode),
        _ => wrong(text, "no file mode", "write permission bits in octal, as 0660"),
    }
}

fn interface(text: &str) -> Outcome<String> {
    if is_interface(text) {
        return Ok(text.to_owned());
    }
    wrong(text, "no name of an interface", "write it as eth0")
}

fn group(text: &str) -> Outcome<MulticastGroup> {
    let (address, interface) = match text.split_once('%') {
        Some((address, interface)) => (address, Some(interface)),
        None => (text, None),
    };
    let group = address.parse::<IpAddr>().ok().and_then(MulticastGroup::new);
    let group = match interface {
        Some(interface) => group.and_then(|group| group.on(interface)),
        None => group,
    };
    match group {
        Some(group) => Ok(group),
        None => wrong(text, "no multicast group", "write it as 239.1.2.3 or ff02::fb%eth0"),
    }
}
