// The view of one's share links: what each gives, until when, how often it was used; and revoking it.

import { copyText } from '../copying.js';
import { confirm } from '../dialog.js';
import { button, fill, h, nameText } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { knows, t } from '../i18n.js';
import * as path from '../path.js';
import * as remote from '../remote.js';
import { full } from '../dialogs/share.js';
import { explain, toast } from '../toast.js';

export async function open(host) {
    document.title = `${t('shares')} · sockeye`;
    host.className = 'sheet';
    const body = h('div', {});
    fill(host, h('h1', {}, t('shares')), h('p', { class: 'soft' }, t('shares.hint')), body);
    await draw(body);
    return {};
}

async function draw(host) {
    let all;
    try {
        all = await remote.allShares();
    } catch (error) {
        fill(host, h('p', { class: 'fault' }, explain(error)));
        return;
    }
    fill(host, all.length === 0
        ? h('div', { class: 'empty' }, icon('link'), h('h2', {}, t('shares.none')), h('p', {}, t('shares.none.hint')))
        : h('ul', { class: 'cards' }, all.map((one) => row(one, host))));
}

function row(one, host) {
    const at = path.canonical(one.path);
    const address = full(one.url);
    return h('li', { class: one.ended ? 'ended' : null },
        icon(one.kind === 'upload' ? 'dropbox' : 'link', 'tint'),
        h('div', { class: 'grow' },
            h('a', { class: 'clip strong', href: path.folderHref(path.parent(at)) }, nameText(path.show(at))),
            h('p', { class: 'soft small' }, describe(one)),
            one.ended && h('p', { class: 'bad small' }, ended(one))),
        button({ picture: 'copy', label: t('share.copy'), onclick: () => copyText(address) }),
        button({ picture: 'globe', title: t('open.tab'), kind: 'plain', onclick: () => window.open(address, '_blank', 'noopener') }),
        button({
            picture: 'trash', title: t('revoke'), kind: 'plain danger', onclick: async () => {
                const sure = await confirm({
                    title: t('revoke.title'), text: t('revoke.text'), action: t('revoke'), danger: true, run: () => remote.revokeShare(one.id).then(() => true),
                });
                if (sure) {
                    toast(t('revoked'));
                    draw(host);
                }
            },
        }));
}

/// Why a link leads nowhere.
export function ended(one) {
    const key = `share.ended.${one.ended}`;
    return knows(key) ? t(key) : one.ended;
}

/// What a link gives, in a line.
export function describe(one) {
    const parts = [t(one.kind === 'upload' ? 'share.drop' : 'share.read')];
    if (one.expires) {
        const until = remote.seconds(one.expires);
        parts.push(until < Date.now() / 1000 ? t('expired') : t('expires', { when: format.distance(until) }));
    } else parts.push(t('expires.never'));
    if (one.downloads) parts.push(t('share.used.of', { used: one.downloaded ?? 0, n: one.downloads }));
    else if (one.kind !== 'upload') parts.push(t('share.used', { n: one.downloaded ?? 0 }));
    else {
        parts.push(t('share.taken', { n: one.taken_files, size: format.size(one.taken_bytes) }));
        if (one.max_files) parts.push(t('share.most.files', { n: one.max_files }));
        if (one.max_bytes) parts.push(t('share.most.size', { size: format.size(one.max_bytes) }));
    }
    if (one.has_password) parts.push(t('share.has.password'));
    return parts.join(' · ');
}
