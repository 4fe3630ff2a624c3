// Pictures of every view, in every language, theme and width: to be looked at, not compared.

import fs from 'node:fs/promises';
import path from 'node:path';

import { open, ready, row, signIn } from './browser.mjs';

/// Each of two of language, theme and width together.
const LOOKS = [
    { locale: 'en-GB', dark: false, narrow: false }, { locale: 'zh-CN', dark: true, narrow: false },
    { locale: 'zh-CN', dark: false, narrow: true }, { locale: 'en-GB', dark: true, narrow: true },
];

/// Pages that are shown as they are.
const PLACES = {
    odd: '/odd/', many: '/many/', trash: '/-/trash', links: '/-/shares', account: '/-/account', overview: '/-/admin',
    accounts: '/-/admin/accounts', shared: '/-/admin/shared', 'all-links': '/-/admin/links', sessions: '/-/admin/sessions', log: '/-/admin/log',
    missing: '/nothing/', malformed: '/%zz', dead: '/-/s/' + 'A'.repeat(43), empty: '/Empty/',
};

/// What is shared by whoever takes the pictures: open, bounded, with a password, and of what is gone.
const SHARES = [
    { path: '/notes.txt' }, { path: '/Empty', kind: 'upload', max_files: 20, max_bytes: 1 << 30, label: 'Inbox' },
    { path: '/Report.pdf', downloads: 3, password: 'open sesame', expires: '2099-01-01T00:00:00Z' }, { path: '/Gone' },
];

/// A text with some of all that Markdown has.
const GUIDE = `# A guide to the river

Salmon swim **upstream**, mostly in *late summer*; see [the letters](Letters/to%20whom.txt) and \`swim --far\`.

- first the rapids
- then the lake
  1. rest
  2. go on
- [x] done
- [ ] to do

> What goes up comes down.

| place | depth | fish |
|:--|--:|:-:|
| rapids | 1 m | many |
| lake, which is a good deal deeper than the rapids | 120 m | few |

\`\`\`sh
curl -T file http://localhost:8080/ --verbose --and-a-line-that-is-longer-than-any-screen-is-wide --so-that-it-has-to-go-somewhere
\`\`\`

---

## 中文

三文鱼逆流而上。
`;

/// `[what, how]`: a step only where a folder for the pictures is given.
export const STEPS = process.env.SOCKEYE_SHOTS ? [['pictures are taken', (it) => shoot(it, process.env.SOCKEYE_SHOTS)]] : [];

/// Puts them into a folder, which is made.
async function shoot(it, folder) {
    await fs.mkdir(folder, { recursive: true });
    for (const look of LOOKS) {
        const page = await open(it.browser, it.base, look);
        const called = `${look.locale.slice(0, 2)}-${look.dark ? 'dark' : 'light'}-${look.narrow ? 'narrow' : 'wide'}`;
        const take = (name) => page.screenshot({ path: path.join(folder, `${name}-${called}.png`) });
        await page.goto('/-/login');
        await take('login');
        await signIn(page, 'root', it.passwords.root);
        for (const name of ['Report.pdf', 'Holiday.jpg', 'notes.txt', 'Archive.zip']) {
            await page.evaluate((at) => fetch(at, { method: 'PUT', body: 'some text\n'.repeat(400), headers: { 'X-CSRF-Token': document.documentElement.dataset.csrf } }), `/${name}`);
        }
        await page.evaluate(([at, text]) => fetch(at, { method: 'PUT', body: text, headers: { 'X-CSRF-Token': document.documentElement.dataset.csrf } }), ['/Guide.md', GUIDE]);
        if (look === LOOKS[0]) await furnish(page);
        await page.goto('/');
        await ready(page);
        await row(page, 'notes.txt').waitFor();
        await take('home');
        await row(page, 'notes.txt').locator('.picture').click();
        await take('selected');
        await page.keyboard.press('Escape');
        await row(page, 'notes.txt').click({ button: 'right', position: { x: 200, y: 20 } });
        await take('menu');
        await page.keyboard.press('Escape');
        await page.keyboard.press('v');
        await take('tiles');
        await page.keyboard.press('v');
        await row(page, 'notes.txt').locator('a').click();
        await page.locator('.text pre').last().waitFor();
        await take('preview');
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({ state: 'detached' });
        await row(page, 'notes.txt').locator('.picture').click();
        await page.keyboard.press('Delete');
        await page.locator('.toast').waitFor();
        await take('deleted');
        await page.locator('.toast').getByRole('button', { name: /Undo|撤销/ }).last().click();
        await row(page, 'notes.txt').waitFor();
        await page.keyboard.press('n');
        await page.locator('dialog').waitFor();
        await take('dialog');
        await page.keyboard.press('Escape');
        await page.locator('dialog').waitFor({ state: 'detached' });
        await reading(page, take);
        await sharing(page, take);
        await uploading(it, page, take, called);
        for (const [name, at] of Object.entries(PLACES)) {
            await page.goto(at);
            await ready(page).catch(() => {});
            await page.waitForTimeout(300);
            await take(name);
        }
        await page.context().close();
    }
    await shared(it, folder);
}

/// Makes what the pictures show, once.
async function furnish(page) {
    await page.evaluate(async (shares) => {
        const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': document.documentElement.dataset.csrf };
        const post = (path, content) => fetch(`/-/api/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(content) });
        await post('folders', { path: '/Empty' });
        await post('folders', { path: '/Gone' });
        for (const share of shares) await post('shares', share);
        await post('delete', { paths: ['/Gone'] });
        await post('admin/shared', { name: 'team', quota: 1 << 30 });
        await post('admin/accounts/alice/grants', { path: '/shared/team', rights: 'read,list' });
    }, SHARES);
}

/// Markdown as it is shown, and names that are looked for.
async function reading(page, take) {
    await row(page, 'Guide.md').locator('a').click();
    await page.locator('.markdown').waitFor();
    await take('markdown');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.locator('input[type=search]').fill('whom');
    await page.locator('.empty .button').first().waitFor();
    await take('not-found');
    await page.locator('.empty').getByRole('button', { name: /Search|搜索/ }).click();
    await page.locator('dialog li, dialog a').first().waitFor();
    await take('search');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.locator('input[type=search]').fill('');
}

/// The dialog that makes a link, of a folder, and what it shows then.
async function sharing(page, take) {
    await row(page, 'Empty').locator('.picture').click();
    await page.locator('.tools .button').nth(1).click();
    await page.locator('dialog .there li').first().waitFor();
    await take('share');
    await page.locator('dialog .tickbox input').check();
    await take('share-box');
    await page.locator('dialog .button.primary').click();
    await page.locator('dialog .qr').waitFor();
    await take('share-made');
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
}

/// An upload under way, beside one that is done and one that waits for an answer.
async function uploading(it, page, take, called) {
    const [big, small] = [path.join(it.scratch, `${called}.bin`), path.join(it.scratch, 'notes.txt')];
    await fs.writeFile(big, Buffer.alloc(24 << 20, 'sockeye '));
    await fs.writeFile(small, 'something else');
    it.wire.rate = 4 << 20;
    const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.keyboard.press('u')]);
    await chooser.setFiles([big, small]);
    await page.locator('dialog .button').first().waitFor();
    await take('taken');
    await page.keyboard.press('Escape');
    await page.locator('.uploads li.running').waitFor();
    await page.waitForTimeout(1500);
    await take('uploading');
    it.wire.rate = 0;
    await page.locator('.uploads li.running').waitFor({ state: 'detached' });
    await take('uploaded');
}

/// What others see of what is shared.
async function shared(it, folder) {
    const page = await open(it.browser, it.base);
    await signIn(page, 'alice', it.passwords.alice);
    const links = await page.evaluate(async () => {
        const add = async (share) => (await (await fetch('/-/api/v1/shares', {
            method: 'POST', body: JSON.stringify(share), headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': document.documentElement.dataset.csrf },
        })).json()).url;
        return {
            folder: await add({ path: '/Media' }), box: await add({ path: '/Media', kind: 'upload' }), locked: await add({ path: '/Media', password: 'open sesame' }),
        };
    });
    await page.context().close();
    for (const look of LOOKS) {
        const other = await open(it.browser, it.base, look);
        for (const [name, link] of Object.entries(links)) {
            await other.goto(name === 'folder' ? `${link}/` : link);
            await other.waitForTimeout(400);
            await other.screenshot({ path: path.join(folder, `link-${name}-${look.locale.slice(0, 2)}-${look.dark ? 'dark' : 'light'}-${look.narrow ? 'narrow' : 'wide'}.png`) });
        }
        await other.context().close();
    }
}
