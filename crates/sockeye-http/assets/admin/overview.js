// How the node is: whether it is well, what it listens on.

import * as api from '../api.js';
import { fill, h } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import { seconds } from '../remote.js';
import { table } from './admin.js';

const EVERY = 10_000;

export async function open(host) {
    let timer = 0;
    const draw = async () => {
        const [health, listeners] = await Promise.all([api.get('admin/health'), api.get('admin/listeners')]);
        const cards = Object.entries(health).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
        const all = listeners.listeners ?? listeners;
        fill(host,
            h('div', { class: 'vitals' }, cards.map(([key, value]) => vital(key, value))),
            h('h2', {}, t('listeners')),
            table([[t('protocol')], [t('address')]], all.map((one) => [one.protocol, h('code', {}, one.url ?? one.address)]), t('none')));
    };
    await draw();
    timer = setInterval(() => draw().catch(() => {}), EVERY);
    return { close: () => clearInterval(timer) };
}

function vital(key, value) {
    const bad = value === false || value === 'stalled';
    const text = typeof value === 'boolean' ? t(value ? 'yes' : 'no')
        : /(^|_)(bytes|space|free|used)/.test(key) ? format.size(value)
            : /(since|started|at)$/.test(key) ? format.distance(seconds(value))
                : typeof value === 'number' ? format.number(value) : value;
    return h('div', { class: bad ? 'vital bad' : 'vital' }, h('p', { class: 'soft small' }, t(`health.${key}`).replace('health.', '').replaceAll('_', ' ')), h('p', { class: 'large' }, bad && icon('warn'), text));
}
