// Pictures of every page, in both themes and languages, at the widths that matter.
//
//   node scripts/screenshots.mjs [URL] [--out DIR] [--only REGEX] [--login NAME:PASSWORD]
//
// Without a URL it builds the UI and serves it with the mock. With --login the URL is a real hub:
// only what it can show is taken. Ends with 1 if a page threw, broke the content security policy
// or was wider than its window.
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { launch } from './chromium.mjs';
import { CHARTS, VIEWS } from './views.mjs';

const SIZES = [
    [360, 740],
    [1280, 800],
    [2560, 1300],
];
const THEMES = ['light', 'dark'];
const LOCALES = ['en-GB', 'fr-FR'];

const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        out: { type: 'string', default: 'screenshots' },
        only: { type: 'string', default: '' },
        login: { type: 'string' },
    },
});

let cookies;
let complaints = 0;
const { url, close } = await serverAt(positionals[0]);
await mkdir(values.out, { recursive: true });
const browser = await launch();
const only = new RegExp(values.only);
for (const view of VIEWS) {
    if (values.login === undefined ? view.name === 'device-first' : !view.real) continue;
    for (const [width, height] of SIZES) {
        for (const colorScheme of THEMES) {
            for (const locale of LOCALES) {
                const name = [view.name, width, colorScheme, locale.slice(0, 2)].join('-');
                if (!only.test(name)) continue;
                const context = await browser.newContext({
                    viewport: { width, height },
                    colorScheme,
                    locale,
                });
                await picture(context, view, name);
                await context.close();
            }
        }
    }
}
await browser.close();
await close();
process.exitCode = complaints > 0 ? 1 : 0;

async function serverAt(given) {
    if (given !== undefined) return { url: given.replace(/\/$/, ''), close: async () => {} };
    const vite = await import('vite');
    await vite.build({ logLevel: 'warn' });
    const server = await vite.preview({
        preview: { port: 0, host: '127.0.0.1' },
        logLevel: 'warn',
    });
    return { url: server.resolvedUrls.local[0].replace(/\/$/, ''), close: () => server.close() };
}

async function picture(context, view, name) {
    const complain = (text) => {
        complaints += 1;
        console.error(`${name}: ${text}`);
    };
    await enter(context, view);
    const page = await context.newPage();
    page.on('pageerror', (error) => complain(error.message));
    page.on('console', (message) => {
        const expected = /\b40[13]\b|ERR_FAILED|ERR_INCOMPLETE|ERR_CONNECTION/.test(message.text());
        if (message.type() === 'error' && !expected) complain(message.text());
    });
    await page.goto(url + view.path);
    await page.waitForSelector(view.ready);
    if (view.cutOff) {
        // The mock ends the stream, and nothing answers any more.
        await context.route('**/api/**', (route) => route.abort());
        await page.waitForSelector('[role="alert"]');
    }
    for (const [selector, text] of Object.entries(view.fill ?? {})) await page.fill(selector, text);
    for (const selector of view.press ?? []) await page.click(selector);
    for (const [selector, text] of Object.entries(view.type ?? {})) await page.fill(selector, text);
    for (const selector of view.ask ?? []) await page.click(selector);
    if (view.then) await page.waitForSelector(view.then);
    // The first live values come within a few seconds, and the charts draw in the next frame.
    await page.waitForTimeout(view.ready === CHARTS || view.then === CHARTS ? 1500 : 400);
    const { width, height } = page.viewportSize();
    const [wide, tall] = await page.evaluate(() => {
        const { scrollWidth, scrollHeight } = document.documentElement;
        return [scrollWidth, scrollHeight];
    });
    if (wide > width) complain(`${wide} px wide`);
    // As tall as the page: what is off screen is not drawn.
    if (tall > height && !view.window) {
        await page.setViewportSize({ width, height: tall });
        await page.waitForTimeout(400);
    }
    if (view.hover) await page.hover('.u-over', { position: { x: 60, y: 60 } });
    await page.screenshot({ path: `${values.out}/${name}.png` });
}

/** Cookies for the mock, or of a login at a real hub: one for all pictures. */
async function enter(context, view) {
    if (values.login !== undefined) {
        cookies ??= await logIn(context);
        await context.addCookies(cookies);
        return;
    }
    if (view.scenario === undefined) return;
    await context.addCookies([
        { name: 'mock', value: view.scenario, url },
        { name: 'session', value: '1', url },
    ]);
}

async function logIn(context) {
    const [user, password] = values.login.split(/:(.*)/s);
    const answer = await context.request.post(`${url}/api/v1/login`, {
        data: { name: user, password },
        headers: { 'X-Requested-With': 'netmonitor' },
    });
    if (!answer.ok()) throw new Error(`cannot log in: ${answer.status()}`);
    return context.cookies();
}
