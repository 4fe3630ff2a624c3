// The administrator's pages: a tab each.

import { fill, h } from '../dom.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import { explain } from '../toast.js';

const TABS = [
    ['overview', 'activity', () => import('./overview.js')],
    ['accounts', 'user', () => import('./accounts.js')],
    ['shared', 'shared', () => import('./shared.js')],
    ['links', 'link', () => import('./links.js')],
    ['sessions', 'globe', () => import('./sessions.js')],
    ['log', 'log', () => import('./log.js')],
];

export async function open(host, place) {
    host.className = 'sheet admin';
    const view = { host, shown: null, body: h('div', { class: 'panel' }), tabs: h('nav', { class: 'tabs', 'aria-label': t('admin') }) };
    fill(host, h('h1', {}, t('admin')), view.tabs, view.body);
    const turnTo = async (at) => {
        const wanted = at.split('/')[3] || 'overview';
        const [name, , load] = TABS.find(([key]) => key === wanted) ?? TABS[0];
        document.title = `${t(`admin.${name}`)} · sockeye`;
        fill(view.tabs, TABS.map(([key, picture]) => h('a', { href: key === 'overview' ? '/-/admin' : `/-/admin/${key}`, 'aria-current': key === name ? 'page' : null }, icon(picture), t(`admin.${key}`))));
        // On a narrow screen it may be out of sight.
        view.tabs.querySelector('[aria-current]').scrollIntoView({ block: 'nearest', inline: 'center' });
        view.shown?.close?.();
        view.shown = null;
        fill(view.body);
        try {
            view.shown = await (await load()).open(view.body);
        } catch (error) {
            fill(view.body, h('p', { class: 'fault' }, explain(error)));
        }
    };
    await turnTo(place);
    return { turnTo, close: () => view.shown?.close?.() };
}
