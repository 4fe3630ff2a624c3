// Short messages at the edge of the page, with a way to undo; and errors, said so that one knows what to do.

import { Refused, Unreachable } from './api.js';
import { button, h } from './dom.js';
import { icon } from './icons.js';
import { knows, t } from './i18n.js';

const SHOWN = 4;
const STAYS = 6000;
const STAYS_WITH_UNDO = 12_000;

/// Shows a message; `action` is `{ label, run, kind }`.
export function toast(text, { action, kind = '' } = {}) {
    const host = document.getElementById('toasts');
    let timer = 0;
    const close = () => {
        clearTimeout(timer);
        item.remove();
    };
    const item = h('div', { class: `toast ${kind}`, role: kind === 'bad' ? 'alert' : 'status' },
        icon(kind === 'bad' ? 'warn' : 'check'), h('span', { class: 'grow' }, text),
        action && button({ label: action.label, kind: `plain ${action.kind ?? ''}`, onclick: () => { close(); action.run(); } }),
        button({ picture: 'close', title: t('close'), onclick: close }));
    const wait = () => { timer = setTimeout(close, action || kind === 'bad' ? STAYS_WITH_UNDO : STAYS); };
    item.addEventListener('pointerenter', () => clearTimeout(timer));
    item.addEventListener('pointerleave', wait);
    host.append(item);
    while (host.children.length > SHOWN) host.firstChild.remove();
    // Above an open dialog as well: what was shown last is on top.
    if (host.matches(':popover-open')) host.hidePopover();
    host.showPopover();
    wait();
    return close;
}

/// Says what went wrong.
export function oops(error) {
    if (error?.name === 'AbortError') return;
    // A module of a version that the server no longer has.
    if (error instanceof TypeError && /module/.test(error.message)) {
        toast(t('updated'), { kind: 'bad', action: { label: t('reload'), run: () => location.reload() } });
        return;
    }
    if (!(error instanceof Refused || error instanceof Unreachable)) console.error(error);
    toast(explain(error), { kind: 'bad' });
}

/// What went wrong and what to do, in the reader's language where there is a text for it.
export function explain(error) {
    if (error instanceof Unreachable) return t('error.unreachable');
    if (error instanceof Refused) {
        const key = error.kind ? `problem.${error.kind}` : `error.${error.status}`;
        return knows(key) ? t(key) : error.message;
    }
    return String(error?.message ?? error);
}
