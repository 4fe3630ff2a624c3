// The keys of the view of a folder.

import { openKeys } from '../dialogs/keys.js';

/// Binds them to the document; what it returns ends that.
export function bind(view) {
    const pressed = (event) => {
        if (event.defaultPrevented || event.isComposing || isTyping(event.target)) return;
        if (document.querySelector('dialog[open], .menu')) return;
        const run = find(view, event);
        if (!run) return;
        event.preventDefault();
        run();
    };
    const inFilter = (event) => {
        if (event.key === 'Escape') view.unfilter();
        else if (event.key === 'ArrowDown' || event.key === 'Enter') {
            view.list.grid.focus();
            view.selection.move(0, {});
        } else return;
        event.preventDefault();
        event.stopPropagation();
    };
    document.addEventListener('keydown', pressed);
    view.filter.addEventListener('keydown', inFilter);
    return () => document.removeEventListener('keydown', pressed);
}

function isTyping(target) {
    return target.closest?.('input, textarea, select, [contenteditable]') !== null;
}

function find(view, event) {
    const { selection, list } = view;
    if (!list) return null;
    const control = event.ctrlKey || event.metaKey;
    const inList = list.grid.contains(event.target) || event.target === document.body;
    const go = (to) => () => {
        selection.move(to, event);
        list.reveal(selection.cursor);
    };
    const { columns } = list.virtual;
    const here = selection.cursor;
    if (inList) {
        switch (event.key) {
            case 'ArrowDown': return go(here < 0 ? 0 : here + columns);
            case 'ArrowUp':
                if (event.altKey) return () => view.leaveUp();
                return go(here - columns);
            case 'ArrowLeft': return list.tiles ? go(here - 1) : null;
            case 'ArrowRight': return list.tiles ? go(here + 1) : null;
            case 'Home': return go(0);
            case 'End': return go(Infinity);
            case 'PageDown': return go(here + list.virtual.page());
            case 'PageUp': return go(here - list.virtual.page());
            case ' ': return () => selection.toggle(Math.max(0, here));
            case 'Enter': return here >= 0 && !event.target.closest('button, a') ? () => view.enter(here) : null;
            default:
        }
    }
    if (control) {
        switch (event.key.toLowerCase()) {
            case 'a': return () => selection.all();
            case 'c': return selection.size && !String(getSelection()) ? () => view.hold(false) : null;
            case 'x': return selection.size ? () => view.hold(true) : null;
            case 'v': return () => view.paste();
            case 'z': return () => view.undo();
            default: return null;
        }
    }
    // What goes with Alt is the browser's.
    if (event.altKey) return null;
    switch (event.key) {
        case 'Backspace': return () => view.leaveUp();
        case 'Delete': return selection.size && view.may('delete') ? () => view.discard() : null;
        case 'F2': return () => view.rename();
        case 'Escape': return selection.size ? () => selection.clear() : view.folder.filter ? () => view.unfilter() : null;
        case '/': return () => view.filter.focus();
        case '?': return () => openKeys();
        case 'n': return view.may('write') ? () => view.newFolder() : null;
        case 'u': return view.may('write') ? () => view.pick(false) : null;
        case 'v': return () => view.toggleTiles();
        default: return null;
    }
}
