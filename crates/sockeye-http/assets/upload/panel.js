// The panel of uploads at the edge of the page: how far each is, how fast, how long still.

import { button, fill, h, meterFill, nameText, plainName } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import * as path from '../path.js';
import { listen } from '../state.js';
import * as queue from './queue.js';

/// Rows drawn: what is under way or went wrong comes first.
const ROWS = 60;
const EVERY = 200;
const RANK = { asking: 0, failed: 1, stalled: 2, running: 3, paused: 4, waiting: 5, done: 6, same: 7, skipped: 8 };

let panel = null;
let folded = false;
let timer = 0;
let speed = null;

/// Shows the panel; it draws itself from then on.
export function showPanel() {
    if (panel) return;
    panel = h('section', { class: 'uploads', 'aria-label': t('uploads') });
    document.getElementById('uploads').append(panel);
    speed = new Speed();
    listen('uploads', () => { timer ||= setTimeout(draw, EVERY); });
    draw();
}

function draw() {
    timer = 0;
    const { items, sum } = queue;
    if (items.length === 0) {
        panel.hidden = true;
        speed = new Speed();
        return;
    }
    panel.hidden = false;
    const open = queue.isOpen();
    const share = sum.bytes > 0 ? sum.sent / sum.bytes : sum.files > 0 ? sum.over / sum.files : 1;
    const rate = speed.of(sum.sent);
    const failed = items.filter((item) => item.state === 'failed').length;
    const busy = queue.isBusy() && !queue.isPaused();
    fill(panel,
        h('header', {},
            h('button', { type: 'button', class: 'title', 'aria-expanded': String(!folded), onclick: () => { folded = !folded; draw(); } },
                icon(folded ? 'up' : 'down'),
                h('span', { class: 'grow' }, title(open, failed, sum))),
            open && button({ picture: busy ? 'pause' : 'play', title: t(busy ? 'pause.all' : 'resume.all'), kind: 'plain', onclick: busy ? queue.pauseAll : queue.resumeAll }),
            button({ picture: 'close', title: t(open ? 'cancel.all' : 'close'), kind: 'plain', onclick: () => (open ? queue.cancelAll() : queue.clear()) })),
        h('div', { class: 'meter', role: 'progressbar', 'aria-label': t('uploads'), 'aria-valuemin': 0, 'aria-valuemax': 100, 'aria-valuenow': Math.floor(share * 100) }, meterFill(Math.min(1, share))),
        h('p', { class: 'soft small line' }, open
            ? [`${format.size(sum.sent)} / ${format.size(sum.bytes)}`, busy && rate > 0 && ` · ${format.rate(rate)} · ${t('left', { time: format.duration((sum.bytes - sum.sent) / rate) })}`]
            : format.size(sum.bytes)),
        !folded && h('ul', {}, [...items].sort((a, b) => RANK[a.state] - RANK[b.state]).slice(0, ROWS).map(row)),
        !folded && items.length > ROWS && h('p', { class: 'soft small line' }, t('and.more', { n: items.length - ROWS })));
}

function title(open, failed, sum) {
    if (open) return t('uploading', { n: sum.files, done: sum.over });
    const skipped = queue.items.filter((item) => item.state === 'skipped').length;
    return failed > 0 ? t('uploaded.failed', { n: failed }) : t('uploaded', { n: sum.files - skipped });
}

function row(item) {
    const { state, file } = item;
    const running = state === 'running' || state === 'stalled';
    const folder = path.show(path.parent(item.target));
    return h('li', { class: state, dataset: { state } },
        h('span', { class: 'grow clip' }, nameText(item.name),
            h('span', { class: 'soft small', title: plainName(folder) }, item.fault || said(item), ' · ', nameText(folder))),
        running && file.size > 0 && h('span', { class: 'soft small number' }, `${Math.floor((item.sent / file.size) * 100)} %`),
        state === 'done' || state === 'same' ? icon('check', 'good') : null,
        state === 'failed' && button({ picture: 'refresh', title: t('again'), kind: 'plain', onclick: () => queue.again(item) }),
        state === 'paused' && button({ picture: 'play', title: t('resume'), kind: 'plain', onclick: () => queue.again(item) }),
        (running || state === 'waiting') && button({ picture: 'pause', title: t('pause'), kind: 'plain', onclick: () => queue.pause(item) }),
        (running || ['paused', 'waiting', 'failed'].includes(state)) && button({ picture: 'close', title: t('cancel'), kind: 'plain', onclick: () => queue.cancel(item) }));
}

function said({ state, sent, file }) {
    if (state === 'running') return `${format.size(sent)} / ${format.size(file.size)}`;
    if (state === 'done') return format.size(file.size);
    return t(`upload.${state}`);
}

/// Bytes a second over the last few seconds.
class Speed {
    constructor() {
        this.samples = [];
    }

    of(sent) {
        const now = performance.now();
        this.samples.push([now, sent]);
        while (this.samples.length > 2 && now - this.samples[0][0] > 5000) this.samples.shift();
        const [then, before] = this.samples[0];
        return now - then > 300 ? Math.max(0, ((sent - before) / (now - then)) * 1000) : 0;
    }
}
