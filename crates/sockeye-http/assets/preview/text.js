// Text in the preview: its first stretch, in the encoding that it is most likely in, with numbered lines.

import { button, fill, h } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';
import { keep, recall } from '../preferences.js';
import { visit } from '../state.js';
import { oops } from '../toast.js';

/// Bytes that are read: what is longer is downloaded to be read whole.
const MOST = 512 * 1024;

/// An element that becomes the text once it has come; `cannot()` is called if it is none.
export function showText(src, entry, { stop, extra, cannot }) {
    const host = h('div', { class: 'text', tabindex: '0' }, h('p', { class: 'soft' }, t('loading')));
    read(src, entry, stop).then(({ bytes, whole }) => {
        const found = decode(bytes, whole);
        if (found === null) {
            cannot();
            return;
        }
        const lines = found.text.split(/\r\n|\n|\r/);
        if (lines.length > 1 && lines.at(-1) === '') lines.pop();
        const pre = h('pre', {}, found.text);
        const numbers = h('pre', { class: 'numbers', 'aria-hidden': 'true' }, lines.map((_, n) => n + 1).join('\n'));
        host.classList.toggle('wrap', recall('wrap', false));
        const source = [h('div', { class: 'page' }, numbers, pre), !whole && h('p', { class: 'cut' }, t('preview.cut', { size: format.size(MOST) }))];
        fill(host, source);
        fill(extra, h('span', { class: 'soft small' }, found.encoding), button({
            picture: 'wrap', title: t('preview.wrap'), kind: 'plain', onclick: () => keep('wrap', host.classList.toggle('wrap')),
        }));
        if (whole && /\.(md|markdown)$/i.test(entry.name)) render(found.text, { src, host, extra, source }).catch(oops);
        host.focus({ preventScroll: true });
    }, (error) => { if (error.name !== 'AbortError') cannot(); });
    return host;
}

/// Shows Markdown as it is meant to look; a button shows the source, and is remembered.
async function render(text, { src, host, extra, source }) {
    const { markdown, MOST: most } = await import('./markdown.js');
    if (text.length > most || !host.isConnected) return;
    const rendered = markdown(text, src, !visit.isLink);
    const show = (raw) => {
        fill(host, raw ? source : rendered);
        toggle.setAttribute('aria-pressed', String(raw));
    };
    const turn = () => {
        keep('source', !recall('source', false));
        show(recall('source', false));
    };
    const toggle = button({ picture: 'code', title: t('preview.source'), kind: 'plain', onclick: turn });
    extra.append(toggle);
    show(recall('source', false));
}

async function read(src, entry, signal) {
    if (entry.size === 0) return { bytes: new Uint8Array(), whole: true };
    const answer = await fetch(src, { headers: entry.size > MOST ? { Range: `bytes=0-${MOST - 1}` } : {}, signal, credentials: 'same-origin' });
    if (!answer.ok) throw new Error(String(answer.status));
    const bytes = new Uint8Array(await answer.arrayBuffer());
    return { bytes: bytes.subarray(0, MOST), whole: bytes.length >= entry.size };
}

/// The text and the name of its encoding, or null if it is no text.
function decode(bytes, whole) {
    const marks = [[[0xef, 0xbb, 0xbf], 'utf-8'], [[0xff, 0xfe], 'utf-16le'], [[0xfe, 0xff], 'utf-16be']];
    const marked = marks.find(([mark]) => mark.every((byte, n) => bytes[n] === byte));
    const wanted = marked ? [marked[1]] : ['utf-8', 'gb18030', 'windows-1252'];
    if (!marked && bytes.subarray(0, 8192).includes(0)) return null;
    for (const encoding of wanted) {
        try {
            // What was cut may end within a character.
            const text = new TextDecoder(encoding, { fatal: encoding !== 'windows-1252' }).decode(bytes, { stream: !whole });
            return { text, encoding: encoding.toUpperCase() };
        } catch { /* the next */ }
    }
    return null;
}
