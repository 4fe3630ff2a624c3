// What lies below a folder and has something in its name.

import { openDialog } from '../dialog.js';
import { fill, h, nameText } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import { kind } from '../kinds.js';
import * as path from '../path.js';
import * as remote from '../remote.js';
import { go } from '../router.js';
import { explain, oops } from '../toast.js';

/// Looks below the view's folder for this part of a name.
export function openSearch(view, name) {
    const at = view.folder.path;
    const body = h('div', { 'aria-live': 'polite' }, h('p', { class: 'soft' }, t('loading')));
    const dialog = openDialog({ title: t('search.title', { name }), body, wide: true });
    const stop = new AbortController();
    dialog.done.then(() => stop.abort());
    const enter = async (event, found) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        dialog.close();
        await go(path.folderHref(path.parent(found)));
        view.select(path.last(found));
    };
    const row = (entry, found) => {
        const folder = path.parent(found);
        return h('li', {}, icon(kind(entry)),
            h('div', { class: 'grow' },
                h('a', { class: 'clip', href: path.folderHref(entry.folder ? found : folder), onclick: (event) => enter(event, found).catch(oops) }, nameText(entry.name)),
                h('p', { class: 'soft small clip' }, nameText(path.show(folder)))),
            !entry.folder && h('span', { class: 'soft small number' }, format.size(entry.size)));
    };
    remote.search(at, name, stop.signal).then(({ entries, complete }) => fill(body,
        entries.length === 0 ? h('p', { class: 'soft' }, t('found.none')) : h('ul', { class: 'cards' }, entries.map((one) => row(remote.entry(one), one.path))),
        !complete && h('p', { class: 'soft small' }, t('search.more'))), (error) => {
        if (error.name !== 'AbortError') fill(body, h('p', { class: 'fault', role: 'alert' }, explain(error)));
    });
}
