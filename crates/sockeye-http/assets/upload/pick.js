// What is picked or dropped becomes uploads: folders are walked, and empty ones made.

import { h } from '../dom.js';
import * as path from '../path.js';
import { enqueue, ensureFolder } from './queue.js';

/// Asks for files, or for a folder, to be uploaded to `to`.
export function pick(to, folder) {
    const input = h('input', { type: 'file', multiple: true, webkitdirectory: folder, class: 'hidden', 'aria-hidden': 'true' });
    input.addEventListener('change', () => {
        enqueue([...input.files].map((file) => ({ file, target: place(to, file.webkitRelativePath || file.name) })));
        input.remove();
    });
    input.addEventListener('cancel', () => input.remove());
    // In the page, or some browsers forget it.
    document.body.append(input);
    input.click();
}

/// Uploads what was dropped: entries of a file system, or files.
export async function take(dropped, to) {
    for (const one of dropped) {
        if (one instanceof File) enqueue([{ file: one, target: place(to, one.name) }]);
        else await walk(one, to);
    }
}

function place(to, relative) {
    return relative.split('/').filter(Boolean).reduce((at, name) => path.join(at, path.encode(name)), to);
}

/// Files are queued folder by folder, so that a large tree begins at once.
async function walk(root, to) {
    const waiting = [[root, to]];
    while (waiting.length > 0) {
        const [entry, at] = waiting.pop();
        const target = path.join(at, path.encode(entry.name));
        if (entry.isFile) {
            enqueue([{ file: await new Promise((resolve, reject) => { entry.file(resolve, reject); }), target }]);
            continue;
        }
        const children = await readAll(entry.createReader());
        if (children.length === 0) await ensureFolder(target);
        const files = [];
        for (const child of children) {
            if (child.isFile) files.push({ file: await new Promise((resolve, reject) => { child.file(resolve, reject); }), target: path.join(target, path.encode(child.name)) });
            else waiting.push([child, target]);
        }
        enqueue(files);
    }
}

/// Browsers give a folder in stretches of a hundred.
async function readAll(reader) {
    const out = [];
    for (;;) {
        const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
        if (some.length === 0) return out;
        out.push(...some);
    }
}
