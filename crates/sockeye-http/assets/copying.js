// Text to the clipboard, also where the page came over plain HTTP and the browser has no clipboard for it.

import { h } from './dom.js';
import { t } from './i18n.js';
import { toast } from './toast.js';

export async function copyText(text) {
    try {
        await navigator.clipboard.writeText(text);
    } catch {
        const host = document.querySelector('dialog[open]') ?? document.body;
        const field = h('textarea', { class: 'away', readonly: true });
        field.value = text;
        host.append(field);
        field.select();
        document.execCommand('copy');
        field.remove();
    }
    toast(t('copied.text'));
}

/// Selects all of a field that is entered, whose beginning stays in sight.
export function selectAll({ target }) {
    target.setSelectionRange(0, target.value.length, 'backward');
}
