// Accounts: who there is, how much each uses, what each may do where, adding and changing them.

import * as api from '../api.js';
import { copyText, selectAll } from '../copying.js';
import { confirm, openDialog } from '../dialog.js';
import { button, field, fill, h, nameText, settle } from '../dom.js';
import { t } from '../i18n.js';
import { account as me } from '../state.js';
import { oops, toast } from '../toast.js';
import { openSignIns } from './sign-ins.js';
import { bytes, limit, more, pages, room } from './table.js';

const ROLES = ['member', 'guest', 'admin'];

export async function open(host) {
    await draw(host);
    return {};
}

async function draw(host) {
    const starts = h('input', { type: 'search', placeholder: t('accounts.starts'), 'aria-label': t('accounts.starts') });
    const body = h('div', {});
    const list = pages(body, {
        read: (after) => api.get('admin/accounts', { starts: starts.value.trim(), after }), of: (told) => told.accounts,
        columns: [[t('name')], [t('role')], [t('space'), 'space'], [t('state')], ['', 'end']],
        row: (one, again) => [
            nameText(one.name), t(`role.${one.role}`), room(one), one.locked ? h('span', { class: 'badge bad' }, t('locked')) : h('span', { class: 'badge' }, t('active')),
            more(items(one, again)),
        ],
    });
    starts.addEventListener('input', settle(() => list.read().catch(oops), 250));
    fill(host,
        h('div', { class: 'line filters' }, h('h2', { class: 'grow' }, t('accounts')), starts, button({ picture: 'plus', label: t('accounts.new'), kind: 'primary', onclick: () => add(list.again) })),
        body);
    await list.read();
}

const at = (one) => `admin/accounts/${encodeURIComponent(one.name)}`;

function items(one, again) {
    const change = (content, said) => async () => {
        await api.patch(at(one), content);
        toast(said);
        again();
    };
    return [
        { picture: 'disk', label: t('quota.set'), run: () => quota(one, again) },
        { picture: 'shared', label: t('rights'), run: () => import('./rights.js').then((it) => it.openRights(one, again)).catch(oops) },
        { picture: 'lock', label: t('password.set'), run: () => password(one) },
        { picture: 'globe', label: t('signins'), run: () => openSignIns(one).catch(oops) },
        one.name !== me.name && { picture: 'user', label: t('role.change'), run: () => role(one, again) },
        one.name !== me.name && { picture: one.locked ? 'key' : 'lock', label: t(one.locked ? 'unlock' : 'lock'), run: change({ locked: !one.locked }, t('saved')) },
        null,
        one.name !== me.name && {
            picture: 'trash', label: t('accounts.remove'), danger: true, run: async () => {
                const sure = await confirm({ title: t('accounts.remove.title', { name: one.name }), text: t('accounts.remove.text'), action: t('accounts.remove'), danger: true, run: () => api.remove(at(one)).then(() => true) });
                if (sure) again();
            },
        },
    ];
}

function dialog(title, body, action, run) {
    openDialog({ title, body, actions: [{ label: t('cancel') }, { label: action, kind: 'primary', submit: true, run }] });
}

function add(again) {
    const name = h('input', { type: 'text', autofocus: true, autocomplete: 'off', spellcheck: 'false' });
    const password = h('input', { type: 'password', autocomplete: 'new-password' });
    const role = h('select', {}, ROLES.map((value) => h('option', { value }, t(`role.${value}`))));
    const most = limit(null);
    dialog(t('accounts.new'), [field(t('name'), name), field(t('password'), password, t('password.made')), h('div', { class: 'columns' }, field(t('role'), role), field(t('quota'), most))], t('create'), async () => {
        const told = await api.post('admin/accounts', { name: name.value.trim(), password: password.value || null, role: role.value, quota: bytes(most.value) });
        again();
        if (told.initial_password) showOnce(told);
    });
}

/// The password that the new account signs in with for the first time.
function showOnce({ name, initial_password: text }) {
    const input = h('input', { type: 'text', readonly: true, value: text, class: 'address', onfocus: selectAll });
    openDialog({
        title: t('password.once'),
        body: [h('p', {}, t('password.once.text', { name })), h('div', { class: 'joined' }, input, button({ picture: 'copy', label: t('copy'), kind: 'primary', onclick: () => copyText(text) }))],
        actions: [{ label: t('done'), submit: true }],
    });
}

function quota(one, again) {
    const most = limit(one.quota.bytes);
    dialog(t('quota.set'), field(t('quota'), most, t('quota.none')), t('save'), async () => {
        await api.patch(at(one), { quota: bytes(most.value) });
        again();
    });
}

function password(one) {
    const next = h('input', { type: 'password', autofocus: true, autocomplete: 'new-password' });
    dialog(t('password.set'), field(t('password.new'), next), t('save'), async () => {
        await api.patch(at(one), { password: next.value });
        toast(t('saved'));
    });
}

function role(one, again) {
    const chosen = h('select', { autofocus: true }, ROLES.map((value) => h('option', { value, selected: value === one.role }, t(`role.${value}`))));
    dialog(t('role.change'), field(t('role'), chosen), t('save'), async () => {
        await api.patch(at(one), { role: chosen.value });
        again();
    });
}
