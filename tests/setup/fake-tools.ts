// The programs that stand in for npm, python3, cargo and the compiler. FAIL_NPM, FAIL_PIP and FAIL_CARGO name what goes wrong.
import { execFileSync } from 'node:child_process'

/** The interpreter that unpacks: set-up's own script runs for real. */
export const realPython = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim()

const shared = String.raw`#!/bin/sh
PATH=/usr/bin:/bin
note() { echo "$1" >> "$SANDBOX/calls.log"; }
fail() { printf '%b\n' "$1" >&2; exit "$2"; }
`

const npm = String.raw`
[ "$1" = --version ] && { echo 11.0.0; exit; }
note "npm $1"
case $FAIL_NPM in
  network) fail 'npm error code EAI_AGAIN\nnpm error request failed, reason: getaddrinfo EAI_AGAIN registry.test' 1 ;;
  lockfile) fail 'npm error code EUSAGE' 1 ;;
esac
mkdir -p node_modules/typescript/bin
cat > node_modules/typescript/bin/tsc <<'END'
const fs = require('node:fs')
fs.mkdirSync('dist/cli', { recursive: true })
fs.copyFileSync('cli.mjs', 'dist/cli/main.js')
END`

const python = String.raw`
[ "$1" = --version ] && { echo Python 3.11.7; exit; }
[ "$1" = -m ] || exec "$REAL_PYTHON" "$@"
[ "$FAIL_PIP" = missing ] && fail 'python3: No module named pip' 1
[ "$3" = --version ] && { echo pip 23.2.1; exit; }
while [ $# -gt 0 ]; do
  case $1 in
    --dest) to=$2 ;;
    --requirement) read -r requirement hash < "$2" ;;
  esac
  shift
done
note "pip $requirement"
name=$(echo "$requirement" | sed 's/==.*//; s/-/_/g')
for wheel in "$SANDBOX/index/$name-"*; do break; done
case $FAIL_PIP in
  network) fail "WARNING: Retrying after connection broken by 'NewConnectionError(... Temporary failure in name resolution)'\nERROR: No matching distribution found for $requirement" 1 ;;
  disk) fail 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' 1 ;;
  hash) fail 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' 1 ;;
  absent | "absent $requirement") fail "ERROR: No matching distribution found for $requirement" 1 ;;
  content) echo other > "$to/$(basename "$wheel")"; exit ;;
  "hang $requirement") head -c 10 "$wheel" > "$to/$(basename "$wheel")"; note hanging; exec sleep 600 ;;
esac
sleep "$` + String.raw`{PIP_SECONDS:-0}"
cp "$wheel" "$to"`

const cargo = String.raw`
[ "$1" = --version ] && { echo "cargo $` + String.raw`{CARGO_VERSION:-1.95.0} (f2d3ce0bd 2026-03-21)"; exit; }
note "cargo $*"
case $FAIL_CARGO in
  network) fail 'warning: spurious network error (1 try remaining): [6] Could not resolve hostname' 101 ;;
  code) fail 'error[E0308]: mismatched types' 101 ;;
esac
mkdir -p target/release target/napi
echo addon > target/release/libsagetrain_bindings.so
echo '{"kind": "fn", "name": "add", "js_doc": "", "def": "function add(a: number): number"}' > target/napi/sagetrain-bindings`

const sources = { npm, python3: python, cargo, 'c++': 'echo c++ 12.2.0' }

export const toolSource = (tool: keyof typeof sources): string => shared + sources[tool]
