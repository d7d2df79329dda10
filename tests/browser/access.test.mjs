// Who may do what, in a real browser: people, tokens, one's own password.
//
//   node --test tests/browser/access.test.mjs
import assert from 'node:assert/strict';

import { PASSWORD, setUp } from './people.mjs';
import { story } from './story.mjs';

const ANOTHER = 'a mule, a stapler';

story('an admin lets others in, and programs, and changes a password', async ({ hub, desk }) => {
    await setUp(desk, hub);
    await desk.page.goto(`${desk.base}/settings/access`);
    await letSomebodyIn(desk);
    await letAProgramIn(desk);
    await changeOwnPassword(desk);
});

async function letSomebodyIn(desk) {
    const { page } = desk;
    await page.getByRole('button', { name: 'Add a person' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Bob');
    await dialog.getByLabel('Role').selectOption('operator');
    await dialog.getByLabel('Password', { exact: true }).fill('too short');
    assert.ok(await dialog.getByRole('button', { name: 'Make the account' }).isDisabled());
    await dialog.getByLabel('Password', { exact: true }).fill(ANOTHER);
    await desk.picture('person');
    await dialog.getByRole('button', { name: 'Make the account' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByText('Has never logged in.').waitFor();
    const status = await logIn(desk, 'Bob', ANOTHER);
    assert.equal(status, 200);
    await page.getByLabel('Role of Bob').selectOption('viewer');
    await desk.until('the role is changed', async () => {
        const { items } = await (await ask(desk, '/users')).json();
        return items.find(({ name }) => name === 'Bob').role === 'viewer';
    });
    await page.getByRole('button', { name: 'Remove Bob' }).click();
    await desk.picture('remove-person');
    await page.getByRole('dialog').getByRole('button', { name: 'Remove Bob' }).click();
    await page.getByLabel('Role of Bob').waitFor({ state: 'hidden' });
    assert.equal(await logIn(desk, 'Bob', ANOTHER), 401);
}

/** The secret is shown once, and works. */
async function letAProgramIn(desk) {
    const { page } = desk;
    await page.getByRole('button', { name: 'Make a token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What it is for').fill('my script');
    await dialog.getByLabel('Good for').selectOption('30');
    await dialog.getByRole('button', { name: 'Make a token' }).click();
    const token = (await dialog.locator('code').innerText()).trim();
    await desk.picture('token');
    await dialog.getByRole('button', { name: 'Close' }).click();
    const headers = { Authorization: `Bearer ${token}` };
    const answer = await fetch(`${desk.base}/api/v1/devices`, { headers });
    assert.equal(answer.status, 200);
    await page.getByText('my script', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Remove my script' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove my script' }).click();
    await page.getByText('my script', { exact: true }).waitFor({ state: 'hidden' });
    assert.equal((await fetch(`${desk.base}/api/v1/devices`, { headers })).status, 401);
}

async function changeOwnPassword(desk) {
    const { page } = desk;
    const save = page.getByRole('button', { name: 'Change my password' });
    await page.getByLabel('Your password now').fill('not this one');
    await page.getByLabel('New password').fill(ANOTHER);
    // A browser says so itself.
    desk.allowed = 403;
    await desk.expecting(403, () => save.click());
    await page.getByText(/^That is not your password/).waitFor();
    await page.getByLabel('Your password now').fill(PASSWORD);
    await save.click();
    await page.getByText('Changed.').waitFor();
    await desk.picture('access');
    // This browser stays logged in.
    await page.reload();
    await page.getByRole('heading', { name: /^Your account/ }).waitFor();
}

async function logIn(desk, name, password) {
    const answer = await fetch(`${desk.base}/api/v1/login`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'netmonitor' },
        body: JSON.stringify({ name, password }),
    });
    return answer.status;
}

async function ask(desk, path) {
    return desk.context.request.get(`${desk.base}/api/v1${path}`);
}
