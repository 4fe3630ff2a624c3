// The dialog that makes a share link, and shows it with its picture.

import { bytes } from '../admin/table.js';
import { copyText, selectAll } from '../copying.js';
import { openDialog } from '../dialog.js';
import { button, field, fill, h, nameText } from '../dom.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import * as path from '../path.js';
import { qr } from '../qr.js';
import * as remote from '../remote.js';
import { describe, ended } from '../views/shares.js';
import { explain, oops, toast } from '../toast.js';

const SPANS = [['86400', 'span.day'], ['604800', 'span.week'], ['2592000', 'span.month'], ['', 'span.never']];

/// Opens it for what stands at `at`.
export function openShare({ at, isFolder }) {
    const expires = h('select', {}, SPANS.map(([value, label]) => h('option', { value, selected: value === '604800' }, t(label))));
    const password = h('input', { type: 'text', autocomplete: 'off', placeholder: t('share.password.none'), spellcheck: 'false' });
    const downloads = h('input', { type: 'number', min: 1, max: 1_000_000, placeholder: t('share.downloads.any') });
    const size = h('input', { type: 'text', placeholder: t('share.max.size.hint') });
    const files = h('input', { type: 'number', min: 1, placeholder: t('share.downloads.any') });
    const limits = h('div', { class: 'columns', hidden: true }, field(t('share.max.size'), size), field(t('share.max.files'), files));
    const upload = h('input', {
        type: 'checkbox', onchange: () => {
            downloads.disabled = upload.checked;
            limits.hidden = !upload.checked;
        },
    });
    const there = h('div', { class: 'there' });
    const it = openDialog({
        title: t('share.title'), kind: 'share',
        body: [
            h('p', { class: 'what' }, icon(isFolder ? 'folder' : 'file'), nameText(path.decode(path.last(at)) || '/')),
            h('div', { class: 'columns' }, field(t('share.expires'), expires), field(t('share.downloads'), downloads)),
            field(t('share.password'), password),
            isFolder && h('label', { class: 'tickbox' }, upload, h('span', {}, t('share.upload'), h('span', { class: 'hint' }, t('share.upload.hint')))),
            limits, there,
        ],
        actions: [
            { label: t('close') },
            {
                label: t('share.make'), picture: 'link', kind: 'primary', submit: true, run: async () => {
                    const made = await remote.addShare({
                        path: at,
                        expires: expires.value ? new Date(Date.now() + Number(expires.value) * 1000).toISOString() : null,
                        downloads: downloads.value && !downloads.disabled ? Number(downloads.value) : null,
                        max_bytes: upload.checked ? bytes(size.value) : null,
                        max_files: upload.checked && files.value ? Number(files.value) : null,
                        password: password.value || null,
                        kind: upload.checked ? 'upload' : 'download',
                    });
                    showLink(it, made.url, password.value);
                    return false;
                },
            }],
    });
    remote.allShares().then((all) => drawThere(there, all.filter((one) => path.canonical(one.path) === at)), (error) => fill(there, h('p', { class: 'fault' }, explain(error))));
}

/// The links that there are already.
function drawThere(host, own) {
    fill(host, own.length > 0 && [
        h('h3', {}, t('share.there')),
        h('ul', {}, own.map((one) => h('li', {},
            h('div', { class: 'grow' }, describe(one), one.ended && h('p', { class: 'bad small' }, ended(one))),
            button({ picture: 'copy', title: t('share.copy'), kind: 'plain', onclick: () => copyText(full(one.url)) }),
            button({
                picture: 'trash', title: t('revoke'), kind: 'plain', onclick: () => remote.revokeShare(one.id).then(() => {
                    drawThere(host, own.filter((other) => other !== one));
                    toast(t('revoked'));
                }, oops),
            })))),
    ]);
}

/// A link with the address of this site, as a server behind another does not know it.
export function full(link) {
    return new URL(link, location.href).href;
}

function showLink(it, link, password) {
    const address = full(link);
    const input = h('input', { type: 'text', readonly: true, value: address, class: 'address', 'aria-label': t('share.link'), onfocus: selectAll });
    fill(it.dialog.querySelector('.body'),
        h('p', { class: 'good line' }, icon('check'), t('share.made')),
        h('div', { class: 'joined' }, input, button({ picture: 'copy', label: t('copy'), kind: 'primary', onclick: () => copyText(address) })),
        password && h('p', { class: 'soft small' }, t('share.password.hint')),
        h('div', { class: 'code' }, qr(address, t('share.qr'))));
    fill(it.dialog.querySelector('footer'), button({ label: t('done'), onclick: () => it.close() }));
    input.focus();
}
