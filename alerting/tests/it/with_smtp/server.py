"""A mail server for a test: python3 server.py {plain|starttls|tls} FOLDER

Its certificate is FOLDER/server.pem. It takes mail for everyone but gone@... and busy@..., from ada
with her password where the connection is protected. The first mail for twice@... it takes, and says
that it has not. It says its port in the first line, and then each mail in a line of JSON.
"""

import asyncio
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

mode, folder = sys.argv[1:]


class Handler:
    had_one = False

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("gone"):
            return "550 5.1.1 no such user"
        if address.startswith("busy"):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "user": (session.auth_data or b"").decode(),
            "encrypted": mode == "tls" or session.ssl is not None,
            "mail": envelope.content.decode(),
        } | read(envelope.content)
        print(json.dumps(mail), flush=True)
        if mail["to"][0].startswith("twice") and not self.had_one:
            self.had_one = True
            return "451 4.3.0 try again later"
        return "250 2.0.0 queued as 4711"


def read(content):
    """What a person sees of a mail."""
    mail = email.message_from_bytes(content, policy=email.policy.default)
    return {"id": mail["message-id"], "subject": mail["subject"], "text": mail.get_content()}


def authenticate(server, session, envelope, mechanism, data):
    is_ada = (data.login, data.password) == (b"ada", b"geheim-4711-token")
    return AuthResult(success=is_ada, handled=False, auth_data=data.login)


def protocol():
    return SMTP(
        handler,
        hostname="localhost",
        tls_context=context if mode == "starttls" else None,
        require_starttls=mode == "starttls",
        authenticator=None if mode == "plain" else authenticate,
        auth_required=mode != "plain",
        auth_require_tls=mode == "starttls",
    )


async def main():
    server = await asyncio.get_running_loop().create_server(
        protocol, "127.0.0.1", 0, ssl=context if mode == "tls" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


handler = Handler()
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{folder}/server.pem", f"{folder}/server.key")
asyncio.run(main())
