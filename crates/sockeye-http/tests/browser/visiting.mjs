// What passwords, links and stored pages must not lead anybody into; each step has browsers of its own.

import { assert, open, ready, row, signIn } from './browser.mjs';

const NEW_PASSWORD = 'an entirely new password';

/// `[what, how]`, in order; the last one changes the password.
export const STEPS = [
    ['a link with a password opens with it, and not without', async (it) => {
        it.page = await open(it.browser, it.base);
        await signIn(it.page, 'alice', it.passwords.alice);
        const link = await change(it.page, 'POST', '/-/api/v1/shares', { path: '/Letters', password: 'open sesame' });
        const friend = await open(it.browser, it.base);
        await friend.goto(link.url);
        await enter(friend, 'open sesame');
        await friend.getByText('to whom.txt').click();
        await friend.getByText('dear reader').waitFor();
        const stranger = await open(it.browser, it.base);
        await stranger.goto(link.url);
        await enter(stranger, 'open barley');
        await stranger.getByText('That is not the password.').waitFor();
        assert(!(await stranger.locator('body').innerText()).includes('to whom'), 'the folder is seen');
        for (const page of [friend, stranger]) {
            assert(page.complaints.length === 0, page.complaints.join('\n'));
            await page.context().close();
        }
    }],

    ['a stored index.html does not take its folder\'s page', async ({ page }) => {
        await change(page, 'POST', '/-/api/v1/folders', { path: '/site' });
        await change(page, 'PUT', '/site/index.html', '<h1>Sign in again</h1>');
        await page.goto('/site/');
        await ready(page);
        await row(page, 'index.html').waitFor();
    }],

    ['a browser that was left signed in is signed out from another', async (it) => {
        const { page } = it;
        const left = await open(it.browser, it.base, { narrow: true });
        await signIn(left, 'alice', it.passwords.alice);
        await page.goto('/-/account');
        await ready(page);
        const others = page.locator('.cards li', { hasText: 'Chrome' }).filter({ hasNotText: 'This browser' }).filter({ has: page.getByText('End', { exact: true }) });
        await page.getByText('This browser').waitFor();
        for (let n = await others.count(); n > 0; n -= 1) {
            await others.first().getByText('End', { exact: true }).click();
            await page.locator('dialog').getByText('End', { exact: true }).click();
            await others.nth(n - 1).waitFor({ state: 'detached' });
        }
        await left.goto('/');
        await left.waitForURL(/\/-\/login/);
        await left.context().close();
        await page.goto('/');
        await ready(page);
    }],

    ['whoever changes the password stays signed in, and every other browser is out', async (it) => {
        const { page } = it;
        const other = await open(it.browser, it.base);
        await signIn(other, 'alice', it.passwords.alice);
        await page.goto('/-/account');
        await ready(page);
        await page.fill('input[autocomplete=current-password]', it.passwords.alice);
        await page.fill('input[autocomplete=new-password]', NEW_PASSWORD);
        await page.getByRole('button', { name: 'Change password' }).click();
        await page.locator('.toast').getByText('The password is changed').waitFor();
        // Still without a new page: a change has to carry the new sign-in's token.
        await page.getByRole('button', { name: 'New token' }).click();
        await page.locator('dialog').getByText('Create', { exact: true }).click();
        await page.getByText('Copy it now').waitFor();
        await page.goto('/');
        await ready(page);
        await row(page, 'Letters').waitFor();
        await other.goto('/');
        await other.waitForURL(/\/-\/login/);
        await other.context().close();
        await page.context().close();
    }],
];

async function enter(page, password) {
    await page.fill('input[name=password]', password);
    await page.getByRole('button', { name: 'Open' }).click();
}

/// Changes something as the page would; gives what is answered.
async function change(page, method, address, content) {
    return page.evaluate(async ([how, where, what]) => {
        const isText = typeof what === 'string';
        const answer = await fetch(where, {
            method: how,
            headers: { 'Content-Type': isText ? 'text/html' : 'application/json', 'X-CSRF-Token': document.documentElement.dataset.csrf },
            body: isText ? what : JSON.stringify(what),
        });
        if (!answer.ok) throw new Error(`${how} ${where}: ${answer.status} ${await answer.text()}`);
        const text = await answer.text();
        return text ? JSON.parse(text) : null;
    }, [method, address, content]);
}
