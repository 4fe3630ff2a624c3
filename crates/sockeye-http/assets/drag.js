// Dragging entries onto folders, and files from outside into the page.

import { gather } from './upload/walk.js';

const TYPE = 'application/x-sockeye-entries';

/// What is dragged: `{ folder, entries }`. The browser shows its content only at the drop.
let dragged = null;

/// Does what a drop asks for; set by the view of files.
let dropped = () => {};

export function onDrop(run) {
    dropped = run;
}

/// Lets the rows of a list be dragged, and be dropped on where they are folders.
export function dragRows(list) {
    const { grid } = list;
    grid.addEventListener('dragstart', (event) => {
        const index = list.indexOf(event);
        if (index < 0) return;
        if (!list.selection.has(list.folder.shown[index])) list.selection.only(index);
        dragged = { folder: list.folder, entries: list.selection.entries() };
        event.dataTransfer.effectAllowed = 'copyMove';
        event.dataTransfer.setData(TYPE, '1');
        // A single file can be dropped on the desktop or in another program as its address.
        event.dataTransfer.setData('text/uri-list', dragged.entries.map((entry) => location.origin + list.folder.pathOf(entry)).join('\r\n'));
        grid.classList.add('dragging');
    });
    grid.addEventListener('dragend', () => {
        dragged = null;
        grid.classList.remove('dragging');
    });
    const folderAt = (event) => {
        const entry = list.folder.shown[list.indexOf(event)];
        return entry?.folder ? entry : null;
    };
    let over = null;
    const mark = (row) => {
        if (over !== row) over?.classList.remove('over');
        over = row;
        over?.classList.add('over');
    };
    grid.addEventListener('dragover', (event) => {
        const entry = folderAt(event);
        if (!entry || !takes(event, list.folder.pathOf(entry))) {
            mark(null);
            return;
        }
        event.preventDefault();
        event.stopPropagation();
        mark(event.target.closest('.row'));
    });
    grid.addEventListener('dragleave', (event) => { if (!grid.contains(event.relatedTarget)) mark(null); });
    grid.addEventListener('drop', (event) => {
        const entry = folderAt(event);
        mark(null);
        if (!entry) return;
        take(event, list.folder.pathOf(entry));
    });
}

/// Lets things be dropped on an element that stands for a folder.
export function acceptDrops(element, path) {
    element.addEventListener('dragover', (event) => {
        if (!takes(event, path)) return;
        event.preventDefault();
        event.stopPropagation();
        element.classList.add('over');
    });
    element.addEventListener('dragleave', () => element.classList.remove('over'));
    element.addEventListener('drop', (event) => {
        element.classList.remove('over');
        take(event, path);
    });
}

/// How many elements deep files from outside are dragged over the page.
let depth = 0;

/// Files from outside, dropped anywhere, go to the folder that `path()` gives, or nowhere if that is null.
export function acceptFiles(host, path) {
    const isOutside = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
    const enter = (event) => {
        if (!isOutside(event)) return;
        depth += 1;
        document.body.classList.toggle('dropping', path() !== null);
    };
    const leave = (event) => {
        if (!isOutside(event)) return;
        depth -= 1;
        if (depth <= 0) document.body.classList.remove('dropping');
    };
    const over = (event) => {
        if (!isOutside(event)) return;
        // Also where it may not be dropped, as the browser would leave the page for the file.
        event.preventDefault();
        event.dataTransfer.dropEffect = path() === null ? 'none' : 'copy';
    };
    const drop = (event) => {
        depth = 0;
        document.body.classList.remove('dropping');
        if (!isOutside(event)) return;
        event.preventDefault();
        if (path() !== null) dropped({ files: gather(event.dataTransfer), to: path() });
    };
    const all = { dragenter: enter, dragleave: leave, dragover: over, drop };
    for (const [name, run] of Object.entries(all)) host.addEventListener(name, run);
    return () => { for (const [name, run] of Object.entries(all)) host.removeEventListener(name, run); };
}

function takes(event, path) {
    const types = [...(event.dataTransfer?.types ?? [])];
    if (types.includes('Files') && !types.includes(TYPE)) return true;
    if (!types.includes(TYPE) || !dragged) return false;
    const own = dragged.entries.some((entry) => path === dragged.folder.pathOf(entry) || path.startsWith(`${dragged.folder.pathOf(entry)}/`));
    if (own || dragged.folder.path === path) return false;
    event.dataTransfer.dropEffect = event.ctrlKey || event.altKey ? 'copy' : 'move';
    return true;
}

function take(event, to) {
    if (!takes(event, to)) return;
    event.preventDefault();
    event.stopPropagation();
    depth = 0;
    document.body.classList.remove('dropping');
    if (dragged) dropped({ ...dragged, to, copy: event.ctrlKey || event.altKey });
    else dropped({ files: gather(event.dataTransfer), to });
    dragged = null;
}
