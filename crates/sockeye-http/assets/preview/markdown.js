// Markdown as elements. What is written becomes text and attributes, never markup: HTML in it is shown as it is written,
// nothing of it runs, and a link leads to the web, to a mail or to a file beside it.

import { h } from '../dom.js';

/// Characters that are rendered; of what is longer the source is shown.
export const MOST = 96 * 1024;

/// How deep lists, quotes and emphasis may lie in each other; what is deeper is text.
const DEEPEST = 8;
const COLUMNS = 64;

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})(?=[ \t]|$)/;
const RULE = /^ {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])( {1,4}(?! )| (?= )|$)/;
const BARS = /^ *(?:\| *)?:?-+:? *(?:\| *(?::?-+:? *|: *)?)*$/;
const REFERENCE = /^ {0,3}\[([^\]]{1,200})\]:[ \t]*<?([^\s<>]{1,1000})>?(?:[ \t].*)?$/;

/// An element that shows `text`, a file at this address; with `pictures`, those of this site are shown as well.
export function markdown(text, address, pictures) {
    const to = { base: new URL(address, location.href), pictures, named: new Map() };
    const lines = text.replaceAll('\t', '    ').split(/\r\n|\n|\r/);
    for (const line of lines) {
        const [, name, target] = line.match(REFERENCE) ?? [];
        if (name && !to.named.has(name.toLowerCase())) to.named.set(name.toLowerCase(), target);
    }
    return h('article', { class: 'markdown' }, blocks(lines, to, 0));
}

/// The kinds of blocks but a paragraph: each gives its element and the line behind it, or nothing.
const KINDS = [fenced, heading, rule, quote, list, table];

function blocks(lines, to, depth) {
    const out = [];
    let n = 0;
    while (n < lines.length) {
        if (lines[n].trim() === '' || REFERENCE.test(lines[n])) {
            n += 1;
            continue;
        }
        let found = null;
        for (const kind of KINDS) found ??= kind(lines, n, to, depth);
        const [element, next] = found ?? paragraph(lines, n, to);
        out.push(element);
        n = next;
    }
    return out;
}

function fenced(lines, from) {
    const [, fence] = lines[from].match(FENCE) ?? [];
    if (!fence) return null;
    let end = from + 1;
    while (end < lines.length && !(lines[end].trim().startsWith(fence) && lines[end].trim().replaceAll(fence[0], '') === '')) end += 1;
    return [h('pre', {}, h('code', {}, lines.slice(from + 1, end).join('\n'))), end + 1];
}

function heading(lines, n, to) {
    const [whole, marks] = lines[n].match(HEADING) ?? [];
    if (!marks) return null;
    return [h(`h${marks.length}`, {}, inline(lines[n].slice(whole.length).trim().replace(/ #+$/, ''), to)), n + 1];
}

function rule(lines, n) {
    return RULE.test(lines[n]) ? [h('hr'), n + 1] : null;
}

function quote(lines, from, to, depth) {
    if (!QUOTE.test(lines[from]) || depth >= DEEPEST) return null;
    let end = from + 1;
    while (end < lines.length && (QUOTE.test(lines[end]) || goesOn(lines[end]))) end += 1;
    return [h('blockquote', {}, blocks(lines.slice(from, end).map((line) => line.replace(QUOTE, '')), to, depth + 1)), end];
}

function list(lines, from, to, depth) {
    const [, , first] = lines[from].match(ITEM) ?? [];
    if (!first || depth >= DEEPEST) return null;
    const kind = first.at(-1);
    const items = [];
    let n = from;
    let loose = false;
    while (n < lines.length) {
        const [whole, , mark] = lines[n].match(ITEM) ?? [];
        if (!mark || mark.at(-1) !== kind || RULE.test(lines[n])) break;
        const indent = whole.length + (whole.trim() === whole.trimStart() && whole.endsWith(mark) ? 1 : 0);
        const own = [lines[n].slice(whole.length)];
        n += 1;
        while (n < lines.length) {
            const line = lines[n];
            if (line.trim() === '') {
                // What follows belongs to the item if it is indented as far.
                if (!(lines[n + 1] ?? '').startsWith(' '.repeat(indent))) break;
                own.push('');
            } else if (line.startsWith(' '.repeat(indent))) own.push(line.slice(indent));
            else if (own.at(-1) !== '' && goesOn(line)) own.push(line.trimStart());
            else break;
            n += 1;
        }
        const gap = lines[n]?.trim() === '' && lines[n + 1]?.match(ITEM)?.[2].at(-1) === kind;
        loose ||= gap || own.includes('');
        if (gap) n += 1;
        items.push(own);
    }
    const number = parseInt(first, 10);
    const made = items.map((own) => item(own, to, depth, loose));
    return [number >= 0 ? h('ol', { start: number === 1 ? null : number }, made) : h('ul', {}, made), n];
}

function item(lines, to, depth, loose) {
    const [box, ticked] = lines[0].match(/^\[([ xX])\] /) ?? [];
    const inner = blocks(box ? [lines[0].slice(box.length), ...lines.slice(1)] : lines, to, depth + 1);
    const shown = loose ? inner : inner.flatMap((one) => (one.tagName === 'P' ? [...one.childNodes] : [one]));
    return h('li', {}, box && h('input', { type: 'checkbox', disabled: true, checked: ticked !== ' ' }), shown);
}

function table(lines, from, to) {
    if (!lines[from].includes('|') || !(lines[from + 1] ?? '').includes('-') || !BARS.test(lines[from + 1])) return null;
    const head = cells(lines[from]);
    const sides = cells(lines[from + 1]).map((bar) => (bar.endsWith(':') ? (bar.startsWith(':') ? 'center' : 'end') : ''));
    if (head.length !== sides.length || head.length > COLUMNS) return null;
    const row = (texts, tag) => h('tr', {}, head.map((_, n) => h(tag, { class: sides[n] || null }, inline(texts[n] ?? '', to))));
    let end = from + 2;
    while (end < lines.length && lines[end].trim() !== '' && lines[end].includes('|')) end += 1;
    return [h('table', {}, h('thead', {}, row(head, 'th')), h('tbody', {}, lines.slice(from + 2, end).map((line) => row(cells(line), 'td')))), end];
}

function cells(line) {
    const parts = line.trim().replace(/^\|/, '').split(/(?<!\\)\|/);
    if (parts.length > 1 && parts.at(-1).trim() === '') parts.pop();
    return parts.map((part) => part.replaceAll('\\|', '|').trim());
}

function paragraph(lines, from, to) {
    let end = from + 1;
    while (end < lines.length && goesOn(lines[end])) {
        const [, line] = lines[end].match(/^ {0,3}(=+|-+) *$/) ?? [];
        if (line) return [h(line[0] === '=' ? 'h1' : 'h2', {}, inline(lines.slice(from, end).join('\n'), to)), end + 1];
        end += 1;
    }
    const [, line] = (lines[end] ?? '').match(/^ {0,3}(-{2,}) *$/) ?? [];
    if (line) return [h('h2', {}, inline(lines.slice(from, end).join('\n'), to)), end + 1];
    return [h('p', {}, inline(lines.slice(from, end).map((one) => one.trimStart()).join('\n'), to)), end];
}

/// Whether a line goes on with the paragraph above it.
function goesOn(line) {
    return line.trim() !== '' && ![FENCE, HEADING, RULE, QUOTE, ITEM].some((begins) => begins.test(line));
}

// Each part is bounded, and begins with a character of its own, so that no text takes long.
const LABEL = String.raw`\[(?<label>(?:[^[\]\\]|\\.|\[[^[\]]{0,300}\]){0,500})\]`;
const INLINE = new RegExp([
    String.raw`\\(?<plain>[!-/:-@[-${'`'}{-~])`,
    '(?<ticks>`{1,3})(?<code>[^`](?:[^`]{0,998}[^`])?)\\k<ticks>(?!`)',
    String.raw`(?<mark>!?)${LABEL}(?:\([ \n]?<?(?<target>[^\s<>()]{0,1000}(?:\([^\s()]{0,200}\)[^\s<>()]{0,200})?)>?(?:\s+["'][^\n"']{0,300}["'])?[ \n]?\)|\[(?<named>[^[\]]{0,200})\])?`,
    String.raw`<(?<auto>(?:https?://|mailto:)[^\s<>]{1,1000})>`,
    String.raw`(?<bare>\bhttps?://[^\s<>"'()\]]{1,1000})`,
    String.raw`\*\*(?<strong>[^\s*](?:[^\n]{0,500}?[^\s])??)\*\*`,
    String.raw`\b__(?<strong2>[^\s_](?:[^\n]{0,500}?[^\s])??)__\b`,
    String.raw`\*(?<em>[^\s*](?:[^*\n]{0,500}?[^\s*])?)\*`,
    String.raw`\b_(?<em2>[^\s_](?:[^_\n]{0,500}?[^\s_])?)_\b`,
    String.raw`~~(?<gone>[^\s~](?:[^~\n]{0,500}?[^\s~])?)~~`,
    String.raw`(?<br> {2,9}\n|\\\n)`,
].join('|'), 'gu');

function inline(text, to, depth = 0) {
    const out = [];
    let end = 0;
    for (const found of text.matchAll(INLINE)) {
        const made = depth < DEEPEST ? part(found, to, depth + 1) : null;
        if (made === null) continue;
        out.push(text.slice(end, found.index), made);
        end = found.index + found[0].length;
    }
    out.push(text.slice(end));
    return joined(out);
}

/// Text that stands side by side as one.
function joined(parts) {
    const out = [];
    for (const one of parts) {
        if (one === '') continue;
        if (typeof one === 'string' && typeof out.at(-1) === 'string') out[out.length - 1] += one;
        else out.push(one);
    }
    return out;
}

/// What a part of a line becomes; null if it stays as it is.
function part({ groups: of }, to, depth) {
    if (of.plain) return of.plain;
    if (of.code) return h('code', {}, of.code.trim() || of.code);
    if (of.br) return h('br');
    if (of.auto ?? of.bare) return link(of.auto ?? of.bare.replace(/[.,;:!?]+$/, ''), [of.auto ?? of.bare], to) ?? null;
    if (of.mark !== undefined) {
        const { label } = of;
        const target = of.target ?? to.named.get((of.named || label).toLowerCase());
        if (target === undefined) return null;
        if (of.mark) return picture(target, label, to);
        return link(target, to.inLink ? [label] : inline(label, { ...to, inLink: true }, depth), to);
    }
    const strong = of.strong ?? of.strong2;
    if (strong) return h('strong', {}, inline(strong, to, depth));
    const em = of.em ?? of.em2;
    if (em) return h('em', {}, inline(em, to, depth));
    return of.gone ? h('del', {}, inline(of.gone, to, depth)) : null;
}

/// The address that a target stands for, if it is one that may be followed.
function resolve(target, to) {
    let url;
    try {
        url = new URL(target, to.base);
    } catch {
        return null;
    }
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url : null;
}

function link(target, content, to) {
    const url = to.inLink ? null : resolve(target, to);
    if (!url) return h('span', {}, content);
    return h('a', { href: url.href, target: '_blank', rel: 'noopener noreferrer' }, content);
}

/// A picture of this site; else a link to it, as nothing is asked of other sites.
function picture(target, label, to) {
    const url = resolve(target, to);
    if (url && to.pictures && url.origin === location.origin) return h('img', { src: url.href, alt: label, loading: 'lazy' });
    return link(target, [label || target], to);
}
