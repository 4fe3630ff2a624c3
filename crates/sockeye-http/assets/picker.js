// Choosing a folder to move or copy to.

import { openDialog } from './dialog.js';
import { button, fill, h, nameText } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import * as path from './path.js';
import * as remote from './remote.js';
import { account, root, visit } from './state.js';
import { explain } from './toast.js';

/// Asks for a folder, beginning at `from`; gives its path, or nothing. `refuse(path)` says where it cannot be.
export function pickFolder({ title, action, from, refuse = () => false }) {
    let here = from;
    const crumbs = h('div', { class: 'crumbs' });
    const rows = h('div', { class: 'choices', role: 'listbox', 'aria-label': t('folders'), tabindex: '0' });
    const it = openDialog({
        title, body: [crumbs, rows],
        actions: [
            { label: t('cancel') },
            { label: action, kind: 'primary', submit: true, run: () => (refuse(here) ? false : here) },
        ],
    });
    const main = it.dialog.querySelector('button[type=submit]');

    async function show(at) {
        here = at;
        fill(crumbs, ways(at).map(({ href, label }, n) => [n > 0 && icon('chevron'), button({ label, kind: 'plain', onclick: () => show(href) })]));
        main.disabled = refuse(at);
        fill(rows, h('p', { class: 'soft' }, t('loading')));
        try {
            const folders = await foldersOf(at);
            if (here !== at) return;
            fill(rows, folders.length
                ? folders.map((one) => button({ picture: one.picture, label: one.label, kind: 'choice', role: 'option', disabled: refuse(one.at), onclick: () => show(one.at) }))
                : h('p', { class: 'soft' }, t('folders.none')));
        } catch (error) {
            if (here === at) fill(rows, h('p', { class: 'fault' }, explain(error)));
        }
    }

    show(from);
    return it.done;
}

/// Folders that are shown.
const MOST = 2000;

async function foldersOf(at) {
    const out = [];
    for await (const { entries } of remote.list(at)) {
        for (const entry of entries) if (entry.folder) out.push({ at: path.join(at, entry.key), label: nameText(entry.name), picture: 'folder' });
        if (out.length > MOST) break;
    }
    if (at === '/') {
        for (const one of account.shared) out.push({ at: one.path, label: nameText(one.name), picture: 'shared' });
    }
    return out;
}

/// The folders from the root down to `at`, with what each is called.
export function ways(at) {
    const out = [{ href: root, label: visit.name ? nameText(visit.name) : t('home') }];
    let so = root;
    for (const key of at.slice(root.length).split('/').filter(Boolean)) {
        so = path.join(so, key);
        out.push({ href: so, label: nameText(path.decode(key)) });
    }
    return out;
}
