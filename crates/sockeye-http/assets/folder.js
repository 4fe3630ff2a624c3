// A folder's entries as the page has them: read stretch by stretch, sorted, filtered, and kept true after changes.

import { language } from './i18n.js';
import * as path from './path.js';
import * as remote from './remote.js';

/// Entries held at once. A larger folder is shown as far as this, in the server's order.
const MOST = 200_000;

export class Folder {
    constructor(at, order) {
        this.path = at;
        this.order = order;
        this.entries = [];
        this.shown = [];
        this.filter = '';
        this.rights = new Set();
        this.next = null;
        this.complete = false;
        this.stop = new AbortController();
    }

    /// Reads the folder; calls `changed` as stretches come. The first comes with the promise, the rest goes on.
    async read(changed) {
        this.stop.abort();
        const stop = this.stop = new AbortController();
        const first = await remote.list(this.path, { ...this.order, signal: stop.signal });
        this.entries = first.entries;
        this.rights = first.rights;
        this.take(first.next);
        this.rest(changed, stop).catch((error) => { if (error.name !== 'AbortError') this.failed = error; changed(); });
    }

    /// Begins with what the server has rendered; the rest is read behind it.
    adopt(entries, rights, more, changed) {
        this.entries = entries;
        this.rights = rights;
        this.complete = !more;
        this.arrange();
        if (more) this.read(changed).then(changed, (error) => { this.failed = error; changed(); });
    }

    async rest(changed, stop) {
        while (this.next !== null && this.entries.length < MOST) {
            const more = await remote.list(this.path, { ...this.order, after: this.next, signal: stop.signal });
            for (const entry of more.entries) this.entries.push(entry);
            this.take(more.next);
            changed();
        }
        changed();
    }

    take(next) {
        this.next = next;
        this.complete = next === null;
        this.arrange(true);
    }

    /// Whether there are more entries than are held here.
    get isFull() {
        return this.next !== null && this.entries.length >= MOST;
    }

    /// Puts what is shown in order; what came `sorted` from the server is left so.
    arrange(sorted = false) {
        const wanted = this.filter.toLocaleLowerCase();
        const shown = wanted
            ? this.entries.filter((entry) => entry.name.toLocaleLowerCase().includes(wanted))
            : this.entries.slice();
        if (!sorted) shown.sort(compare(this.order));
        this.shown = shown;
    }

    sortBy(order) {
        this.order = order;
        this.entries.sort(compare(order));
        this.arrange(true);
    }

    find(key) {
        return this.entries.find((entry) => entry.key === key);
    }

    /// Notes that this is now there.
    put(entry) {
        const at = this.entries.findIndex((it) => it.key === entry.key);
        if (at >= 0) this.entries.splice(at, 1);
        this.entries.splice(this.slot(entry), 0, entry);
        this.arrange(true);
    }

    /// Where it belongs.
    slot(entry) {
        const before = compare(this.order);
        let low = 0;
        let high = this.entries.length;
        while (low < high) {
            const middle = (low + high) >> 1;
            if (before(this.entries[middle], entry) <= 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// Notes that these are gone.
    drop(keys) {
        const gone = new Set(keys);
        this.entries = this.entries.filter((entry) => !gone.has(entry.key));
        this.arrange(true);
    }

    /// The path of one of its entries.
    pathOf(entry) {
        return path.join(this.path, entry.key);
    }

    close() {
        this.stop.abort();
    }
}

/// Folders first; then by the column, and by name where that is the same.
function compare({ sort, descending }) {
    const names = collator();
    const sign = descending ? -1 : 1;
    const by = { name: () => 0, size: (a, b) => a.size - b.size, time: (a, b) => a.time - b.time }[sort];
    return (a, b) => {
        if (a.folder !== b.folder) return a.folder ? -1 : 1;
        return sign * (by(a, b) || names.compare(a.name, b.name)) || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
    };
}

let made = null;

function collator() {
    made ??= new Intl.Collator(language(), { numeric: true, sensitivity: 'base' });
    return made;
}
