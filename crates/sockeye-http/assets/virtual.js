// A long list of which only what can be seen is made: rows of one height, or tiles of one size. It knows nothing
// of what the items are.

import { settle } from './dom.js';

/// Rows that are made beyond what is seen, on either side.
const BEYOND = 6;

/// The most that browsers lay out, with room to spare.
const TALLEST = 15_000_000;

export class Virtual {
    /// `scroller` scrolls, `body` is as tall as all items; `make()` gives an element, and `draw(element, index)`
    /// shows an item by it.
    constructor({ scroller, body, make, draw }) {
        Object.assign(this, { scroller, body, make, draw, count: 0, height: 36, width: 0, columns: 1, across: 0 });
        this.shown = new Map();
        this.spare = [];
        this.away = [];
        // Until it is known how much of it is seen: no more than the window. To ask now would lay the page out twice.
        Object.assign(this, { seen: innerHeight, above: 0, top: 0, scrolled: false });
        this.soon = settle(() => this.settle(), 120);
        this.asked = 0;
        this.onscroll = () => {
            this.scrolled = true;
            this.ask();
        };
        scroller.addEventListener('scroll', this.onscroll, { passive: true });
        this.watcher = new ResizeObserver(() => this.measure());
        this.watcher.observe(scroller);
    }

    /// How many items there are, and how large each is: `width` 0 is a row.
    set({ count, height = this.height, width = this.width }) {
        const resized = height !== this.height || width !== this.width;
        const tiled = width !== this.width;
        Object.assign(this, { count, height, width });
        if (tiled) this.measure(true);
        else this.layOut(resized);
    }

    /// Sees how much room there is.
    measure(resized = false) {
        this.seen = this.scroller.clientHeight;
        this.above = this.body.offsetTop;
        const inner = this.body.clientWidth;
        const columns = this.width ? Math.max(1, Math.floor(inner / this.width)) : 1;
        const across = this.width ? Math.floor(inner / columns) : 0;
        const moved = columns !== this.columns || across !== this.across;
        Object.assign(this, { columns, across });
        this.layOut(resized || moved);
    }

    /// Lays the items out anew if they are of another size or have another place, `moved`. Else each stays with its
    /// element: somebody may be about to click on it.
    layOut(moved) {
        if (moved) this.hide();
        const rows = Math.ceil(this.count / this.columns);
        this.body.style.height = `${Math.min(rows * this.height, TALLEST)}px`;
        this.settle();
    }

    /// How many items fit into what is seen.
    page() {
        return Math.max(1, Math.floor(this.seen / this.height) - 1) * this.columns;
    }

    /// Shows what is to be seen, as the last thing before the frame is drawn: whoever scrolls in it has done so.
    ask() {
        if (this.asked) return;
        this.asked = requestAnimationFrame(() => {
            this.asked = 0;
            this.paint();
            this.soon();
        });
    }

    /// Shows what is to be seen, and what is `beyond` it. Who flies over the list is shown no more than that: the next
    /// frame has nothing of it.
    paint(beyond = null) {
        // Where nobody has scrolled yet it need not be asked, which would lay the page out.
        const top = (this.scrolled ? this.scroller.scrollTop : 0) - this.above;
        const more = beyond ?? (Math.abs(top - this.top) > this.seen ? 0 : BEYOND);
        this.top = top;
        const first = Math.max(0, Math.floor(top / this.height) - more) * this.columns;
        // As many wherever it stands, so that each element that goes comes back at once.
        const rows = Math.ceil(this.seen / this.height) + 1 + 2 * more;
        const end = Math.min(this.count, first + rows * this.columns);
        for (const [index, element] of this.shown) {
            if (index < first || index >= end) {
                this.shown.delete(index);
                this.spare.push(element);
            }
        }
        for (let index = first; index < end; index += 1) {
            if (this.shown.has(index)) continue;
            const element = this.spare.shift() ?? this.away.pop() ?? this.make();
            this.place(element, index);
            this.draw(element, index);
            if (!element.parentNode) this.body.append(element);
            this.shown.set(index, element);
        }
        // Not to be taken before those that are still on the page.
        for (const element of this.spare.splice(0)) {
            element.remove();
            this.away.push(element);
        }
    }

    /// Shows all that is to be there while it stands still.
    settle() {
        this.paint(BEYOND);
        this.sort();
    }

    /// Puts the elements in the order of their items, which is how they are read aloud. Not while it scrolls.
    sort() {
        let at = this.body.firstChild;
        for (const [, element] of [...this.shown].sort(([a], [b]) => a - b)) {
            if (element === at) at = at.nextSibling;
            else this.body.insertBefore(element, at);
        }
    }

    place(element, index) {
        const row = Math.floor(index / this.columns);
        element.style.top = `${row * this.height}px`;
        element.style.left = this.across ? `${(index % this.columns) * this.across}px` : '';
        element.style.inlineSize = this.across ? `${this.across}px` : '';
    }

    /// Draws what is shown anew, as its items have changed.
    redraw() {
        for (const [index, element] of this.shown) {
            if (index < this.count) this.draw(element, index);
        }
    }

    /// Takes all elements off their items; the first are the first to be used again.
    hide() {
        this.spare.push(...[...this.shown].sort(([a], [b]) => a - b).map(([, element]) => element));
        this.shown.clear();
    }

    /// The element of an item, if it is shown.
    element(index) {
        return this.shown.get(index) ?? null;
    }

    /// Scrolls as little as it takes to see an item; what covers the top is `cover` tall.
    reveal(index, cover = 0) {
        const top = this.above + Math.floor(index / this.columns) * this.height;
        const { scrollTop, clientHeight } = this.scroller;
        this.scrolled = true;
        if (top < scrollTop + cover) this.scroller.scrollTop = top - cover;
        else if (top + this.height > scrollTop + clientHeight) this.scroller.scrollTop = top + this.height - clientHeight;
        this.paint();
        this.soon();
    }

    close() {
        this.watcher.disconnect();
        this.scroller.removeEventListener('scroll', this.onscroll);
        cancelAnimationFrame(this.asked);
    }
}
