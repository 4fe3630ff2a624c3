// The operation log: the last records, by account, operation and path; and those to come, as they come.

import * as api from '../api.js';
import { button, fill, h, nameText, settle } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import { seconds } from '../remote.js';
import { explain, toast } from '../toast.js';
import { table } from './table.js';

/// Records that are shown.
const MOST = 500;

export async function open(host) {
    const filters = {
        account: h('input', { type: 'search', placeholder: t('account'), 'aria-label': t('account') }),
        operation: h('input', { type: 'search', placeholder: t('operation'), 'aria-label': t('operation') }),
        path: h('input', { type: 'search', placeholder: t('path'), 'aria-label': t('path') }),
    };
    const body = h('div', {});
    let stream = null;
    let records = [];

    const query = () => Object.fromEntries(Object.entries(filters).map(([key, input]) => [key, input.value.trim()]));
    const draw = () => fill(body, table([[t('time'), 'when'], [t('account')], [t('protocol')], [t('operation')], [t('path'), 'path'], [t('outcome')]],
        records.map((one) => [format.moment(seconds(one.time)), one.account ? nameText(one.account) : '', one.protocol ?? '', h('code', {}, one.operation),
            nameText(one.path ?? ''), h('span', { class: !one.outcome || one.outcome === 'ok' ? 'badge' : 'badge bad' }, one.outcome ?? '')]), t('log.none')));
    const soon = settle(draw, 100);

    const read = async () => {
        try {
            const told = await api.get('admin/log', { ...query(), limit: MOST });
            records = told.records;
            if (records.length > 1 && seconds(records[0].time) < seconds(records.at(-1).time)) records.reverse();
            draw();
        } catch (error) {
            // A filter that is not written to its end yet.
            if (error.status === 400) return;
            fill(body, h('p', { class: 'fault' }, explain(error)));
        }
        if (stream) follow();
    };
    const following = button({ picture: 'play', label: t('log.follow'), 'aria-pressed': 'false' });
    const stop = () => {
        stream?.close();
        stream = null;
        showWhether();
    };
    const follow = () => {
        stream?.close();
        stream = new EventSource(api.address('admin/log', { ...query(), follow: true }));
        stream.onmessage = (event) => {
            records = [JSON.parse(event.data), ...records].slice(0, MOST);
            soon();
        };
        stream.onerror = () => {
            // What broke off is opened again by itself, and the server is told where it was; what was refused is not.
            if (stream?.readyState !== EventSource.CLOSED) return;
            stop();
            toast(t('log.refused'), { kind: 'bad' });
        };
        showWhether();
    };
    const showWhether = () => {
        following.setAttribute('aria-pressed', String(Boolean(stream)));
        following.classList.toggle('primary', Boolean(stream));
    };
    following.addEventListener('click', () => (stream ? stop() : follow()));
    for (const input of Object.values(filters)) input.addEventListener('input', settle(read, 250));
    fill(host, h('div', { class: 'line filters' }, Object.values(filters), following, button({ picture: 'refresh', title: t('refresh'), kind: 'plain', onclick: read })), body);
    await read();
    return { close: () => stream?.close() };
}
