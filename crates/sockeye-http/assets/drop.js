// The page of a drop box: files and folders that are chosen or dropped are put at the link, so many at once. What is cut is
// sent again by itself, from its beginning: the box tells nobody what it has.

import { button, fill, h, meterFill, nameText } from './dom.js';
import * as format from './format.js';
import { icon } from './icons.js';
import { learn, t } from './i18n.js';
import { encode } from './path.js';
import { gather, namesOf, walk } from './upload/walk.js';

const AT_ONCE = 2;

/// Rows drawn: what is under way or went wrong comes first.
const ROWS = 60;
const EVERY = 150;
const RANK = { failed: 0, stalled: 1, running: 2, waiting: 3, done: 4 };

/// Waits between tries, in milliseconds; the last is used from then on.
const WAITS = [1000, 2000, 4000, 8000, 15_000];

/// What is said of an answer that will not be another one.
const FAULTS = { 401: 'drop.locked', 404: 'drop.over', 410: 'drop.over', 413: 'drop.large', 507: 'drop.full' };

await learn(document.documentElement.lang);

const items = [];
let next = 0;
let busy = 0;
let timer = 0;

const card = document.querySelector('.card');
const until = card.querySelector('time');
if (until) fill(until, format.exactly(Date.parse(until.dateTime) / 1000));
const sum = h('p', { class: 'soft small sum', role: 'status' });
const list = h('ul', { class: 'given' });
const zone = h('div', { class: 'zone' }, icon('dropbox'), h('p', { class: 'soft' }, t('drop.hint')),
    h('div', { class: 'line' },
        button({ picture: 'upload', label: t('drop.choose'), kind: 'primary', onclick: () => pick(false) }),
        button({ picture: 'folder', label: t('drop.folder'), onclick: () => pick(true) })));
card.append(zone, sum, list);

function pick(folder) {
    const input = h('input', { type: 'file', multiple: true, webkitdirectory: folder, class: 'hidden', 'aria-hidden': 'true' });
    input.addEventListener('change', () => {
        give([...input.files].map((file) => ({ file, names: namesOf(file) })));
        input.remove();
    });
    input.addEventListener('cancel', () => input.remove());
    // In the page, or some browsers forget it.
    card.append(input);
    input.click();
}

/// What was dropped; a folder as it is walked.
async function take(dropped) {
    for (const one of dropped) {
        if (one instanceof File) give([{ file: one, names: [] }]);
        else for await (const { names, files } of walk(one)) give(files.map((file) => ({ file, names })));
    }
}

function give(files) {
    for (const { file, names } of files) items.push({ file, names, state: 'waiting', sent: 0, fault: '' });
    pump();
}

/// Starts what may be started.
function pump() {
    soon();
    while (busy < AT_ONCE) {
        while (next < items.length && items[next].state !== 'waiting') next += 1;
        if (next >= items.length) return;
        busy += 1;
        run(items[next]).finally(() => {
            busy -= 1;
            pump();
        });
    }
}

/// Sends a file until it is there, or will not be taken.
async function run(item) {
    for (let tries = 0; ; tries += 1) {
        change(item, 'running');
        const status = await put(item);
        if (status === 201) {
            change(item, 'done');
            return;
        }
        if (!await isReadable(item.file)) {
            change(item, 'failed', t('upload.unreadable'));
            return;
        }
        if (status !== 0 && status !== 429 && (status < 500 || status === 507)) {
            change(item, 'failed', t(FAULTS[status] ?? 'drop.failed'));
            return;
        }
        change(item, 'stalled', status === 0 ? t('upload.stalled') : t('upload.failing', { status }));
        await rest(WAITS[Math.min(tries, WAITS.length - 1)]);
    }
}

function put(item) {
    return new Promise((resolve) => {
        const request = new XMLHttpRequest();
        request.open('PUT', [location.pathname.replace(/\/$/, ''), ...[...item.names, item.file.name].map(encode)].join('/'));
        request.setRequestHeader('Content-Type', item.file.type || 'application/octet-stream');
        // Without it a browser may ask for a password itself.
        request.setRequestHeader('X-Requested-With', 'XMLHttpRequest');
        request.upload.onprogress = (event) => {
            item.sent = event.loaded;
            soon();
        };
        request.onloadend = () => resolve(request.status);
        request.send(item.file);
    });
}

async function isReadable(file) {
    try {
        await file.slice(0, 1).arrayBuffer();
        return true;
    } catch {
        return false;
    }
}

/// Waits, or until the network is back.
function rest(wait) {
    return new Promise((resolve) => {
        const end = () => {
            clearTimeout(waking);
            removeEventListener('online', end);
            resolve();
        };
        const waking = setTimeout(end, wait);
        addEventListener('online', end);
    });
}

function again(item) {
    change(item, 'waiting');
    next = Math.min(next, items.indexOf(item));
    pump();
}

function change(item, state, fault = '') {
    Object.assign(item, { state, fault, sent: state === 'done' ? item.file.size : 0 });
    soon();
}

function soon() {
    timer ||= setTimeout(draw, EVERY);
}

function draw() {
    timer = 0;
    const done = items.filter((item) => item.state === 'done').length;
    fill(sum, items.length > 1 && t('drop.sum', { done, n: items.length }));
    fill(list, [...items].sort((a, b) => RANK[a.state] - RANK[b.state]).slice(0, ROWS).map(row),
        items.length > ROWS && h('li', { class: 'soft small' }, t('and.more', { n: items.length - ROWS })));
}

function row(item) {
    const { file, names, state, fault, sent } = item;
    const said = { done: t('drop.done'), running: `${format.size(sent)} / ${format.size(file.size)}` }[state] ?? format.size(file.size);
    return h('li', { class: state },
        h('div', { class: 'line' },
            h('span', { class: 'grow clip' }, names.length > 0 && h('span', { class: 'soft' }, nameText(`${names.join('/')}/`)), nameText(file.name)),
            h('span', { class: `small ${state === 'done' ? 'good' : 'soft'}` }, said),
            state === 'failed' && button({ picture: 'refresh', title: t('again'), kind: 'plain', onclick: () => again(item) })),
        fault && h('p', { class: `small ${state === 'failed' ? 'bad' : 'soft'}`, role: state === 'failed' ? 'alert' : null }, fault),
        (state === 'running' || state === 'stalled') && h('div', { class: 'meter' }, meterFill(file.size ? sent / file.size : 1)));
}

addEventListener('beforeunload', (event) => { if (items.some((item) => ['waiting', 'running', 'stalled'].includes(item.state))) event.preventDefault(); });
for (const kind of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    document.addEventListener(kind, (event) => {
        event.preventDefault();
        zone.classList.toggle('over', kind === 'dragenter' || kind === 'dragover');
        if (kind === 'drop') take(gather(event.dataTransfer));
    });
}
document.documentElement.dataset.ready = '';
