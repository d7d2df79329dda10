"""A web server that keeps what it is sent: one line of JSON for each request in a file.

What it answers stands in the file `status` beside it: a number, or nothing for 200.
"""

import http.server
import json
import os
import sys

folder = sys.argv[1]
log = open(os.path.join(folder, "received"), "a", buffering=1)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        try:
            status = int(open(os.path.join(folder, "status")).read() or 200)
        except FileNotFoundError:
            status = 200
        line = {
            "path": self.path,
            "key": self.headers.get("idempotency-key", ""),
            "status": status,
            "body": json.loads(body),
        }
        log.write(json.dumps(line) + "\n")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"thank you")

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Handler)
print("listening", server.server_address[1], flush=True)
server.serve_forever()
