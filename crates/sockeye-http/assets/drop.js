// The page of a drop box: files that are chosen or dropped are put at the link, one after another.

import { button, fill, h, meterFill, nameText } from './dom.js';
import * as format from './format.js';
import { icon } from './icons.js';
import { learn, t } from './i18n.js';
import { encode } from './path.js';

await learn(document.documentElement.lang);

const card = document.querySelector('.card');
const list = h('ul', { class: 'given', 'aria-live': 'polite' });
const input = h('input', { type: 'file', multiple: true, class: 'hidden' });
const zone = h('div', { class: 'zone' }, icon('dropbox'), h('p', { class: 'soft' }, t('drop.hint')),
    button({ picture: 'upload', label: t('drop.choose'), kind: 'primary', onclick: () => input.click() }));
card.append(zone, input, list);

let last = Promise.resolve();

function give(files) {
    for (const file of files) {
        const row = h('li', {});
        list.append(row);
        draw(row, file, 0);
        last = last.then(() => put(file, row));
    }
}

function draw(row, file, share, said, kind) {
    fill(row, h('div', { class: 'line' }, h('span', { class: 'grow clip' }, nameText(file.name)), h('span', { class: `small ${kind ?? 'soft'}` }, said ?? format.size(file.size))),
        !said && h('div', { class: 'meter' }, meterFill(share)));
}

function put(file, row) {
    return new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.open('PUT', `${location.pathname.replace(/\/$/, '')}/${encode(file.name)}`);
        request.setRequestHeader('Content-Type', file.type || 'application/octet-stream');
        request.upload.onprogress = (event) => draw(row, file, file.size ? event.loaded / file.size : 1);
        request.onloadend = () => {
            if (request.status === 201) draw(row, file, 1, t('drop.done'), 'good');
            else draw(row, file, 0, t({ 410: 'drop.over', 507: 'drop.full', 0: 'error.unreachable' }[request.status] ?? 'drop.failed'), 'bad');
            resolve();
        };
        request.send(file);
    });
}

input.addEventListener('change', () => {
    give(input.files);
    input.value = '';
});
for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    document.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.toggle('over', kind === 'dragenter' || kind === 'dragover');
        if (kind === 'drop') give(event.dataTransfer.files);
    });
}
document.documentElement.dataset.ready = '';
