// One's own account: space, password, where one is signed in, tokens and keys for programs.

import * as api from '../api.js';
import { copyText } from '../copying.js';
import { confirm, openDialog } from '../dialog.js';
import { button, field, fill, h, meterFill, nameText } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import { seconds } from '../remote.js';
import { account } from '../state.js';
import { explain, toast } from '../toast.js';

export async function open(host) {
    await account.settled;
    document.title = `${t('account')} · sockeye`;
    host.className = 'sheet';
    const signIns = h('div', {});
    const tokens = h('div', {});
    const keys = h('div', {});
    fill(host,
        h('h1', {}, nameText(account.name)),
        h('p', { class: 'soft' }, t(`role.${account.role || 'member'}`)),
        section('disk', t('space'), space()),
        section('lock', t('password'), password(() => drawSignIns(signIns))),
        section('globe', t('signins'), h('p', { class: 'soft small' }, t('signins.hint')), signIns),
        section('key', t('tokens'), h('p', { class: 'soft small' }, t('tokens.hint')), tokens),
        section('lock', t('ssh'), h('p', { class: 'soft small' }, t('ssh.hint')), keys));
    await Promise.all([drawSignIns(signIns), drawTokens(tokens), drawKeys(keys)]);
    return {};
}

function section(picture, title, ...content) {
    return h('section', { class: 'part' }, h('h2', { class: 'line' }, icon(picture), title), content);
}

function space() {
    const { used = 0, quota = null } = account.space ?? {};
    return quota
        ? [h('div', { class: 'meter' }, meterFill(Math.min(1, used / quota))), h('p', { class: 'soft small' }, t('space.of', { used: format.size(used), quota: format.size(quota) }))]
        : h('p', { class: 'soft' }, t('space.used', { used: format.size(used) }));
}

/// The form; `changed` is called when there is a new one.
function password(changed) {
    const now = h('input', { type: 'password', autocomplete: 'current-password', required: true });
    const next = h('input', { type: 'password', autocomplete: 'new-password', required: true, minlength: 8 });
    const said = h('p', { class: 'fault', role: 'alert', hidden: true });
    return h('form', {
        onsubmit: async (event) => {
            event.preventDefault();
            said.hidden = true;
            try {
                const told = await api.post('password', { current: now.value, new: next.value });
                // With the password every sign-in ended; this browser has a new one.
                if (told?.csrf) account.renew(told.csrf);
                account.mustChange = false;
                event.target.reset();
                toast(t('password.changed'));
                changed();
            } catch (error) {
                said.textContent = explain(error);
                said.hidden = false;
            }
        },
    }, h('div', { class: 'columns' }, field(t('password.now'), now), field(t('password.new'), next)), said,
    h('button', { class: 'button' }, t('password.change')), h('p', { class: 'hint' }, t('password.hint')));
}

async function drawSignIns(host) {
    try {
        const told = await api.get('sign-ins');
        fill(host, h('ul', { class: 'cards' }, told.map((one) => h('li', {},
            icon('globe', 'tint'),
            h('div', { class: 'grow' },
                h('span', { class: 'strong clip' }, one.current ? t('signins.this') : browser(one.agent)),
                h('p', { class: 'soft small clip' }, [one.peer, one.current ? browser(one.agent) : null, t('since', { when: format.distance(seconds(one.created)) })].filter(Boolean).join(' · '))),
            !one.current && button({ label: t('end'), onclick: () => end(one, host) })))));
    } catch (error) {
        fill(host, h('p', { class: 'fault' }, explain(error)));
    }
}

async function end(one, host) {
    const sure = await confirm({ title: t('signins.end'), text: t('signins.end.text'), action: t('end'), danger: true, run: () => api.remove(`sign-ins/${encodeURIComponent(one.id)}`).then(() => true) });
    if (sure) drawSignIns(host);
}

/// The browser's name and system, as far as people want to know.
export function browser(agent) {
    if (!agent) return t('unknown');
    const name = [['Edg/', 'Edge'], ['OPR/', 'Opera'], ['Firefox/', 'Firefox'], ['Chrome/', 'Chrome'], ['Safari/', 'Safari'], ['curl/', 'curl']].find(([mark]) => agent.includes(mark))?.[1];
    const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS X', 'CrOS', 'Linux'].find((mark) => agent.includes(mark));
    return name ? [name, system?.replace('Mac OS X', 'macOS')].filter(Boolean).join(', ') : agent.slice(0, 60);
}

async function drawTokens(host) {
    try {
        const told = await api.get('tokens');
        fill(host,
            told.length > 0 && h('ul', { class: 'cards' }, told.map((one) => h('li', {},
                icon('key', 'tint'),
                h('div', { class: 'grow' }, h('span', { class: 'strong clip' }, nameText(one.label || one.id)),
                    h('p', { class: 'soft small clip' }, [one.rights, one.prefix, one.expires ? t('expires', { when: format.distance(seconds(one.expires)) }) : t('expires.never')].flat().filter(Boolean).join(' · '))),
                button({
                    label: t('revoke'), onclick: async () => {
                        const sure = await confirm({ title: t('tokens.revoke'), text: t('tokens.revoke.text'), action: t('revoke'), danger: true, run: () => api.remove(`tokens/${encodeURIComponent(one.id)}`).then(() => true) });
                        if (sure) drawTokens(host);
                    },
                })))),
            button({ picture: 'plus', label: t('tokens.new'), onclick: () => newToken(() => drawTokens(host)) }));
    } catch (error) {
        fill(host, h('p', { class: 'fault' }, explain(error)));
    }
}

const SPANS = [['2592000', 'span.month'], ['31536000', 'span.year'], ['', 'span.never']];

function newToken(made) {
    const label = h('input', { type: 'text', autofocus: true, maxlength: 64, placeholder: t('tokens.label.hint') });
    const write = h('input', { type: 'checkbox', checked: true });
    const expires = h('select', {}, SPANS.map(([value, key]) => h('option', { value }, t(key))));
    const it = openDialog({
        title: t('tokens.new'),
        body: [field(t('tokens.label'), label), field(t('share.expires'), expires), h('label', { class: 'tickbox' }, write, t('tokens.write'))],
        actions: [{ label: t('cancel') }, {
            label: t('create'), kind: 'primary', submit: true, run: async () => {
                const told = await api.post('tokens', {
                    label: label.value.trim() || t('tokens.new'), prefix: '/', rights: write.checked ? 'read,list,write,delete' : 'read,list',
                    expires: expires.value ? new Date(Date.now() + Number(expires.value) * 1000).toISOString() : null,
                });
                const text = h('input', { type: 'text', readonly: true, value: told.token, class: 'address', onfocus: (event) => event.target.select() });
                fill(it.dialog.querySelector('.body'), h('p', {}, t('tokens.once')), h('div', { class: 'joined' }, text, button({ picture: 'copy', label: t('copy'), kind: 'primary', onclick: () => copyText(told.token) })));
                fill(it.dialog.querySelector('footer'), button({ label: t('done'), onclick: () => it.close() }));
                text.focus();
                made();
                return false;
            },
        }],
    });
}

async function drawKeys(host) {
    try {
        const told = await api.get('keys');
        fill(host,
            told.length > 0 && h('ul', { class: 'cards' }, told.map((one) => h('li', {},
                icon('key', 'tint'),
                h('div', { class: 'grow' }, h('span', { class: 'strong clip' }, nameText(one.comment || one.kind)),
                    h('p', { class: 'soft small clip' }, h('code', {}, one.fingerprint), ` · ${t('since', { when: format.distance(seconds(one.created)) })}`)),
                button({
                    label: t('remove'), onclick: async () => {
                        const sure = await confirm({ title: t('ssh.remove'), text: t('ssh.remove.text'), action: t('remove'), danger: true, run: () => api.remove(`keys/${encodeURIComponent(one.fingerprint)}`).then(() => true) });
                        if (sure) drawKeys(host);
                    },
                })))),
            button({ picture: 'plus', label: t('ssh.new'), onclick: () => newKey(() => drawKeys(host)) }));
    } catch (error) {
        fill(host, h('p', { class: 'fault' }, explain(error)));
    }
}

function newKey(made) {
    const key = h('textarea', { rows: 4, autofocus: true, spellcheck: 'false', autocomplete: 'off' });
    openDialog({
        title: t('ssh.new'),
        body: field(t('ssh.key'), key),
        actions: [{ label: t('cancel') }, {
            label: t('ssh.new'), kind: 'primary', submit: true, run: async () => {
                await api.post('keys', { key: key.value.trim() });
                made();
            },
        }],
    });
}
