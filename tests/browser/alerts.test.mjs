// What is wrong, in a real browser: seen, taken on, told, and found again in the log.
//
//   node --test tests/browser/alerts.test.mjs
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { NAME, setUp } from './people.mjs';
import { story } from './story.mjs';

story(
    'an admin hears of a trouble, takes it on, and finds it in the log',
    async ({ hub, desk }) => {
        const receiver = await Receiver.start();
        try {
            const id = await setUp(desk, hub);
            await aPageIsMissing(desk);
            await nothingFires(desk);
            await makeAChannel(desk, receiver);
            await memoryIsAboveItsLimit(desk);
            await desk.until('the channel is told', () =>
                receiver.told.some(({ kind }) => kind === 'firing'),
            );
            await takeItOn(desk, id);
            await planWork(desk, id);
            await readTheLog(desk, id);
        } finally {
            receiver.end();
        }
    },
);

/** Somebody's web server that takes what it is sent. */
class Receiver {
    static async start() {
        const receiver = new Receiver();
        receiver.told = [];
        receiver.server = createServer((request, response) => {
            let text = '';
            request.on('data', (chunk) => (text += chunk));
            request.on('end', () => {
                receiver.told.push(JSON.parse(text));
                response.end('thank you');
            });
        });
        receiver.server.listen(0, '127.0.0.1');
        await once(receiver.server, 'listening');
        receiver.url = `http://127.0.0.1:${receiver.server.address().port}/`;
        return receiver;
    }

    end() {
        this.server.close();
        this.server.closeAllConnections();
    }
}

const alertsOf = (page) => page.getByRole('link', { name: /^Alerts/ }).first();

/** As when the hub has become another version under an open page. */
async function aPageIsMissing(desk) {
    const { page } = desk;
    desk.isAlone = true;
    await page.route('**/assets/Log-*.js', (route) => route.abort());
    await page.getByRole('link', { name: 'Log' }).first().click();
    await page.getByText('This page could not be fetched').waitFor();
    await desk.picture('missing');
    await page.unroute('**/assets/Log-*.js');
    desk.isAlone = false;
    await page.getByRole('button', { name: 'Reload the page' }).click();
    await page.getByRole('heading', { name: 'Log', level: 1 }).waitFor();
}

/** But for the disk of this machine, which may be as full as it likes. */
async function nothingFires(desk) {
    const { page } = desk;
    await set(desk, '/rules', { rules: { storage: { enabled: false }, disk: { enabled: false } } });
    await alertsOf(page).click();
    await page.waitForURL('**/alerts');
    await page.getByRole('heading', { level: 1 }).waitFor();
    await desk.picture('alerts-before');
}

/** It is tried before anything happens. */
async function makeAChannel(desk, receiver) {
    const { page } = desk;
    await set(
        desk,
        '/channels',
        { name: 'Office', kind: 'webhook', format: 'json', url: receiver.url },
        'POST',
    );
    await page.goto(`${desk.base}/settings/channels`);
    await page.getByText('Office', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: /test/i }).first().click();
    await page.getByText(/thank you/).waitFor();
    assert.equal(receiver.told.at(-1).kind, 'test');
    await desk.picture('channels');
}

/** Its limit is set as an admin sets it. */
async function memoryIsAboveItsLimit(desk) {
    const { page } = desk;
    await page.getByRole('link', { name: 'Rules', exact: true }).click();
    await page.waitForURL('**/settings/rules');
    await page
        .getByText(/^above 90/)
        .first()
        .waitFor();
    const memory = page.locator('details').filter({ hasText: /^Memory/ });
    await memory.locator('summary').click();
    await memory.getByLabel(/^Limit/).fill('200');
    await desk.picture('rules-fault');
    assert.ok(await memory.getByRole('button', { name: 'Save this rule' }).isDisabled());
    await memory.getByLabel(/^Limit/).fill('1');
    await memory.getByLabel(/^Over at/).fill('0.5');
    await memory.getByLabel(/^For how long/).fill('0 s');
    await memory.getByRole('button', { name: 'Save this rule' }).click();
    await memory
        .locator('summary')
        .getByText(/above 1\D/)
        .waitFor();
    await desk.picture('rules');
    const { items } = await read(desk, '/rules');
    const { effective } = items.find(({ rule, kind }) => (kind ?? rule) === 'ram');
    assert.deepEqual([effective.limit, effective.clear, effective.for_secs], [1, 0.5, 0]);
}

async function takeItOn(desk, id) {
    const { page } = desk;
    await alertsOf(page).click();
    const row = page
        .getByRole('listitem')
        .filter({ hasText: /Memory/ })
        .filter({ has: page.getByRole('button', { name: /^Take on: / }) });
    await row.first().waitFor();
    await desk.picture('alerts-firing');
    await row
        .first()
        .getByRole('button', { name: /^Take on: / })
        .click();
    await page.getByText(`Taken on by ${NAME}`).first().waitFor();
    await desk.picture('alerts-taken-on');
    const { items } = await read(desk, `/alerts?device=${id}&state=acknowledged`);
    assert.deepEqual([items.length, items[0].rule, items[0].acknowledged_by], [1, 'ram', NAME]);
}

async function planWork(desk, id) {
    const { page } = desk;
    await page.getByRole('button', { name: 'Plan a window' }).click();
    await desk.picture('maintenance');
    await page.keyboard.press('Escape');
    await set(
        desk,
        '/maintenance',
        { devices: [id], weekly: { from: '00:00', to: '00:00' }, name: 'Always' },
        'POST',
    );
    await page.reload();
    await page.getByText('Always').first().waitFor();
}

async function readTheLog(desk, id) {
    const { page } = desk;
    await page.getByRole('link', { name: 'Log' }).first().click();
    await page.waitForURL('**/log');
    const taken = page.getByText(`Taken on: ${id}: memory`);
    await taken.first().waitFor();
    // The line comes by the stream, and again when it is stored.
    await desk.until('it is stored', async () => {
        const { items } = await read(desk, '/events?kind=alert_acknowledged');
        return items.length === 1;
    });
    await page.reload();
    await taken.first().waitFor();
    assert.equal(await taken.count(), 1, 'a line stands there once');
    await desk.picture('log');
    await page.goto(`${desk.base}/log?kind=alert_firing`);
    await page.getByText(`Alert: ${id}: memory`).first().waitFor();
    assert.equal(await page.getByText(`Taken on: ${id}: memory`).count(), 0);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 1280);
}

/** Changes something as the page would. */
async function set({ page }, path, body, method = 'PATCH') {
    const status = await page.evaluate(
        async ([path, body, method]) => {
            const answer = await fetch(`/api/v1${path}`, {
                method,
                headers: { 'Content-Type': 'application/json', 'X-Requested-With': 'netmonitor' },
                body: JSON.stringify(body),
            });
            return answer.status;
        },
        [path, body, method],
    );
    assert.equal(status, 200, path);
}

async function read({ page }, path) {
    return page.evaluate(async (path) => (await fetch(`/api/v1${path}`)).json(), path);
}
