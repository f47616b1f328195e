# SPDX-License-Identifier: GPL-2.0-or-later
"""Drive the family "cohort" with the kernel's own Python client, from the spec alone.

usage: python3 client.py CHECK [ARGUMENT]...    (the functions named check_...)

Nothing here knows a number: names of operations, attributes and values are
those of include/spec/cohort.yaml.  Exit 0, or 1 with words about what is not
as the spec says.
"""

import errno
import os
import select
import socket
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
SOURCE = os.path.join(os.environ.get("COHORT_CACHE", "/var/cache/cohort"), "linux-source")
SPEC = os.path.join(TREE, "include/spec/cohort.yaml")
NETLINK = os.path.join(SOURCE, "Documentation/netlink")

import yaml

sys.dont_write_bytecode = True
# The client reads specs with the loader written in Python, which takes seconds in a guest.
yaml.safe_load = lambda stream: yaml.load(stream, Loader=yaml.CSafeLoader)
sys.path.insert(0, os.path.join(SOURCE, "tools/net/ynl"))
from lib import NlError, YnlFamily  # pylint: disable=wrong-import-position,import-error

EVENT_SECONDS = 60
ENDED = ("completed", "exception")
SO_RCVBUFFORCE = 33     # <asm-generic/socket.h>, which Python does not pass on


class Wrong(Exception):
    """The family does not do what it promises."""


def expect(condition, *words):
    if not condition:
        raise Wrong(" ".join(str(word) for word in words))


def connect():
    """The schema is checked where the spec is compiled; here it would only cost time."""
    return YnlFamily(SPEC, "")


class Listener:
    """A second socket, for events only: it must be there before what it is to hear."""

    def __init__(self):
        self.family = connect()
        # root's right: room for what comes while nobody reads
        self.family.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        self.family.ntf_subscribe("events")

    def events(self, seconds):
        end = time.monotonic() + seconds
        while True:
            self.family.check_ntf()
            while self.family.async_msg_queue:
                yield self.family.async_msg_queue.pop(0)
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.family.sock], [], [], left)[0]:
                return

    def wait(self, what, test, seconds=EVENT_SECONDS):
        """The first event named @what that @test likes."""
        for event in self.events(seconds):
            if event["name"] == what and test(event["msg"]):
                return event["msg"]
        raise Wrong("no %s that was waited for in %d s" % (what, seconds))

    def wait_job(self, job):
        return self.wait("job-ntf", lambda m: m["id"] == job and m["state"] in ENDED)


def finish_all(listener, jobs):
    """Jobs may end in any order."""
    waiting = set(jobs)
    while waiting:
        job = listener.wait("job-ntf", lambda m: m["id"] in waiting and m["state"] in ENDED)
        expect(job["result"] == 0, "the job failed:", job)
        waiting.remove(job["id"])


def members(names):
    return [{"name": name} for name in names]


def finish(listener, reply):
    """Waits for the job of a reply and returns how it ended."""
    expect("job" in reply, "no job in the reply", reply)
    job = listener.wait_job(reply["job"])
    expect(job["state"] == "completed" and job["result"] == 0 and job["errno"] == 0,
           "the job failed:", job)
    return job


def refused(number, words, call, *args, **kwargs):
    """The call must fail with that errno and those words; returns the extended ack."""
    try:
        reply = call(*args, **kwargs)
    except NlError as error:
        extack = error.nl_msg.extack or {}
        expect(error.error == number, "refused with", os.strerror(error.error), extack)
        expect(words in extack.get("msg", ""), "words are", extack, "and not", words)
        return extack
    raise Wrong("was not refused: %s" % reply)


def check_life_of_a_group(*sources):
    """Make, wait by event, list, change, delete: a group from its first to its last event."""
    family, listener = connect(), Listener()
    reply = family.do("group-new", {"name": "life", "member": members(sources)})
    expect(reply["name"] == "life", "name in the reply:", reply)
    made = listener.wait("group-ntf", lambda m: m["name"] == "life")
    finish(listener, reply)
    group = family.do("group-get", {"name": "life"})
    expect([m["name"] for m in group["member"]] == list(sources), "members:", group)
    expect([m["index"] for m in group["member"]] == list(range(1, len(sources) + 1)), group)
    expect(made == group, "event and answer differ:", made, group)

    finish(listener, family.do("group-remove", {"name": "life", "member": members(sources[:1])}))
    finish(listener, family.do("group-add", {"name": "life", "member": members(sources)}))
    group = family.do("group-get", {"name": "life"})
    expect([m["name"] for m in group["member"]] == [*sources[1:], sources[0]], "order:", group)

    listed = [g for g in family.dump("group-get", {}) if g["name"] == "life"]
    expect(listed == [group], "listed:", listed)
    refused(errno.ENOTEMPTY, "not set", family.do, "group-del", {"name": "life"})
    reply = family.do("group-del", {"name": "life", "remove-elements": 1})
    gone = listener.wait("group-ntf", lambda m: m["name"] == "life" and "kind" not in m)
    expect(gone == {"name": "life"}, "a group that went is named only:", gone)
    finish(listener, reply)
    refused(errno.ENOENT, 'no group "life"', family.do, "group-get", {"name": "life"})


def check_snapshot(*sources):
    """A relationship made, seen and given back, with nothing but the family."""
    family, listener = connect(), Listener()
    reply = family.do("group-replica-new", {"sync-type": "snapshot", "name": "snap",
                                            "member": members(sources)})
    expect(reply["name"] == "snap" and reply["source-group"], "reply:", reply)
    job = finish(listener, reply)
    expect(job["relationship"] == "snap" and job["percent"] == 100, "job:", job)
    rel = family.do("relationship-get", {"name": "snap"})
    expect(rel["copy-state"] == "synchronized" and rel["sync-type"] == "snapshot", rel)
    expect([m["source"] for m in rel["member"]] == list(sources), "members:", rel)
    expect([m["name"] for m in rel["member"]] ==
           ["snap_%d" % (i + 1) for i in range(len(sources))], "images:", rel)
    expect({m["epoch"] for m in rel["member"]} == {rel["epoch"]}, "one cut:", rel)
    expect(any(j["id"] == reply["job"] for j in family.dump("job-get", {})), "job not listed")
    expect(family.do("job-get", {"id": reply["job"]})["state"] == "completed", "job changed")
    diff = family.do("extent-get", {"relationship": "snap", "source": sources[0]})
    expect("range" not in diff and diff["next"] == diff["size"] > 0, "nothing differs:", diff)
    expect(diff["epoch"] == rel["epoch"] and diff["other-epoch"] == 0, "cuts:", diff)
    gate = family.do("gate-close", {"group": rel["source-group"], "lease": 2000})
    refused(errno.EBUSY, "is gated already", family.do, "gate-close",
            {"group": rel["source-group"], "lease": 1})
    try:
        held = family.do("gate-open", gate)
        expect(held["id"] == gate["id"] and held["held"] < 2000000000, "a gate:", held)
    except NlError as error:
        expect(error.error == errno.ETIMEDOUT, "a gate that was lost:", error)

    back = family.do("relationship-modify", {"name": "snap", "operation": "return-to-pool"})
    gone = listener.wait("relationship-ntf",
                         lambda m: m["name"] == "snap" and "copy-state" not in m)
    expect(gone == {"name": "snap"}, "a relationship that went is named only:", gone)
    finish(listener, back)
    refused(errno.ENOENT, 'no relationship "snap"', family.do, "relationship-get",
            {"name": "snap"})
    expect(not any(g["name"] == reply["source-group"] for g in family.dump("group-get", {})),
           "the generated group is still there")


def check_refusals(source):
    """Every refusal has words and names the attribute."""
    family = connect()

    def about(attribute, number, words, operation, request):
        extack = refused(number, words, family.do, operation, request)
        found = extack.get("bad-attr", extack.get("miss-type"))
        expect(found == attribute, "about", found, "instead of", attribute, extack)

    new = {"name": "no", "member": members([source])}
    about(".member", errno.ENOENT, 'no source "nobody"', "group-new",
          {"name": "no", "member": members([source, "nobody"])})
    about(".member", errno.EINVAL, "named twice", "group-new",
          {"name": "no", "member": members([source, source])})
    about(".member", errno.EINVAL, "without a name", "group-new",
          {"name": "no", "member": [{"index": 1}]})
    about(".member.size", errno.EINVAL, "only the name", "group-new",
          {"name": "no", "member": [{"name": source, "size": 1}]})
    about(".member.index", errno.EINVAL, "numbered from 1", "group-new",
          {"name": "no", "member": [{"name": source, "index": 2}]})
    about(".pool", errno.ENOENT, 'no pool "puddle"', "group-new", {**new, "pool": "puddle"})
    about(".name", errno.EINVAL, "is no name", "group-new", {**new, "name": "a/b"})
    about(".name", errno.EINVAL, "must not be empty", "group-new", {**new, "name": ""})
    about(".name", errno.EINVAL, "at most 122", "group-new", {**new, "name": "x" * 123})
    about(".name", errno.EINVAL, "", "group-new", {**new, "name": "x" * 200})
    about(".kind", errno.ERANGE, "", "group-new", {**new, "kind": 3})
    about(".flags", errno.EINVAL, "", "group-new", {**new, "flags": 64})
    about("name", errno.EINVAL, "is missing", "group-del", {})
    about("member", errno.EINVAL, "is missing", "group-add", {"name": "no"})
    about(".name", errno.ENOENT, 'no group "no"', "group-add", new)
    about(".name", errno.ENOENT, 'no group "no"', "group-del", {"name": "no"})
    about("id", errno.EINVAL, "is missing", "job-get", {})
    about(".id", errno.ENOENT, "no job 999999", "job-get", {"id": 999999})
    about("request", errno.EINVAL, "is missing", "job-modify", {"id": 1})
    about("id", errno.EINVAL, "is missing", "job-modify", {"request": 3})
    about(".request", errno.ERANGE, "", "job-modify", {"id": 1, "request": 5})
    about(".id", errno.ENOENT, "no job 999999", "job-modify", {"id": 999999, "request": 3})
    about("sync-type", errno.EINVAL, "is missing", "group-replica-new", new)
    about(".sync-type", errno.ERANGE, "", "group-replica-new", {**new, "sync-type": 5})
    about("dev", errno.EINVAL, "is missing", "source-attach", {"name": "s"})
    about("relationship", errno.EINVAL, "is missing", "extent-get", {"source": source})
    about("source", errno.EINVAL, "is missing", "extent-get", {"relationship": "no"})
    about(".relationship", errno.ENOENT, 'no relationship "no"', "extent-get",
          {"relationship": "no", "source": source})
    about("group", errno.EINVAL, "is missing", "gate-close", {"lease": 1})
    about("lease", errno.EINVAL, "is missing", "gate-close", {"group": "no"})
    about(".lease", errno.ERANGE, "", "gate-close", {"group": "no", "lease": 2001})
    about(".group", errno.ENOENT, 'no group "no"', "gate-close", {"group": "no", "lease": 1})
    about(".id", errno.ENOENT, "no gate 9 of this caller", "gate-open", {"id": 9})
    disk = {"name": "s", "size": 1 << 20, "dev": "8:0"}
    about(".dev", errno.EINVAL, "major:minor", "source-attach", {**disk, "dev": "sda"})
    about(".uuid", errno.EINVAL, "UUID", "source-attach", {**disk, "uuid": "1234"})
    # of an old kernel only the words come through
    extack = refused(errno.EINVAL, "takes no attributes", family.dump, "group-get",
                     {"name": "no"})
    expect(extack.get("bad-attr", ".name") == ".name", extack)
    expect(not any(g["name"] == "no" for g in family.dump("group-get", {})),
           "a refusal changed something")


def check_long_lists(source):
    """More objects than one message buffer holds: each is listed once."""
    family, listener = connect(), Listener()
    names = ["list%03d-%s" % (i, "x" * 100) for i in range(400)]
    jobs = [family.do("group-new", {"name": name, "member": members([source])})["job"]
            for name in names]
    finish_all(listener, jobs)
    listed = [g["name"] for g in family.dump("group-get", {}) if g["name"].startswith("list")]
    expect(listed == names, "listed", len(listed), "of", len(names))
    listed = [j["id"] for j in family.dump("job-get", {}) if j["id"] in jobs]
    expect(listed == jobs, "jobs listed", len(listed), "of", len(jobs))
    jobs = [family.do("group-del", {"name": name, "remove-elements": 1})["job"]
            for name in names]
    finish_all(listener, jobs)
    expect(not any(g["name"].startswith("list") for g in family.dump("group-get", {})),
           "groups left")


def check_wide_group(*sources):
    """Groups larger than the usual buffer of a dump come whole, one message each."""
    family, listener = connect(), Listener()
    names = ["wide1", "narrow", "wide2"]
    for name in names:
        wanted = sources if name.startswith("wide") else sources[:1]
        finish(listener, family.do("group-new", {"name": name, "member": members(wanted)}))
    # a new socket: its first buffer is small
    listed = connect().dump("group-get", {})
    expect([g["name"] for g in listed if g["name"] in names] == names, "listed", len(listed))
    expect(family.do("group-get", {"name": "wide2"}) == listed[-1], "answer and list differ")
    for group in listed:
        wanted = sources if group["name"].startswith("wide") else sources[:1]
        expect([m["name"] for m in group["member"]] == list(wanted), "members:", group)
    for name in names:
        finish(listener, family.do("group-del", {"name": name, "remove-elements": 1}))


def check_not_permitted():
    """For a caller without CAP_SYS_ADMIN: neither questions nor requests nor events."""
    family = connect()
    refused(errno.EPERM, "CAP_SYS_ADMIN", family.do, "module-get", {})
    refused(errno.EPERM, "CAP_SYS_ADMIN", family.do, "group-get", {"name": "x"})
    refused(errno.EPERM, "CAP_SYS_ADMIN", family.do, "group-new", {"name": "x"})
    refused(errno.EPERM, "CAP_SYS_ADMIN", family.dump, "pool-get", {})
    try:
        connect().ntf_subscribe("events")
    except PermissionError:
        return
    raise Wrong("may listen to events")


def check_not_there():
    """In another network namespace there is no such family."""
    try:
        connect()
    except Exception as error:  # pylint: disable=broad-except
        expect("not supported by the kernel" in str(error), error)
        return
    raise Wrong("the family is seen")


def kernel_policies():
    """Attribute numbers each operation takes, as the kernel says: {(cmd, mode): set}."""
    nlctrl = YnlFamily(os.path.join(NETLINK, "specs/nlctrl.yaml"),
                       "", process_unknown=True)
    ops, policies = {}, {}
    for answer in nlctrl.dump("getpolicy", {"family-name": "cohort"}):
        op, policy = answer.get("op-policy"), answer.get("policy")
        for mode in ("do", "dump"):
            if op and mode in op:
                ops[op["op-id"], mode] = op[mode]
        if policy and policy["type"] != "invalid":
            policies.setdefault(policy["policy-id"], set()).add(policy["attr-id"])
    return {key: policies.get(index, set()) for key, index in ops.items()}


def check_kernel_has_the_spec():
    """Every operation of the spec takes just the attributes the kernel says it takes."""
    family, kernel = connect(), kernel_policies()
    for name, op in family.ops.items():
        request = op.yaml["do"].get("request", {}).get("attributes", [])
        wanted = {op.attr_set[attribute].value for attribute in request}
        found = kernel.pop((op.req_value, "do"), None)
        expect(found is not None, "the kernel has no", name)
        expect(found == wanted, name, "takes", found, "and not", wanted)
        if "dump" in op.yaml:
            expect((op.req_value, "dump") in kernel, "no dump of", name)
            kernel.pop((op.req_value, "dump"))
    expect(not kernel, "operations that are not in the spec:", kernel)


def check_module(version):
    """The version is told, and so is the ABI of the spec."""
    family = connect()
    module = family.do("module-get", {})
    abi = next(d["value"] for d in family.yaml["definitions"] if d["name"] == "abi-version")
    expect(module["version"] == version and module["abi"] == abi, module)


def main(argv):
    if len(argv) < 2 or "check_" + argv[1] not in globals():
        sys.exit(__doc__)
    try:
        globals()["check_" + argv[1]](*argv[2:])
    except (Wrong, NlError) as error:
        sys.exit("%s: %s" % (argv[1], error))


if __name__ == "__main__":
    main(sys.argv)
