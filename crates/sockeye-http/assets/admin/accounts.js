// Accounts and shared folders: who there is, how much each uses, adding and changing them.

import * as api from '../api.js';
import { copyText } from '../copying.js';
import { confirm, openDialog } from '../dialog.js';
import { button, field, fill, h, meterFill, nameText } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import { openMenu } from '../menu.js';
import { account as me } from '../state.js';
import { toast } from '../toast.js';
import { table } from './admin.js';

const ROLES = ['member', 'guest', 'admin'];

export async function open(host) {
    await draw(host);
    return {};
}

async function draw(host) {
    const told = await api.get('admin/accounts', { limit: 1000 });
    const all = told.accounts;
    const again = () => draw(host);
    fill(host,
        h('div', { class: 'line' }, h('h2', { class: 'grow' }, t('accounts')), button({ picture: 'plus', label: t('accounts.new'), kind: 'primary', onclick: () => add(again) })),
        table([[t('name')], [t('role')], [t('space'), 'space'], [t('state')], ['', 'end']], all.map((one) => [
            nameText(one.name), t(`role.${one.role}`), space(one), one.locked ? h('span', { class: 'badge bad' }, t('locked')) : h('span', { class: 'badge' }, t('active')),
            button({ picture: 'more', title: t('more'), kind: 'plain', 'aria-haspopup': 'menu', onclick: (event) => openMenu(event.currentTarget, items(one, again)) }),
        ]), t('none')));
}

function space(one) {
    const used = one.used ?? 0;
    const quota = one.quota.bytes;
    if (!quota) return format.size(used);
    return [h('div', { class: 'meter' }, meterFill(Math.min(1, used / quota))), h('span', { class: 'soft small' }, t('space.of', { used: format.size(used), quota: format.size(quota) }))];
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
        { picture: 'lock', label: t('password.set'), run: () => password(one) },
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
    const most = h('input', { type: 'text', placeholder: t('quota.hint') });
    dialog(t('accounts.new'), [field(t('name'), name), field(t('password'), password, t('password.made')), h('div', { class: 'columns' }, field(t('role'), role), field(t('quota'), most))], t('create'), async () => {
        const told = await api.post('admin/accounts', { name: name.value.trim(), password: password.value || null, role: role.value, quota: bytes(most.value) });
        again();
        if (told.one_time_password) showOnce(told);
    });
}

/// The password that the new account signs in with for the first time.
function showOnce({ account, one_time_password: text }) {
    const input = h('input', { type: 'text', readonly: true, value: text, class: 'address', onfocus: (event) => event.target.select() });
    openDialog({
        title: t('password.once'),
        body: [h('p', {}, t('password.once.text', { name: account.name })), h('div', { class: 'joined' }, input, button({ picture: 'copy', label: t('copy'), kind: 'primary', onclick: () => copyText(text) }))],
        actions: [{ label: t('done'), submit: true }],
    });
}

function quota(one, again) {
    const most = h('input', { type: 'text', autofocus: true, placeholder: t('quota.hint') });
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

/// `10 GiB` as bytes; nothing is no limit.
function bytes(text) {
    const found = /^\s*([\d.]+)\s*([kmgt]?)i?b?\s*$/i.exec(text);
    if (text.trim() === '') return null;
    if (!found) throw new Error(t('quota.hint'));
    return Math.round(Number(found[1]) * 1024 ** ' kmgt'.indexOf(found[2].toLowerCase() || ' '));
}
