// Renaming in place: the name becomes a field; Enter renames, Escape leaves it.

import { h } from './dom.js';
import { t } from './i18n.js';
import * as path from './path.js';
import { explain } from './toast.js';

/// Makes the name in `row` a field; `run(name)` renames, and `done` is called at the end.
export function renameInPlace(row, entry, folder, run, done) {
    const link = row?.querySelector('.name a');
    if (!link) return;
    const input = h('input', { type: 'text', class: 'renaming', value: entry.name, 'aria-label': t('rename'), autocomplete: 'off', spellcheck: 'false' });
    let over = false;
    const end = () => {
        if (over) return;
        over = true;
        input.remove();
        link.hidden = false;
        row.draggable = true;
        done();
    };
    const commit = async () => {
        const name = input.value.trim();
        if (over || name === entry.name || name === '') {
            end();
            return;
        }
        const fault = path.fault(name) ?? (folder.find(path.encode(name)) ? 'name.taken' : null);
        if (fault) {
            complain(t(fault));
            return;
        }
        input.disabled = true;
        try {
            await run(name);
            end();
        } catch (error) {
            input.disabled = false;
            complain(explain(error));
        }
    };
    const complain = (text) => {
        input.setCustomValidity(text);
        input.reportValidity();
        input.focus();
    };
    input.addEventListener('input', () => input.setCustomValidity(''));
    input.addEventListener('keydown', (event) => {
        event.stopPropagation();
        if (event.isComposing) return;
        if (event.key === 'Enter') commit();
        else if (event.key === 'Escape') end();
        else return;
        event.preventDefault();
    });
    input.addEventListener('blur', () => { if (!input.disabled) commit(); });
    for (const kind of ['click', 'dblclick', 'pointerdown']) input.addEventListener(kind, (event) => event.stopPropagation());
    // The row would be dragged rather than the text selected.
    row.draggable = false;
    link.hidden = true;
    link.after(input);
    input.focus();
    const dot = entry.folder ? -1 : entry.name.lastIndexOf('.');
    input.setSelectionRange(0, dot > 0 ? dot : entry.name.length);
}
