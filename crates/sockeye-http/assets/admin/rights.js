// What was granted to an account beside what its role gives: shown, given and taken back.

import * as api from '../api.js';
import { openDialog } from '../dialog.js';
import { button, field, fill, h, nameText } from '../dom.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import { oops } from '../toast.js';

/// The usual rights, by what they are called.
const RIGHTS = [['read,write,delete,list', 'rights.change'], ['read,list', 'rights.read'], ['all', 'rights.all'], ['none', 'rights.nothing']];

/// Opens the rights of an account; `again` is called after each change.
export function openRights(account, again) {
    const base = `admin/accounts/${encodeURIComponent(account.name)}/grants`;
    const list = h('div', {});
    const where = h('input', { type: 'text', autofocus: true, value: '/shared/', autocomplete: 'off', spellcheck: 'false', list: 'shared-folders' });
    const rights = h('select', {}, RIGHTS.map(([value, key]) => h('option', { value }, t(key))));
    const known = h('datalist', { id: 'shared-folders' });
    const changed = (told) => {
        draw(told.grants);
        again();
    };
    const draw = (grants) => fill(list, grants.length === 0
        ? h('p', { class: 'soft' }, t('rights.none'))
        : h('ul', { class: 'cards' }, grants.map((one) => h('li', {}, icon('folder', 'tint'),
            h('div', { class: 'grow' }, h('span', { class: 'strong clip' }, nameText(one.prefix)), h('p', { class: 'soft small' }, called(one.rights))),
            button({ picture: 'trash', title: t('remove'), kind: 'plain danger', onclick: () => api.remove(base, { prefix: one.prefix }).then(changed).catch(oops) })))));
    draw(account.grants);
    openDialog({
        title: t('rights.of', { name: account.name }),
        body: [
            h('p', { class: 'soft small' }, t('rights.hint')), list,
            h('div', { class: 'columns' }, field(t('rights.where'), where), field(t('rights'), rights)), known,
        ],
        actions: [{ label: t('close') }, {
            label: t('rights.add'), kind: 'primary', submit: true, run: async () => {
                changed(await api.post(base, { prefix: where.value.trim(), rights: rights.value }));
                return false;
            },
        }],
    });
    api.get('admin/shared', { limit: 1000 }).then((told) => fill(known, told.shared.map((one) => h('option', { value: one.path }))), () => {});
}

/// A set of rights for people, by its usual name where it has one.
function called(rights) {
    const of = (text) => text.split(',').sort().join();
    const usual = RIGHTS.find(([value]) => of(value) === of(rights));
    return usual ? t(usual[1]) : rights;
}
