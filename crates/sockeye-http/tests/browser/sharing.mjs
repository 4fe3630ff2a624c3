// What is shared, administered and given up in a browser; begins where nobody has signed in.

import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';

import { assert, left, open, ready, row, signIn, under, upload } from './browser.mjs';

/// `[what, how]`, in order.
export const STEPS = [
    ['a shared folder is looked through, sorted and downloaded by whoever has its link', async (it) => {
        await it.page?.context().close();
        it.page = await open(it.browser, it.base);
        const { page } = it;
        await signIn(page, 'alice', it.passwords.alice);
        const link = await share(page, 'Letters');
        const other = await open(it.browser, it.base);
        await other.goto(link);
        await ready(other);
        for (const name of ['drawing.svg', 'page.html', 'to whom.txt']) await row(other, name).waitFor();
        assert(await other.locator('.crumbs').innerText() === 'Letters', 'the folder is not called by its name');
        assert(await other.locator('.picture img').count() === 0, 'a picture was downloaded to be shown small');
        assert(await other.getByText('Sign in').count() === 0, 'whoever has a link need not sign in');
        await other.locator('.head').getByText('Size').click();
        await other.locator('[aria-sort=descending].size').waitFor();
        await other.getByRole('link', { name: 'to whom.txt' }).click();
        await other.locator('.text pre').getByText('dear reader').waitFor();
        await other.keyboard.press('Escape');
        await row(other, 'to whom.txt').locator('.time').click({ button: 'right' });
        assert(await other.locator('.menu').getByText('Delete').count() === 0, 'a visitor could delete');
        await other.keyboard.press('Escape');
        await other.locator('.list').focus();
        await other.keyboard.press('Escape');
        await other.getByTitle('More for this folder').click();
        const [download] = await Promise.all([other.waitForEvent('download'), other.locator('.menu').getByText('Download as zip').click()]);
        assert(download.suggestedFilename().endsWith('.zip'), download.suggestedFilename());
        assert(await download.failure() === null, 'the download failed');
        assert(other.complaints.length === 0, other.complaints.join('\n'));
        await other.context().close();
    }],

    ['a folder that was deleted after its upload is made anew by the next', async ({ page, scratch }) => {
        const again = path.join(scratch, 'again');
        await fs.mkdir(again, { recursive: true });
        await fs.writeFile(path.join(again, 'leaf.txt'), 'leaf');
        await page.goto('/');
        await ready(page);
        for (let n = 0; n < 2; n += 1) {
            await page.locator('.tools').getByText('Upload', { exact: true }).click();
            const [chooser] = await Promise.all([page.waitForEvent('filechooser'), page.locator('.menu').getByText('Upload a folder').click()]);
            await chooser.setFiles(again);
            await row(page, 'again').waitFor();
            await page.locator('.uploads').getByText(n === 0 ? '1 file uploaded' : '2 files uploaded').waitFor();
            await row(page, 'again').locator('.time').click();
            await page.keyboard.press('Delete');
            await row(page, 'again').waitFor({ state: 'detached' });
        }
        await page.locator('.uploads').getByTitle('Close').click();
    }],

    ['another sign-in of the same browser does not stop what this page does', async ({ page, passwords }) => {
        const make = async (name) => {
            await page.locator('.list').focus();
            await page.keyboard.press('n');
            await page.fill('dialog input', name);
            await page.keyboard.press('Enter');
            await row(page, name).waitFor();
            await page.locator('dialog').waitFor({ state: 'detached' });
        };
        // What the page asks of itself is answered once the old token has been refused, so that it has that until then.
        let refuse;
        const refused = new Promise((resolve) => (refuse = resolve));
        await page.route('**/-/api/v1/me', async (route) => {
            await refused;
            await route.continue();
        });
        await make('Sooner');
        const other = await page.context().newPage();
        await other.goto('/');
        await ready(other);
        await other.locator('.account').click();
        await Promise.all([other.waitForURL(/\/-\/log/), other.getByText('Sign out').click()]);
        await signIn(other, 'alice', passwords.alice);
        await other.close();
        // One change hears that it came with an old token only after another has had the new one.
        let tell;
        const told = new Promise((resolve) => (tell = resolve));
        await page.route('**/-/api/v1/delete', async (route) => {
            const response = await route.fetch();
            assert(response.status() === 403, `the old token: ${response.status()}`);
            refuse();
            await told;
            await route.fulfill({ response });
        }, { times: 1 });
        await row(page, 'Sooner').locator('.time').click();
        await Promise.all([page.waitForRequest('**/-/api/v1/delete'), page.keyboard.press('Delete')]);
        await make('Later');
        await Promise.all([page.waitForResponse((answer) => answer.url().endsWith('/delete') && answer.ok()), tell()]);
        await page.unroute('**/-/api/v1/me');
        await row(page, 'Sooner').waitFor({ state: 'detached' });
    }],

    ['what went wrong is said, not only that something did', async ({ page }) => {
        await page.goto('/-/account');
        await ready(page);
        await page.locator('input[autocomplete=current-password]').fill('no idea');
        await page.locator('input[autocomplete=new-password]').fill('a new password');
        await page.getByText('Change password').click();
        await page.getByText('The current password is another one.').waitFor();
        await page.getByText('Add a key').first().click();
        await page.locator('dialog textarea').fill('no key');
        await page.locator('dialog [type=submit]').click();
        await page.locator('dialog').getByText('no public SSH key').waitFor();
        await page.locator('dialog textarea').fill('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g laptop');
        await page.locator('dialog [type=submit]').click();
        await page.locator('.cards li', { hasText: 'laptop' }).waitFor();
    }],

    ['the trash is emptied as a whole', async ({ page }) => {
        await page.goto('/-/trash');
        await ready(page);
        await page.locator('.cards li').first().waitFor();
        await page.getByText('Empty the trash').click();
        await page.locator('dialog [type=submit]').click();
        await page.getByText('The trash is empty').waitFor();
    }],

    ['an upload whose tab was closed goes on in one opened anew', async (it) => {
        const big = path.join(it.scratch, 'up/big.bin');
        await cutByClosing(it, big);
        const first = it.page.waitForRequest((request) => request.method() === 'PATCH');
        const [chooser] = await Promise.all([it.page.waitForEvent('filechooser'), it.page.getByText('Choose the files').click()]);
        await chooser.setFiles(big);
        assert(Number((await first).headers()['upload-offset']) > 0, 'the upload began anew');
        await it.page.locator('.uploads').getByText('1 file uploaded').waitFor();
        await row(it.page, 'big.bin').waitFor();
        const there = await it.page.evaluate(async () => (await fetch('/-/api/v1/file?path=/Later/big.bin&digest=sha256')).json());
        const sent = createHash('sha256').update(await fs.readFile(big)).digest('hex');
        assert(there.sha256 === sent, `big.bin has ${there.size} bytes, or others`);
    }],

    ['an upload that was left is given up from the trash', async (it) => {
        const big = path.join(it.scratch, 'left.bin');
        await fs.writeFile(big, Buffer.alloc(16 << 20, 'left '));
        await cutByClosing(it, big);
        await it.page.goto('/-/trash');
        await ready(it.page);
        await it.page.getByText('Uploads that were left').waitFor();
        await it.page.locator('.cards li', { hasText: 'left.bin' }).getByText('Discard').click();
        await it.page.getByText('Uploads that were left').waitFor({ state: 'detached' });
    }],

    ['an administrator makes a shared folder, and gives rights in it', async (it) => {
        const page = await open(it.browser, it.base);
        await signIn(page, 'root', it.passwords.root);
        await page.goto('/-/admin/shared');
        await ready(page);
        await page.getByText('New shared folder').click();
        await page.locator('dialog input').first().fill('team');
        await page.locator('dialog input').last().fill('1 GiB');
        await page.locator('dialog [type=submit]').click();
        await page.locator('.data tr', { hasText: 'team' }).getByText('– of 1.0 GiB used').waitFor();
        await page.locator('.tabs').getByText('Accounts').click();
        await page.getByPlaceholder('Names beginning with').fill('ali');
        await page.locator('.data tr', { hasText: 'bob' }).waitFor({ state: 'detached' });
        await page.locator('.data tr', { hasText: 'alice' }).getByTitle('More').click();
        await page.locator('.menu').getByText('Rights').click();
        await page.locator('dialog input').fill('/shared/team');
        await page.getByText('Give rights').click();
        await page.locator('dialog li', { hasText: '/shared/team' }).getByText('Read and change').waitFor();
        await page.locator('dialog').getByText('Close', { exact: true }).click();
        await it.page.goto('/shared/team/');
        await ready(it.page);
        await it.page.getByText('Drop files or folders here').waitFor();
        assert(page.complaints.length === 0, page.complaints.join('\n'));
        await page.context().close();
    }],

    ['what became of a link is said, and an administrator revokes it', async (it) => {
        const { page } = it;
        await page.evaluate(async () => {
            const headers = { 'Content-Type': 'application/json', 'X-CSRF-Token': document.documentElement.dataset.csrf };
            for (const [call, content] of [['shares', { path: '/Later' }], ['delete', { paths: ['/Later'] }]]) {
                await fetch(`/-/api/v1/${call}`, { method: 'POST', headers, body: JSON.stringify(content) });
            }
        });
        const gone = 'What it led to was moved, renamed or deleted.';
        await page.goto('/-/shares');
        await ready(page);
        await page.locator('.cards li', { hasText: '/Later' }).getByText(gone).waitFor();
        const admin = await open(it.browser, it.base);
        await signIn(admin, 'root', it.passwords.root);
        await admin.goto('/-/admin/links');
        await ready(admin);
        const shared = admin.locator('.data tr', { hasText: '/Later' });
        await shared.getByText(gone).waitFor();
        await shared.getByText('Revoke').click();
        await admin.locator('dialog').getByText('Revoke', { exact: true }).click();
        await shared.waitFor({ state: 'detached' });
        assert(admin.complaints.length === 0, admin.complaints.join('\n'));
        await admin.context().close();
    }],
];

/// Begins an upload into /Later, and closes the tab in its midst; it is offered in the next one.
async function cutByClosing(it, file) {
    await it.page.goto('/Later/');
    await ready(it.page);
    it.wire.rate = 1 << 20;
    await upload(it.page, file);
    await under(it.page, 5);
    const context = it.page.context();
    const { complaints } = it.page;
    await it.page.close();
    // What was still on its way is lost, or the upload could come to its end.
    it.wire.cut();
    it.wire.mend();
    it.page = await context.newPage();
    it.page.complaints = complaints;
    await it.page.goto('/Later/');
    await ready(it.page);
    await it.page.locator('.unfinished').getByText(path.basename(file)).waitFor();
    await left(it.page, path.basename(file));
    it.wire.rate = 0;
}

/// Shares what is in the row of that name; gives the link.
async function share(page, name) {
    await row(page, name).locator('.time').click();
    await page.locator('.tools').getByText('Share', { exact: true }).click();
    await page.getByRole('button', { name: 'Make link' }).click();
    await page.locator('dialog .qr').waitFor();
    const link = await page.locator('dialog input.address').inputValue();
    await page.getByRole('button', { name: 'Done' }).click();
    return link;
}
