/** Two users in a shared, sticky directory; and one who sees a part of the tree only. */
import assert from "node:assert/strict";
import { createFsSync } from "foliofs";

const fs = createFsSync(); // the first task is root
fs.mkdirSync("/shared");
fs.chmodSync("/shared", 0o1777);
fs.mkdirSync("/team");
fs.chownSync("/team", 0, 500);
fs.chmodSync("/team", 0o2770);

const ann = fs.kernel.task({ uid: 1001, gid: 1001, groups: [500], cwd: "/shared" });
const bob = fs.kernel.task({ uid: 1002, gid: 1002, cwd: "/shared", umask: 0o077 });

ann.writeFileSync("from-ann", "hello");
bob.readFileSync("from-ann", "utf8"); // → "hello"
assert.throws(() => bob.writeFileSync("from-ann", "bye"), { code: "EACCES" });
assert.throws(() => bob.unlinkSync("from-ann"), { code: "EPERM" });
assert.throws(() => bob.renameSync("from-ann", "from-bob"), { code: "EPERM" });

// Files made in a setgid directory belong to its group.
ann.writeFileSync("/team/plan", "");
fs.statSync("/team/plan").gid; // → 500
assert.throws(() => bob.readdirSync("/team"), { code: "EACCES" });

bob.writeFileSync("private", "");
assert.throws(() => ann.readFileSync("private"), { code: "EACCES" });
fs.statSync("/shared/private").mode & 0o777; // → 0o600

// A root of one's own: links and ".." end there.
fs.symlinkSync("/from-ann", "/shared/link");
const guest = fs.kernel.task({ uid: 1003, gid: 1003, root: "/shared" });
guest.readFileSync("/link", "utf8"); // → "hello"
guest.readdirSync("/../.."); // → ["from-ann", "link", "private"]
