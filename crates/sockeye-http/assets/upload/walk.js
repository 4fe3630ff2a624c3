// What is dropped or picked, as files with the folders that they lie in.

/// A dropped folder, folder by folder, so that a large one begins at once: `{ names, files, isEmpty }`, where `names` are
/// of the folders from the dropped one on.
export async function* walk(root) {
    const waiting = [[root, []]];
    while (waiting.length > 0) {
        const [entry, above] = waiting.pop();
        if (entry.isFile) {
            yield { names: above, files: [await fileOf(entry)], isEmpty: false };
            continue;
        }
        const names = [...above, entry.name];
        const children = await readAll(entry.createReader());
        const files = [];
        for (const child of children) {
            if (child.isFile) files.push(await fileOf(child));
            else waiting.push([child, names]);
        }
        yield { names, files, isEmpty: children.length === 0 };
    }
}

/// The names of the folders that a picked file lies in.
export function namesOf(file) {
    return (file.webkitRelativePath || '').split('/').filter(Boolean).slice(0, -1);
}

/// What is dropped, as entries of a file system or files; at once, as the browser takes it back after the event.
export function gather(transfer) {
    const out = [];
    for (const item of transfer.items) {
        if (item.kind !== 'file') continue;
        const one = item.webkitGetAsEntry?.() ?? item.getAsFile();
        if (one) out.push(one);
    }
    return out;
}

function fileOf(entry) {
    return new Promise((resolve, reject) => { entry.file(resolve, reject); });
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
