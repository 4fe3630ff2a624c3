// The list of a folder's entries, as rows or as tiles, drawn from a `Folder` and a `Selection`.

import { button, h, setName, setText } from './dom.js';
import * as format from './format.js';
import { icon, setIcon } from './icons.js';
import { t } from './i18n.js';
import { hasThumbnail, kind } from './kinds.js';
import * as path from './path.js';
import { visit } from './state.js';
import { Virtual } from './virtual.js';

const ROW = 40;
const TILE = { width: 168, height: 176 };
const COLUMNS = [['name', 'column.name'], ['size', 'column.size'], ['time', 'column.time']];

let ids = 0;

/// What each row is made of, and what it shows.
const parts = new WeakMap();

/// Whether something is to be shown anew; notes what it is now.
function differs(was, what, now) {
    if (was[what] === now) return false;
    was[what] = now;
    return true;
}

export class List {
    /// `on` has `open(index)`, `menu(at)`, `sort(order)`.
    constructor(host, { folder, selection, on, tiles }) {
        Object.assign(this, { folder, selection, on, tiles });
        this.id = `list${ids += 1}`;
        this.all = h('span', {
            class: 'check', role: 'checkbox', tabindex: '0', 'aria-label': t('select.all'),
            onclick: () => this.toggleAll(), onkeydown: (event) => this.pressedAll(event),
        }, icon('check'));
        this.head = h('div', { class: 'head', role: 'row' },
            h('span', { role: 'columnheader' }, this.all),
            COLUMNS.map(([key, label]) => h('span', { role: 'columnheader', class: key, dataset: { key } },
                button({ label: t(label), kind: 'plain', onclick: () => this.sort(key) }), icon('down', 'way'))));
        this.body = h('div', { class: 'rows', role: 'rowgroup' });
        this.grid = h('div', {
            class: 'list', role: 'grid', tabindex: '0', 'aria-multiselectable': 'true', 'aria-label': t('entries'), id: this.id,
        }, this.head, this.body);
        host.append(this.grid);
        this.grid.addEventListener('click', (event) => this.clicked(event));
        this.grid.addEventListener('dblclick', (event) => this.opened(event));
        this.grid.addEventListener('contextmenu', (event) => this.asked(event));
        this.grid.addEventListener('pointerover', (event) => this.pointed(event));
        // A menu that is asked for by a key is for where the cursor is, whatever the pointer is on.
        this.byKey = false;
        this.grid.addEventListener('keydown', (event) => { this.byKey = event.key === 'ContextMenu' || (event.key === 'F10' && event.shiftKey); });
        this.grid.addEventListener('pointerdown', () => { this.byKey = false; });
        this.virtual = new Virtual({ scroller: host, body: this.body, make: () => this.make(), draw: (row, index) => this.draw(row, index) });
        this.update();
    }

    /// After the entries, their order or the way they are shown have changed.
    update() {
        this.grid.classList.toggle('tiles', this.tiles);
        this.grid.setAttribute('aria-rowcount', String(this.folder.shown.length + 1));
        for (const cell of this.head.querySelectorAll('[data-key]')) {
            const current = cell.dataset.key === this.folder.order.sort;
            cell.setAttribute('aria-sort', current ? (this.folder.order.descending ? 'descending' : 'ascending') : 'none');
        }
        this.virtual.set({ count: this.folder.shown.length, ...(this.tiles ? TILE : { width: 0, height: ROW }) });
        this.mark();
    }

    /// After the selection or the cursor has changed.
    mark() {
        this.virtual.redraw();
        const { size } = this.selection;
        const every = size > 0 && size === this.folder.shown.length;
        this.all.setAttribute('aria-checked', every ? 'true' : size > 0 ? 'mixed' : 'false');
        const row = this.virtual.element(this.selection.cursor);
        if (row) this.grid.setAttribute('aria-activedescendant', row.id);
        else this.grid.removeAttribute('aria-activedescendant');
    }

    make() {
        const holder = document.createElement('bdi');
        const picture = h('span', { class: 'picture' }, icon('file'));
        const link = h('a', { tabindex: '-1', draggable: 'false' }, holder);
        const name = h('span', { class: 'name', role: 'gridcell' }, picture, link);
        const size = h('span', { class: 'size', role: 'gridcell' });
        const time = h('time');
        const row = h('div', { class: 'row', role: 'row', id: `${this.id}-${ids += 1}`, draggable: 'true' },
            h('span', { class: 'check', role: 'gridcell' }, icon('check')), name, size,
            h('span', { class: 'time', role: 'gridcell' }, time),
            button({ picture: 'more', title: t('more'), kind: 'plain more', tabindex: '-1' }));
        // What changes is at hand, and what it was: to look for it, or to write the same again, takes longer.
        parts.set(row, { picture, glyph: picture.firstChild, link, holder, name, size, time, was: {} });
        return row;
    }

    draw(row, index) {
        const part = parts.get(row);
        const { was } = part;
        const entry = this.folder.shown[index];
        if (differs(was, 'index', index)) {
            row.dataset.index = index;
            row.setAttribute('aria-rowindex', index + 2);
        }
        if (differs(was, 'selected', this.selection.has(entry))) row.setAttribute('aria-selected', was.selected);
        const classes = ['row', index === this.selection.cursor && 'cursor', this.isCut?.(entry) && 'dim', entry.folder && 'folder'];
        if (differs(was, 'classes', classes.filter(Boolean).join(' '))) row.className = was.classes;
        if (differs(was, 'href', this.folder.pathOf(entry) + (entry.folder ? '/' : ''))) part.link.setAttribute('href', was.href);
        if (differs(was, 'name', entry.name)) {
            setName(part.holder, entry.name);
            if (differs(was, 'title', entry.name.length > 24 ? entry.name : '')) part.name.title = was.title;
        }
        if (differs(was, 'size', entry.folder ? '' : format.size(entry.size))) setText(part.size, was.size);
        if (differs(was, 'time', entry.time)) {
            part.time.dateTime = new Date(entry.time * 1000).toISOString();
            if (was.exactly) part.time.title = was.exactly = '';
        }
        // What only the namespace has was never changed.
        if (differs(was, 'moment', entry.time > 0 ? format.moment(entry.time) : '')) setText(part.time, was.moment);
        const thumbnail = this.thumbnail(entry);
        if (differs(was, 'kind', kind(entry))) {
            part.picture.dataset.kind = was.kind;
            setIcon(part.glyph, was.kind);
        }
        if (differs(was, 'thumbnail', thumbnail)) this.picture(part.picture, part.glyph, was);
    }

    /// The address of what is shown in place of its kind's picture; empty if nothing is.
    thumbnail(entry) {
        // By a link, whatever is loaded is a download, and counted as one.
        if (visit.isLink || !hasThumbnail(entry) || (kind(entry) === 'video' && !this.tiles)) return '';
        return `${this.folder.pathOf(entry)}?v=${entry.time}`;
    }

    /// Its kind's picture, or the thing itself, made small by the browser.
    picture(holder, glyph, { kind: of, thumbnail: src }) {
        holder.replaceChildren(glyph);
        holder.classList.remove('seen');
        if (src === '') return;
        const small = of === 'image'
            ? h('img', { src, alt: '', loading: 'lazy', decoding: 'async', draggable: 'false', fetchpriority: 'low' })
            : h('video', { src: `${src}#t=1`, preload: 'metadata', muted: true, playsinline: true });
        small.addEventListener(of === 'image' ? 'load' : 'loadeddata', () => holder.classList.add('seen'));
        small.addEventListener('error', () => small.remove());
        holder.append(small);
    }

    /// Says the moment to the second where somebody points at a time.
    pointed({ target }) {
        const row = target.localName === 'time' && target.closest('.row');
        const { was } = (row && parts.get(row)) || {};
        if (was?.time > 0 && differs(was, 'exactly', format.exactly(was.time))) target.title = was.exactly;
    }

    indexOf(event) {
        const row = event.target.closest?.('.row');
        return row ? Number(row.dataset.index) : -1;
    }

    clicked(event) {
        const index = this.indexOf(event);
        if (index < 0) return;
        if (event.target.closest('.more')) {
            if (!this.selection.has(this.folder.shown[index])) this.selection.only(index);
            this.on.menu(event.target.closest('.more'));
        } else if (event.target.closest('.check')) {
            if (event.shiftKey) this.selection.extend(index);
            else this.selection.toggle(index);
        } else if (event.target.closest('a')) {
            // A click with a key is the browser's: another tab, a download.
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            this.on.open(index);
        } else {
            this.selection.click(index, event);
            this.grid.focus({ preventScroll: true });
        }
    }

    opened(event) {
        const index = this.indexOf(event);
        if (index >= 0 && !event.target.closest('a, .check, .more')) this.on.open(index);
    }

    asked(event) {
        if (this.byKey) {
            this.byKey = false;
            event.preventDefault();
            this.menuAtCursor();
            return;
        }
        const index = this.indexOf(event);
        // With Shift the browser's own menu.
        if (event.shiftKey) return;
        event.preventDefault();
        if (index >= 0 && !this.selection.has(this.folder.shown[index])) this.selection.only(index);
        else if (index < 0) this.selection.clear();
        this.on.menu({ x: event.clientX, y: event.clientY });
    }

    menuAtCursor() {
        const { cursor } = this.selection;
        const entry = this.folder.shown[cursor];
        if (!entry) {
            this.on.menu(this.head);
            return;
        }
        if (!this.selection.has(entry)) this.selection.only(cursor);
        this.reveal(cursor);
        this.on.menu(this.virtual.element(cursor).querySelector('.name'));
    }

    pressedAll(event) {
        if (event.key !== ' ' && event.key !== 'Enter') return;
        event.preventDefault();
        event.stopPropagation();
        this.toggleAll();
    }

    sort(key) {
        const { sort, descending } = this.folder.order;
        // What is largest or newest is what is looked for first.
        this.on.sort({ sort: key, descending: key === sort ? !descending : key !== 'name' });
    }

    toggleAll() {
        if (this.selection.size === this.folder.shown.length) this.selection.clear();
        else this.selection.all();
    }

    /// Brings an entry into sight.
    reveal(index) {
        this.virtual.reveal(index, this.tiles ? 0 : this.head.offsetHeight);
        this.mark();
    }

    /// Shows another folder in the same place.
    show(folder) {
        this.folder = folder;
        this.virtual.hide();
        this.virtual.scroller.scrollTop = 0;
        this.update();
    }

    close() {
        this.virtual.close();
    }
}

/// The entries that the server has rendered as a table.
export function rendered(table) {
    return [...table.querySelectorAll('tbody tr[data-size]')].map((row) => {
        // The server spells names as this page does.
        const href = row.querySelector('a').getAttribute('href');
        const folder = href.endsWith('/');
        const key = folder ? href.slice(0, -1) : href;
        const size = folder ? 0 : Number(row.dataset.size);
        return { key, name: path.decode(key), folder, size, time: Date.parse(row.querySelector('time').dateTime) / 1000 };
    });
}
