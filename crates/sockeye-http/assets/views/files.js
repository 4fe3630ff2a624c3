// The view of a folder: its list, what can be done with it, and the keys that do it.

import * as actions from '../actions.js';
import { button, fill, h, nameText, plainName, settle } from '../dom.js';
import { acceptDrops, acceptFiles, dragRows, onDrop } from '../drag.js';
import { Folder } from '../folder.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import { previews } from '../kinds.js';
import { List, rendered } from '../list.js';
import { openMenu } from '../menu.js';
import * as path from '../path.js';
import { pickFolder, ways } from '../picker.js';
import { keep, recall } from '../preferences.js';
import { rightsOf } from '../remote.js';
import { renameInPlace } from '../renaming.js';
import { go } from '../router.js';
import { Selection } from '../selection.js';
import { account, clipboard, indexes, listen, root, visit } from '../state.js';
import { explain, oops } from '../toast.js';
import { bind } from './file-keys.js';

export async function open(host, place, first) {
    const view = new Files(host);
    await view.turnTo(place, first);
    return view;
}

/// Whether this is how the server sorts what it renders.
const isUsual = ({ sort, descending }) => sort === 'name' && !descending;

class Files {
    constructor(host) {
        this.order = recall('order', { sort: 'name', descending: false });
        this.tiles = recall('tiles', false);
        this.rendered = host.querySelector('table') && { host: [...host.childNodes], table: host.querySelectorAll('table')[0] };
        const given = document.documentElement.dataset;
        this.given = this.rendered && { entries: rendered(this.rendered.table), rights: rightsOf(given.rights), more: 'more' in given, sorted: isUsual(this.order) && location.search === '' };
        this.host = host;
        this.crumbs = h('nav', { class: 'crumbs', 'aria-label': t('where') });
        this.filter = h('input', { type: 'search', placeholder: t('filter'), 'aria-label': t('filter'), 'aria-keyshortcuts': '/' });
        this.tools = h('div', { class: 'tools' });
        this.scroller = h('div', { class: 'scroller' });
        this.status = h('div', { class: 'status', role: 'status' });
        this.filter.addEventListener('input', settle(() => this.narrow(), 60));
        this.ends = [
            listen('changed', (at) => { if (at === this.folder.path) this.changed(); }),
            listen('arrived', (at) => { if (at === this.folder.path) this.reread(); }),
            listen('entry', ({ at, entry }) => { if (at === this.folder.path) { this.folder.put(entry); this.soon(); } }),
            listen('account', () => this.drawTools()),
            listen('clipboard', () => this.changed()),
            acceptFiles(document, () => (this.may('write') ? this.folder.path : null)),
            bind(this),
        ];
        this.soon = settle(() => this.changed(), 80);
        onDrop((what) => this.dropped(what));
        const back = () => { if (document.visibilityState === 'visible' && Date.now() - this.since > 30_000) this.reread(); };
        document.addEventListener('visibilitychange', back);
        this.ends.push(() => document.removeEventListener('visibilitychange', back));
    }

    /// Shows the folder of that address, scrolled as far as it was.
    async turnTo(place, first = false, top = 0) {
        const at = path.canonical(place);
        const before = this.folder;
        before?.close();
        const folder = this.folder = new Folder(at, this.order);
        this.selection = new Selection(() => this.folder.shown, () => this.marked());
        this.filter.value = '';
        document.title = `${at === root ? (visit.name || t('home')) : plainName(path.decode(path.last(at)))} · sockeye`;
        if (first && this.given) {
            this.since = Date.now();
            this.folder.adopt(this.given.entries, this.given, () => this.changed());
        } else {
            const wait = setTimeout(() => this.scroller.setAttribute('aria-busy', 'true'), 150);
            await this.load(folder);
            clearTimeout(wait);
            // A later step has been taken meanwhile: what there is to draw is that one's.
            if (folder !== this.folder) return;
            if (indexes.some((key) => folder.find(key)?.folder === false)) {
                location.reload();
                return;
            }
            this.scroller.removeAttribute('aria-busy');
        }
        this.draw(before && path.parent(before.path) === at ? path.last(before.path) : null);
        if (top > 0) this.scroller.scrollTop = top;
        if (first) performance.mark('usable');
    }

    /// Reads a folder; what went wrong is its own.
    async load(folder) {
        this.since = Date.now();
        const changed = () => { if (folder === this.folder) this.changed(); };
        try {
            await folder.read(changed);
        } catch (error) {
            if (error.name !== 'AbortError') folder.failed = error;
        }
    }

    async reread() {
        const { folder } = this;
        await this.load(folder);
        if (folder === this.folder) this.changed();
    }

    /// How far it is scrolled.
    get top() {
        return this.scroller.scrollTop;
    }

    /// All of it; the cursor goes to the entry of the key `at`.
    draw(at) {
        if (!this.list) {
            fill(this.host, h('div', { class: 'toolbar' }, this.crumbs, this.tools), this.scroller, this.status);
            this.host.classList.add('files');
            this.note = h('div', { class: 'empty', hidden: true });
            this.list = new List(this.scroller, {
                folder: this.folder, selection: this.selection, tiles: this.tiles,
                on: {
                    open: (index) => this.enter(index),
                    menu: (place) => this.menu(place),
                    sort: (order) => this.sort(order),
                },
            });
            this.list.isCut = (entry) => clipboard.held?.cut && clipboard.held.folder.path === this.folder.path && clipboard.held.entries.some((it) => it.key === entry.key);
            dragRows(this.list);
            this.scroller.append(this.note);
        } else {
            this.list.selection = this.selection;
            this.list.show(this.folder);
        }
        this.drawCrumbs();
        const cursor = at ? this.folder.shown.findIndex((entry) => entry.key === at) : -1;
        if (cursor >= 0) {
            this.selection.only(cursor);
            this.list.reveal(cursor);
        }
        this.changed();
        if (!document.activeElement || document.activeElement === document.body) this.list.grid.focus({ preventScroll: true });
    }

    drawCrumbs() {
        fill(this.crumbs, ways(this.folder.path).map(({ href, label }, n, all) => {
            const link = h('a', { href: path.folderHref(href), 'aria-current': n === all.length - 1 ? 'page' : null }, n === 0 ? icon('home') : null, n === 0 && all.length > 1 ? h('span', { class: 'sr' }, label) : label);
            acceptDrops(link, href);
            return [n > 0 && icon('chevron'), link];
        }));
    }

    /// After entries have come, gone or changed.
    changed() {
        if (!this.list) return;
        if (this.folder.complete) performance.mark('complete');
        this.selection.settle();
        this.list.update();
        this.drawTools();
        this.drawStatus();
    }

    /// After the selection has changed.
    marked() {
        this.list.mark();
        this.drawTools();
        this.drawStatus();
    }

    /// Whether that can be done here.
    may(right) {
        return account.name !== '' && this.folder.rights.has(right);
    }

    /// The tools for the folder, or those for what is selected.
    drawTools() {
        if (!this.list) return;
        const { size } = this.selection;
        const state = `${size > 0} ${size === 1} ${[...this.folder.rights]} ${this.tiles} ${account.known} ${this.folder.path}`;
        if (state === this.toolState) return;
        this.toolState = state;
        if (size > 0) {
            fill(this.tools, this.filter, h('div', { class: 'group' },
                button({ picture: 'download', label: t('download'), onclick: () => this.download() }),
                account.name && this.may('share') && size === 1 && button({ picture: 'share', label: t('share'), onclick: () => this.share() }),
                this.may('delete') && button({ picture: 'move', label: t('move'), onclick: () => this.carry(false) }),
                this.may('delete') && button({ picture: 'trash', label: t('delete'), kind: 'danger', onclick: () => this.discard() }),
                button({ picture: 'more', title: t('more'), 'aria-haspopup': 'menu', onclick: (event) => this.menu(event.currentTarget) }),
                button({ picture: 'close', title: t('select.none'), kind: 'plain', onclick: () => this.selection.clear() })));
            return;
        }
        fill(this.tools, this.filter, h('div', { class: 'group' },
            button({ picture: this.tiles ? 'list' : 'grid', title: t(this.tiles ? 'view.rows' : 'view.tiles'), kind: 'plain', onclick: () => this.toggleTiles() }),
            button({ picture: 'more', title: t('folder.menu'), kind: 'plain', 'aria-haspopup': 'menu', onclick: (event) => openMenu(event.currentTarget, this.folderItems()) }),
            this.may('write') && button({ picture: 'folderplus', label: t('folder.new'), kind: 'wide-only', onclick: () => this.newFolder() }),
            this.may('write') && button({ picture: 'upload', label: t('upload'), kind: 'primary', 'aria-haspopup': 'menu', onclick: (event) => openMenu(event.currentTarget, this.uploadItems()) })));
    }

    uploadItems() {
        return [
            { picture: 'file', label: t('upload.files'), hint: 'U', run: () => this.pick(false) },
            { picture: 'folder', label: t('upload.folder'), run: () => this.pick(true) },
        ];
    }

    folderItems() {
        const held = clipboard.held;
        return [
            this.may('write') && { picture: 'folderplus', label: t('folder.new'), hint: 'N', run: () => this.newFolder() },
            this.may('write') && held && { picture: 'copy', label: t('paste', { n: held.entries.length }), hint: 'Ctrl V', run: () => this.paste() },
            null,
            this.folder.shown.length > 0 && { picture: 'check', label: t('select.all'), hint: 'Ctrl A', run: () => this.selection.all() },
            { picture: 'refresh', label: t('refresh'), run: () => this.reread() },
            null,
            { picture: 'archive', label: t('download.zip'), href: `${path.folderHref(this.folder.path)}?zip`, download: '' },
            account.name && this.may('share') && this.folder.path !== '/' && { picture: 'share', label: t('share.folder'), run: () => this.share(null) },
        ];
    }

    drawStatus() {
        const { shown, entries, complete, filter, failed } = this.folder;
        const chosen = this.selection.entries();
        const files = chosen.filter((entry) => !entry.folder);
        fill(this.status, chosen.length > 0
            ? [t('selected', { n: chosen.length }), files.length > 0 && ` · ${format.size(files.reduce((sum, entry) => sum + entry.size, 0))}`]
            : [
                filter ? t('found', { n: shown.length, of: entries.length }) : t('items', { n: entries.length }),
                filter && shown.length > 0 && this.searchButton('plain'),
                !complete && !failed && ` · ${t(this.folder.isFull ? 'partly' : 'loading')}`,
                failed && ` · ${explain(failed)}`,
            ]);
        this.note.hidden = shown.length > 0;
        if (shown.length > 0) return;
        const may = this.may('write');
        fill(this.note, failed
            ? [icon('warn'), h('h2', {}, explain(failed)), !visit.base && (failed.status === 401 || !account.name) ? h('a', { class: 'button primary', href: `/-/login?next=${encodeURIComponent(location.pathname)}` }, t('signin')) : h('a', { class: 'button', href: path.folderHref(root) }, t('home'))]
            : filter
                ? [icon('search'), h('h2', {}, t('found.none')), this.searchButton('primary'), button({ label: t('filter.clear'), onclick: () => this.unfilter() })]
                : [icon(may ? 'upload' : 'folder'), h('h2', {}, t('empty')), may && h('p', {}, t('empty.hint'))]);
    }

    /// What looks for the filter's text further down; for who has an account.
    searchButton(kind) {
        const search = () => import('../dialogs/search.js').then((it) => it.openSearch(this, this.folder.filter)).catch(oops);
        return account.name && button({ picture: 'search', label: t('search.below'), kind, onclick: search });
    }

    // What is done.

    enter(index) {
        const entry = this.folder.shown[index];
        if (!entry) return;
        this.selection.cursor = index;
        if (entry.folder) go(`${this.folder.pathOf(entry)}/`).catch(oops);
        else if (previews(entry)) import('../preview/preview.js').then((it) => it.openPreview(this, index)).catch(oops);
        else actions.download(this.folder, [entry]);
    }

    leaveUp() {
        if (this.folder.path !== root) go(path.folderHref(path.parent(this.folder.path))).catch(oops);
    }

    sort(order) {
        this.order = order;
        keep('order', order);
        this.folder.sortBy(order);
        this.changed();
    }

    toggleTiles() {
        this.tiles = !this.tiles;
        keep('tiles', this.tiles);
        this.list.tiles = this.tiles;
        this.changed();
    }

    narrow() {
        this.folder.filter = this.filter.value.trim();
        this.folder.arrange();
        this.scroller.scrollTop = 0;
        this.changed();
    }

    unfilter() {
        this.filter.value = '';
        this.narrow();
        this.list.grid.focus();
    }

    /// The menu of what is selected, or of the folder.
    menu(place) {
        const chosen = this.selection.entries();
        if (chosen.length === 0) {
            openMenu(place, [...(this.may('write') ? this.uploadItems() : []), null, ...this.folderItems()]);
            return;
        }
        const [one] = chosen;
        const single = chosen.length === 1;
        const change = this.may('delete');
        openMenu(place, [
            single && one.folder && { picture: 'folder', label: t('open'), hint: '⏎', run: () => this.enter(this.selection.cursor) },
            single && !one.folder && previews(one) && { picture: 'eye', label: t('preview'), hint: '⏎', run: () => this.enter(this.selection.cursor) },
            single && { picture: 'globe', label: t('open.tab'), href: this.folder.pathOf(one) + (one.folder ? '/' : ''), target: '_blank' },
            { picture: 'download', label: t(single && !one.folder ? 'download' : 'download.zip'), run: () => this.download() },
            null,
            account.name && this.may('share') && single && { picture: 'share', label: t('share'), run: () => this.share() },
            single && { picture: 'link', label: t('copy.address'), run: () => this.copyAddress() },
            null,
            change && single && { picture: 'edit', label: t('rename'), hint: 'F2', run: () => this.rename() },
            change && { picture: 'move', label: t('move.to'), run: () => this.carry(false) },
            account.name && { picture: 'copy', label: t('copy.to'), run: () => this.carry(true) },
            null,
            single && { picture: 'info', label: t('details'), run: () => import('../dialogs/details.js').then((it) => it.openDetails(this.folder, one)) },
            change && { picture: 'trash', label: t('delete'), hint: 'Del', danger: true, run: () => this.discard() },
        ]);
    }

    download() {
        actions.download(this.folder, this.selection.entries());
    }

    async newFolder() {
        const made = await actions.newFolder(this.folder);
        if (made) this.select(made.key);
    }

    select(key) {
        const index = this.folder.shown.findIndex((entry) => entry.key === key);
        this.changed();
        if (index < 0) return;
        this.selection.only(index);
        this.list.reveal(index);
        this.list.grid.focus({ preventScroll: true });
    }

    rename() {
        const [entry] = this.selection.entries();
        if (!entry || !this.may('delete')) return;
        const index = this.folder.shown.indexOf(entry);
        this.list.reveal(index);
        renameInPlace(this.list.virtual.element(index), entry, this.folder, async (name) => {
            const renamed = await actions.rename(this.folder, entry, name);
            this.select(renamed.key);
        }, () => this.list.grid.focus({ preventScroll: true }));
    }

    async discard() {
        const chosen = this.selection.entries();
        const at = this.selection.cursor;
        try {
            await actions.discard(this.folder, chosen);
        } catch (error) {
            oops(error);
            this.reread();
        }
        this.selection.cursor = Math.min(at, this.folder.shown.length - 1);
        this.marked();
    }

    async carry(copy) {
        const entries = this.selection.entries();
        if (entries.length === 0) return;
        const { folder } = this;
        const own = entries.filter((entry) => entry.folder).map((entry) => folder.pathOf(entry));
        const to = await pickFolder({
            title: t(copy ? 'copy.title' : 'move.title', { n: entries.length }), action: t(copy ? 'copy.here' : 'move.here'), from: folder.path,
            refuse: (at) => own.some((it) => path.within(at, it)) || (!copy && at === folder.path),
        });
        if (to) await actions.carry({ folder, entries, to, copy });
    }

    hold(cut) {
        const entries = this.selection.entries();
        if (entries.length === 0) return;
        clipboard.held = { folder: this.folder, entries, cut: cut && this.may('delete') };
        this.changed();
    }

    async paste() {
        const { held } = clipboard;
        if (!held || !this.may('write')) return;
        if (held.cut) clipboard.held = null;
        await actions.carry({ folder: held.folder, entries: held.entries, to: this.folder.path, copy: !held.cut });
    }

    share(entry = this.selection.entries()[0]) {
        const at = entry ? this.folder.pathOf(entry) : this.folder.path;
        const isFolder = entry ? entry.folder : true;
        import('../dialogs/share.js').then((it) => it.openShare({ at, isFolder })).catch(oops);
    }

    async copyAddress() {
        const [one] = this.selection.entries();
        const { copyText } = await import('../copying.js');
        copyText(location.origin + this.folder.pathOf(one) + (one.folder ? '/' : ''));
    }

    pick(folders) {
        import('../upload/pick.js').then((it) => it.pick(this.folder.path, folders)).catch(oops);
    }

    dropped({ files, folder, entries, to, copy }) {
        if (files) import('../upload/pick.js').then((it) => it.take(files, to)).catch(oops);
        else actions.carry({ folder, entries, to, copy }).catch(oops);
    }

    /// Undo of the last message, as the key has it.
    undo() {
        [...document.querySelectorAll('#toasts .undo')].at(-1)?.click();
    }

    close() {
        this.folder.close();
        this.list?.close();
        this.ends.forEach((end) => end());
    }
}
