// The hub and an agent, as processes that end with the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const PROGRAMS =
    process.env.NETMONITOR_BIN_DIR ?? fileURLToPath(new URL('../../target/debug', import.meta.url));

const DEADLINE_MS = 60_000;

function start(program, args) {
    const child = spawn(join(PROGRAMS, program), args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        // No bus: the list of services is the list of processes, on every machine.
        env: {
            ...process.env,
            DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent/bus',
        },
    });
    const lines = { stdout: [], stderr: [] };
    for (const name of ['stdout', 'stderr']) {
        createInterface({ input: child[name] }).on('line', (line) => lines[name].push(line));
    }
    return { child, ...lines };
}

async function end(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
}

const LISTENERS = ['http', 'https', 'mqtt', 'mqtts'];

/** A hub on free ports of loopback, ready. */
export async function startHub(home) {
    await mkdir(join(home, 'agent'));
    await writeFile(join(home, 'agent/agent.toml'), 'interval_secs = 1\n');
    const hub = new Hub(home);
    await hub.start(() => '127.0.0.1:0');
    return hub;
}

class Hub {
    constructor(home) {
        this.home = home;
    }

    async start(addressOf) {
        const flags = LISTENERS.flatMap((name) => [`--${name}`, addressOf(name)]);
        const started = start('netmonitor', ['run', '--data-dir', this.home, ...flags]);
        Object.assign(this, started);
        const deadline = Date.now() + DEADLINE_MS;
        while (!this.stdout.includes('ready')) {
            if (this.child.exitCode !== null || Date.now() > deadline) {
                await this.end();
                throw new Error(`the hub does not start:\n${this.stderr.join('\n')}`);
            }
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }

    /** The same hub once more, where it was. */
    again() {
        const addresses = new Map(
            LISTENERS.map((name) => [name, this.#told(`listening ${name} `)]),
        );
        return this.start((name) => addresses.get(name));
    }

    end() {
        return end(this.child);
    }

    get base() {
        return `http://${this.#told('listening http ')}`;
    }

    get setupLink() {
        return this.#told('set up this hub at ');
    }

    #told(beginning) {
        return this.stdout.find((line) => line.startsWith(beginning)).slice(beginning.length);
    }
}

/** Another machine, which is this one under another identity. */
export class Machine {
    /** Joins with the code; resolves to its device id. */
    async join(code) {
        this.state = await mkdtemp(join(tmpdir(), 'netmonitor-machine-'));
        const { child, stdout, stderr } = start('netmonitor-agent', [
            '--state-dir',
            this.state,
            'join',
            code,
        ]);
        const [exitCode] = await once(child, 'close');
        if (exitCode !== 0) throw new Error(`cannot join:\n${stderr.join('\n')}`);
        return stdout[0].replace('joined as ', '');
    }

    start() {
        const args = ['--state-dir', this.state, 'run', '--interval', '1s'];
        this.child = start('netmonitor-agent', args).child;
    }

    kill() {
        this.child.kill('SIGKILL');
    }

    async end() {
        if (this.child) await end(this.child);
        if (this.state) await rm(this.state, { recursive: true, force: true });
    }
}
