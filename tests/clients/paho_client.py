"""paho-mqtt as the conformance stories drive it: requests and answers as lines of JSON.

The words are those of tests/stories/conformance/scripted.rs. Debian's paho-mqtt (1.6) does not
tell with which reason a message was acknowledged: `reason` is null then.
"""

import json
import ssl
import sys
import threading

from paho.mqtt import client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

# Longest time for the broker's answer.
PATIENCE_SECS = 20

printing = threading.Lock()


def say(what):
    with printing:
        print(json.dumps(what), flush=True)


class NamedContext(ssl.SSLContext):
    """Expects the name that is in a hub's certificate, whatever address was dialled."""

    name = None

    def wrap_socket(self, *arguments, **named):
        named["server_hostname"] = self.name
        return super().wrap_socket(*arguments, **named)


class Connection:
    def __init__(self, number, request):
        self.number = number
        self.is_v5 = request["version"] == 5
        self.answers = {}
        self.answered = threading.Condition()
        named = {} if self.is_v5 else {"clean_session": request["clean"]}
        self.client = mqtt.Client(
            client_id=request["client_id"],
            protocol=mqtt.MQTTv5 if self.is_v5 else mqtt.MQTTv311,
            transport="websockets" if request["transport"] == "ws" else "tcp",
            reconnect_on_failure=False,
            **named,
        )
        self.client.username_pw_set(request["user"], request["password"])
        if request["transport"] == "tls":
            context = NamedContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(request["ca"])
            context.name = request["tls_name"]
            self.client.tls_set_context(context)
        self.set_will(request["will"])
        self.client.on_message = self.on_message
        self.client.on_connect = lambda _c, _u, flags, code, *_: self.answer(
            "connect", {"reason": number_of(code), "session_present": bool(flags["session present"])}
        )
        self.client.on_disconnect = lambda *_: self.answer("closed", {})
        self.client.on_subscribe = lambda _c, _u, mid, codes, *_: self.answer(
            mid, {"reason": number_of(codes[0])}
        )
        self.client.on_unsubscribe = lambda _c, _u, mid, *_: self.answer(mid, {"reason": 0})
        self.client.on_publish = lambda _c, _u, mid: self.answer(mid, {"reason": None})

    def set_will(self, will):
        if not will:
            return
        properties = None
        if self.is_v5:
            properties = Properties(PacketTypes.WILLMESSAGE)
            properties.WillDelayInterval = will["delay_secs"]
        self.client.will_set(
            will["topic"], will["payload"], will["qos"], will["retain"], properties
        )

    def connect(self, request):
        named = {}
        if self.is_v5:
            named["clean_start"] = request["clean"]
            named["properties"] = Properties(PacketTypes.CONNECT)
            named["properties"].SessionExpiryInterval = request["session_expiry_secs"]
        self.client.connect("127.0.0.1", request["port"], keepalive=60, **named)
        self.client.loop_start()
        return self.wait("connect")

    def subscribe(self, request):
        named = {"qos": request["qos"]}
        if self.is_v5:
            options = SubscribeOptions(
                request["qos"],
                request["no_local"],
                request["retain_as_published"],
                request["retain_handling"],
            )
            properties = Properties(PacketTypes.SUBSCRIBE)
            if request["id"]:
                properties.SubscriptionIdentifier = request["id"]
            named = {"options": options, "properties": properties}
        return self.wait(self.client.subscribe(request["filter"], **named)[1])

    def unsubscribe(self, request):
        return self.wait(self.client.unsubscribe(request["filter"])[1])

    def publish(self, request):
        properties = to_properties(request["properties"]) if self.is_v5 else None
        sent = self.client.publish(
            request["topic"], request["payload"], request["qos"], request["retain"], properties
        )
        return self.wait(sent.mid)

    def disconnect(self, _request):
        self.client.disconnect()
        return self.wait("closed")

    def kill(self, _request):
        """The socket goes, without DISCONNECT."""
        socket = self.client.socket()
        getattr(socket, "_socket", socket).shutdown(2)
        return self.wait("closed")

    def on_message(self, _client, _data, message):
        properties = getattr(message, "properties", None)
        say(
            {
                "connection": self.number,
                "message": {
                    "topic": message.topic,
                    "payload": message.payload.decode(),
                    "qos": message.qos,
                    "retain": bool(message.retain),
                    "properties": from_properties(properties),
                },
            }
        )

    def answer(self, key, what):
        with self.answered:
            self.answers[key] = what
            self.answered.notify_all()

    def wait(self, key):
        with self.answered:
            self.answered.wait_for(lambda: key in self.answers, PATIENCE_SECS)
            return self.answers.pop(key, {"error": "the broker does not answer"})


def number_of(code):
    return getattr(code, "value", code)


def to_properties(wanted):
    properties = Properties(PacketTypes.PUBLISH)
    for pair in wanted["user"]:
        properties.UserProperty = tuple(pair)
    if wanted["expiry_secs"] is not None:
        properties.MessageExpiryInterval = wanted["expiry_secs"]
    if wanted["content_type"]:
        properties.ContentType = wanted["content_type"]
    if wanted["response_topic"]:
        properties.ResponseTopic = wanted["response_topic"]
    if wanted["correlation"]:
        properties.CorrelationData = wanted["correlation"].encode()
    return properties


def from_properties(properties):
    correlation = getattr(properties, "CorrelationData", None)
    return {
        "user": getattr(properties, "UserProperty", []),
        "expiry_secs": getattr(properties, "MessageExpiryInterval", None),
        "content_type": getattr(properties, "ContentType", None),
        "response_topic": getattr(properties, "ResponseTopic", None),
        "correlation": correlation.decode() if correlation is not None else None,
        "subscriptions": getattr(properties, "SubscriptionIdentifier", []),
    }


def main():
    connections = {}
    for line in sys.stdin:
        request = json.loads(line)
        number, what = request["connection"], request["do"]
        try:
            if what == "connect":
                connections[number] = Connection(number, request)
            say({"answer": getattr(connections[number], what)(request)})
        except Exception as error:  # Whatever it is, the story has to hear of it.
            say({"answer": {"error": f"{type(error).__name__}: {error}"}})


main()
