// After a reload: the uploads that were cut, and going on with them by choosing the same files.

import { button, fill, h, nameText } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import * as path from '../path.js';
import { listen } from '../state.js';
import { toast } from '../toast.js';
import { proof } from '../api.js';
import { fingerprint, forget, remembered } from './fingerprints.js';
import { enqueue, prints } from './queue.js';

/// How often it is looked whether something of it goes on, in milliseconds, while anything is sent.
const EVERY = 250;

/// Shows what was cut, if anything was, until it goes on: from here, by the ordinary button, or in another tab.
export function offer() {
    const before = new Set(left().map((one) => one.print));
    if (before.size === 0) return;
    const box = h('section', { class: 'uploads unfinished', 'aria-label': t('uploads') });
    const close = () => {
        box.remove();
        ends.forEach((end) => end());
    };
    const redraw = () => draw(box, left().filter((one) => before.has(one.print)), { redraw, close });
    let timer = 0;
    const soon = () => { timer ||= setTimeout(() => { timer = 0; redraw(); }, EVERY); };
    addEventListener('storage', soon);
    const ends = [listen('uploads', soon), () => clearTimeout(timer), () => removeEventListener('storage', soon)];
    document.getElementById('uploads').append(box);
    redraw();
}

/// What is remembered, and not under way here.
function left() {
    const underWay = prints();
    return remembered().filter((one) => !underWay.has(one.print));
}

function draw(box, cut, { redraw, close }) {
    if (cut.length === 0) {
        close();
        return;
    }
    fill(box,
        h('header', {}, h('span', { class: 'title' }, icon('undo'), h('span', { class: 'grow' }, t('unfinished', { n: cut.length }))),
            button({ picture: 'close', title: t('later'), kind: 'plain', onclick: close })),
        h('p', { class: 'soft small line' }, t('unfinished.hint')),
        h('ul', {}, cut.map((one) => h('li', {},
            h('span', { class: 'grow clip' }, nameText(path.decode(path.last(one.target))),
                h('span', { class: 'soft small' }, `${path.show(path.parent(one.target))} · ${format.size(one.size)}`)),
            button({ picture: 'trash', title: t('discard'), kind: 'plain', onclick: () => { drop(one); redraw(); } })))),
        h('p', { class: 'line' }, button({ picture: 'play', label: t('unfinished.choose'), kind: 'primary', onclick: () => choose(cut) })));
}

function choose(cut) {
    const input = h('input', { type: 'file', multiple: true, class: 'hidden', 'aria-hidden': 'true' });
    input.addEventListener('change', () => {
        const found = [];
        for (const file of input.files) {
            const one = cut.find((it) => fingerprint(file, it.target) === it.print);
            if (one) found.push({ one, file });
            else toast(t('unfinished.unknown', { name: file.name }), { kind: 'bad' });
        }
        enqueue(found.map(({ one, file }) => ({ file, target: one.target })));
        input.remove();
    });
    document.body.append(input);
    input.click();
}

function drop(one) {
    forget(one.print);
    fetch(one.url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0', ...proof() } }).catch(() => {});
}
