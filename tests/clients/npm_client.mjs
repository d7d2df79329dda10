// The `mqtt` package of npm as the conformance stories drive it: requests and answers as lines
// of JSON. The words are those of tests/stories/conformance/scripted.rs.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

import mqtt from 'mqtt';

const connections = new Map();

function say(what) {
    process.stdout.write(`${JSON.stringify(what)}\n`);
}

/** What a callback is given, as an answer: the packet, or the error with its reason. */
function answered(begin) {
    return new Promise((resolve) => {
        begin((error, packet) => resolve({ error, packet }));
    });
}

/** A refusal is an answer; anything else that goes wrong is an error. */
function reasonOf({ error, packet }, reason) {
    if (!error) return { reason: reason(packet) };
    if (error.packet?.cmd === 'suback') return { reason: error.packet.granted[0] };
    return typeof error.code === 'number' ? { reason: error.code } : { error: String(error) };
}

function open(number, request) {
    const isV5 = request.version === 5;
    const scheme = { tcp: 'mqtt', tls: 'mqtts', ws: 'ws' }[request.transport];
    const client = mqtt.connect(`${scheme}://127.0.0.1:${request.port}`, {
        protocolVersion: request.version,
        clientId: request.client_id,
        username: request.user,
        password: request.password,
        clean: request.clean,
        reconnectPeriod: 0,
        resubscribe: false,
        will: request.will && {
            topic: request.will.topic,
            payload: Buffer.from(request.will.payload),
            qos: request.will.qos,
            retain: request.will.retain,
            ...(isV5 && { properties: { willDelayInterval: request.will.delay_secs } }),
        },
        ...(isV5 && { properties: { sessionExpiryInterval: request.session_expiry_secs } }),
        ...(request.transport === 'tls' && {
            ca: readFileSync(request.ca),
            // The name in a hub's certificate, whatever address was dialled.
            servername: request.tls_name,
        }),
    });
    client.on('message', (topic, payload, packet) => {
        say({ connection: number, message: received(topic, payload, packet) });
    });
    return new Promise((resolve) => {
        client.once('connect', (packet) => {
            client.on('error', () => undefined);
            resolve([client, { reason: 0, session_present: packet.sessionPresent }]);
        });
        client.once('error', (error) => resolve([client, reasonOf({ error })]));
    });
}

function received(topic, payload, { qos, retain, properties = {} }) {
    const user = Object.entries(properties.userProperties ?? {});
    return {
        topic,
        payload: payload.toString(),
        qos,
        retain,
        properties: {
            user: user.flatMap(([key, values]) => [values].flat().map((value) => [key, value])),
            expiry_secs: properties.messageExpiryInterval ?? null,
            content_type: properties.contentType ?? null,
            response_topic: properties.responseTopic ?? null,
            correlation: properties.correlationData?.toString() ?? null,
            subscriptions: [properties.subscriptionIdentifier ?? []].flat(),
        },
    };
}

function toProperties(wanted) {
    const user = {};
    for (const [key, value] of wanted.user) (user[key] ??= []).push(value);
    return {
        ...(wanted.user.length > 0 && { userProperties: user }),
        ...(wanted.expiry_secs !== null && { messageExpiryInterval: wanted.expiry_secs }),
        ...(wanted.content_type && { contentType: wanted.content_type }),
        ...(wanted.response_topic && { responseTopic: wanted.response_topic }),
        ...(wanted.correlation && { correlationData: Buffer.from(wanted.correlation) }),
    };
}

const actions = {
    async subscribe(client, request) {
        const options = {
            qos: request.qos,
            nl: request.no_local,
            rap: request.retain_as_published,
            rh: request.retain_handling,
            ...(request.id && { properties: { subscriptionIdentifier: request.id } }),
        };
        const outcome = await answered((done) =>
            client.subscribe(request.filter, options, (error, _granted, packet) =>
                done(error, packet),
            ),
        );
        return reasonOf(outcome, (packet) => packet.granted[0]);
    },

    async unsubscribe(client, request) {
        return reasonOf(
            await answered((done) => client.unsubscribe(request.filter, done)),
            () => 0,
        );
    },

    async publish(client, request) {
        const options = {
            qos: request.qos,
            retain: request.retain,
            ...(client.options.protocolVersion === 5 && {
                properties: toProperties(request.properties),
            }),
        };
        const { topic, payload } = request;
        const outcome = await answered((done) => client.publish(topic, payload, options, done));
        return reasonOf(outcome, () => 0);
    },

    async disconnect(client) {
        await client.endAsync();
        return {};
    },

    /** The socket goes, without DISCONNECT. */
    async kill(client) {
        const closed = once(client, 'close');
        client.stream.destroy();
        await closed;
        return {};
    },
};

for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    const number = request.connection;
    try {
        if (request.do === 'connect') {
            const [client, answer] = await open(number, request);
            connections.set(number, client);
            say({ answer });
        } else {
            say({ answer: await actions[request.do](connections.get(number), request) });
        }
    } catch (error) {
        say({ answer: { error: String(error) } });
    }
}
// Whoever asked is gone; connections of ours would keep this process.
process.exit(0);
