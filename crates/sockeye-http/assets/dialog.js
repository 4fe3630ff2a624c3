// Dialogs, on the browser's own <dialog>: it keeps the focus, and Escape closes it.

import { button, h } from './dom.js';
import { t } from './i18n.js';
import { explain } from './toast.js';

/// Opens a dialog; gives its element and `close(value)`. The promise `done` has the value.
export function openDialog({ title, body, actions = [], wide = false, kind = '' }) {
    let settled;
    const done = new Promise((resolve) => { settled = resolve; });
    const fault = h('p', { class: 'fault', role: 'alert', hidden: true });
    const close = (value) => {
        if (dialog.open) dialog.close();
        dialog.remove();
        settled(value);
    };
    const form = h('form', { method: 'dialog', novalidate: true },
        h('header', {}, h('h2', {}, title), button({ picture: 'close', title: t('close'), kind: 'plain', onclick: () => close() })),
        h('div', { class: 'body' }, body, fault),
        actions.length > 0 && h('footer', {}, actions.map((action) => {
            const made = button({ label: action.label, picture: action.picture, kind: action.kind ?? '' });
            if (action.submit) made.type = 'submit';
            made.addEventListener('click', (event) => {
                if (action.submit) return;
                event.preventDefault();
                act(action);
            });
            return made;
        })));
    const dialog = h('dialog', { class: [kind, wide ? 'wide' : ''].join(' ').trim() || null, 'aria-label': title }, form);

    // Says what is wrong in the dialog itself, which stays open.
    async function act(action) {
        fault.hidden = true;
        form.setAttribute('aria-busy', 'true');
        try {
            const value = await action.run?.();
            if (value !== false) close(value ?? action.value);
        } catch (error) {
            fault.textContent = explain(error);
            fault.hidden = false;
        } finally {
            form.removeAttribute('aria-busy');
        }
    }

    form.addEventListener('submit', (event) => {
        event.preventDefault();
        const main = actions.find((action) => action.submit);
        if (main && !form.hasAttribute('aria-busy')) act(main);
    });
    dialog.addEventListener('cancel', (event) => {
        if (event.target !== dialog) return;
        event.preventDefault();
        close();
    });
    dialog.addEventListener('keydown', (event) => event.stopPropagation());
    dialog.addEventListener('pointerdown', (event) => { if (event.target === dialog) close(); });
    document.body.append(dialog);
    dialog.showModal();
    // Not the cross in the corner, which is what comes first.
    const fields = '.body :is(input, select, textarea):not(:disabled, [readonly])';
    ['[autofocus]', fields, 'footer .button'].map((of) => dialog.querySelector(of)).find(Boolean)?.focus();
    return { dialog, close, done, say: (text) => { fault.textContent = text; fault.hidden = !text; } };
}

/// Asks for one line of text; `check` gives the key of what is wrong with it, and `run` does it.
export function askText({ title, label, value = '', selectTo, check, action, run }) {
    const input = h('input', { type: 'text', value, autofocus: true, autocomplete: 'off', spellcheck: 'false', maxlength: 255 });
    const it = openDialog({
        title,
        body: h('label', { class: 'field' }, h('span', { class: 'label' }, label), input),
        actions: [
            { label: t('cancel') },
            {
                label: action, kind: 'primary', submit: true, run: async () => {
                    const fault = check?.(input.value);
                    if (fault) {
                        it.say(t(fault));
                        input.focus();
                        return false;
                    }
                    return (await run(input.value)) ?? true;
                },
            }],
    });
    input.setSelectionRange(0, selectTo ?? value.length);
    return it.done;
}

/// Asks whether to do it; true if so.
export async function confirm({ title, text, action, danger = false, run }) {
    const done = await openDialog({
        title,
        body: h('p', {}, text),
        actions: [
            { label: t('cancel'), value: false },
            { label: action, kind: danger ? 'danger' : 'primary', submit: true, value: true, run },
        ],
    }).done;
    return Boolean(done);
}
