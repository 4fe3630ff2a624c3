// Which entries are selected, where the cursor is, and what clicks and arrows make of both.

export class Selection {
    /// `items()` gives what is shown; `changed` is called after each change.
    constructor(items, changed) {
        Object.assign(this, { items, changed, keys: new Set(), cursor: -1, anchor: -1 });
    }

    has(entry) {
        return this.keys.has(entry.key);
    }

    /// The selected entries in their order.
    entries() {
        return this.keys.size ? this.items().filter((entry) => this.keys.has(entry.key)) : [];
    }

    get size() {
        return this.keys.size;
    }

    /// This one alone.
    only(index) {
        this.keys.clear();
        this.toggle(index, true);
    }

    toggle(index, on) {
        const entry = this.items()[index];
        if (!entry) return;
        const wanted = on ?? !this.keys.has(entry.key);
        if (wanted) this.keys.add(entry.key);
        else this.keys.delete(entry.key);
        this.cursor = index;
        this.anchor = index;
        this.changed();
    }

    /// All from where it began to here.
    extend(index) {
        const items = this.items();
        const from = this.anchor < 0 ? 0 : this.anchor;
        this.keys.clear();
        for (let i = Math.min(from, index); i <= Math.max(from, index); i += 1) this.keys.add(items[i].key);
        this.cursor = index;
        this.changed();
    }

    /// As a click on an entry's row has it.
    click(index, event) {
        if (event.shiftKey) this.extend(index);
        else if (event.ctrlKey || event.metaKey) this.toggle(index);
        else this.only(index);
    }

    /// Moves the cursor; with Shift the selection grows, with Ctrl it stays.
    move(index, event) {
        const to = Math.max(0, Math.min(index, this.items().length - 1));
        if (this.items().length === 0) return;
        if (event.shiftKey) this.extend(to);
        else if (event.ctrlKey || event.metaKey) {
            this.cursor = to;
            this.changed();
        } else this.only(to);
    }

    all() {
        for (const entry of this.items()) this.keys.add(entry.key);
        this.changed();
    }

    clear() {
        this.keys.clear();
        this.anchor = this.cursor;
        this.changed();
    }

    /// Keeps to what is still there.
    settle() {
        const here = new Set(this.items().map((entry) => entry.key));
        for (const key of this.keys) if (!here.has(key)) this.keys.delete(key);
        this.cursor = Math.min(this.cursor, this.items().length - 1);
        this.anchor = Math.min(this.anchor, this.items().length - 1);
    }
}
