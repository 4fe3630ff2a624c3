"""A folder's page in Chromium, as somebody who has signed in opens it: when it can be used, when all entries are there,
and how it scrolls. Prints one line of JSON. Chromium is spoken to over a pipe, so that nothing else need be installed.

`python3 -m measure.chromium ADDRESS PATH NAME PASSWORD`
"""

import json
import os
import subprocess
import sys
import tempfile
import time

PATIENCE = 30  # seconds for anything
VISITS = 5  # each with an empty cache; the median is told

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,800",
    "--remote-debugging-pipe",
)

# Once the page is complete: scrolls through the whole list and a quarter back for so many milliseconds, at the pace of the
# screen, and tells the time between frames.
SCROLL = """
new Promise((done) => {
    const list = document.querySelector('.scroller');
    const span = list.scrollHeight - list.clientHeight;
    const frames = [];
    let begun = 0, last = 0;
    const step = (now) => {
        if (begun === 0) begun = now;
        else frames.push(now - last);
        last = now;
        const part = (now - begun) / %d;
        if (part >= 1) return done({ frames, rows: document.querySelectorAll('.list .row').length, shown: shown() });
        list.scrollTop = span * (part < 0.8 ? part / 0.8 : 1 - (part - 0.8));
        requestAnimationFrame(step);
    };
    const shown = () => [...document.querySelectorAll('.list .row')].filter((row) => {
        const { top } = row.getBoundingClientRect();
        return top > 0 && top < innerHeight;
    }).length;
    requestAnimationFrame(step);
})
"""
SCROLLED = 3000

MARKS = """
(() => {
    const at = (name) => performance.getEntriesByName(name)[0]?.startTime;
    const [navigation] = performance.getEntriesByType('navigation');
    const [paint] = performance.getEntriesByName('first-contentful-paint');
    return at('complete') && { usable: at('usable'), complete: at('complete'), answered: navigation.responseEnd, painted: paint?.startTime ?? 0 };
})()
"""


class Chromium:
    """A browser, and one page in it."""

    def __init__(self, folder):
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        self.number, self.rest, self.session = 0, b"", None

        def take():
            # Chromium reads from 3 and writes to 4.
            spare = os.dup(answers), os.dup(commands)
            os.dup2(spare[1], 3)
            os.dup2(spare[0], 4)

        self.process = subprocess.Popen(
            ("chromium", *FLAGS, f"--user-data-dir={folder}", "about:blank"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4),
            preexec_fn=take,
        )
        os.close(commands)
        os.close(answers)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable")

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            told = self.next()
            if told.get("id") == self.number:
                if "error" in told:
                    raise RuntimeError(f"{method}: {told['error']['message']}")
                return told["result"]

    def next(self):
        while b"\0" not in self.rest:
            piece = os.read(self.answers, 1 << 16)
            if not piece:
                raise RuntimeError("chromium ended")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def evaluate(self, expression):
        told = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"].get("description", "the page failed"))
        return told["result"].get("value")

    def until(self, expression):
        """Waits until the page has this; a page on its way to another has nothing."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                if found := self.evaluate(expression):
                    return found
            except RuntimeError:
                pass
            # Seldom, as each look takes the page's time.
            time.sleep(0.1)
        raise RuntimeError(f"the page never had {expression.strip()}")

    def close(self):
        self.session = None
        self.ask("Browser.close")
        self.process.wait(PATIENCE)


def median(values):
    return sorted(values)[len(values) // 2]


def visit(page, url):
    """Opens the folder with an empty cache, and scrolls through it."""
    page.ask("Network.clearBrowserCache")
    page.ask("Page.navigate", url="about:blank")
    page.ask("Page.navigate", url=url)
    marks = page.until(MARKS)
    # Whatever is done when nothing else is to be done.
    time.sleep(0.5)
    return marks | page.evaluate(SCROLL % SCROLLED)


def main(address, path, name, password):
    site = f"http://{address.replace('127.0.0.1', 'localhost')}"
    with tempfile.TemporaryDirectory(prefix="sockeye-bench-", ignore_cleanup_errors=True) as folder:
        page = Chromium(folder)
        page.ask("Page.navigate", url=f"{site}/-/login")
        page.until("document.readyState === 'complete' && document.querySelector('input[name=password]') !== null")
        fill = "".join(
            f"document.querySelector('input[name={field}]').value = {json.dumps(value)};"
            for field, value in (("name", name), ("password", password))
        )
        page.evaluate(f"{fill} document.querySelector('form').submit()")
        page.until("document.documentElement.dataset.ready === ''")
        visits = [visit(page, site + path) for _ in range(VISITS)]
        page.close()
    frames = [frame for one in visits for frame in one["frames"]]
    if not all(one["shown"] for one in visits):
        raise RuntimeError("the list is empty where it was scrolled to")
    print(json.dumps({
        "answered_ms": median([one["answered"] for one in visits]),
        "painted_ms": median([one["painted"] for one in visits]),
        "usable_ms": median([one["usable"] for one in visits]),
        "complete_ms": median([one["complete"] for one in visits]),
        "longest_frame_ms": median([max(one["frames"]) for one in visits]),
        "late_frames_percent": 100 * sum(frame > 25 for frame in frames) / len(frames),
        "rows": max(one["rows"] for one in visits),
    }))


if __name__ == "__main__":
    main(*sys.argv[1:])
