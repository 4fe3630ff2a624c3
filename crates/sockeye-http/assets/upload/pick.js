// What is picked or dropped becomes uploads: folders are walked, and empty ones made.

import { h } from '../dom.js';
import * as path from '../path.js';
import { enqueue, ensureFolder } from './queue.js';
import { namesOf, walk } from './walk.js';

/// Asks for files, or for a folder, to be uploaded to `to`.
export function pick(to, folder) {
    const input = h('input', { type: 'file', multiple: true, webkitdirectory: folder, class: 'hidden', 'aria-hidden': 'true' });
    input.addEventListener('change', () => {
        enqueue([...input.files].map((file) => ({ file, target: place(to, [...namesOf(file), file.name]) })));
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
        if (one instanceof File) {
            enqueue([{ file: one, target: place(to, [one.name]) }]);
            continue;
        }
        for await (const { names, files, isEmpty } of walk(one)) {
            if (isEmpty) await ensureFolder(place(to, names));
            enqueue(files.map((file) => ({ file, target: place(to, [...names, file.name]) })));
        }
    }
}

function place(to, names) {
    return names.reduce((at, name) => path.join(at, path.encode(name)), to);
}
