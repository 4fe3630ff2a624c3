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
    // The newest first.
    let records = [];
    let turn = 0;

    const query = () => Object.fromEntries(Object.entries(filters).map(([key, input]) => [key, input.value.trim()]));
    const draw = () => fill(body, table([[t('time'), 'when'], [t('account')], [t('protocol')], [t('operation')], [t('path'), 'path'], [t('outcome')]],
        records.map((one) => [format.moment(seconds(one.time)), one.account ? nameText(one.account) : '', one.protocol ? one.protocol + (one.tls ? 's' : '') : '', h('code', {}, one.operation),
            nameText(one.path ?? ''), h('span', { class: !one.outcome || one.outcome === 'ok' ? 'badge' : 'badge bad' }, one.outcome ?? '')]), t('log.none')));
    const soon = settle(draw, 100);

    /// Reads the last records, and whether that went well. If not `anew`, what came by the stream meanwhile stays.
    const look = async (anew) => {
        const mine = turn += 1;
        try {
            const told = (await api.get('admin/log', { ...query(), limit: MOST })).records.sort((one, other) => other.seq - one.seq);
            if (mine !== turn) return false;
            const later = anew ? [] : records.filter((one) => one.seq > (told[0]?.seq ?? 0));
            records = [...later, ...told].slice(0, MOST);
            draw();
            return true;
        } catch (error) {
            // A filter that is not written to its end yet.
            if (error.status !== 400) fill(body, h('p', { class: 'fault' }, explain(error)));
            return false;
        }
    };
    const read = async () => { if (await look(true) && stream) follow(); };
    const following = button({ picture: 'play', label: t('log.follow'), 'aria-pressed': 'false' });
    const stop = () => {
        stream?.close();
        stream = null;
        showWhether();
    };
    const follow = () => {
        stream?.close();
        stream = new EventSource(api.address('admin/log', { ...query(), follow: true }));
        // What was written between the last look and now.
        stream.onopen = () => look(false);
        stream.onmessage = (event) => {
            const one = JSON.parse(event.data);
            if (one.seq <= (records[0]?.seq ?? 0)) return;
            records = [one, ...records].slice(0, MOST);
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
    await look(true);
    return { close: () => stream?.close() };
}
