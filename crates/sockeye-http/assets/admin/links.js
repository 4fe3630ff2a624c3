// Whatever is shared by a link: by whom, how it may be used, whether it still leads anywhere; revoking any.

import * as api from '../api.js';
import { confirm } from '../dialog.js';
import { button, fill, h, nameText, settle } from '../dom.js';
import { t } from '../i18n.js';
import * as path from '../path.js';
import { oops, toast } from '../toast.js';
import { describe, ended } from '../views/shares.js';
import { pages } from './table.js';

export async function open(host) {
    const by = h('input', { type: 'search', placeholder: t('account'), 'aria-label': t('account') });
    const body = h('div', {});
    const list = pages(body, {
        read: (after) => read(by.value.trim(), after), of: (told) => told.shares,
        columns: [[t('account')], [t('path'), 'path'], [t('share.gives'), 'prose'], [t('state'), 'prose'], ['', 'end']],
        row: (one, again) => [
            nameText(one.by), nameText(path.show(path.canonical(one.path))), [one.label && h('p', {}, nameText(one.label)), describe(one)],
            one.ended ? h('span', { class: 'bad' }, ended(one)) : h('span', { class: 'badge' }, t('share.open')),
            button({ label: t('revoke'), onclick: () => revoke(one, again) }),
        ],
    });
    by.addEventListener('input', settle(() => list.read().catch(oops), 250));
    fill(host,
        h('div', { class: 'line filters' }, h('h2', { class: 'grow' }, t('shares')), by),
        h('p', { class: 'soft' }, t('admin.links.hint')),
        body);
    await list.read();
    return {};
}

/// A page of them; of an account that there is not, or not yet, as its name is being written, there are none.
async function read(by, after) {
    try {
        return await api.get('admin/shares', { by, after });
    } catch (error) {
        if (by && (error.status === 404 || error.status === 400)) return { shares: [], next: null };
        throw error;
    }
}

async function revoke(one, again) {
    const sure = await confirm({
        title: t('revoke.title'), text: t('revoke.text'), action: t('revoke'), danger: true,
        run: () => api.remove(`admin/shares/${encodeURIComponent(one.id)}`).then(() => true),
    });
    if (!sure) return;
    toast(t('revoked'));
    again();
}
