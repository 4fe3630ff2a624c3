// Sizes, times and rates for people.

import { language, t } from './i18n.js';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];

/// A size in the binary unit that leaves one to four digits, such as `1.5 MiB`.
export function size(bytes) {
    if (bytes === null || bytes === undefined) return '';
    let power = 0;
    let value = bytes;
    while (value >= 1024 && power < UNITS.length - 1) {
        value /= 1024;
        power += 1;
    }
    const digits = power > 0 && value < 10 ? 1 : 0;
    return `${number(Math.floor(value * 10 ** digits) / 10 ** digits, digits)}\u00a0${UNITS[power]}`;
}

/// A number with the language's separators.
export function number(value, digits = 0) {
    return formatter('number', digits, () => new Intl.NumberFormat(language(), {
        minimumFractionDigits: digits, maximumFractionDigits: digits,
    })).format(value);
}

/// A moment of today as a time, of this year as a day, else as a date. `seconds` since the epoch.
export function moment(seconds) {
    const when = new Date(seconds * 1000);
    const now = new Date();
    if (when.toDateString() === now.toDateString()) {
        return `${t('today')} ${formatter('time', '', () => new Intl.DateTimeFormat(language(), { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })).format(when)}`;
    }
    const recent = when.getFullYear() === now.getFullYear();
    const parts = recent
        ? { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
        : { year: 'numeric', month: 'short', day: 'numeric' };
    return formatter('day', recent, () => new Intl.DateTimeFormat(language(), parts)).format(when);
}

/// A moment to the second, with its zone.
export function exactly(seconds) {
    return formatter('exact', '', () => new Intl.DateTimeFormat(language(), { dateStyle: 'full', timeStyle: 'long' }))
        .format(new Date(seconds * 1000));
}

/// How far off a moment is: `in 3 days`, `5 minutes ago`.
export function distance(seconds, now = Date.now() / 1000) {
    const off = seconds - now;
    const relative = formatter('relative', '', () => new Intl.RelativeTimeFormat(language(), { numeric: 'auto' }));
    const [unit, length] = [['year', 31_557_600], ['month', 2_629_800], ['day', 86_400], ['hour', 3600], ['minute', 60]]
        .find(([, each]) => Math.abs(off) >= each) ?? ['second', 1];
    return relative.format(Math.trunc(off / length), unit);
}

/// A length of time: `2 h 5 min`, `40 s`.
export function duration(seconds) {
    const s = Math.max(0, Math.round(seconds));
    if (s < 60) return t('time.s', { n: s });
    if (s < 3600) return t('time.min', { n: Math.floor(s / 60), s: s % 60 });
    if (s < 86_400) return t('time.h', { n: Math.floor(s / 3600), m: Math.floor((s % 3600) / 60) });
    return t('time.d', { n: Math.floor(s / 86_400), h: Math.floor((s % 86_400) / 3600) });
}

/// Bytes a second.
export function rate(bytes) {
    return `${size(Math.round(bytes))}/s`;
}

// Making one of these takes longer than using it a thousand times.
const formatters = new Map();

function formatter(kind, of, make) {
    const key = `${kind} ${of} ${language()}`;
    let found = formatters.get(key);
    if (!found) {
        found = make();
        formatters.set(key, found);
    }
    return found;
}
