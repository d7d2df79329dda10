// The dashboard of a real hub in a real browser, as an admin meets it on the first day.
//
//   node --test tests/browser/whole.test.mjs
//
// NETMONITOR_BIN_DIR says where the programs are (else target/debug), CHROMIUM which browser to
// use. The folder with pictures of every page is printed.
import assert from 'node:assert/strict';

import { cardOf, cards, ENGLISH, logIn, NAME, PASSWORD, setUp } from './people.mjs';
import { Machine } from './programs.mjs';
import { story } from './story.mjs';

/** So long the hub is away: many samples. */
const AWAY_MS = 15_000;

story(
    'an admin sets up a hub, and sees a machine join, die and come back',
    async ({ hub, desk }) => {
        const machine = new Machine();
        try {
            const id = await setUp(desk, hub);
            await fleetMoves(desk, id);
            await deviceHasCharts(desk, id);
            const other = await secondMachineJoins(desk, machine);
            await secondMachineDies(desk, machine, other);
            await settingsAreKept(desk);
            await outageIsMadeUpFor(desk, hub, id, other);
            await logOutAndIn(desk, `/devices/${id}`);
            await narrow(desk, `/devices/${id}`);
            await french(desk, `/devices/${id}`);
        } finally {
            await machine.end();
        }
    },
);

/** Numbers change without anybody's doing. */
async function fleetMoves(desk, id) {
    const { page } = desk;
    const card = cardOf(page, id);
    await card.getByRole('meter', { name: 'RAM' }).waitFor();
    await isThere(desk, id);
    const before = await card.innerText();
    await desk.until('the numbers move', async () => (await card.innerText()) !== before);
    await desk.picture('fleet');
}

/** What was before the page was opened is drawn, and what comes goes on from there. */
async function deviceHasCharts(desk, id) {
    const { page } = desk;
    const path = `/api/v1/devices/${id}/history`;
    await desk.until('samples are stored', () =>
        page.evaluate(async (path) => (await (await fetch(path)).json()).times.length > 1, path),
    );
    const history = page.waitForResponse((response) => response.url().includes(path));
    await cards(page).first().click();
    await page.waitForURL(`**/devices/${id}`);
    const { times, series } = await (await history).json();
    assert.ok(times.length > 1 && series.cpu.mean.length === times.length);
    await page.locator('.uplot canvas').first().waitFor();
    const figures = page.locator('figure');
    assert.ok((await figures.count()) >= 5, 'there are charts');
    const cpu = figures.filter({
        has: page.getByRole('heading', { name: 'CPU', exact: true }),
    });
    await desk.until('the chart of the CPU is drawn', () => cpu.locator('canvas').evaluate(drawn));
    // Of one chart alone the number may stay: a processor that is at its limit.
    const numbers = async () => (await figures.locator('li').allInnerTexts()).join();
    const before = await numbers();
    await desk.until('the charts go on', async () => (await numbers()) !== before);
    await page.getByRole('heading', { name: 'Services' }).waitFor();
    await desk.picture('device');
    // Every range can be looked at.
    for (const range of ['15 min', '24 h', '7 d', '1 h']) {
        await page.getByText(range, { exact: true }).click();
        await page.locator('.uplot canvas').first().waitFor();
    }
    await page.getByRole('link', { name: 'All devices' }).first().click();
    await cards(page).first().waitFor();
}

/** With a code made here. The page shows it without a reload. */
async function secondMachineJoins(desk, machine) {
    const { page } = desk;
    await page.getByRole('button', { name: 'Add a device' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Make a join code' }).click();
    // The first line is for a machine that has no agent yet.
    const line = await dialog.locator('code').last().innerText();
    const [program, command, code] = line.trim().split(/\s+/);
    assert.equal(`${program} ${command}`, 'netmonitor-agent join');
    await desk.picture('join-code');
    const id = await machine.join(code);
    await dialog.getByText(/has joined/).waitFor();
    await desk.picture('joined');
    await dialog.getByRole('button', { name: 'Close' }).click();
    machine.start();
    await cardOf(page, id).getByRole('meter', { name: 'RAM' }).waitFor();
    await isThere(desk, id);
    assert.equal(await cards(page).count(), 2);
    await desk.picture('two-devices');
    return id;
}

/** As a machine that lost its power. */
async function secondMachineDies(desk, machine, id) {
    const { page } = desk;
    machine.kill();
    await cardOf(page, id)
        .getByText(/^Offline/)
        .waitFor();
    await page.getByRole('heading', { name: /of 2 needs? you/ }).waitFor();
    await desk.picture('offline');
    machine.start();
    await isThere(desk, id);
}

/** A number that makes no sense is not taken; one that does is there after a reload. */
async function settingsAreKept(desk) {
    const { page } = desk;
    await page.getByRole('button', { name: `Account ${NAME}` }).click();
    await page.getByRole('link', { name: 'Settings' }).click();
    const days = page.getByLabel('Every sample, in days');
    const save = page.getByRole('button', { name: /^Save/ });
    await page
        .getByText(/^Takes about/)
        .first()
        .waitFor();
    await days.fill('4000');
    await page.getByText('Give a whole number from 1 to 3,650.').waitFor();
    assert.ok(await save.isDisabled());
    await days.fill('100');
    await desk.picture('settings');
    const room = page.getByLabel('Largest size, in MB');
    await room.fill('3,000');
    // Whoever clicks twice saves once: the second would not know of the first.
    let changes = 0;
    page.on('request', (request) => (changes += request.method() === 'PATCH' ? 1 : 0));
    await save.dblclick();
    await page.getByText(/^Saved/).waitFor();
    assert.equal(changes, 1);
    await page.reload();
    await desk.until('the days are kept', async () => (await days.inputValue()) === '100');
    assert.equal(await room.inputValue(), '3000');
    await page.getByRole('link', { name: 'All devices' }).first().click();
    await cards(page).first().waitFor();
}

/**
 * The hub dies, and a machine goes on measuring. When the hub is back, an open page shows what was
 * measured meanwhile without anybody's doing; what nobody measured is a hole.
 */
async function outageIsMadeUpFor(desk, hub, ofHub, id) {
    const { page } = desk;
    await page.goto(`${desk.base}/devices/${id}?range=15m`);
    await page.locator('.uplot canvas').first().waitFor();
    let times = [];
    page.on('response', (response) => {
        if (!response.url().includes(`/devices/${id}/history`)) return;
        response.json().then(
            (history) => (times = history.times),
            () => undefined,
        );
    });
    desk.isAlone = true;
    const from = Date.now();
    await hub.end();
    await page.getByText(/out of reach/).waitFor();
    await desk.until('the hub was away for a while', () => Date.now() - from > AWAY_MS);
    const to = Date.now();
    await hub.again();
    await page.getByText(/out of reach/).waitFor({ state: 'hidden' });
    desk.isAlone = false;
    await desk.until('the page has what was measured meanwhile', () => {
        const known = [from, ...times.filter((time) => from < time && time < to), to];
        return known.every((time, at) => at === 0 || time - known[at - 1] < AWAY_MS / 3);
    });
    await desk.picture('made-up-for');
    await page.goto(`${desk.base}/devices/${ofHub}?range=15m`);
    await page.locator('.uplot canvas').first().waitFor();
    await desk.until('the hub itself is measured again', async () =>
        /Live/.test(await page.locator('.moment').innerText()),
    );
    await desk.picture('hole');
    await page.getByRole('link', { name: 'All devices' }).first().click();
    await cards(page).first().waitFor();
}

async function logOutAndIn(desk, path) {
    const { page } = desk;
    const other = await desk.another();
    await logIn(other, ENGLISH);
    await other.page.goto(desk.base + path);
    await other.page.locator('.uplot canvas').first().waitFor();
    const rereads = readsAnew(other);
    await page.getByRole('button', { name: `Account ${NAME}` }).click();
    await desk.picture('menu');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await rereads;
    await other.close();
    await page.goto(desk.base);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await page.getByLabel('Name').fill(NAME);
    await page.getByLabel('Password', { exact: true }).fill('not this one');
    await desk.expecting(401, () => page.getByRole('button', { name: 'Log in' }).click());
    await page.getByText('Name or password is wrong.').waitFor();
    await desk.picture('login');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in' }).click();
    await cards(page).first().waitFor();
    await page.reload();
    await cards(page).first().waitFor();
}

/**
 * Waits until the hub has ended the stream of a page, as it does when an account logs out elsewhere
 * or a page is too slow: charts are read anew, and nobody is told that the hub is out of reach.
 */
async function readsAnew({ page }) {
    await page.waitForRequest((request) => request.url().endsWith('/stream'));
    await page.waitForResponse((response) => response.url().includes('/history'));
    assert.equal(await page.getByText(/out of reach/).count(), 0);
}

/** On a phone nothing has to be moved sideways. */
async function narrow(desk, first) {
    const phone = await desk.another({ viewport: { width: 360, height: 740 } });
    await logIn(phone, ENGLISH);
    for (const [name, open, shown] of [
        ['phone-fleet', '/', 'ul[aria-label] a'],
        ['phone-device', first, '.uplot canvas'],
    ]) {
        await phone.page.goto(desk.base + open);
        await phone.page.locator(shown).first().waitFor();
        const width = await phone.page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= 360, `${name} is ${width} px wide`);
        await phone.picture(name);
    }
    await phone.close();
}

/** A browser that prefers French is answered in French. */
async function french(desk, first) {
    const reader = await desk.another({ locale: 'fr-FR', colorScheme: 'dark' });
    await logIn(reader, {
        name: 'Nom',
        password: 'Mot de passe',
        submit: 'Se connecter',
    });
    await reader.page.getByRole('heading', { name: 'Événements récents' }).waitFor();
    await reader.picture('french-fleet');
    await reader.page.goto(desk.base + first);
    await reader.page.getByRole('heading', { name: 'Réseau' }).first().waitFor();
    await reader.picture('french-device');
    await reader.close();
}

/** Online, and perhaps at the limit of its processor: tests keep it busy. */
async function isThere(desk, id) {
    const card = cardOf(desk.page, id);
    await desk.until(`${id} is there`, async () =>
        /^(Online|CPU|RAM|Disk)/m.test(await card.locator('.condition').innerText()),
    );
}

/** Whether a canvas has anything on it. Runs in the page. */
function drawn(canvas) {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value) => value !== 0);
}
