// Views and addresses: which view shows an address, and going from one to the next without a new page, so that
// uploads go on.

import { refresh as refreshPlaces } from './layout.js';
import { oops } from './toast.js';

const routes = [];
let current = null;
let turn = 0;

/// Shows addresses like this one by the module that `load` gives.
export function route(pattern, load) {
    routes.push({ pattern, load });
}

/// Shows the address that the page has.
export async function start() {
    history.scrollRestoration = 'manual';
    addEventListener('popstate', () => show().catch(oops));
    document.addEventListener('click', follow);
    await show(true);
}

/// Goes to an address of this site.
export async function go(href, { replace = false } = {}) {
    current?.leave?.();
    if (replace) history.replaceState(null, '', href);
    else history.pushState(null, '', href);
    await show();
}

/// The view that is shown.
export function view() {
    return current;
}

async function show(first = false) {
    turn += 1;
    const mine = turn;
    const place = location.pathname;
    const found = routes.find(({ pattern }) => pattern.test(place));
    if (!found) {
        location.reload();
        return;
    }
    const module = await found.load();
    // A later step has been taken meanwhile.
    if (mine !== turn) return;
    if (current?.module === module && current.turnTo) {
        await current.turnTo(place);
    } else {
        current?.close?.();
        const host = document.getElementById('view');
        host.className = '';
        current = null;
        const opened = await module.open(host, place, first);
        if (mine !== turn) {
            opened.close?.();
            return;
        }
        current = opened;
        current.module = module;
    }
    refreshPlaces();
}

/// A plain click on a link to a view stays in this page.
function follow(event) {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.('a[href]');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname) return;
    const isView = link.pathname.endsWith('/') || /^\/-\/(trash|shares|account|admin)/.test(link.pathname);
    if (!isView || link.search || /^\/-\/(s|static|api)\//.test(link.pathname)) return;
    event.preventDefault();
    go(link.getAttribute('href')).catch(oops);
}
