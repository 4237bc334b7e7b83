/**
 * Writes docs/compatibility.md: which functions of node:fs, in which form, a foliofs face has, read off the two objects
 * themselves; and the differences that the differential test allows.
 *
 * Usage: node --import tsx scripts/gen-compatibility.mjs [--check]
 *   It takes a Node of at least version 26, whose node:fs is the one that foliofs follows; build/node26 has one after
 *   `npm run test:matrix`. With --check it writes nothing, and fails when the file is stale.
 */
import nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createFsSync } from "../src/index.ts";
import { DELIBERATE } from "../test/differential/deliberate.ts";
import { VERSION_REASONS } from "../test/differential/versions.ts";

const FILE = join(dirname(dirname(fileURLToPath(import.meta.url))), "docs/compatibility.md");
const FOLLOWED_MAJOR = 26;
const FORMS = ["sync", "callback", "promise"];
const CLASS_NAMES = ["FileHandle", "Dir", "Dirent", "Stats"];
/** Methods of FileHandle that may be there only to say that they are not. */
const OF_STREAMS = ["createReadStream", "createWriteStream", "readableWebStream", "readLines"];

/** What holds whatever the tables say; checked by hand, and by the tests named there. */
const NOTES = `## What else to know

- Constants, flags and mode bits are those of Linux on x86-64, on every platform. \`lchmod\` and \`lchmodSync\` are undefined
  and \`promises.lchmod\` rejects, as in Node on Linux.
- A face belongs to its task, not to the process: it starts as root, in \`/\`, with umask \`0o022\`, and descriptors start at 3.
- The work of callback and promise forms is done inside the call; the outcome comes later ([ADR 11](adr/0011-promises.md)),
  but sooner than in Node: a callback comes before ticks and microtasks that were queued after the call.
- Functions that do several things do them themselves: a replaced \`fsyncSync\` is not called by \`writeFileSync\`.
- \`F_OK\`, \`R_OK\`, \`W_OK\` and \`X_OK\`, which Node 26 has dropped, are still there, for older programs.
- Stacks of errors begin at the caller of the face, where Node's begin inside of Node; in callbacks, too, where Node's
  have no frames at all.
- FileHandles and Dirs that are collected open are closed, with the warnings of the running Node, or from version 25 on its
  error.
- \`path\` of a Dirent is there where the running Node has it (up to version 23).
- \`O_SYNC\`, \`O_DSYNC\`, \`O_DIRECT\`, \`O_NONBLOCK\` and \`O_NOCTTY\` are taken and change nothing: all data is in memory. \`fsync\`
  succeeds at once.
- Opening a socket or device is ENXIO ([ADR 12](adr/0012-special-files.md)), but for those of a devtmpfs; synchronous calls on fifos, and \`flockSync\`, never wait: EAGAIN ([linux.md](linux.md))
  ([ADR 13](adr/0013-flock.md)).
- The root is a tmpfs of the size of the memory limit. \`statfs\` of a ramfs shows no numbers of blocks and files, as Linux's does.
- In browsers, streams need \`import "foliofs/streams"\`, \`cp\`, \`glob\` and \`openAsBlob\` \`import "foliofs/trees"\`, \`watch\`,
  \`watchFile\` and their kin \`import "foliofs/watch"\`, before the file system is made. Without, these names are there and
  say so: ERR_METHOD_NOT_IMPLEMENTED.
- \`cpSync\` copies as the other two forms do. Node 26's loses what is in the way of a name of another kind, passes over fifos,
  takes every link for a directory when links are followed, and ends the process where a link leads nowhere. In all forms a
  directory is not copied into itself by way of a link; Node goes on until names are too long.
- A function as \`exclude\` of \`glob\` is asked about every entry; Node's asks about some. Several patterns find what each
  finds alone; with Node, one that has \`**\` may lose matches of another. In what order matches come is not said.
- \`cp\` with a filter takes names that are no UTF-8 too, and shows them to the filter as text; Node's then fails by ENOENT.
- A Blob of \`openAsBlob\` holds the data as it was; Node's cannot be read any more when the file has changed.
- What \`promises.watch\` with \`recursive\` gives waits to be asked for, where Node forgets what comes meanwhile
  ([watch.md](watch.md)).
- \`getAsyncId()\` of a FileHandle is 0; handles cannot be posted to workers.
- Where an asynchronous store has to answer first, callback and promise forms wait and synchronous ones fail with
  EAGAIN, \`existsSync\` too; so they do when memory is full of what such a store has to write. No built-in file system has one.
- At \`memoryLimit\`, a file system in memory is full: ENOSPC for data, names and inodes. ENOMEM is for what a process has:
  open files, locks, tasks, mounts.`;

/** Is it a function, and none of those that only say that there is none (src/node/not-implemented.ts)? */
function isThere(value) {
  return typeof value === "function" && !String(value).startsWith("function refuse(");
}

/** Lists a face's functions as `name form`, without classes, what Node hides, and what only says that there is none. */
export function formsOf(fs) {
  const found = new Set();
  for (const [name, value] of Object.entries(fs)) {
    if (!isThere(value) || /^[A-Z_]/.test(name)) continue;
    found.add(name.endsWith("Sync") ? `${name.slice(0, -"Sync".length)} sync` : `${name} callback`);
    if (typeof value.native === "function") found.add(`realpath.native ${name.endsWith("Sync") ? "sync" : "callback"}`);
  }
  for (const [name, value] of Object.entries(fs.promises)) if (isThere(value)) found.add(`${name} promise`);
  // What memfs has is synchronous without saying so, and views are.
  if (found.delete("readViewAsync callback")) found.add("readView promise");
  for (const name of ["fromJSON", "toJSON", "reset", "readView"])
    if (found.delete(`${name} callback`)) found.add(`${name} sync`);
  return found;
}

function formCell(key, ours, theirs) {
  if (ours.has(key)) return theirs.has(key) ? "yes" : "**own**";
  return theirs.has(key) ? "**missing**" : "";
}

/** Renders a row for each function that either of two faces has. */
function functionTable(foliofs, node) {
  const [ours, theirs] = [formsOf(foliofs), formsOf(node)];
  const names = [...new Set([...ours, ...theirs].map((key) => key.split(" ")[0]))].sort();
  const rows = names.map((name) => {
    const cells = FORMS.map((form) => formCell(`${name} ${form}`, ours, theirs));
    return `| \`${name}\` | ${cells.join(" | ")} |`;
  });
  return ["| function | synchronous | callback, or only form | promise |", "|---|---|---|---|", ...rows].join("\n");
}

/** Lists what an object of a class can do: its methods and accessors, inherited ones of Object and EventEmitter left out. */
function membersOf(object) {
  const names = new Set(Object.keys(object).filter((name) => typeof object[name] === "function"));
  for (let at = Object.getPrototypeOf(object); at !== null && isOwnClass(at); at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at)) names.add(name);
    for (const symbol of Object.getOwnPropertySymbols(at)) {
      if (/^Symbol\(Symbol\.(?:async)?(?:dispose|iterator)/i.test(String(symbol))) names.add(`[${symbol.description}]`);
    }
  }
  return new Set([...names].filter((name) => name !== "constructor" && name[0] !== "_"));
}

function isOwnClass(prototype) {
  return prototype !== Object.prototype && !["EventEmitter", "PlainEmitter"].includes(prototype.constructor.name);
}

function throwsNotImplemented(object, name) {
  try {
    object[name]();
    return false;
  } catch (error) {
    return error.code === "ERR_METHOD_NOT_IMPLEMENTED";
  }
}

/** Makes an object of each class with both. @returns lists of class, members in foliofs, members in Node */
async function classMembers(foliofs, node) {
  const folder = node.mkdtempSync(join(tmpdir(), "foliofs-compatibility-"));
  const made = [];
  for (const fs of [foliofs, node]) {
    const root = fs === node ? folder : "";
    fs.writeFileSync(`${root}/file`, "");
    const handle = await fs.promises.open(`${root}/file`);
    const dir = fs.opendirSync(`${root}/`);
    const [dirent] = fs.readdirSync(`${root}/`, { withFileTypes: true });
    made.push({ FileHandle: handle, Dir: dir, Dirent: dirent, Stats: fs.statSync(`${root}/file`) });
  }
  const members = CLASS_NAMES.map((name) => [name, ...made.map((each) => membersOf(each[name]))]);
  for (const name of OF_STREAMS) if (throwsNotImplemented(made[0].FileHandle, name)) members[0][1].delete(name);
  for (const { FileHandle: handle, Dir: dir } of made) {
    await handle.close();
    dir.closeSync();
  }
  node.rmSync(folder, { recursive: true });
  return members;
}

function code(names) {
  return names.map((name) => `\`${name}\``).join(", ");
}

function classTable(members) {
  const rows = members.map(([name, ours, theirs]) => {
    const both = [...theirs].filter((member) => ours.has(member)).sort();
    const missing = [...theirs].filter((member) => !ours.has(member)).sort();
    return `| \`${name}\` | ${code(both)} | ${missing.length > 0 ? `**missing**: ${code(missing)}` : ""} |`;
  });
  return ["| class | has | |", "|---|---|---|", ...rows].join("\n");
}

/** Says which exports there are of `fs` and `fs.promises`, those that are no functions too. */
function exportsText(foliofs, node) {
  const count = (theirs, ours, name) => {
    const names = Object.keys(theirs);
    const missing = names.filter((key) => !Object.hasOwn(ours, key) || (theirs[key] && !ours[key]));
    const lack = missing.length > 0 ? `**missing**: ${code(missing)}` : "all are there";
    return `${names.length} exports of \`${name}\`: ${lack}.`;
  };
  return [count(node, foliofs, "fs"), count(node.promises, foliofs.promises, "fs.promises")].join("\n");
}

function reasonTable(reasons, head) {
  const rows = reasons.map(({ cases, reason }) => `| \`${String(cases).replaceAll("|", "\\|")}\` | ${reason} |`);
  return [`| cases | ${head} |`, "|---|---|", ...rows].join("\n");
}

function deliberateText() {
  const file = "[deliberate.ts](../test/differential/deliberate.ts)";
  if (DELIBERATE.length === 0) return `None: the list, ${file}, is empty.`;
  return `From ${file}:\n\n${reasonTable(DELIBERATE, "why")}`;
}

/** Renders docs/compatibility.md. */
export async function renderCompatibility() {
  const foliofs = createFsSync({ memoryLimit: 2 ** 24 });
  const members = await classMembers(foliofs, nodeFs);
  return `# Compatibility with node:fs

Generated by scripts/gen-compatibility.mjs from the two objects, with Node ${process.versions.node}; do not edit.

## Functions

${exportsText(foliofs, nodeFs)}

"yes": as in Node ${FOLLOWED_MAJOR}; "own": foliofs has it, Node does not; empty: there is no such form. What takes a descriptor has its
promise form as a method of FileHandle.

${functionTable(foliofs, nodeFs)}

## Classes

${classTable(members)}

## Differences on purpose

The differential test (test/differential) drives every function in every form, with good, odd and bad arguments, through
foliofs and through \`node:fs\` on a tmpfs, and compares results and errors. Differences that it is told to allow:

${deliberateText()}

One is not in it, since Node does not answer: \`realpath\` of a link that has a second name at which it leads to itself (\`mkdir c; ln -s c a;
ln a c/c\`, then \`a/c\`) goes round for ever there, and is ELOOP here, as by \`realpath.native\`.

## Older Nodes

foliofs does as Node ${FOLLOWED_MAJOR} does on every Node. The cases in which Node 20 itself does something else
([versions.ts](../test/differential/versions.ts)):

${reasonTable(VERSION_REASONS, `what Node ${FOLLOWED_MAJOR} does`)}

${NOTES}
`;
}

async function main() {
  if (Number.parseInt(process.versions.node, 10) < FOLLOWED_MAJOR) {
    throw new Error(`needs Node ${FOLLOWED_MAJOR}, this is ${process.version}; see the head of this file`);
  }
  const text = await renderCompatibility();
  if (nodeFs.existsSync(FILE) && nodeFs.readFileSync(FILE, "utf8") === text) return;
  if (process.argv.includes("--check")) throw new Error("docs/compatibility.md is stale");
  nodeFs.writeFileSync(FILE, text);
  console.log("written: docs/compatibility.md");
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await main();
  } catch (error) {
    console.error(`gen-compatibility: ${error.message}`);
    process.exitCode = 1;
  }
}
