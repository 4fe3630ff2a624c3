// What somebody changes in a browser, from signing in to being sent away; each step begins where the one before it ended.

import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';

import decodeQR from 'qr/decode.js';

import { assert, open, ready, row, signIn, upload } from './browser.mjs';

const BIG = 24 * 1024 * 1024;

/// `[what, how]`, in order.
export const STEPS = [
    ['a folder is made, entered and left by keys', async (it) => {
        const { page } = it;
        await signIn(page, 'alice', it.passwords.alice);
        await row(page, 'many').waitFor();
        await page.locator('.list').focus();
        await page.keyboard.press('n');
        await page.fill('dialog input', 'Desk');
        await page.keyboard.press('Enter');
        await row(page, 'Desk').waitFor();
        await page.keyboard.press('Enter');
        await page.waitForURL('**/Desk/');
        await page.getByText('This folder is empty').waitFor();
    }],

    ['a folder is uploaded, and goes on after the connection was cut', async ({ page, scratch, wire }) => {
        const up = path.join(scratch, 'up');
        await fs.mkdir(path.join(up, 'deep/er'), { recursive: true });
        await fs.writeFile(path.join(up, 'note.txt'), 'hello');
        await fs.writeFile(path.join(up, 'deep/er/leaf.txt'), 'leaf');
        await fs.writeFile(path.join(up, 'big.bin'), Buffer.alloc(BIG, 'sockeye '));
        // Slow enough that there is something to cut.
        wire.rate = 1 << 20;
        await upload(page, up, 'Upload a folder');
        await progress(page, 'big.bin');
        wire.cut();
        await page.locator('.uploads li.stalled').getByText('big.bin').waitFor();
        wire.mend();
        await page.locator('.uploads li.running').getByText('big.bin').waitFor();
    }],

    ['after a reload in its midst, choosing the same file goes on', async ({ page, scratch, wire }) => {
        await page.reload();
        await ready(page);
        await page.locator('.unfinished').getByText('big.bin').waitFor();
        wire.rate = 0;
        const first = page.waitForRequest((request) => request.method() === 'PATCH');
        const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.getByText('Choose the files').click()]);
        await chooser.setFiles(path.join(scratch, 'up/big.bin'));
        const offset = Number((await first).headers()['upload-offset']);
        assert(offset > 0, 'the upload began anew');
        await page.locator('.uploads').getByText('1 file uploaded').waitFor();
        await page.goto('/Desk/up/');
        await ready(page);
        for (const name of ['big.bin', 'note.txt', 'deep']) await row(page, name).waitFor();
        const there = await page.evaluate(async () => (await fetch('/-/api/v1/file?path=/Desk/up/big.bin&digest=sha256')).json());
        const sent = createHash('sha256').update(await fs.readFile(path.join(scratch, 'up/big.bin'))).digest('hex');
        assert(there.size === BIG && there.sha256 === sent, `big.bin has ${there.size} bytes, or others`);
    }],

    ['what is there already is not sent again, and what differs is asked about', async ({ page, scratch }) => {
        await upload(page, [path.join(scratch, 'up/note.txt')]);
        await page.locator('.uploads li.same').waitFor();
        await fs.mkdir(path.join(scratch, 'other'), { recursive: true });
        await fs.writeFile(path.join(scratch, 'other/note.txt'), 'another');
        await upload(page, [path.join(scratch, 'other/note.txt')]);
        await page.getByRole('button', { name: 'Keep both' }).click();
        await row(page, 'note (2).txt').waitFor();
    }],

    ['a file is renamed in place, and back by undo', async ({ page }) => {
        await row(page, 'note.txt').locator('.time').click();
        await page.keyboard.press('F2');
        await page.locator('.renaming').fill('letter.txt');
        await page.keyboard.press('Enter');
        await row(page, 'letter.txt').waitFor();
        await undo(page);
        await row(page, 'note.txt').waitFor();
    }],

    ['a file is moved by the dialog, and another by cutting and pasting', async ({ page }) => {
        await row(page, 'note (2).txt').locator('.time').click();
        await page.locator('.tools').getByText('Move', { exact: true }).click();
        await page.locator('.choices').getByText('deep').click();
        await page.getByRole('button', { name: 'Move here' }).click();
        await row(page, 'note (2).txt').waitFor({ state: 'detached' });
        await row(page, 'note.txt').locator('.time').click();
        await page.keyboard.press('Control+x');
        await row(page, 'deep').locator('a').click();
        await row(page, 'note (2).txt').waitFor();
        await page.keyboard.press('Control+v');
        await row(page, 'note.txt').waitFor();
        await undo(page);
        await row(page, 'note.txt').waitFor({ state: 'detached' });
    }],

    ['what is deleted comes back by undo, and from the trash', async ({ page }) => {
        await row(page, 'note (2).txt').locator('.time').click();
        await page.keyboard.press('Delete');
        await row(page, 'note (2).txt').waitFor({ state: 'detached' });
        await undo(page);
        await row(page, 'note (2).txt').waitFor();
        await row(page, 'note (2).txt').locator('.time').click();
        await page.keyboard.press('Delete');
        await row(page, 'note (2).txt').waitFor({ state: 'detached' });
        await page.locator('.places').getByText('Trash').click();
        await page.locator('.cards li', { hasText: 'note (2).txt' }).first().getByText('Restore').click();
        await page.goto('/Desk/up/deep/');
        await ready(page);
        await row(page, 'note (2).txt').waitFor();
    }],

    ['a link is made, and opens where nobody has signed in', async (it) => {
        const { page } = it;
        await page.goto('/Desk/up/');
        await ready(page);
        await row(page, 'note.txt').locator('.time').click();
        await page.locator('.tools').getByText('Share', { exact: true }).click();
        await page.getByRole('button', { name: 'Make link' }).click();
        await page.locator('dialog .qr').waitFor();
        it.link = await page.locator('dialog input.address').inputValue();
        assert(read(await page.locator('dialog .qr path').getAttribute('d')) === it.link, 'the picture is of another link');
        await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
        await page.locator('dialog').getByRole('button', { name: 'Copy', exact: true }).click();
        await page.locator('.toast').getByText('Copied to the clipboard').waitFor();
        assert(await page.evaluate(() => navigator.clipboard.readText()) === it.link, 'another text is copied');
        await page.getByRole('button', { name: 'Done' }).click();
        const other = await open(it.browser, it.base);
        const answer = await other.request.get(it.link);
        assert(answer.ok() && await answer.text() === 'hello', `the link answers ${answer.status()}`);
        await other.context().close();
    }],

    ['links of every length can be read from their pictures', async ({ page }) => {
        const module = await page.evaluate(() => new URL('qr.js', document.querySelector('script[type=module]').src).href);
        for (const length of [1, 14, 15, 60, 106, 107, 180, 300, 450, 666]) {
            const text = 'https://example.org/-/s/'.padEnd(length, 'a%C3%A4-').slice(0, length);
            const drawn = await page.evaluate(async ([at, what]) => (await import(at)).qr(what, '').firstChild.getAttribute('d'), [module, text]);
            assert(read(drawn) === text, `of ${length} bytes another text is read`);
        }
    }],

    ['a link that was revoked opens nothing', async (it) => {
        const { page } = it;
        await page.goto('/-/shares');
        await ready(page);
        await page.locator('.cards li').getByRole('button', { name: 'Revoke' }).click();
        await page.locator('dialog').getByText('Revoke', { exact: true }).click();
        await page.getByText('No links yet').waitFor();
        const answer = await page.request.get(it.link);
        assert(answer.status() >= 400, `the link answers ${answer.status()}`);
    }],

    ['a drop box takes files of whoever has its link, and shows none', async (it) => {
        const { page, scratch } = it;
        await page.goto('/Desk/');
        await ready(page);
        await row(page, 'up').locator('.time').click();
        await page.locator('.tools').getByText('Share', { exact: true }).click();
        await page.locator('dialog .tickbox input').check();
        await page.getByRole('button', { name: 'Make link' }).click();
        await page.locator('dialog .qr').waitFor();
        const link = await page.locator('dialog input.address').inputValue();
        await page.getByRole('button', { name: 'Done' }).click();
        const other = await open(it.browser, it.base);
        await other.goto(link);
        await ready(other);
        const [chooser] = await Promise.all([other.waitForEvent('filechooser'), other.getByText('Choose files').click()]);
        await chooser.setFiles(path.join(scratch, 'other/note.txt'));
        await other.getByText('received').waitFor();
        assert(!(await other.locator('body').innerText()).includes('big.bin'), 'the folder is seen');
        assert(other.complaints.length === 0, other.complaints.join('\n'));
        await other.context().close();
        await page.goto('/Desk/up/');
        await ready(page);
        await row(page, 'note (2).txt').waitFor();
    }],

    ['an administrator ends a session, which has to sign in again', async (it) => {
        const admin = await open(it.browser, it.base);
        await signIn(admin, 'root', it.passwords.root);
        await admin.goto('/-/admin/sessions');
        await ready(admin);
        await admin.locator('.data tr', { hasText: 'alice' }).first().getByText('End').click();
        await admin.locator('dialog').getByText('End', { exact: true }).click();
        await admin.locator('.toast').getByText('The session is ended').waitFor();
        assert(admin.complaints.length === 0, admin.complaints.join('\n'));
        await it.page.goto('/');
        await it.page.waitForURL(/\/-\/login/);
        await admin.context().close();
    }],
];

/// Until some of a file has been sent, and not all.
async function progress(page, name) {
    await page.waitForFunction((wanted) => {
        const item = [...document.querySelectorAll('.uploads li.running')].find((it) => it.textContent.includes(wanted));
        const part = parseInt(item?.querySelector('.number')?.textContent ?? '0', 10);
        return part > 3 && part < 90;
    }, name);
}

/// Takes back what was done last.
async function undo(page) {
    await page.locator('.toast').getByRole('button', { name: 'Undo', exact: true }).last().click();
}

/// What a scanner reads of a QR code whose dark modules are drawn as squares by this path.
function read(d) {
    const dark = [...d.matchAll(/M(\d+) (\d+)h/g)].map(([, x, y]) => [Number(x), Number(y)]);
    const scale = 4;
    const side = (Math.max(...dark.flat()) + 5) * scale;
    const data = new Uint8ClampedArray(side * side * 4).fill(255);
    for (const [x, y] of dark) {
        for (let down = y * scale; down < (y + 1) * scale; down += 1) {
            for (let right = x * scale; right < (x + 1) * scale; right += 1) data.fill(0, (down * side + right) * 4, (down * side + right) * 4 + 3);
        }
    }
    return decodeQR({ width: side, height: side, data });
}
