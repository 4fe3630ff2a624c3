// What the administrator's tables share: rows that come page by page, and how much something may hold and holds.

import { button, fill, h, meterFill } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import { openMenu } from '../menu.js';
import { oops } from '../toast.js';

/// A table: `columns` are `[title, class]`, `rows` lists of cells.
export function table(columns, rows, empty) {
    if (rows.length === 0) return h('p', { class: 'soft none' }, empty);
    return h('div', { class: 'wide' }, h('table', { class: 'data' },
        h('thead', {}, h('tr', {}, columns.map(([title, kind]) => h('th', { class: kind ?? null, scope: 'col' }, title)))),
        h('tbody', {}, rows.map((cells) => h('tr', {}, cells.map((cell, n) => h('td', { class: columns[n]?.[1] ?? null }, cell)))))));
}

/// A table that is read page by page into `host`: `read(after)` asks for a page, `of(told)` are its rows, and `row(one,
/// again)` the cells of one. Gives `read()`, from the beginning, and `again()`, which says what goes wrong.
export function pages(host, { read, of, columns, row }) {
    let turn = 0;
    const it = {
        read: async () => {
            const mine = turn += 1;
            const first = await read();
            if (mine === turn) draw(mine, of(first), first.next);
        },
        again: () => it.read().catch(oops),
    };
    const draw = (mine, all, next) => {
        const on = async () => {
            const told = await read(next);
            if (mine === turn) draw(mine, [...all, ...of(told)], told.next);
        };
        fill(host, table(columns, all.map((one) => row(one, it.again)), t('none')),
            next && button({ label: t('more.show'), onclick: () => on().catch(oops) }));
    };
    return it;
}

/// A button that opens a menu.
export function more(items) {
    return button({ picture: 'more', title: t('more'), kind: 'plain', 'aria-haspopup': 'menu', onclick: (event) => openMenu(event.currentTarget, items) });
}

/// How much something holds of what it may. What it holds is not always known.
export function room({ used, quota }) {
    const shown = used === null ? '–' : format.size(used);
    if (!quota.bytes) return shown;
    return [used !== null && h('div', { class: 'meter' }, meterFill(Math.min(1, used / quota.bytes))), h('span', { class: 'soft small' }, t('space.of', { used: shown, quota: format.size(quota.bytes) }))];
}

/// A field for a limit in bytes.
export function limit(now) {
    return h('input', { type: 'text', autofocus: true, value: now ? exact(now) : '', placeholder: t('quota.hint') });
}

/// In the largest unit that it is a whole number of.
function exact(size) {
    let power = 0;
    while (power < 4 && size % 1024 ** (power + 1) === 0) power += 1;
    return `${size / 1024 ** power} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

/// `10 GiB` as bytes; nothing is no limit.
export function bytes(text) {
    if (text.trim() === '') return null;
    const found = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*$/i.exec(text);
    const size = found ? Math.round(Number(found[1]) * 1024 ** ' kmgt'.indexOf(found[2].toLowerCase() || ' ')) : NaN;
    if (!Number.isSafeInteger(size)) throw new Error(t('quota.hint'));
    return size;
}
