// What is known of one file or folder.

import { copyText } from '../copying.js';
import { openDialog } from '../dialog.js';
import { button, fill, h, nameText } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import * as path from '../path.js';
import * as remote from '../remote.js';
import { visit } from '../state.js';
import { explain } from '../toast.js';

export function openDetails(folder, entry) {
    const more = h('div', {});
    const row = (label, ...value) => h('div', {}, h('dt', {}, label), h('dd', {}, value));
    openDialog({
        title: t('details'),
        body: h('dl', { class: 'facts' },
            row(t('name'), nameText(entry.name)),
            row(t('where'), nameText(visit.isLink ? visit.name + path.show(folder.path.slice(visit.base.length)) : path.show(folder.path))),
            !entry.folder && row(t('column.size'), format.size(entry.size), h('span', { class: 'soft' }, ` (${t('bytes', { n: entry.size })})`)),
            row(t('column.time'), format.exactly(entry.time)),
            more),
    });
    // Whoever comes by a link, or to one folder, has no API.
    if (entry.folder || visit.base) return;
    remote.digest(folder.pathOf(entry)).then((digest) => {
        fill(more, digest && row('SHA-256', h('code', { class: 'clip', title: digest }, digest), button({ picture: 'copy', title: t('copy'), kind: 'plain', onclick: () => copyText(digest) })));
    }, (error) => fill(more, h('p', { class: 'fault' }, explain(error))));
}
