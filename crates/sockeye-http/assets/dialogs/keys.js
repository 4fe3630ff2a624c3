// The list of keys.

import { openDialog } from '../dialog.js';
import { h } from '../dom.js';
import { t } from '../i18n.js';

const KEYS = [
    ['↑ ↓ ← →', 'keys.move'], ['Shift ↑ ↓', 'keys.extend'], ['Space', 'keys.toggle'], ['Ctrl A', 'select.all'],
    ['Enter', 'keys.open'], ['Backspace', 'keys.up'], ['Home End', 'keys.ends'], ['/', 'keys.filter'],
    ['N', 'folder.new'], ['U', 'upload.files'], ['F2', 'rename'], ['Delete', 'delete'],
    ['Ctrl C', 'keys.copy'], ['Ctrl X', 'keys.cut'], ['Ctrl V', 'keys.paste'], ['Ctrl Z', 'undo'],
    ['V', 'keys.view'], ['Esc', 'keys.leave'], ['?', 'keys'],
];

export function openKeys() {
    openDialog({
        title: t('keys'), wide: true,
        body: h('dl', { class: 'keys' }, KEYS.map(([keys, text]) => h('div', {}, h('dt', {}, keys.split(' ').map((key) => h('kbd', {}, key))), h('dd', {}, t(text))))),
    });
}
