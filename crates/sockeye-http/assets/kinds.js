// What kind of thing a file is, by the end of its name: which picture it has, and how it is previewed.

const ENDS = {
    image: 'avif bmp gif ico jpeg jpg png svg webp',
    video: 'm4v mkv mov mp4 ogv webm',
    audio: 'aac flac m4a mp3 oga ogg opus wav',
    pdf: 'pdf',
    archive: '7z br bz2 gz iso jar rar tar tgz xz zip zst',
    code: 'bash c cc conf cpp cs css go h hpp htm html ini java js json jsx kt lua mjs php pl py rb rs sh sql swift toml ts tsx vue xhtml xml yaml yml',
    text: 'adoc asc bib csv diff eml ics lock log markdown md nfo org patch properties rst rtf srt tex text tsv txt vtt',
};

const KINDS = new Map(Object.entries(ENDS).flatMap(([kind, ends]) => ends.split(' ').map((end) => [end, kind])));
const TEXTS = new Set(['authors', 'changelog', 'copying', 'dockerfile', 'license', 'makefile', 'notice', 'readme']);

/// `folder`, `image`, `video`, `audio`, `pdf`, `archive`, `code`, `text` or `file`.
export function kind(entry) {
    if (entry.folder) return 'folder';
    const name = entry.name.toLowerCase();
    const dot = name.lastIndexOf('.');
    if (dot < 1) return TEXTS.has(name) ? 'text' : 'file';
    return KINDS.get(name.slice(dot + 1)) ?? 'file';
}

/// Whether it can be looked at in the page.
export function previews(entry) {
    return !entry.folder && kind(entry) !== 'archive';
}

/// Bytes of a picture that are loaded to show it small.
const SMALL = 6 * 1024 * 1024;

/// Whether its picture can be had by just loading it.
export function hasThumbnail(entry) {
    const of = kind(entry);
    return of === 'image' ? entry.size <= SMALL && entry.size > 0 : of === 'video' && entry.size > 0;
}
