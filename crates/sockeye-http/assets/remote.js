// What is asked of the server about files, by subject; here alone stands how the API names things.

import * as api from './api.js';
import * as path from './path.js';

/// Entries asked for at once: what one answer may hold.
export const PAGE = 1000;

/// Who is signed in, and what is theirs.
export const me = () => api.get('me');

/// A stretch of a folder: `{ entries, next, rights }`; `next` is null at its end.
export async function list(folder, { sort, descending, after, limit = PAGE, signal } = {}) {
    const told = await api.get('files', {
        path: path.folderHref(folder), sort, order: descending ? 'desc' : 'asc', after, limit,
    }, signal);
    return { entries: told.entries.map(entry), next: told.next ?? null, rights: new Set(told.rights ?? []), total: told.total ?? null };
}

/// An entry as the page has it: `key` is its name in an address, `name` for people.
export function entry(told) {
    const key = path.canonical(told.href ?? path.encode(told.name)).slice(1);
    return {
        key, name: path.decode(key), folder: told.kind === 'folder',
        size: told.size ?? 0, time: seconds(told.modified),
    };
}

/// One file or folder, or null if there is none.
export async function stat(of) {
    try {
        return await api.get('file', { path: of });
    } catch (error) {
        if (error.status === 404) return null;
        throw error;
    }
}

export const makeFolder = (at) => api.post('folders', { path: at });
export const move = (from, to, overwrite = false) => api.post('move', { from, to, overwrite });
export const copy = (from, to, overwrite = false) => api.post('copy', { from, to, overwrite });

/// Moves things to the trash; gives what is there for each, so that it can be undone.
export async function discard(paths) {
    const told = await api.post('delete', { paths });
    return told.ids ?? told.deleted ?? [];
}

export const trash = (after) => api.get('trash', { after });
export const restore = (ids) => api.post('trash/restore', { ids });
export const purge = (ids) => api.post('trash/purge', { ids });

export const shares = () => api.get('shares');
export const addShare = (share) => api.post('shares', share);
export const revokeShare = (id) => api.remove(`shares/${encodeURIComponent(id)}`);

export const uploads = () => api.get('uploads');
export const dropUpload = (zone, id) => api.remove(`uploads/${encodeURIComponent(zone)}/${encodeURIComponent(id)}`);

/// A moment as seconds since the epoch, whether it came as text or as a number.
export function seconds(moment) {
    if (moment === null || moment === undefined) return 0;
    return typeof moment === 'number' ? moment : Date.parse(moment) / 1000;
}
