// Takes over the page that the server has rendered: who is here, in which language, and which view.

import * as api from './api.js';
import { learn, t } from './i18n.js';
import { layOut } from './layout.js';
import * as remote from './remote.js';
import { go, route, start } from './router.js';
import { account, listen, visit } from './state.js';
import { oops, toast } from './toast.js';
import { drawn, settle } from './dom.js';

const page = document.documentElement.dataset;

account.name = page.account ?? '';
account.csrf = page.csrf ?? '';
api.allowChanges(account.csrf, account.name);

await learn(document.documentElement.lang);
layOut();
if (visit.base) route(visit.isLink ? /^\/-\/s\/[^/]+\/(.*\/)?$/ : /^\//, () => import('./views/files.js'));
else {
    route(/^\/-\/trash\/?$/, () => import('./views/trash.js'));
    route(/^\/-\/shares\/?$/, () => import('./views/shares.js'));
    route(/^\/-\/account\/?$/, () => import('./views/account.js'));
    route(/^\/-\/admin(\/.*)?$/, () => import('./admin/admin.js'));
    route(/^\/(?!-\/)/, () => import('./views/files.js'));
}
// Not before there is something to be seen, as nothing of that waits for it.
account.settled = account.name ? drawn().then(remote.me).then((told) => account.learn(told), oops) : Promise.resolve();
api.onSignedOut(settle(() => {
    // A link asks for its password itself.
    if (visit.base) location.reload();
    else {
        toast(t('error.401'), {
            kind: 'bad', action: { label: t('signin'), run: () => location.assign(`/-/login?next=${encodeURIComponent(location.pathname)}`) },
        });
    }
}, 100));
// What was put or deleted changes how much room there is.
listen('space', settle(() => remote.me().then((told) => account.learn(told), () => {}), 1000));
await start();
document.documentElement.dataset.ready = '';
await account.settled;
if (account.mustChange) toast(t('password.must'), { action: { label: t('account'), run: () => go('/-/account') } });
// Only now, as nothing of it is needed to look at a folder.
if (account.name) import('./upload/unfinished.js').then((it) => it.offer()).catch(oops);
