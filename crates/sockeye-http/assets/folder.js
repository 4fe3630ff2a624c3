// A folder's entries as the page has them: read as they come, sorted, filtered, and kept true after changes.

import { drawn } from './dom.js';
import { language } from './i18n.js';
import * as path from './path.js';
import * as remote from './remote.js';

/// Entries held at once. A larger folder is shown as far as this.
const MOST = 200_000;

/// How often what has come is shown while a folder is read, in milliseconds.
const EVERY = 120;

export class Folder {
    constructor(at, order) {
        this.path = at;
        this.order = order;
        this.entries = [];
        this.shown = [];
        this.filter = '';
        this.rights = new Set();
        this.isFull = false;
        this.failed = null;
        this.complete = false;
        this.gone = new Set();
        this.stop = new AbortController();
    }

    /// Reads the folder; calls `changed` as more comes. The first stretch comes with the promise, the rest goes on.
    async read(changed) {
        this.stop.abort();
        const stop = this.stop = new AbortController();
        const stretches = remote.list(this.path, { ...this.order, signal: stop.signal });
        const { value } = await stretches.next();
        this.rights = value.rights;
        this.failed = null;
        this.gone = new Set();
        const entries = value.entries;
        // What is shown stays until there is as much of the new, so that nothing jumps.
        if (value.end !== null || entries.length >= this.entries.length) this.take(entries, value.end !== null);
        if (value.end === null) {
            this.rest(stretches, entries, changed).catch((error) => {
                if (error.name === 'AbortError') return;
                this.failed = error;
                changed();
            });
        }
    }

    /// Begins with what the server has rendered, in this order if it is `sorted`; the rest is read once that is to be seen.
    adopt(entries, { rights, more, sorted }, changed) {
        this.rights = rights;
        if (sorted) {
            this.entries = entries;
            this.complete = !more;
            this.arrange();
        } else this.take(entries, !more);
        if (more || sorted) this.goOn(more, changed);
    }

    async goOn(more, changed) {
        const { signal } = this.stop;
        await drawn();
        // It was closed, or is being read already.
        if (signal.aborted) return;
        try {
            if (more) await this.read(changed);
            // The server does not sort as the reader's language does.
            else this.take(this.entries, true);
        } catch (error) {
            if (error.name === 'AbortError') return;
            this.failed = error;
        }
        changed();
    }

    async rest(stretches, entries, changed) {
        let drawn = performance.now();
        for await (const { entries: some, end } of stretches) {
            for (const entry of some) entries.push(entry);
            this.isFull = entries.length >= MOST && end === null;
            const over = end !== null || this.isFull;
            if (over || (performance.now() - drawn > EVERY && entries.length >= this.entries.length)) {
                this.take(entries, end !== null);
                changed();
                drawn = performance.now();
            }
            if (this.isFull) break;
        }
    }

    /// These are what there is, as far as it was read.
    take(entries, complete) {
        this.entries = entries.filter((entry) => !this.gone.has(entry.key)).sort(compare(this.order));
        this.complete = complete;
        this.arrange();
    }

    /// What of the entries is shown.
    arrange() {
        const wanted = this.filter.toLocaleLowerCase();
        this.shown = wanted ? this.entries.filter((entry) => entry.name.toLocaleLowerCase().includes(wanted)) : this.entries.slice();
    }

    sortBy(order) {
        this.order = order;
        this.entries.sort(compare(order));
        this.arrange();
    }

    find(key) {
        return this.entries.find((entry) => entry.key === key);
    }

    /// Notes that this is now there.
    put(entry) {
        this.gone.delete(entry.key);
        const at = this.entries.findIndex((it) => it.key === entry.key);
        if (at >= 0) this.entries.splice(at, 1);
        this.entries.splice(this.slot(entry), 0, entry);
        this.arrange();
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
        // Also of what is still being read.
        for (const key of keys) this.gone.add(key);
        this.entries = this.entries.filter((entry) => !this.gone.has(entry.key));
        this.arrange();
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
