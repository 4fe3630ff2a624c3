// Uploads that were begun, remembered in the browser, so that choosing the same file goes on after a reload.

import { account } from '../state.js';

const PREFIX = 'sockeye.upload.';
const MOST = 200;
const DAYS = 30;

/// What tells a file at its target from others, as far as a page can know without reading it.
export function fingerprint(file, target) {
    return [account.name, target, file.size, file.lastModified].join('|');
}

/// Remembers where an upload is.
export function remember(print, url) {
    const all = remembered();
    for (const old of all.slice(MOST)) forget(old.print);
    try {
        localStorage.setItem(PREFIX + print, JSON.stringify({ url, at: Date.now() }));
    } catch { /* full or forbidden: it cannot be resumed after a reload */ }
}

/// Where the upload of that file is, or null.
export function recall(print) {
    try {
        return JSON.parse(localStorage.getItem(PREFIX + print))?.url ?? null;
    } catch {
        return null;
    }
}

export function forget(print) {
    localStorage.removeItem(PREFIX + print);
}

/// The uploads of this account that are remembered, newest first: `{ print, target, size, url }`.
export function remembered() {
    const out = [];
    for (let n = localStorage.length - 1; n >= 0; n -= 1) {
        const key = localStorage.key(n);
        if (!key?.startsWith(PREFIX)) continue;
        const print = key.slice(PREFIX.length);
        const [owner, target, size] = print.split('|');
        let kept = null;
        try {
            kept = JSON.parse(localStorage.getItem(key));
        } catch { /* not ours */ }
        if (!kept || Date.now() - kept.at > DAYS * 86_400_000) localStorage.removeItem(key);
        else if (owner === account.name) out.push({ print, target, size: Number(size), url: kept.url, at: kept.at });
    }
    return out.sort((a, b) => b.at - a.at);
}
