// After a reload: the uploads that were cut, and going on with them by choosing the same files.

import { button, fill, h, nameText } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import * as path from '../path.js';
import { toast } from '../toast.js';
import { proof } from '../api.js';
import { fingerprint, forget, remembered } from './fingerprints.js';
import { enqueue } from './queue.js';

/// Shows what was cut, if anything was.
export function offer() {
    const cut = remembered();
    if (cut.length === 0) return;
    const host = document.getElementById('uploads');
    const box = h('section', { class: 'uploads unfinished', 'aria-label': t('uploads') });
    host.append(box);
    draw(box, cut);
}

function draw(box, cut) {
    if (cut.length === 0) {
        box.remove();
        return;
    }
    const without = (one) => draw(box, cut.filter((it) => it !== one));
    fill(box,
        h('header', {}, h('span', { class: 'title' }, icon('undo'), h('span', { class: 'grow' }, t('unfinished', { n: cut.length }))),
            button({ picture: 'close', title: t('later'), kind: 'plain', onclick: () => box.remove() })),
        h('p', { class: 'soft small line' }, t('unfinished.hint')),
        h('ul', {}, cut.map((one) => h('li', {},
            h('span', { class: 'grow clip' }, nameText(path.decode(path.last(one.target))),
                h('span', { class: 'soft small' }, `${path.show(path.parent(one.target))} · ${format.size(one.size)}`)),
            button({ picture: 'trash', title: t('discard'), kind: 'plain', onclick: () => { drop(one); without(one); } })))),
        h('p', { class: 'line' }, button({ picture: 'play', label: t('unfinished.choose'), kind: 'primary', onclick: () => choose(box, cut) })));
}

function choose(box, cut) {
    const input = h('input', { type: 'file', multiple: true, class: 'hidden', 'aria-hidden': 'true' });
    input.addEventListener('change', () => {
        const found = [];
        for (const file of input.files) {
            const one = cut.find((it) => fingerprint(file, it.target) === it.print);
            if (one) found.push({ one, file });
            else toast(t('unfinished.unknown', { name: file.name }), { kind: 'bad' });
        }
        enqueue(found.map(({ one, file }) => ({ file, target: one.target })));
        draw(box, cut.filter((it) => !found.some(({ one }) => one === it)));
        input.remove();
    });
    document.body.append(input);
    input.click();
}

function drop(one) {
    forget(one.print);
    fetch(one.url, { method: 'DELETE', headers: { 'Tus-Resumable': '1.0.0', ...proof() } }).catch(() => {});
}
