// Where an account is signed in; ending one of its sign-ins, or all.

import * as api from '../api.js';
import { openDialog } from '../dialog.js';
import { button, fill, h } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import { icon } from '../icons.js';
import { seconds } from '../remote.js';
import { oops } from '../toast.js';
import { browser } from '../views/account.js';

export async function openSignIns({ name }) {
    const at = `admin/accounts/${encodeURIComponent(name)}/sign-ins`;
    const list = h('ul', { class: 'cards' });
    const draw = async () => {
        const told = await api.get(at);
        fill(list, told.length === 0 ? h('li', { class: 'soft' }, t('signins.none')) : told.map((one) => h('li', {},
            icon('globe', 'tint'),
            h('div', { class: 'grow' },
                h('span', { class: 'strong clip' }, browser(one.agent)),
                h('p', { class: 'soft small clip' }, [one.peer, t('since', { when: format.distance(seconds(one.created)) })].filter(Boolean).join(' · '))),
            button({ label: t('end'), onclick: () => end(`${at}/${encodeURIComponent(one.id)}`).catch(oops) }))));
    };
    const end = async (what) => {
        await api.remove(what);
        await draw();
        return false;
    };
    await draw();
    openDialog({
        title: t('signins.of', { name }), body: list,
        actions: [{ label: t('signins.end.all'), kind: 'danger', run: () => end(at) }, { label: t('done'), submit: true }],
    });
}
