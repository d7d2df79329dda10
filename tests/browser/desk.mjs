// A browser on somebody's desk: one window, and an eye on everything that must not happen.
import assert from 'node:assert/strict';
import { join } from 'node:path';
// Beside it lies the one copy of playwright.
import { launch } from '../../dashboard/web/scripts/chromium.mjs';

/** Longest time for anything that a person waits for here; two busy cores. */
const DEADLINE_MS = 30_000;

export class Desk {
    /** Starts the browser and opens a window. */
    static async open(base, pictures) {
        const browser = await launch();
        const desk = new Desk(browser, base, pictures);
        await desk.#window({});
        return desk;
    }

    constructor(browser, base, pictures) {
        this.browser = browser;
        this.base = base;
        this.pictures = pictures;
        this.complaints = [];
        /** The hub does not answer, which browsers complain of. */
        this.isAlone = false;
        /** A status that the hub is made to answer, which browsers complain of. */
        this.allowed = undefined;
    }

    /** A window of another browser, which knows nothing of this one. */
    async another(options) {
        const desk = new Desk(this.browser, this.base, this.pictures);
        await desk.#window(options);
        return desk;
    }

    async #window(options) {
        const context = await this.browser.newContext({
            viewport: { width: 1280, height: 800 },
            locale: 'en-GB',
            ...options,
        });
        context.setDefaultTimeout(DEADLINE_MS);
        this.context = context;
        this.page = await context.newPage();
        this.page.on('pageerror', (error) => this.complaints.push(`threw ${error.message}`));
        this.page.on('console', (message) => {
            if (message.type() !== 'error' && message.type() !== 'warning') return;
            // A browser says so itself when it is not logged in, or when a password is wrong.
            const status = /status of (\d+)/.exec(message.text())?.[1];
            if (status === '401' || Number(status) === this.allowed) return;
            if (this.isAlone && /net::ERR_/.test(message.text())) return;
            this.complaints.push(`${message.type()}: ${message.text()} ${message.location().url}`);
        });
        this.page.on('request', (request) => {
            const { host, protocol } = new URL(request.url());
            const isOurs = host === new URL(this.base).host || protocol === 'data:';
            if (!isOurs) this.complaints.push(`asked ${request.url()}`);
        });
    }

    /** Does something that the hub must answer with this status. */
    async expecting(status, act) {
        const answer = this.page.waitForResponse((response) => response.status() === status);
        await act();
        await answer;
    }

    /** Waits until something holds. */
    async until(what, holds) {
        const end = Date.now() + DEADLINE_MS;
        while (!(await holds())) {
            assert.ok(Date.now() < end, `still not: ${what}`);
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }

    async picture(name) {
        await this.page.screenshot({
            path: join(this.pictures, `${name}.png`),
            fullPage: true,
        });
    }

    /** Closes the window, and fails if anything happened that must not. */
    async close() {
        await this.context.close();
        assert.deepEqual(this.complaints, [], 'the console is clean, and no other host was asked');
    }

    /** Ends the browser. */
    async end() {
        await this.browser.close();
    }
}
