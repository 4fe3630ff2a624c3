// Views and addresses: which view shows an address, and going from one to the next without a new page, so that
// uploads go on.

import { refresh as refreshPlaces } from './layout.js';
import { canonical } from './path.js';
import { visit } from './state.js';
import { oops } from './toast.js';

const routes = [];
let current = null;
let turn = 0;

/// What closes what is shown over the view, if anything is.
let covered = null;

/// Steps back that are only the end of what was shown over the view.
let uncovering = 0;

/// Shows addresses like this one by the module that `load` gives.
export function route(pattern, load) {
    routes.push({ pattern, load });
}

/// Shows the address that the page has.
export async function start() {
    history.scrollRestoration = 'manual';
    addEventListener('popstate', (event) => wentBack(event.state));
    document.addEventListener('click', follow);
    await show(true);
}

/// Goes to an address of this site.
export async function go(href, { replace = false } = {}) {
    // Where it is scrolled to is found again by going back.
    if (current?.top) history.replaceState({ top: current.top }, '');
    if (replace) history.replaceState(null, '', href);
    else history.pushState(null, '', href);
    await show();
}

/// Something is shown over the view, such as a preview: Back closes it by `close`, and the view stays. What it returns
/// is to be called when it was closed otherwise.
export function cover(close) {
    if (current?.top) history.replaceState({ top: current.top }, '');
    history.pushState(null, '');
    covered = close;
    return () => {
        if (covered !== close) return;
        covered = null;
        uncovering += 1;
        history.back();
    };
}

function wentBack(state) {
    if (uncovering > 0) {
        uncovering -= 1;
    } else if (covered) {
        const close = covered;
        covered = null;
        close();
    } else show(false, state?.top).catch(oops);
}

async function show(first = false, top = 0) {
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
        await current.turnTo(place, false, top);
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

/// Whether an address is one of this page's views: what a link stands for is not a view of the site, nor the site one of
/// a link's.
function isView(place) {
    if (visit.base) return place.endsWith('/') && canonical(place).startsWith(visit.base);
    if (/^\/-\/(s|static|api)\//.test(place)) return false;
    return place.endsWith('/') || /^\/-\/(trash|shares|account|admin)/.test(place);
}

/// A plain click on a link to a view stays in this page.
function follow(event) {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.('a[href]');
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname) return;
    if (link.search || !isView(link.pathname)) return;
    event.preventDefault();
    go(link.getAttribute('href')).catch(oops);
}
