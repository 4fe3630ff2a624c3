// Elements, made without markup: whatever comes from a name or the server is text or an attribute, never HTML.

import { icon } from './icons.js';

/// An element: `h('p', { class: 'soft', onclick: f }, 'text', otherElement)`. What is null, undefined or false
/// is left out.
export function h(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes ?? {})) {
        if (value === null || value === undefined || value === false) continue;
        if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
        else if (name === 'dataset') Object.assign(element.dataset, value);
        else if (name === 'value' || name === 'checked' || name === 'indeterminate') element[name] = value;
        else element.setAttribute(name, value === true ? '' : value);
    }
    element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
    return element;
}

/// Everything in `host` gives way to these.
export function fill(host, ...children) {
    host.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
    return host;
}

/// A button with a picture, a label, or both; `title` is said where there is no label.
export function button({ picture, label, title, kind, onclick, ...more }) {
    const classes = ['button', kind, label ? null : 'bare'].filter(Boolean).join(' ');
    return h('button', { type: 'button', class: classes, title: title ?? null, 'aria-label': label ? null : title, onclick, ...more },
        picture && icon(picture), label && h('span', {}, label));
}

/// A field with its label above it.
export function field(label, input, hint) {
    return h('label', { class: 'field' }, h('span', { class: 'label' }, label), input, hint && h('span', { class: 'hint' }, hint));
}

/// The filled part of a meter.
export function meterFill(share) {
    const part = h('span');
    part.style.inlineSize = `${(share * 100).toFixed(2)}%`;
    return part;
}

/// Once what was done is to be seen; at once where nothing is.
export function drawn() {
    return new Promise((done) => {
        if (document.hidden) done();
        else requestAnimationFrame(() => setTimeout(done));
    });
}

/// Calls `run` once the calls have paused for so many milliseconds.
export function settle(run, pause) {
    let timer = 0;
    return (...values) => {
        clearTimeout(timer);
        timer = setTimeout(run, pause, ...values);
    };
}

/// A name for people, in an element that keeps its writing direction to itself; characters that cannot be seen
/// are shown by their numbers.
export function nameText(name) {
    const holder = document.createElement('bdi');
    setName(holder, name);
    return holder;
}

// Controls, marks that change the direction of text, and what has no width; an emoji's joiner is left alone.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/// As `nameText`, into an element that is there already.
export function setName(holder, name) {
    if (name.search(UNSEEN) < 0) {
        setText(holder, name);
        return;
    }
    const parts = [];
    let end = 0;
    for (const found of name.matchAll(UNSEEN)) {
        parts.push(name.slice(end, found.index));
        parts.push(h('span', { class: 'unseen' }, unseen(found[0])));
        end = found.index + found[0].length;
    }
    fill(holder, parts, name.slice(end));
}

/// Plain text, into an element that has nothing else; the browser keeps more of what it knows than by `textContent`.
export function setText(holder, text) {
    const { firstChild } = holder;
    if (firstChild?.nodeType === Node.TEXT_NODE && firstChild === holder.lastChild) firstChild.data = text;
    else holder.textContent = text;
}

/// A name as plain text, for titles and messages.
export function plainName(name) {
    return name.replace(UNSEEN, unseen);
}

function unseen(character) {
    return character === '\n' ? '\u21b5' : `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}
