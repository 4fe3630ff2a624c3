// What is done to entries: new folder, rename, move, copy, delete, download; each with a way back where there is one.

import { askText, confirm, openDialog } from './dialog.js';
import { h, nameText, plainName } from './dom.js';
import { t } from './i18n.js';
import * as path from './path.js';
import * as remote from './remote.js';
import { account, tell } from './state.js';
import { explain, oops, toast } from './toast.js';

/// Whether the server says that something of that name is there already.
export const isThere = (error) => (error.kind ? error.kind === 'exists' : [409, 412].includes(error.status));

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

/// Moves entries to the trash, with undo where that is possible; where nothing is kept, asks before they are gone.
export async function discard(folder, entries) {
    if (entries.length === 0) return;
    const { keepsTrash } = account;
    const sure = keepsTrash || await confirm({ title: t('purge.title', { n: entries.length }), text: t('purge.text'), action: t('purge'), danger: true });
    if (!sure) return;
    const { done, failed } = await remote.discard(entries.map((entry) => folder.pathOf(entry)));
    folder.drop(done.map((one) => path.last(path.canonical(one.path))));
    tell('changed', folder.path);
    tell('space');
    const name = plainName(path.decode(path.last(done[0].path)));
    const said = keepsTrash ? 'deleted' : 'purged';
    const ids = done.map((one) => one.id);
    toast(done.length === 1 ? t(`${said}.named`, { name }) : t(said, { n: done.length }), {
        action: ids.every(Boolean) && undo(async () => {
            const back = await remote.restore(ids);
            tell('arrived', folder.path);
            tell('space');
            if (back.failed.length > 0) throw back.failed[0].error;
        }),
    });
    sayFailed(failed);
}

/// Says what could not be done of several things, `{ name, error }`, by the first of them.
export function sayFailed(failed) {
    if (failed.length === 0) return;
    const [{ name, error }] = failed;
    toast(t('failed', { n: failed.length, name: plainName(path.decode(path.last(name))), why: explain(error) }), { kind: 'bad' });
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
            try {
                if (copy) {
                    const { failed } = await remote.discard(done.map(({ target }) => target));
                    if (failed.length > 0) throw failed[0].error;
                } else for (const { from, target } of done) await remote.move(target, from);
            } finally {
                tell('arrived', folder.path);
                tell('arrived', to);
            }
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
        label: t('undo'), kind: 'undo', run: async () => {
            try {
                await run();
                toast(t('undone'));
            } catch (error) {
                toast(t('undo.failed', { why: explain(error) }), { kind: 'bad' });
            }
        },
    };
}

/// The longest address of an archive of some entries: servers in front of this one take none that are much longer.
const LONGEST = 6000;

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
    const chosen = `${path.folderHref(folder.path)}?zip&${entries.map((entry) => `name=${entry.key}`).join('&')}`;
    if (chosen.length <= LONGEST) {
        fetchTo(chosen, `${path.decode(path.last(folder.path)) || 'sockeye'}.zip`);
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
