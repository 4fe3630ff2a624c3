// Who is connected, by which protocol; ending one.

import * as api from '../api.js';
import { confirm } from '../dialog.js';
import { button, fill, h, nameText } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import { seconds } from '../remote.js';
import { oops, toast } from '../toast.js';
import { table } from './table.js';

const EVERY = 5000;

/// What a session does now: the first file that it reads or writes, and how many more; or for how long it did nothing.
function does({ doing, idle }) {
    if (doing.length === 0) return h('span', { class: 'soft' }, t('sessions.idle', { time: format.duration(idle) }));
    const [{ op, path, bytes }, ...more] = doing;
    return [`${op} `, nameText(path), ` ${format.size(bytes)}`, more.length > 0 && ` +${more.length}`];
}

export async function open(host) {
    let pages = 1;
    const draw = async () => {
        const all = [];
        let next = null;
        for (let page = 0; page < pages && (page === 0 || next); page += 1) {
            const told = await api.get('admin/sessions', next ? { after: next } : {});
            all.push(...told.sessions);
            next = told.next;
        }
        const more = () => {
            pages += 1;
            draw().catch(oops);
        };
        fill(host, table([[t('account')], [t('protocol')], [t('peer')], [t('began')], [t('sessions.does')], ['', 'end']], all.map((one) => [
            one.account ? (one.by_link ? t('sessions.link', { name: one.account }) : nameText(one.account)) : h('span', { class: 'soft' }, t('anonymous')), one.tls ? `${one.protocol}, TLS` : one.protocol, h('code', {}, one.peer ?? ''),
            format.distance(seconds(one.since)),
            does(one),
            button({
                label: t('end'), onclick: async () => {
                    const sure = await confirm({ title: t('session.end'), text: t('session.end.text'), action: t('end'), danger: true, run: () => api.remove(`admin/sessions/${encodeURIComponent(one.id)}`).then(() => true) });
                    if (!sure) return;
                    toast(t('session.ended'));
                    draw().catch(oops);
                },
            }),
        ]), t('sessions.none')), next && button({ label: t('sessions.more'), onclick: more }));
    };
    await draw();
    const timer = setInterval(() => { if (!host.contains(document.activeElement)) draw().catch(() => {}); }, EVERY);
    return { close: () => clearInterval(timer) };
}
