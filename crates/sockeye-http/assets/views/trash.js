// The view of the trash: what was deleted, from where and when; restoring it, or removing it for good.

import { confirm } from '../dialog.js';
import { button, fill, h, nameText } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import * as path from '../path.js';
import * as remote from '../remote.js';
import { account, tell } from '../state.js';
import { explain, oops, toast } from '../toast.js';

export async function open(host) {
    document.title = `${t('trash')} · sockeye`;
    host.className = 'sheet';
    const view = new Trash(host);
    await view.read();
    return view;
}

class Trash {
    constructor(host) {
        this.all = [];
        this.next = [];
        this.chosen = new Set();
        this.tools = h('div', { class: 'group' });
        this.body = h('div', {});
        fill(host, h('div', { class: 'line' }, h('h1', { class: 'grow' }, t('trash')), this.tools), h('p', { class: 'soft' }, t('trash.hint')), this.body);
    }

    async read() {
        await account.settled;
        this.all = [];
        this.next = [];
        const trees = ['/', ...account.shared.filter((one) => /all|delete/.test(one.rights)).map((one) => one.path)];
        try {
            for (const tree of trees) await this.more(tree);
        } catch (error) {
            fill(this.body, h('p', { class: 'fault' }, explain(error)));
            return;
        }
        this.draw();
    }

    /// Reads on in a tree's trash.
    async more(tree, after) {
        const told = await remote.trash(tree, after);
        this.all.push(...told.entries);
        this.all.sort((a, b) => remote.seconds(b.deleted) - remote.seconds(a.deleted));
        if (told.next) this.next.push([tree, told.next]);
    }

    async readOn() {
        const next = this.next.splice(0);
        try {
            for (const [tree, after] of next) await this.more(tree, after);
        } catch (error) {
            oops(error);
        }
        this.draw();
    }

    draw() {
        const some = this.chosen.size > 0;
        fill(this.tools,
            some && button({ picture: 'undo', label: t('restore'), kind: 'primary', onclick: () => this.restore([...this.chosen]) }),
            some && button({ picture: 'trash', label: t('purge'), kind: 'danger', onclick: () => this.purge([...this.chosen]) }),
            !some && this.all.length > 0 && button({ picture: 'trash', label: t('trash.empty'), kind: 'danger', onclick: () => this.purge(this.all.map((one) => one.id), true) }));
        fill(this.body, this.all.length === 0
            ? h('div', { class: 'empty' }, icon('trash'), h('h2', {}, t('trash.none')))
            : [
                h('ul', { class: 'cards' }, this.all.map((one) => this.row(one))),
                this.next.length > 0 && button({ label: t('more.show'), onclick: () => this.readOn() }),
            ]);
    }

    row(one) {
        const at = path.canonical(one.path);
        const tick = h('input', {
            type: 'checkbox', checked: this.chosen.has(one.id), 'aria-label': path.decode(path.last(at)),
            onchange: () => {
                if (tick.checked) this.chosen.add(one.id);
                else this.chosen.delete(one.id);
                this.draw();
            },
        });
        return h('li', {}, tick, icon(one.kind === 'folder' ? 'folder' : 'file', 'tint'),
            h('div', { class: 'grow' }, h('span', { class: 'clip strong' }, nameText(path.decode(path.last(at)))),
                h('p', { class: 'soft small clip' }, nameText(path.show(path.parent(at))), ` · ${format.distance(remote.seconds(one.deleted))}`)),
            one.kind === 'file' && h('span', { class: 'soft small number' }, format.size(one.size)),
            button({ picture: 'undo', label: t('restore'), onclick: () => this.restore([one.id]) }),
            button({ picture: 'trash', title: t('purge'), kind: 'plain danger', onclick: () => this.purge([one.id]) }));
    }

    async restore(ids) {
        try {
            await remote.restore(ids);
            toast(t('restored', { n: ids.length }));
        } catch (error) {
            oops(error);
        }
        this.over();
    }

    async purge(ids, all = false) {
        const sure = await confirm({
            title: t('purge.title', { n: ids.length }), text: t(all ? 'purge.all' : 'purge.text'), action: t('purge'), danger: true,
            run: () => remote.purge(ids).then(() => true),
        });
        if (sure) this.over();
    }

    over() {
        this.chosen.clear();
        tell('space');
        this.read();
    }
}
