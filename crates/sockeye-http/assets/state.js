// What the views share: who is signed in, and news of what was changed.

import * as api from './api.js';
import { canonical, encode } from './path.js';

/// The account, as far as it is known.
export const account = {
    name: '',
    csrf: '',
    role: '',
    space: null,
    shared: [],
    isPublic: false,
    /// Whether what is deleted is kept for a time.
    keepsTrash: true,
    /// Whether the password was given by somebody else.
    mustChange: false,
    known: false,
    /// Done once the server has said who this is, or could not.
    settled: null,

    /// Takes what the server says of it.
    learn(told) {
        this.name = told.name ?? this.name;
        this.role = told.role ?? '';
        this.space = told.space ?? null;
        this.shared = told.shared ?? [];
        this.isPublic = told.public ?? false;
        this.keepsTrash = told.trash ?? true;
        this.mustChange = told.must_change ?? false;
        if (told.csrf) this.renew(told.csrf);
        this.known = true;
        tell('account');
    },

    /// Goes on with another sign-in's token.
    renew(csrf) {
        this.csrf = csrf;
        api.allowChanges(csrf, this.name);
    },
};

/// Where the page is, if it was reached by a share's link: `base` is what the link stands for, `name` what that is
/// called. `base` is `/` where one folder is all that is served: then there are no accounts, and no API. Else it is empty.
const page = document.documentElement.dataset;
export const visit = { base: page.base ? canonical(page.base) : '', name: page.name ?? '', isLink: (page.base ?? '/') !== '/' };

/// The names of files, encoded, that stand for their folder: it is left to the server to show one.
export const indexes = (page.index ?? '').split('/').filter(Boolean).map(encode);

/// The uppermost folder there is.
export const root = visit.base || '/';

const listeners = new Map();

/// Calls `run` at news of that kind; what it returns ends that.
export function listen(kind, run) {
    const of = listeners.get(kind) ?? new Set();
    listeners.set(kind, of.add(run));
    return () => of.delete(run);
}

/// Gives news to who listens: `account`, `changed` (a folder's path), `uploads`, `clipboard`.
export function tell(kind, news) {
    for (const run of listeners.get(kind) ?? []) run(news);
}

/// What was cut or copied: `{ folder, entries, cut }`, or null.
export const clipboard = { held: null };
