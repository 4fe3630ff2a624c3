// How the node is: whether it is well, what it listens on; and having it read its configuration again.

import * as api from '../api.js';
import { openDialog } from '../dialog.js';
import { button, fill, h } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { knows, t } from '../i18n.js';
import { seconds } from '../remote.js';
import { oops } from '../toast.js';
import { table } from './table.js';

const EVERY = 10_000;

export async function open(host) {
    let timer = 0;
    const draw = async () => {
        const [health, listeners] = await Promise.all([api.get('admin/health'), api.get('admin/listeners')]);
        const cards = Object.entries(health).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value));
        const all = listeners.listeners;
        fill(host,
            h('div', { class: 'vitals' }, cards.map(([key, value]) => vital(key, value))),
            h('h2', {}, t('listeners')),
            listeners.not_open.map((one) => h('p', { class: 'fault' }, t('listeners.not.open', one))),
            table([[t('protocol')], [t('address')], [t('health.connections'), 'end']], all.map((one) => [one.protocol, h('code', {}, one.address), format.number(one.connections)]), t('none')),
            h('h2', {}, t('configuration')),
            h('p', {}, button({ picture: 'refresh', label: t('reload.config'), onclick: () => reload().then(draw).catch(oops) })));
    };
    await draw();
    timer = setInterval(() => draw().catch(() => {}), EVERY);
    return { close: () => clearInterval(timer) };
}

function vital(key, value) {
    const bad = value === false || value === 'stalled';
    const text = typeof value === 'boolean' ? t(value ? 'yes' : 'no')
        : /^disk_/.test(key) ? format.size(value)
            : knows(`${key}.${value}`) ? t(`${key}.${value}`) : key === 'started' ? format.distance(seconds(value))
                : typeof value === 'number' && key !== 'pid' ? format.number(value) : String(value);
    return h('div', { class: bad ? 'vital bad' : 'vital' }, h('p', { class: 'soft small' }, knows(`health.${key}`) ? t(`health.${key}`) : key), h('p', { class: 'large' }, bad && icon('warn'), text));
}

/// Has the configuration read again, and shows what came of it.
async function reload() {
    const told = await api.post('admin/reload');
    const value = (text) => text ?? t('unset');
    const lines = [
        ...told.changed.map((one) => t(one.applied ? 'reload.changed' : 'reload.later', { key: one.key, before: value(one.before), after: value(one.after) })),
        ...told.opened.map((listen) => t('reload.opened', { listen })),
        ...told.closed.map((listen) => t('reload.closed', { listen })),
    ];
    openDialog({
        title: t('reload.done'),
        body: [
            [...told.failed, ...told.warnings].map((text) => h('p', { class: 'fault' }, text)),
            lines.length > 0 ? h('ul', {}, lines.map((line) => h('li', {}, line))) : h('p', {}, t('reload.nothing')),
        ],
        actions: [{ label: t('done'), kind: 'primary', submit: true }],
    });
}
