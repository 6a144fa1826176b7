"""A stand-in for the node agents of a real API server: kubelet.py SERVER CA TOKEN.

It registers two nodes and watches the pods that the scheduler gave them. A pod becomes Running and
Ready after `real/delay` seconds (an annotation; 0.2 if absent). A pod of a Job ends after `real/run`
seconds (0.2) with the exit code `real/exit` (0). A pod whose image contains "broken" stays pending
with ImagePullBackOff. A deleted pod is gone at once.
"""

import datetime
import json
import ssl
import sys
import threading
import time
import urllib.error
import urllib.request

SERVER, AUTHORITY, TOKEN = sys.argv[1:4]
TLS = ssl.create_default_context(cafile=AUTHORITY)
STRATEGIC = "application/strategic-merge-patch+json"
ON_A_NODE = "fieldSelector=spec.nodeName!%3D"


def send(method, path, body=None, content_type="application/json", timeout=10):
    headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": content_type}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(SERVER + path, method=method, data=data, headers=headers)
    return urllib.request.urlopen(request, context=TLS, timeout=timeout)


def call(*arguments):
    with send(*arguments) as answer:
        return json.load(answer)


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_background(work, *arguments):
    threading.Thread(target=work, args=arguments, daemon=True).start()


def keep_node(name):
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    try:
        call("POST", "/api/v1/nodes", {"metadata": {"name": name, "labels": labels}})
    except urllib.error.HTTPError as error:
        print("node", name, error, flush=True)
    room = {"cpu": "64", "memory": "256Gi", "pods": "2000"}
    while True:
        ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok"}
        ready |= {"lastHeartbeatTime": now(), "lastTransitionTime": now()}
        status = {"capacity": room, "allocatable": room, "conditions": [ready]}
        status["nodeInfo"] = {"kubeletVersion": "v1.20.2"}
        try:
            call("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, STRATEGIC)
        except OSError as error:
            print("status", name, error, flush=True)
        time.sleep(10)


def path_of(pod):
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def report(pod, phase, ready, state):
    """Writes the status that a kubelet would write for this phase."""
    conditions = [
        {"type": kind, "status": "True" if ready or early else "False", "lastTransitionTime": now()}
        for kind, early in (("Initialized", True), ("PodScheduled", True), ("Ready", False), ("ContainersReady", False))
    ]
    containers = [
        {"name": container["name"], "image": container.get("image", ""), "imageID": "", "restartCount": 0}
        | {"ready": ready, "started": ready, "state": state}
        for container in pod["spec"]["containers"]
    ]
    status = {"phase": phase, "conditions": conditions, "containerStatuses": containers}
    if phase == "Running":
        status |= {"startTime": now(), "podIP": "10.0.0.1", "hostIP": "127.0.0.1"}
    try:
        call("PATCH", path_of(pod) + "/status", {"status": status}, STRATEGIC)
    except OSError as error:
        print("pod", pod["metadata"]["name"], error, flush=True)


def live(pod):
    """The life of a pod from its node on."""
    wishes = pod["metadata"].get("annotations") or {}
    time.sleep(float(wishes.get("real/delay", "0.2")))
    if any("broken" in container.get("image", "") for container in pod["spec"]["containers"]):
        waiting = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
        return report(pod, "Pending", False, {"waiting": waiting})
    started = now()
    report(pod, "Running", True, {"running": {"startedAt": started}})
    if any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", [])):
        time.sleep(float(wishes.get("real/run", "0.2")))
        code = int(wishes.get("real/exit", "0"))
        ended = {"exitCode": code, "reason": "Error" if code else "Completed"}
        ended |= {"startedAt": started, "finishedAt": now()}
        report(pod, "Failed" if code else "Succeeded", False, {"terminated": ended})


def remove(pod):
    try:
        call("DELETE", path_of(pod) + "?gracePeriodSeconds=0")
    except OSError:
        pass  # Somebody was faster.


SEEN = set()


def meet(pod):
    uid = pod["metadata"]["uid"]
    if pod["metadata"].get("deletionTimestamp"):
        in_background(remove, pod)
    elif uid not in SEEN:
        SEEN.add(uid)
        in_background(live, pod)


def follow():
    pods = call("GET", "/api/v1/pods?" + ON_A_NODE)
    for pod in pods["items"]:
        meet(pod)
    version = pods["metadata"]["resourceVersion"]
    watch = f"/api/v1/pods?watch=1&resourceVersion={version}&{ON_A_NODE}"
    for line in send("GET", watch, None, "application/json", None):
        event = json.loads(line)
        if event["type"] in ("ADDED", "MODIFIED"):
            meet(event["object"])


for node in ("node-a", "node-b"):
    in_background(keep_node, node)
while True:
    try:
        follow()
    except (OSError, ValueError, KeyError) as error:
        print("watch", error, flush=True)
        time.sleep(0.5)
