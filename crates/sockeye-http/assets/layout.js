// The frame around every view: the bar at the top, the places at the side, room for uploads and messages.

import { button, fill, h, meterFill, nameText } from './dom.js';
import * as format from './format.js';
import { icon } from './icons.js';
import { LANGUAGES, language, t } from './i18n.js';
import { openMenu } from './menu.js';
import * as path from './path.js';
import { setLanguage, setTheme, theme } from './preferences.js';
import { account, listen, root, visit } from './state.js';
import { acceptDrops } from './drag.js';

/// Puts the frame in place of what the server has rendered; the server's list stays in `#view` until a view
/// replaces it.
export function layOut() {
    const rendered = document.querySelector('main');
    const frame = h('div', { class: visit.base ? 'frame alone' : 'frame' },
        h('header', { class: 'bar' },
            !visit.base && button({ picture: 'menu', title: t('places'), kind: 'plain only-narrow', onclick: () => document.body.classList.toggle('drawer') }),
            h('a', { class: 'brand', href: path.folderHref(root), 'aria-label': t('home') }, brand(), h('span', {}, 'sockeye')),
            h('div', { id: 'bar', class: 'grow' }),
            who()),
        h('nav', { class: 'places', 'aria-label': t('places') }, h('div', { id: 'places' }), h('div', { id: 'space' })),
        h('div', { class: 'veil', onclick: closeDrawer }),
        h('main', { id: 'view', tabindex: '-1' }));
    frame.querySelector('main').append(...rendered.childNodes);
    rendered.remove();
    document.body.replaceChildren(frame,
        h('div', { id: 'uploads' }),
        h('div', { id: 'toasts', 'aria-live': 'polite', popover: 'manual' }));
    document.body.classList.add('app');
    listen('account', refresh);
    refresh();
}

/// The fish.
function brand() {
    const svg = icon('file', 'fish');
    svg.setAttribute('viewBox', '0 0 32 24');
    svg.firstChild.setAttribute('d', 'M2 12C6 4 15 2.5 22 8.500L30 4l-2.5 8L30 20l-8-4.500C15 21.5 6 20 2 12zM8.5 10.500h.01');
    return svg;
}

/// The places at the side, as far as they are known, and the room that is left.
export function refresh() {
    if (visit.base) return;
    const here = path.canonical(location.pathname);
    const own = location.pathname.startsWith('/-/');
    const inside = (at) => !own && path.within(here, at);
    const elsewhere = inside('/shared') || inside('/public');
    fill(document.getElementById('places'),
        place('/', 'home', t('home'), !own && !elsewhere),
        account.shared.map((one) => place(path.folderHref(one.path), 'shared', nameText(one.name), inside(one.path))),
        account.isPublic && place('/public/', 'globe', t('public'), inside('/public')),
        account.name && [
            h('hr'),
            place('/-/shares', 'link', t('shares'), location.pathname.startsWith('/-/shares')),
            place('/-/trash', 'trash', t('trash'), location.pathname.startsWith('/-/trash')),
        ],
        account.role === 'admin' && [h('hr'), place('/-/admin', 'server', t('admin'), location.pathname.startsWith('/-/admin'))]);
    fill(document.getElementById('space'), account.space && space(account.space));
    document.body.classList.remove('drawer');
}

function place(href, picture, label, current) {
    const link = h('a', { href, 'aria-current': current ? 'page' : null, onclick: closeDrawer }, icon(picture), h('span', { class: 'clip' }, label));
    if (!href.startsWith('/-/')) acceptDrops(link, path.canonical(href));
    return link;
}

function closeDrawer() {
    document.body.classList.remove('drawer');
}

function space({ used, quota }) {
    if (!quota) return h('p', { class: 'soft small' }, t('space.used', { used: format.size(used) }));
    const share = Math.min(1, used / quota);
    const level = share > 0.95 ? 'full' : share > 0.8 ? 'nearly' : '';
    return [
        h('div', { class: `meter ${level}`, role: 'meter', 'aria-label': t('space'), 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': Math.round(share * 100) },
            meterFill(share)),
        h('p', { class: 'soft small' }, t('space.of', { used: format.size(used), quota: format.size(quota) })),
    ];
}

function who() {
    if (!account.name) {
        const next = encodeURIComponent(location.pathname);
        return h('div', { class: 'who' }, looks(), !visit.base && h('a', { class: 'button primary', href: `/-/login?next=${next}` }, t('signin')));
    }
    return h('div', { class: 'who' }, button({
        kind: 'plain account', title: t('account.menu'), 'aria-haspopup': 'menu',
        picture: 'user', label: nameText(account.name),
        onclick: (event) => openMenu(event.currentTarget, [
            { picture: 'user', label: t('account'), href: '/-/account' },
            { picture: 'keyboard', label: t('keys'), hint: '?', run: () => import('./dialogs/keys.js').then((it) => it.openKeys()) },
            null,
            ...lookItems(),
            null,
            { picture: 'logout', label: t('signout'), run: signOut },
        ]),
    }));
}

function looks() {
    return button({ picture: 'sun', title: t('look'), kind: 'plain', 'aria-haspopup': 'menu', onclick: (event) => openMenu(event.currentTarget, lookItems()) });
}

function lookItems() {
    return [
        ...[['', 'spark', 'theme.system'], ['light', 'sun', 'theme.light'], ['dark', 'moon', 'theme.dark']].map(([value, picture, label]) => (
            { picture, label: t(label), checked: theme() === value, run: () => setTheme(value) })),
        null,
        ...LANGUAGES.map(([tag, label]) => (
            { picture: 'globe', label, checked: language().startsWith(tag), run: () => { setLanguage(tag); location.reload(); } })),
    ];
}

/// By a form, as the answer is a page that forgets the cookie.
function signOut() {
    const form = h('form', { method: 'post', action: '/-/logout', class: 'hidden' }, h('input', { type: 'hidden', name: 'csrf', value: account.csrf }));
    document.body.append(form);
    form.submit();
}
