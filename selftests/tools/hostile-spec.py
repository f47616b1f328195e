#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print the operations and attributes of include/spec/cohort.yaml as C tables for hostile."""

import sys

import yaml

KINDS = {"u32": "U32", "u64": "U64", "string": "STRING", "binary": "BINARY", "nest": "NEST"}


def symbol(name):
    return name.upper().replace("-", "_")


def check_of(attr, constants, *names):
    """The first of these checks that the attribute has; 0: none."""
    checks = attr.get("checks", {})
    for name in names:
        if name in checks:
            return constants.get(checks[name], checks[name])
    return 0


def print_set(spec_set, constants):
    name = symbol(spec_set["name"])
    print("static const struct attr attrs_%s[] = {" % name.lower())
    for attr in spec_set["attributes"]:
        print('\t{ "%s", COHORT_A_%s_%s, %s, %d, %d },' % (
            attr["name"], name, symbol(attr["name"]), KINDS[attr["type"]],
            check_of(attr, constants, "min"),
            check_of(attr, constants, "max-len", "exact-len", "max")))
    print("};\n")


def print_op(spec_op, sets):
    wanted = spec_op["do"].get("request", {}).get("attributes", [])
    names = [attr["name"] for attr in sets[spec_op["attribute-set"]]]
    numbers = ", ".join(str(names.index(name)) for name in wanted)
    set_name = spec_op["attribute-set"]
    print('\t{ "%s", COHORT_CMD_%s, attrs_%s, %d, { %s }, %d },' % (
        spec_op["name"], symbol(spec_op["name"]), set_name, len(names), numbers, len(wanted)))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = yaml.safe_load(file)
    constants = {d["name"]: d["value"] for d in spec["definitions"] if d["type"] == "const"}
    print("/* Made of the spec by hostile-spec.py. */\n")
    for spec_set in spec["attribute-sets"]:
        print_set(spec_set, constants)
    sets = {s["name"]: s["attributes"] for s in spec["attribute-sets"]}
    print("static const struct op ops[] = {")
    for spec_op in spec["operations"]["list"]:
        if "do" in spec_op:
            print_op(spec_op, sets)
    print("};")


main()
