"""page_shots.py SERVICE_URL IMAGE FOLDER: the page in Chromium, empty and with a result, as a person sees
it on a desk and on a phone, in light and dark. Drives chromedriver (WebDriver) over plain HTTP."""
import base64
import json
import os
import subprocess
import sys
import time
import urllib.request

PORT = 19515
BASE = "http://127.0.0.1:%d" % PORT


def call(method, path, **body):
    data = json.dumps(body).encode() if method == "POST" else None
    request = urllib.request.Request(BASE + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)["value"]


class Browser:
    def __init__(self):
        self.driver = subprocess.Popen(["chromedriver", "--port=%d" % PORT], stdout=subprocess.DEVNULL)
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        for _ in range(100):
            try:
                made = call("POST", "/session", capabilities={"alwaysMatch": {
                    "goog:chromeOptions": {"args": arguments}, "goog:loggingPrefs": {"browser": "ALL"}}})
                break
            except OSError:
                time.sleep(0.1)
        self.session = "/session/" + made["sessionId"]

    def post(self, path, **body):
        return call("POST", self.session + path, **body)

    def devtools(self, command, **parameters):
        return self.post("/goog/cdp/execute", cmd=command, params=parameters)

    def look(self, width, height, scheme):
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                      mobile=width < 600)
        self.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def shoot(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.devtools("Page.captureScreenshot")["data"]))

    def drop(self, image):
        """Drop a file on the page, as a person would: an event that carries it."""
        with open(image, "rb") as file:
            text = base64.b64encode(file.read()).decode()
        self.post("/execute/sync", args=[text], script="""
            const bytes = Uint8Array.from(atob(arguments[0]), c => c.charCodeAt(0));
            const carried = new DataTransfer();
            carried.items.add(new File([bytes], "image.jpg", { type: "image/jpeg" }));
            document.getElementById("drop").dispatchEvent(
                new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: carried }));""")
        for _ in range(200):
            text = self.post("/execute/sync", args=[], script="return document.getElementById('result').innerText")
            if "Looking" not in text and "shown here" not in text:
                return text
            time.sleep(0.05)
        return text

    def wide(self):
        return self.post("/execute/sync", args=[],
                         script="return document.documentElement.scrollWidth > innerWidth")

    def log(self):
        return self.post("/se/log", type="browser")

    def close(self):
        call("DELETE", self.session)
        self.driver.terminate()


def main():
    url, image, folder = sys.argv[1:4]
    browser = Browser()
    status = 0
    try:
        for name, width, height in (("desk", 1100, 720), ("phone", 390, 844)):
            for scheme in ("light", "dark"):
                browser.look(width, height, scheme)
                browser.post("/url", url=url)
                if scheme == "light":
                    browser.shoot(os.path.join(folder, "%s_empty.png" % name))
                text = browser.drop(image)
                browser.shoot(os.path.join(folder, "%s_%s.png" % (name, scheme)))
                print("%s, %s: %s" % (name, scheme, " | ".join(text.split("\n"))))
                if browser.wide() or "%" not in text:
                    print("FAIL %s, %s" % (name, scheme))
                    status = 1
        for line in browser.log():
            print("FAIL the browser says", line["message"])
            status = 1
    finally:
        browser.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
