#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lint: the generated headers and policies are what include/spec/cohort.yaml gives.

. "$(dirname "$0")/common.inc"
exec include/spec/generate --check
