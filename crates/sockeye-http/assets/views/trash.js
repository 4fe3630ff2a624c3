// The view of the trash: what was deleted, from where and when; restoring it, or removing it for good. And uploads
// that were begun and left, which take room as well.

import { sayFailed } from '../actions.js';
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
        this.chosen = new Set();
        this.tools = h('div', { class: 'group' });
        this.body = h('div', {});
        this.left = h('div', {});
        fill(host, h('div', { class: 'line' }, h('h1', { class: 'grow' }, t('trash')), this.tools), h('p', { class: 'soft' }, t('trash.hint')), this.body, this.left);
    }

    async read() {
        await account.settled;
        this.all = [];
        this.faults = [];
        // A tree each: where it is, the zone that its uploads go by, and what its next page comes after.
        this.trees = [
            { at: '/', zone: 'home' },
            ...account.shared.map((one) => ({ at: one.path, zone: `shared:${path.decode(path.last(one.path))}` })),
            ...(account.isPublic ? [{ at: '/public', zone: 'public' }] : []),
        ];
        await this.more(this.trees);
        this.draw();
        await this.readLeft();
    }

    /// Reads on in these trees' trashes. What may not be looked at is passed over; what else fails is said beside the rest.
    async more(trees) {
        await Promise.all(trees.map(async (tree) => {
            try {
                const told = await remote.trash(tree.at, tree.next);
                this.all.push(...told.entries);
                tree.next = told.next;
            } catch (error) {
                tree.next = null;
                if (error.status !== 403 && error.status !== 404) this.faults.push(`${path.show(tree.at)}: ${explain(error)}`);
            }
        }));
        this.all.sort((a, b) => remote.seconds(b.deleted) - remote.seconds(a.deleted));
    }

    draw() {
        const some = this.chosen.size > 0;
        const next = this.trees.filter((tree) => tree.next);
        fill(this.tools,
            some && button({ picture: 'undo', label: t('restore'), kind: 'primary', onclick: () => this.restore([...this.chosen]) }),
            some && button({ picture: 'trash', label: t('purge'), kind: 'danger', onclick: () => this.purge([...this.chosen]) }),
            !some && this.all.length > 0 && button({ picture: 'trash', label: t('trash.empty'), kind: 'danger', onclick: () => this.empty() }));
        fill(this.body,
            this.faults.map((fault) => h('p', { class: 'fault' }, fault)),
            this.all.length === 0
                ? h('div', { class: 'empty' }, icon('trash'), h('h2', {}, t('trash.none')))
                : h('ul', { class: 'cards' }, this.all.map((one) => this.row(one))),
            next.length > 0 && button({ label: t('more.show'), onclick: () => this.more(next).then(() => this.draw()) }));
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
            const { done, failed } = await remote.restore(ids);
            toast(t('restored', { n: done.length }));
            this.sayFailed(failed);
        } catch (error) {
            oops(error);
        }
        this.over();
    }

    async purge(ids) {
        const done = await confirm({ title: t('purge.title', { n: ids.length }), text: t('purge.text'), action: t('purge'), danger: true, run: () => remote.purge(ids) });
        if (done) this.over();
    }

    /// Everything, also what was not read yet.
    async empty() {
        const trees = this.trees.filter((tree) => tree.next || this.all.some((one) => treeOf(one) === tree.at));
        const done = await confirm({
            title: t('trash.empty.title'), text: t('purge.all'), action: t('trash.empty'), danger: true, run: async () => {
                for (const { at } of trees) await remote.emptyTrash(at);
                return true;
            },
        });
        if (done) this.over();
    }

    /// By their names, as what failed is known by its id.
    sayFailed(failed) {
        sayFailed(failed.map(({ name, error }) => ({ name: this.all.find((one) => one.id === name)?.path ?? name, error })));
    }

    over() {
        this.chosen.clear();
        tell('space');
        this.read().catch(oops);
    }

    /// The uploads that were left, which somebody may have begun with another program.
    async readLeft() {
        const found = await Promise.allSettled(this.trees.map(({ zone }) => remote.uploads(zone)));
        const left = found.flatMap((one) => one.value?.uploads ?? []);
        fill(this.left, left.length > 0 && [
            h('h2', {}, t('left.uploads')), h('p', { class: 'soft' }, t('left.uploads.hint')),
            h('ul', { class: 'cards' }, left.map((one) => this.leftRow(one))),
        ]);
    }

    leftRow(one) {
        const at = path.canonical(one.path);
        const size = one.length === null ? format.size(one.offset) : `${format.size(one.offset)} / ${format.size(one.length)}`;
        return h('li', {}, icon('upload', 'tint'),
            h('div', { class: 'grow' }, h('span', { class: 'clip strong' }, nameText(path.decode(path.last(at)))),
                h('p', { class: 'soft small clip' }, nameText(path.show(path.parent(at))), ` · ${format.distance(remote.seconds(one.modified))}`)),
            h('span', { class: 'soft small number' }, size),
            one.in_use
                ? h('span', { class: 'badge' }, t('left.uploads.busy'))
                : button({
                    picture: 'trash', label: t('discard'), kind: 'danger', onclick: () => remote.dropUpload(one).then(() => {
                        tell('space');
                        return this.readLeft();
                    }).catch(oops),
                }));
    }
}

/// The tree that something lies in the trash of.
function treeOf(one) {
    const [, tree = '/'] = one.id.split('@');
    return path.canonical(tree);
}
