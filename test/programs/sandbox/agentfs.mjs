/** Each method of agentfs-sdk's FileSystem on ours and on its own, a database in memory. */
import { AgentFS } from "agentfs-sdk";
import { createAgentFs } from "foliofs/agentfs";
import { differences, outcomes } from "./outcomes.mjs";

const R = { recursive: true };
const F = { force: true };

const SCENES = {
  "text and bytes": [
    ["writeFile", "/f", "hällo"],
    ["readFile", "/f"],
    ["readFile", "/f", "utf8"],
    ["readFile", "/f", { encoding: "hex" }],
    ["readFile", "/f", "base64"],
    ["readFile", "/f", "latin1"],
    ["readFile", "/f", {}],
    ["writeFile", "/g", Buffer.of(0, 255, 128)],
    ["readFile", "/g"],
    ["writeFile", "/h", "68c3a4", "hex"],
    ["writeFile", "/h2", "aMOk", { encoding: "base64" }],
    ["readFile", "/h"],
    ["readFile", "/h2"],
    ["writeFile", "/made/for/it", "x"],
    ["readFile", "/made/for/it", "utf8"],
    ["writeFile", "/f", ""],
    ["readFile", "/f"],
    ["stat", "/f"],
    ["stat", "/made"],
    ["stat", "/"],
    ["writeFile", "/made", "x"],
    ["readFile", "/made"],
    ["readFile", "/"],
  ],
  "missing things": [
    ["readFile", "/none"],
    ["stat", "/none"],
    ["lstat", "/none"],
    ["readdir", "/none"],
    ["readdirPlus", "/none"],
    ["rm", "/none"],
    ["rm", "/none", F],
    ["rmdir", "/none"],
    ["unlink", "/none"],
    ["rename", "/none", "/x"],
    ["copyFile", "/none", "/x"],
    ["readlink", "/none"],
    ["access", "/none"],
    ["access", "/"],
    ["open", "/none"],
    ["mkdir", "/none/below"],
    ["symlink", "x", "/none/below"],
  ],
  directories: [
    ["mkdir", "/a"],
    ["mkdir", "/a"],
    ["mkdir", "/"],
    ["mkdir", "/a/b"],
    ["writeFile", "/a/z", "zz"],
    ["writeFile", "/a/y", ""],
    ["readdir", "/a"],
    ["readdirPlus", "/a"],
    ["readdir", "/a/y"],
    ["readdirPlus", "/a/y"],
    ["mkdir", "/a/y"],
    ["mkdir", "/a/y/below"],
    ["unlink", "/a"],
    ["rmdir", "/a"],
    ["rmdir", "/a/y"],
    ["rmdir", "/a/b"],
    ["rm", "/a"],
    ["rm", "/a", F],
    ["unlink", "/a/y"],
    ["rm", "/a/z"],
    ["readdir", "/a"],
    ["writeFile", "/a/1/2/3", ""],
    ["rm", "/a", R],
    ["access", "/a"],
    ["rm", "/"],
    ["rm", "/", R],
    ["rmdir", "/"],
    ["unlink", "/"],
  ],
  names: [
    ["writeFile", "/a/f", "f"],
    ["writeFile", "/g", "g"],
    ["rename", "/a/f", "/h"],
    ["access", "/a/f"],
    ["readFile", "/h", "utf8"],
    ["rename", "/h", "/g"],
    ["readFile", "/g", "utf8"],
    ["rename", "/g", "/g"],
    ["rename", "/g", "/none/g"],
    ["rename", "/a", "/g"],
    ["rename", "/g", "/a"],
    ["rename", "/a", "/a/b"],
    ["rename", "/", "/x"],
    ["rename", "/a", "/"],
    ["mkdir", "/empty"],
    ["writeFile", "/full/x", "x"],
    ["rename", "/empty", "/full"],
    ["rename", "/full", "/empty"],
    ["readdir", "/empty"],
    ["copyFile", "/g", "/copy"],
    ["readFile", "/copy", "utf8"],
    ["copyFile", "/g", "/g"],
    ["copyFile", "/g", "/empty"],
    ["copyFile", "/empty", "/x"],
    ["copyFile", "/g", "/none/x"],
    ["copyFile", "/copy", "/empty/x"],
    ["readFile", "/empty/x", "utf8"],
  ],
  "symbolic links": [
    ["writeFile", "/d/f", "through"],
    ["symlink", "d/f", "/l"],
    ["readlink", "/l"],
    ["lstat", "/l"],
    ["symlink", "x", "/l"],
    ["readlink", "/d/f"],
    ["readlink", "/d"],
    ["access", "/l"],
    ["readdirPlus", "/"],
    ["stat", "/l"],
    ["readFile", "/l", "utf8"],
    ["unlink", "/l"],
  ],
};

const theirs = await outcomes(async () => (await AgentFS.open({ path: ":memory:" })).fs, SCENES);
const ours = await outcomes(() => createAgentFs(), SCENES);
console.log(JSON.stringify({ differences: differences(ours, theirs), nr: Object.values(ours).flat().length }));

/** Open files. */
async function onHandle(fs) {
  await fs.writeFile("/f", "0123456789");
  const file = await fs.open("/f");
  const told = [];
  const say = (value) =>
    told.push(value instanceof Uint8Array ? [Buffer.isBuffer(value), value.toString("latin1")] : value);
  say(await file.pread(2, 3));
  say(await file.pread(8, 10));
  say(await file.pread(10, 5));
  await file.pwrite(3, Buffer.from("abc"));
  await file.pwrite(12, Buffer.from("end"));
  await file.pwrite(0, Buffer.alloc(0));
  await file.fsync();
  say(await file.pread(0, 100));
  say((await file.fstat()).size);
  await file.truncate(4);
  say(await fs.readFile("/f"));
  await file.truncate(6);
  say((await file.fstat()).size);
  await file.pwrite(10_000, Buffer.from("far"));
  say((await fs.stat("/f")).size);
  await file.truncate(0);
  say(await fs.readFile("/f"));
  await file.pwrite(0, Buffer.from("x"));
  await fs.rename("/f", "/g");
  say(await file.pread(0, 9));
  say(await fs.statfs());
  say(Math.abs((await file.fstat()).mtime - Date.now() / 1000) < 5);
  return told;
}
const [here, there] = [await onHandle(createAgentFs()), await onHandle((await AgentFS.open({ path: ":memory:" })).fs)];
console.log(JSON.stringify(here));
console.log(
  JSON.stringify(
    here.flatMap((value, i) => (JSON.stringify(value) === JSON.stringify(there[i]) ? [] : [[value, there[i]]])),
  ),
);
