// The pictures, drawn with lines on a 24 × 24 grid; they take the colour of the text around them.

const PATHS = {
    activity: 'M3 12h4l3-8 4 16 3-8h4',
    archive: 'M4 8v12h16V8M2 4h20v4H2zM10 12h4',
    arrowdown: 'M12 5v14M6 13l6 6 6-6',
    arrowup: 'M12 19V5M6 11l6-6 6 6',
    audio: 'M9 18V5l11-2v13M9 18a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM20 16a3 3 0 1 1-6 0 3 3 0 0 1 6 0z',
    check: 'M5 12.5l4.5 4.5L19 7.5',
    chevron: 'M9 6l6 6-6 6',
    clock: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 7v5l3.5 2',
    close: 'M6 6l12 12M18 6L6 18',
    code: 'M9 8l-4 4 4 4M15 8l4 4-4 4',
    copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
    disk: 'M3 13h18v6H3zM3 13l3-8h12l3 8M7 16h.01',
    down: 'M6 9l6 6 6-6',
    download: 'M12 4v11M7 11l5 5 5-5M4 20h16',
    dropbox: 'M3 13l3-8h12l3 8v6H3zM3 13h5l1.5 2.5h5L16 13h5',
    edit: 'M4 20l1-4L16.5 4.5l3 3L8 19zM14.5 6.5l3 3',
    eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 1 0 5 2.5 2.5 0 0 1 0-5z',
    file: 'M6 3h8l5 5v13H6zM14 3v5h5',
    folder: 'M3 6.5A1.5 1.5 0 0 1 4.5 5H9l2.2 2.5h8.3A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18z',
    folderplus: 'M3 6.5A1.5 1.5 0 0 1 4.5 5H9l2.2 2.5h8.3A1.5 1.5 0 0 1 21 9v9a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 18zM12 10.5v6M9 13.5h6',
    globe: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM3 12h18M12 3c5 5.5 5 12.5 0 18M12 3c-5 5.5-5 12.5 0 18',
    grid: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
    home: 'M4 11l8-7 8 7v9h-5.500v-6h-5v6H4z',
    image: 'M4 5h16v14H4zM4 16l4.5-4.500L13 16l2.5-2.500L20 18M15.5 8.500h.01',
    info: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM12 11v5.500M12 7.500h.01',
    key: 'M14.5 3.500a6 6 0 1 1-3 10L4 21H3v-3l8-8a6 6 0 0 1 3.5-6.500zM16 8h.01',
    keyboard: 'M2.5 6h19v12h-19zM6 10h.01M10 10h.01M14 10h.01M18 10h.01M7 14h10',
    left: 'M15 6l-6 6 6 6',
    link: 'M10 14a4.5 4.5 0 0 0 6.4 0l3.3-3.300a4.5 4.5 0 0 0-6.4-6.400L12 5.500M14 10a4.5 4.5 0 0 0-6.4 0l-3.3 3.300a4.5 4.5 0 0 0 6.4 6.400L12 18.5',
    list: 'M4 6h16M4 12h16M4 18h16',
    lock: 'M5 11h14v10H5zM8 11V7.500a4 4 0 0 1 8 0V11',
    log: 'M5 3h14v18H5zM9 8h6M9 12h6M9 16h3',
    logout: 'M14 4H5v16h9M10 12h11M17.5 8.500L21 12l-3.5 3.5',
    menu: 'M4 6h16M4 12h16M4 18h16',
    moon: 'M20 14.500A8.5 8.5 0 0 1 9.5 4 8.5 8.5 0 1 0 20 14.500z',
    more: 'M5 12h.01M12 12h.01M19 12h.01',
    move: 'M4 6h6l2 2h8v11H4zM9 13.500h6M12.5 11l2.5 2.5-2.5 2.5',
    pause: 'M9 5v14M15 5v14',
    pdf: 'M6 3h8l5 5v13H6zM14 3v5h5M9 17v-4h1.500a1.3 1.3 0 0 1 0 2.600H9M14 13v4',
    play: 'M7 4.500v15l12-7.500z',
    plus: 'M12 5v14M5 12h14',
    refresh: 'M20 11a8 8 0 1 0-2.3 6M20 5v6h-6',
    search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM20.5 20.500L16 16',
    server: 'M4 4h16v7H4zM4 13h16v7H4zM8 7.500h.01M8 16.500h.01',
    share: 'M16 4.500a2.5 2.5 0 1 1 0 .01M16 17.500a2.5 2.5 0 1 1 0 .01M4.5 11a2.5 2.5 0 1 1 0 .01M9 10l7-4M9 12.500l7 4.5',
    shared: 'M9 5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7zM2.5 20c0-4 3-5.5 6.5-5.500s6.5 1.5 6.5 5.500M16 5.500a3.2 3.2 0 0 1 0 6.200M18 15c2.2.600 3.5 2.2 3.5 5',
    spark: 'M12 3v4M12 17v4M3 12h4M17 12h4M6 6l2.5 2.500M15.5 15.500L18 18M18 6l-2.5 2.500M8.5 15.500L6 18',
    sun: 'M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.500v2M12 19.500v2M2.5 12h2M19.5 12h2M5.3 5.300l1.4 1.400M17.3 17.300l1.4 1.400M18.7 5.300l-1.4 1.400M6.7 17.300l-1.4 1.4',
    text: 'M6 3h8l5 5v13H6zM14 3v5h5M9 13h6.500M9 16.500h6.5',
    trash: 'M4 6.500h16M9 6.500V4h6v2.500M6 6.500l1 14h10l1-14M10 10.500v6M14 10.500v6',
    undo: 'M8 5L4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3',
    up: 'M6 15l6-6 6 6',
    upload: 'M12 16V5M7 9l5-5 5 5M4 20h16',
    user: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4.5 21c0-4.5 3.5-6 7.5-6s7.5 1.5 7.5 6',
    video: 'M3 6h13v12H3zM16 10.500l5-3v9l-5-3',
    warn: 'M12 3.500L22 20.500H2zM12 10v4.500M12 17.500h.01',
    wrap: 'M4 6h16M4 12h13a3 3 0 0 1 0 6h-4M15 15.500L12.5 18l2.5 2.500M4 18h4',
};

const SPACE = 'http://www.w3.org/2000/svg';

/// The picture of that name.
export function icon(name, classes = '') {
    const svg = document.createElementNS(SPACE, 'svg');
    svg.setAttribute('viewBox', '0 0 24 24');
    svg.setAttribute('class', `icon ${classes}`);
    svg.setAttribute('aria-hidden', 'true');
    const path = document.createElementNS(SPACE, 'path');
    path.setAttribute('d', PATHS[name] ?? PATHS.file);
    svg.append(path);
    svg.dataset.picture = name;
    return svg;
}

/// Makes another picture of it.
export function setIcon(svg, name) {
    if (svg.dataset.picture === name) return;
    svg.dataset.picture = name;
    svg.firstChild.setAttribute('d', PATHS[name] ?? PATHS.file);
}
