// Menus, at a button or at the pointer: arrows move, letters jump, Escape closes and gives the focus back.

import { h } from './dom.js';
import { icon } from './icons.js';

let closeCurrent = null;

/// Opens a menu at an element or at `{ x, y }`. An item is `{ picture, label, hint, run | href, checked, danger,
/// disabled }`; null is a line between.
export function openMenu(at, items, { label } = {}) {
    closeCurrent?.();
    const before = document.activeElement;
    const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': label ?? null, tabindex: '-1' }, tidy(items).map(draw));
    const close = (back = true) => {
        menu.remove();
        removeEventListener('pointerdown', outside, true);
        removeEventListener('blur', close);
        removeEventListener('resize', close);
        closeCurrent = null;
        if (back) before?.focus?.({ preventScroll: true });
    };
    const outside = (event) => { if (!menu.contains(event.target)) close(false); };

    function draw(item) {
        if (!item) return h('hr', { role: 'separator' });
        const role = item.checked === undefined ? 'menuitem' : 'menuitemradio';
        const content = [
            item.picture && icon(item.picture), h('span', { class: 'grow' }, item.label),
            item.checked && icon('check', 'tick'), item.hint && h('kbd', {}, item.hint)];
        const attributes = {
            role, tabindex: '-1', class: item.danger ? 'danger' : null,
            'aria-checked': item.checked === undefined ? null : String(item.checked),
            'aria-disabled': item.disabled ? 'true' : null,
        };
        if (item.href) return h('a', { ...attributes, href: item.href, download: item.download ?? null, target: item.target ?? null, rel: item.target ? 'noopener' : null, onclick: () => close(false) }, content);
        return h('button', { ...attributes, type: 'button', onclick: () => { if (!item.disabled) { close(); item.run(); } } }, content);
    }

    menu.addEventListener('keydown', (event) => {
        const all = [...menu.querySelectorAll('[role^=menuitem]:not([aria-disabled])')];
        const here = all.indexOf(document.activeElement);
        const to = {
            ArrowDown: (here + 1) % all.length,
            ArrowUp: (here - 1 + all.length) % all.length,
            Home: 0,
            End: all.length - 1,
        }[event.key];
        if (to !== undefined) all[to]?.focus();
        else if (event.key === 'Escape' || event.key === 'Tab') close();
        else if (event.key.length === 1 && event.key !== ' ') {
            const wanted = event.key.toLowerCase();
            const next = [...all.slice(here + 1), ...all].find((it) => it.textContent.trim().toLowerCase().startsWith(wanted));
            next?.focus();
        } else return;
        event.stopPropagation();
        event.preventDefault();
    });
    menu.addEventListener('contextmenu', (event) => event.preventDefault());

    document.body.append(menu);
    put(menu, at);
    addEventListener('pointerdown', outside, true);
    addEventListener('blur', close);
    addEventListener('resize', close);
    closeCurrent = close;
    (menu.querySelector('[role^=menuitem]:not([aria-disabled])') ?? menu).focus({ preventScroll: true });
}

/// Without lines at the ends, or two together, or what there is not.
function tidy(items) {
    const out = [];
    for (const item of items) {
        if (item === undefined || item === false) continue;
        if (item === null && (out.length === 0 || out.at(-1) === null)) continue;
        out.push(item);
    }
    if (out.at(-1) === null) out.pop();
    return out;
}

/// Beside what it belongs to, and within the window.
function put(menu, at) {
    const box = menu.getBoundingClientRect();
    let x = at.x;
    let y = at.y;
    if (at instanceof Element) {
        const near = at.getBoundingClientRect();
        x = near.right - box.width < 8 ? near.left : near.right - box.width;
        y = near.bottom + 4;
        if (y + box.height > innerHeight - 8) y = near.top - box.height - 4;
    }
    menu.style.left = `${Math.max(8, Math.min(x, innerWidth - box.width - 8))}px`;
    menu.style.top = `${Math.max(8, Math.min(y, innerHeight - box.height - 8))}px`;
}
