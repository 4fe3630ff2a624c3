// What somebody without an account puts into a drop box, over a connection that breaks; each step has a browser of its own.

import fs from 'node:fs/promises';
import path from 'node:path';

import { assert, drop, open, ready, row, signIn } from './browser.mjs';

/// `[what, how]`, in order.
export const STEPS = [
    ['a drop box says whose it is, what for and until when, once', async (it) => {
        await it.page?.context().close();
        const page = it.page = await open(it.browser, it.base);
        await signIn(page, 'alice', it.passwords.alice);
        it.box = await page.evaluate(async () => {
            const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': document.documentElement.dataset.csrf };
            const ask = async (what, content) => (await fetch(`/-/api/v1/${what}`, { method: 'POST', headers, body: JSON.stringify(content) })).json();
            await ask('folders', { path: '/Inbox' }).catch(() => {});
            return (await ask('shares', { path: '/Inbox', kind: 'upload', label: 'Holiday pictures', expires: new Date(Date.now() + 86_400_000).toISOString() })).url;
        });
        const visitor = it.visitor = await open(it.browser, it.base);
        await visitor.goto(it.box);
        await ready(visitor);
        await visitor.getByRole('heading', { name: 'Holiday pictures' }).waitFor();
        const said = await visitor.locator('.card').innerText();
        assert(said.includes('goes to alice'), said);
        assert(/Open until \w+day/.test(said), said);
        assert(said.split('this link').length === 2, `said twice: ${said}`);
    }],

    ['what is cut on its way into a drop box is sent again by itself', async ({ visitor, scratch, wire }) => {
        const file = path.join(scratch, 'film.bin');
        await fs.writeFile(file, Buffer.alloc(8 << 20, 'film'));
        wire.rate = 1 << 20;
        await pick(visitor, 'Choose files', file);
        await visitor.waitForFunction(() => parseInt(document.querySelector('.given .running .small')?.textContent ?? '0', 10) > 0);
        wire.cut();
        await visitor.locator('.given .stalled').getByText('film.bin').waitFor();
        wire.rate = 0;
        wire.mend();
        await visitor.locator('.given .done').getByText('film.bin').waitFor();
    }],

    ['what a drop box has not taken is sent again by a button', async ({ visitor, scratch }) => {
        await fs.writeFile(path.join(scratch, 'letter.txt'), 'dear');
        await visitor.route('**/letter.txt', (route) => route.fulfill({ status: 507 }), { times: 1 });
        await pick(visitor, 'Choose files', path.join(scratch, 'letter.txt'));
        await visitor.locator('.given .failed').getByText('There is no room for it here.').waitFor();
        await visitor.locator('.given .failed').getByTitle('Try again').click();
        await visitor.locator('.given .done').getByText('letter.txt').waitFor();
    }],

    ['folders that are picked and dropped come into a drop box as they are', async (it) => {
        const { page, visitor, scratch } = it;
        for (const [at, name] of [['picked/inner', 'one.txt'], ['dropped/inner', 'two.txt']]) {
            await fs.mkdir(path.join(scratch, at), { recursive: true });
            await fs.writeFile(path.join(scratch, at, name), name);
        }
        await pick(visitor, 'Choose a folder', path.join(scratch, 'picked'));
        await visitor.locator('.given .done', { hasText: 'one.txt' }).getByText('picked/inner/').waitFor();
        await drop(visitor, visitor.locator('.zone'), [path.join(scratch, 'dropped')]);
        await visitor.locator('.given .done', { hasText: 'two.txt' }).getByText('dropped/inner/').waitFor();
        await visitor.getByText('4 of 4 files received').waitFor();
        // What the browser says of a page that is left in the midst is not asked here: all is there.
        assert(visitor.complaints.length === 0, visitor.complaints.join('\n'));
        await visitor.context().close();
        for (const [at, name] of [['/Inbox/', 'film.bin'], ['/Inbox/picked/inner/', 'one.txt'], ['/Inbox/dropped/inner/', 'two.txt']]) {
            await page.goto(at);
            await ready(page);
            await row(page, name).waitFor();
        }
    }],
];

async function pick(page, label, what) {
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByRole('button', { name: label }).click()]);
    await chooser.setFiles(what);
}
