// A file looked at in the page: pictures, sound, film, PDF and text. Nothing that is stored runs here: pictures are
// only drawn, text is only text, and what could act is shown as text as well.

import * as actions from '../actions.js';
import { button, fill, h, nameText, plainName } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';
import { kind, previews } from '../kinds.js';
import { cover } from '../router.js';
import { visit } from '../state.js';
import { showText } from './text.js';

let open = null;

/// Shows the entry at `index` of a view's folder; arrows go to the next that can be looked at.
export function openPreview(view, index) {
    open?.close();
    open = new Preview(view, index);
}

class Preview {
    constructor(view, index) {
        Object.assign(this, { view, folder: view.folder, index });
        this.title = h('h2', { class: 'clip grow' });
        this.stage = h('div', { class: 'stage' });
        this.count = h('span', { class: 'soft small number' });
        this.extra = h('span', {});
        this.dialog = h('dialog', { class: 'preview', tabindex: '-1', 'aria-label': t('preview') },
            h('header', {}, this.title, this.count, this.extra,
                button({ picture: 'download', title: t('download'), kind: 'plain', onclick: () => actions.download(this.folder, [this.entry]) }),
                button({ picture: 'close', title: t('close'), kind: 'plain', onclick: () => this.close() })),
            this.stage,
            button({ picture: 'left', title: t('previous'), kind: 'plain step back', onclick: () => this.step(-1) }),
            button({ picture: 'chevron', title: t('next'), kind: 'plain step on', onclick: () => this.step(1) }));
        this.dialog.addEventListener('cancel', (event) => {
            event.preventDefault();
            this.close();
        });
        this.dialog.addEventListener('keydown', (event) => this.pressed(event));
        this.stage.addEventListener('click', (event) => { if (event.target === this.stage) this.close(); });
        this.uncover = cover(() => this.close());
        document.body.append(this.dialog);
        this.dialog.showModal();
        this.show(index);
    }

    get entry() {
        return this.folder.shown[this.index];
    }

    show(index) {
        this.index = index;
        const { entry } = this;
        const all = this.folder.shown;
        this.stop?.abort();
        this.stop = new AbortController();
        fill(this.title, nameText(entry.name));
        this.count.textContent = `${format.size(entry.size)} · ${format.moment(entry.time)}`;
        fill(this.extra);
        this.dialog.querySelector('.back').hidden = this.next(-1) < 0;
        this.dialog.querySelector('.on').hidden = this.next(1) < 0;
        const src = `${this.folder.pathOf(entry)}?v=${entry.time}`;
        const of = kind(entry);
        this.stage.dataset.kind = of;
        // What has the focus goes with what was shown, and the keys with it.
        this.dialog.focus({ preventScroll: true });
        fill(this.stage, this.make(of, src, entry));
        this.view.selection.only(index);
        this.view.list.reveal(index);
        // The neighbour is there when it is asked for.
        const ahead = all[this.next(1)];
        if (!visit.isLink && ahead && kind(ahead) === 'image' && ahead.size < 8 << 20) new Image().src = `${this.folder.pathOf(ahead)}?v=${ahead.time}`;
    }

    make(of, src, entry) {
        const failed = () => fill(this.stage, this.cannot(entry));
        switch (of) {
            case 'image': return h('img', { src, alt: plainName(entry.name), onerror: failed });
            case 'video': return h('video', { src, controls: true, autoplay: true, playsinline: true, onerror: failed });
            case 'audio': return h('div', { class: 'sound' }, icon('audio'), nameText(entry.name), h('audio', { src, controls: true, autoplay: true, onerror: failed }));
            case 'pdf': return h('iframe', { src: this.folder.pathOf(entry), title: plainName(entry.name) });
            default: return showText(src, entry, { stop: this.stop.signal, extra: this.extra, cannot: failed });
        }
    }

    cannot(entry) {
        return h('div', { class: 'empty' }, icon(kind(entry)), h('h2', {}, t('preview.none')),
            button({ picture: 'download', label: t('download'), kind: 'primary', onclick: () => actions.download(this.folder, [entry]) }));
    }

    /// The next index that can be looked at, or -1.
    next(way) {
        const all = this.folder.shown;
        for (let n = this.index + way; n >= 0 && n < all.length; n += way) if (previews(all[n])) return n;
        return -1;
    }

    step(way) {
        const to = this.next(way);
        if (to >= 0) this.show(to);
    }

    pressed(event) {
        event.stopPropagation();
        const inPlayer = event.target.closest?.('video, audio');
        if (event.key === 'ArrowLeft' && !inPlayer) this.step(-1);
        else if (event.key === 'ArrowRight' && !inPlayer) this.step(1);
        else if (event.key === 'Delete' && this.view.may('delete')) this.discard();
        else return;
        event.preventDefault();
    }

    async discard() {
        const to = this.next(1) >= 0 ? this.index : this.next(-1);
        await this.view.discard();
        if (to < 0 || !this.folder.shown[to] || !previews(this.folder.shown[to])) this.close();
        else this.show(to);
    }

    close() {
        if (open !== this) return;
        open = null;
        this.stop.abort();
        this.uncover();
        this.dialog.close();
        this.dialog.remove();
        this.view.list.grid.focus({ preventScroll: true });
    }
}
