/**
 * Runs a work module on the host or on foliofs: node run.mjs '{"where", "work", "root", "replace", "uid", "maxFiles", "args"}'
 * (see ../both.ts). Its default function is called with
 *   fs      node:fs, or a face of foliofs as the same user, in the same directory
 *   root    that directory, empty; absolute; the working directory of process and task
 *   say     prints a line: strings as they are, all else as JSON
 *   args    of both()
 * Modules are imported before the process gives up its rights, which it does on both sides.
 */
import nodeFs from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

const { where, work, root, replace, uid, maxFiles, args } = JSON.parse(process.argv[2]);
process.umask(0o022);
/** Told last: a process also ends, by 0, when nothing is left that it could wait for. */
const FINISHED = "finished";

async function makeFoliofs() {
  const { createFsSync } = await import(new URL("../../../dist/index.js", import.meta.url).href);
  const first = createFsSync();
  first.mkdirSync(root, { recursive: true });
  first.chownSync(root, uid, uid);
  for (let path = root; path !== "/"; path = dirname(path)) first.chmodSync(path, nodeFs.statSync(path).mode);
  return first.kernel.task({ uid, gid: uid, cwd: root, umask: 0o022, maxFiles });
}

function say(...values) {
  const texts = values.map((value) => (typeof value === "string" ? value : JSON.stringify(value)));
  process.stdout.write(`${texts.join(" ")}\n`); // waits where the pipe is full, which a program may have made non-blocking
}

const fs = where === "host" ? nodeFs : await makeFoliofs();
if (replace && where === "foliofs") {
  const { replaceFs } = await import("./replace-fs.mjs");
  await replaceFs(fs);
}
const { default: main } = work.endsWith(".cjs")
  ? { default: createRequire(import.meta.url)(work) }
  : await import(pathToFileURL(work).href);
if (uid !== 0) {
  process.setgroups([]);
  process.setgid(uid);
  process.setuid(uid);
}
await main({ fs, root, say, args });
say(FINISHED);
