// What is done to entries: new folder, rename, move, copy, delete, download; each with a way back where there is one.

import { askText, openDialog } from './dialog.js';
import { h, nameText, plainName } from './dom.js';
import { t } from './i18n.js';
import * as path from './path.js';
import * as remote from './remote.js';
import { tell } from './state.js';
import { explain, oops, toast } from './toast.js';

/// The statuses by which the server says that something of that name is there already: 405 is MKCOL's.
export const isThere = (error) => [405, 409, 412].includes(error.status);

/// Asks for a name and makes a folder; gives its entry.
export function newFolder(folder) {
    return askText({
        title: t('folder.new'), label: t('name'), value: freeName(folder, t('folder.untitled')), action: t('create'),
        check: (name) => path.fault(name.trim()) ?? (folder.find(path.encode(name.trim())) ? 'name.taken' : null),
        run: async (typed) => {
            const name = typed.trim();
            const key = path.encode(name);
            await remote.makeFolder(path.join(folder.path, key));
            const entry = { key, name, folder: true, size: 0, time: Date.now() / 1000 };
            folder.put(entry);
            tell('changed', folder.path);
            return entry;
        },
    });
}

/// A name that nothing has yet: `Folder`, `Folder (2)`.
export function freeName(folder, name) {
    if (!folder.find(path.encode(name))) return name;
    const dot = name.lastIndexOf('.');
    const [stem, end] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
    for (let n = 2; ; n += 1) {
        const next = `${stem} (${n})${end}`;
        if (!folder.find(path.encode(next))) return next;
    }
}

/// Renames, and offers to take it back; gives the new entry.
export async function rename(folder, entry, name) {
    const key = path.encode(name);
    if (key === entry.key) return entry;
    await remote.move(folder.pathOf(entry), path.join(folder.path, key));
    const renamed = { ...entry, key, name };
    folder.drop([entry.key]);
    folder.put(renamed);
    tell('changed', folder.path);
    toast(t('renamed', { name: plainName(name) }), {
        action: undo(async () => {
            await remote.move(path.join(folder.path, key), folder.pathOf(entry));
            folder.drop([key]);
            folder.put(entry);
            tell('changed', folder.path);
        }),
    });
    return renamed;
}

/// Moves entries to the trash, with undo.
export async function discard(folder, entries) {
    if (entries.length === 0) return;
    const ids = await remote.discard(entries.map((entry) => folder.pathOf(entry)));
    folder.drop(entries.map((entry) => entry.key));
    tell('changed', folder.path);
    tell('space');
    toast(entries.length === 1 ? t('deleted.named', { name: plainName(entries[0].name) }) : t('deleted', { n: entries.length }), {
        action: undo(async () => {
            await remote.restore(ids);
            for (const entry of entries) folder.put(entry);
            tell('changed', folder.path);
            tell('space');
        }),
    });
}

/// Moves or copies entries into a folder, one after another; asks where a name is taken.
export async function carry({ folder, entries, to, copy = false }) {
    const say = copy ? 'copied' : 'moved';
    const done = [];
    let answer = null;
    for (const entry of entries) {
        const from = folder.pathOf(entry);
        let target = path.join(to, entry.key);
        if (from === target && !copy) continue;
        try {
            if (from === target) target = await beside(to, entry, (at) => remote.copy(from, at));
            else await (copy ? remote.copy(from, target) : remote.move(from, target));
            done.push({ entry, from, target });
        } catch (error) {
            if (!isThere(error)) {
                oops(error);
                break;
            }
            const chosen = answer ?? await ask(entry, entries.length > 1);
            if (!chosen || chosen.what === 'stop') break;
            if (chosen.all) answer = chosen;
            if (chosen.what === 'skip') continue;
            try {
                const act = (at, over) => (copy ? remote.copy(from, at, over) : remote.move(from, at, over));
                if (chosen.what === 'both') target = await beside(to, entry, (at) => act(at, false));
                else await act(target, true);
                done.push({ entry, from, target, over: chosen.what === 'replace' });
            } catch (failure) {
                oops(failure);
                break;
            }
        }
    }
    if (!copy) folder.drop(done.map(({ entry }) => entry.key));
    tell('changed', folder.path);
    tell('arrived', to);
    tell('space');
    if (done.length === 0) return;
    const reversible = done.every((one) => !one.over);
    toast(t(say, { n: done.length, to: plainName(path.show(to)) }), {
        action: reversible && undo(async () => {
            if (copy) await remote.discard(done.map(({ target }) => target));
            else for (const { from, target } of done) await remote.move(target, from);
            if (!copy) for (const { entry } of done) folder.put(entry);
            tell('changed', folder.path);
            tell('arrived', to);
        }),
    });
}

const MOST_TRIES = 100;

/// Does it under the first name that is free; gives the path.
async function beside(to, entry, act) {
    const dot = entry.folder ? -1 : entry.name.lastIndexOf('.');
    const [stem, end] = dot > 0 ? [entry.name.slice(0, dot), entry.name.slice(dot)] : [entry.name, ''];
    for (let n = 2; ; n += 1) {
        const at = path.join(to, path.encode(`${stem} (${n})${end}`));
        try {
            await act(at);
            return at;
        } catch (error) {
            if (!isThere(error) || n > MOST_TRIES) throw error;
        }
    }
}

/// Asks what to do where a name is taken: `{ what: 'replace' | 'both' | 'skip' | 'stop', all }`.
export async function ask(entry, several) {
    const all = h('input', { type: 'checkbox' });
    const choose = (what) => () => ({ what, all: all.checked });
    return openDialog({
        title: t('taken.title'),
        body: [
            h('p', {}, t('taken.before'), ' ', h('strong', {}, nameText(entry.name)), t('taken.after')),
            several && h('label', { class: 'tickbox' }, all, t('taken.all')),
        ],
        actions: [
            { label: t('skip'), run: choose('skip') },
            { label: t('replace'), kind: 'danger', run: choose('replace') },
            { label: t('keep.both'), kind: 'primary', submit: true, run: choose('both') },
        ],
    }).done;
}

function undo(run) {
    return {
        label: t('undo'), run: async () => {
            try {
                await run();
                toast(t('undone'));
            } catch (error) {
                toast(t('undo.failed', { why: explain(error) }), { kind: 'bad' });
            }
        },
    };
}

/// Downloads a file as it is, and folders or several things as a zip.
export function download(folder, entries) {
    if (entries.length === 0) return;
    const [first] = entries;
    if (entries.length === 1) {
        fetchTo(first.folder ? `${folder.pathOf(first)}/?zip` : `${folder.pathOf(first)}?download`, first.folder ? `${first.name}.zip` : first.name);
        return;
    }
    if (entries.length === folder.entries.length && folder.complete) {
        fetchTo(`${path.folderHref(folder.path)}?zip`, `${path.decode(path.last(folder.path)) || 'sockeye'}.zip`);
        return;
    }
    // One after another: the browser asks once whether a page may do so.
    entries.forEach((entry, n) => setTimeout(() => download(folder, [entry]), n * 400));
}

function fetchTo(href, name) {
    const link = h('a', { href, download: name, class: 'hidden' });
    document.body.append(link);
    link.click();
    link.remove();
}
