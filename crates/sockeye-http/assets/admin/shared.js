// Shared folders: which there are, how much each holds, adding, bounding and removing them.

import * as api from '../api.js';
import { confirm, openDialog } from '../dialog.js';
import { button, field, fill, h, nameText } from '../dom.js';
import { t } from '../i18n.js';
import * as path from '../path.js';
import { bytes, limit, more, pages, room } from './table.js';

export async function open(host) {
    const body = h('div', {});
    const list = pages(body, {
        read: (after) => api.get('admin/shared', { after }), of: (told) => told.shared,
        columns: [[t('name')], [t('space'), 'space'], ['', 'end']],
        row: (one, again) => [h('a', { href: path.folderHref(path.canonical(`/shared/${path.encode(one.name)}`)) }, nameText(one.name)), room(one), more(items(one, again))],
    });
    fill(host,
        h('div', { class: 'line' }, h('h2', { class: 'grow' }, t('shared')), button({ picture: 'plus', label: t('shared.new'), kind: 'primary', onclick: () => add(list.again) })),
        h('p', { class: 'soft' }, t('shared.new.hint')),
        body);
    await list.read();
    return {};
}

const at = (one) => `admin/shared/${encodeURIComponent(one.name)}`;

function items(one, again) {
    return [
        { picture: 'disk', label: t('quota.set'), run: () => quota(one, again) },
        null,
        {
            picture: 'trash', label: t('remove'), danger: true, run: async () => {
                const sure = await confirm({ title: t('shared.remove.title', { name: one.name }), text: t('shared.remove.text'), action: t('remove'), danger: true, run: () => api.remove(at(one)).then(() => true) });
                if (sure) again();
            },
        },
    ];
}

function add(again) {
    const name = h('input', { type: 'text', autofocus: true, autocomplete: 'off', spellcheck: 'false' });
    const most = limit(null);
    most.removeAttribute('autofocus');
    openDialog({
        title: t('shared.new'), body: [field(t('name'), name), field(t('quota'), most, t('quota.none'))],
        actions: [{ label: t('cancel') }, {
            label: t('create'), kind: 'primary', submit: true, run: async () => {
                await api.post('admin/shared', { name: name.value.trim(), quota: bytes(most.value) });
                again();
            },
        }],
    });
}

function quota(one, again) {
    const most = limit(one.quota.bytes);
    openDialog({
        title: t('quota.set'), body: field(t('quota'), most, t('quota.none')),
        actions: [{ label: t('cancel') }, {
            label: t('save'), kind: 'primary', submit: true, run: async () => {
                await api.patch(at(one), { quota: bytes(most.value) });
                again();
            },
        }],
    });
}
