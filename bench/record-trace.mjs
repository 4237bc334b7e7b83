/**
 * Makes a trace of page reads from what strace has seen of a real build: which page of which file is read, in the order in
 * which all processes of the build read them. Files outside of the current folder are left out.
 *
 * Usage:
 *   strace -f -y -s 0 -qq -e trace=openat,read,pread64,lseek -o build.strace sh -c "rm -f build/*.stamp; npm run build; npm run typecheck"
 *   node bench/record-trace.mjs build.strace bench/traces/build.trace.gz
 */
import { createReadStream, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { gzipSync } from "node:zlib";

const PAGE_BYTES = 4096;
const [source, target] = process.argv.slice(2);
const root = `${process.cwd()}/`;

/** Position of each descriptor, by number and path: processes that have the same file at the same number are rare, and short. */
const positions = new Map();
const pages = new Map();
const lines = [];

function readPages(path, from, bytes) {
  for (let page = Math.floor(from / PAGE_BYTES); page * PAGE_BYTES < from + bytes; page++) {
    const key = `${path} ${page}`;
    if (!pages.has(key)) pages.set(key, pages.size);
    lines.push(pages.get(key));
  }
}

/** Calls that another thread has interrupted are told in two lines. */
const begun = new Map();

function whole(line) {
  const [, pid, text] = /^(\d+) +(.*)$/.exec(line) ?? [];
  if (text === undefined) return undefined;
  if (text.endsWith("<unfinished ...>")) {
    begun.set(pid, text.slice(0, -"<unfinished ...>".length));
    return undefined;
  }
  const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(text);
  return resumed ? `${begun.get(pid) ?? ""}${resumed[1]}` : text;
}

for await (const line of createInterface({ input: createReadStream(source) })) {
  const text = whole(line);
  if (text === undefined) continue;
  const opened = /^openat\(.*\) = (\d+)<(.*)>$/.exec(text);
  if (opened) positions.set(`${opened[1]} ${opened[2]}`, 0);
  const call = /^(read|pread64|lseek)\((\d+)<([^>]*)>, (.*)\) += (\d+)$/.exec(text);
  if (!call?.[3].startsWith(root)) continue;
  const [, name, fd, path, rest, answer] = call;
  const key = `${fd} ${path}`;
  const bytes = Number(answer);
  if (name === "lseek") positions.set(key, bytes);
  else if (name === "pread64") readPages(path, Number(rest.slice(rest.lastIndexOf(",") + 1)), bytes);
  else {
    const at = positions.get(key) ?? 0;
    readPages(path, at, bytes);
    positions.set(key, at + bytes);
  }
}
writeFileSync(target, gzipSync(`${lines.join("\n")}\n`, { level: 9 }));
console.log(`${lines.length} reads of ${pages.size} pages`);
