// Takes over the page that the server has rendered: who is here, in which language, and which view.

import * as api from './api.js';
import { learn } from './i18n.js';
import { layOut } from './layout.js';
import * as remote from './remote.js';
import { route, start } from './router.js';
import { account } from './state.js';
import { oops } from './toast.js';

const page = document.documentElement.dataset;

account.name = page.account ?? '';
account.csrf = page.csrf ?? '';
account.api = 'api' in page;
api.allowChanges(account.csrf);

await learn(document.documentElement.lang);
layOut();
route(/^\/-\/trash\/?$/, () => import('./views/trash.js'));
route(/^\/-\/shares\/?$/, () => import('./views/shares.js'));
route(/^\/-\/account\/?$/, () => import('./views/account.js'));
route(/^\/-\/admin(\/.*)?$/, () => import('./admin/admin.js'));
route(/^\/(?!-\/)/, () => import('./views/files.js'));
account.settled = account.name && account.api ? remote.me().then((told) => account.learn(told), oops) : Promise.resolve();
await start();
document.documentElement.dataset.ready = '';
await account.settled;
// Only now, as nothing of it is needed to look at a folder.
if (account.name && account.api) import('./upload/unfinished.js').then((it) => it.offer()).catch(oops);
