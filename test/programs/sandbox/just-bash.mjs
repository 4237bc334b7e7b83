/** Each method of just-bash's IFileSystem on ours and on its own InMemoryFs, and scripts of the shell on both. */
import { createBashFs } from "foliofs/just-bash";
import { Bash, InMemoryFs, MountableFs } from "just-bash";
import { differences, outcomes } from "./outcomes.mjs";

const bytes = (...all) => Uint8Array.from(all);
const R = { recursive: true };
const F = { force: true };

const SCENES = {
  "text and bytes": [
    ["writeFile", "/f", "hällo"],
    ["readFile", "/f"],
    ["readFile", "/f", "utf8"],
    ["readFile", "/f", { encoding: "utf-8" }],
    ["readFile", "/f", { encoding: null }],
    ["readFile", "/f", "latin1"],
    ["readFile", "/f", "binary"],
    ["readFile", "/f", "hex"],
    ["readFile", "/f", "base64"],
    ["readFileBuffer", "/f"],
    ["writeFile", "/g", bytes(0, 255, 128)],
    ["readFileBuffer", "/g"],
    ["readFile", "/g", "latin1"],
    ["writeFile", "/h", "68c3a4", "hex"],
    ["writeFile", "/b", "aMOk", { encoding: "base64" }],
    ["writeFile", "/l", "h\u00e4", "latin1"],
    ["readFileBuffer", "/h"],
    ["readFileBuffer", "/b"],
    ["readFileBuffer", "/l"],
    ["writeFile", "/f", ""],
    ["readFile", "/f"],
    ["stat", "/f"],
  ],
  appending: [
    ["appendFile", "/f", "a"],
    ["appendFile", "/f", "b"],
    ["appendFile", "/f", bytes(99)],
    ["appendFile", "/f", "64", "hex"],
    ["readFile", "/f"],
    ["appendFile", "/d/e/f", "new"],
    ["readFile", "/d/e/f"],
    ["appendFile", "/d", "x"],
  ],
  "missing things": [
    ["readFile", "/none"],
    ["readFileBuffer", "/none"],
    ["stat", "/none"],
    ["lstat", "/none"],
    ["readdir", "/none"],
    ["readdirWithFileTypes", "/none"],
    ["rm", "/none"],
    ["rm", "/none", F],
    ["rm", "/none/below", F],
    ["cp", "/none", "/x"],
    ["mv", "/none", "/x"],
    ["chmod", "/none", 0o600],
    ["readlink", "/none"],
    ["realpath", "/none"],
    ["link", "/none", "/x"],
    ["utimes", "/none", new Date(0), new Date(0)],
    ["mkdir", "/none/below"],
    ["exists", "/none"],
    ["exists", "/"],
    ["exists", "/x\0y"],
    ["readFile", "/x\0y"],
    ["writeFile", "/x\0y", ""],
  ],
  directories: [
    ["mkdir", "/a"],
    ["mkdir", "/a"],
    ["mkdir", "/a", R],
    ["mkdir", "/a/b/c", R],
    ["writeFile", "/a/z", ""],
    ["writeFile", "/a/y", ""],
    ["readdir", "/a"],
    ["readdirWithFileTypes", "/a"],
    ["readdir", "/"],
    ["readdir", "/a/y"],
    ["mkdir", "/a/y"],
    ["stat", "/a"],
    ["stat", "/"],
    ["readFile", "/a"],
    ["rm", "/a/b"],
    ["rm", "/a/b/c"],
    ["rm", "/a/b"],
    ["rm", "/a"],
    ["rm", "/a", R],
    ["exists", "/a"],
    ["getAllPaths"],
  ],
  paths: [
    ["writeFile", "a//b/./c/../f", "x"],
    ["readFile", "/a/b/f/"],
    ["readdir", "/a/b/"],
    ["readFile", "/../a/b/f"],
    ["resolvePath", "/a/b", "../c"],
    ["resolvePath", "/a/b", "/x/./y/../z"],
    ["resolvePath", "/", "x"],
    ["resolvePath", "/a", "../../.."],
    ["resolvePath", "/a", ""],
    ["getAllPaths"],
  ],
  modes: [
    ["writeFile", "/f", "x"],
    ["stat", "/f"],
    ["chmod", "/f", 0o751],
    ["stat", "/f"],
    ["mkdir", "/d"],
    ["chmod", "/d", 0o700],
    ["stat", "/d"],
    ["symlink", "f", "/l"],
    ["chmod", "/l", 0o600],
    ["stat", "/f"],
    ["lstat", "/l"],
  ],
  "symbolic links": [
    ["writeFile", "/d/f", "through"],
    ["symlink", "d/f", "/l"],
    ["symlink", "/d", "/dir"],
    ["readFile", "/l"],
    ["readFile", "/dir/f"],
    ["readlink", "/l"],
    ["readlink", "/d/f"],
    ["readlink", "/d"],
    ["stat", "/l"],
    ["lstat", "/l"],
    ["realpath", "/dir/f"],
    ["realpath", "/l"],
    ["symlink", "x", "/l"],
    ["symlink", "nowhere", "/broken"],
    ["exists", "/broken"],
    ["stat", "/broken"],
    ["lstat", "/broken"],
    ["realpath", "/broken"],
    ["readFile", "/broken"],
    ["writeFile", "/l", "changed"],
    ["readFile", "/d/f"],
    ["rm", "/dir"],
    ["exists", "/d/f"],
    ["rm", "/broken"],
    ["symlink", "loop", "/loop"],
    ["readFile", "/loop"],
    ["exists", "/loop"],
    ["readdirWithFileTypes", "/"],
  ],
  "hard links": [
    ["writeFile", "/f", "one"],
    ["link", "/f", "/g"],
    ["readFile", "/g"],
    ["link", "/f", "/g"],
    ["mkdir", "/d"],
    ["link", "/d", "/e"],
    ["rm", "/f"],
    ["readFile", "/g"],
  ],
  copies: [
    ["writeFile", "/a/f", "f"],
    ["writeFile", "/a/b/g", "g"],
    ["chmod", "/a/f", 0o711],
    ["cp", "/a/f", "/copy"],
    ["readFile", "/copy"],
    ["stat", "/copy"],
    ["cp", "/a/f", "/new/dir/copy"],
    ["readFile", "/new/dir/copy"],
    ["cp", "/a", "/tree"],
    ["cp", "/a", "/tree", R],
    ["getAllPaths"],
    ["readFile", "/tree/b/g"],
    ["writeFile", "/a/f", "changed"],
    ["readFile", "/tree/f"],
    ["symlink", "f", "/a/l"],
    ["cp", "/a", "/again", R],
    ["readlink", "/again/l"],
  ],
  moves: [
    ["writeFile", "/a/f", "f"],
    ["writeFile", "/g", "g"],
    ["mv", "/a/f", "/h"],
    ["exists", "/a/f"],
    ["readFile", "/h"],
    ["mv", "/h", "/g"],
    ["readFile", "/g"],
    ["mv", "/g", "/new/dir/g"],
    ["readFile", "/new/dir/g"],
    ["mv", "/new", "/old"],
    ["getAllPaths"],
    ["writeFile", "/x/one", "1"],
    ["writeFile", "/y/two", "2"],
    ["mv", "/x", "/y"],
    ["readdir", "/y"],
    ["exists", "/x"],
  ],
};

const ours = await outcomes(() => createBashFs(), SCENES);
const theirs = await outcomes(() => new InMemoryFs(), SCENES);
console.log(JSON.stringify({ differences: differences(ours, theirs), nr: Object.values(ours).flat().length }));

// The shell itself, on both.
const SCRIPTS = [
  "echo hello > f && cat f && wc -c < f",
  "mkdir -p a/b/c && touch a/b/c/{1,2,3} && ls a/b/c && find . -type f | sort",
  "printf 'b\\na\\nc\\n' > l && sort l && sort l | head -1 && tac l",
  "ln -s f s && readlink s && cat s && test -L s && echo link",
  "ln f hard && echo more >> hard && cat f && test f -ef hard && echo same",
  "cp -r a copy && ls -R copy && rm -r copy && ls",
  "mv a moved && ls moved && mv moved/b . && find moved b | sort",
  "chmod 600 f && stat -c '%a %s' f && test -x f || echo no",
  "cat none; echo $?; rm none; echo $?; rm -f none; echo $?; rmdir b; echo $?",
  "for i in 1 2 3; do echo $i > n$i; done; cat n?; echo */",
  "cd b && pwd && cd .. && cd s; echo $?; cd -P / && pwd; cd /home/user",
  "echo x > new/dir/f; echo $?; printf '\\x00\\xff' > bin && xxd bin",
  "grep -r 2 . | sort; sed -i s/2/two/ n2 && cat n2; tar cf t.tar n1 n2 && tar tf t.tar && gzip -k n1 && zcat n1.gz",
  "echo '{\"a\":[1,2]}' > j && jq -c .a j; awk '{ print NR, $0 }' l; diff n1 n2; ls -d /tmp /bin /usr/bin",
];
async function runAll(fs) {
  const bash = new Bash({ fs });
  const told = [];
  for (const script of SCRIPTS) {
    const { stdout, stderr, exitCode } = await bash.exec(script);
    told.push([stdout, stderr, exitCode]);
  }
  return told;
}
const bashFs = createBashFs();
const [here, there] = [await runAll(bashFs), await runAll(new InMemoryFs())];
console.log(
  JSON.stringify(
    SCRIPTS.map((script, i) => [script, here[i], there[i]]).filter(
      ([, a, b]) => JSON.stringify(a) !== JSON.stringify(b),
    ),
  ),
);
console.log(JSON.stringify(here.map(([, , code]) => code)));

// Limits, and what is shared.
const code = (call) =>
  call.then(
    () => "done",
    (error) => error.code,
  );
const small = createBashFs({ size: 2 ** 20, nr_inodes: 250 }); // of which the shell takes 190 for /bin, /dev and /proc
const bash = new Bash({ fs: small });
const large = await code(bash.exec("printf %02000000d 1 > big"));
await bash.exec("rm big; for i in $(seq 100); do touch file$i; done").catch(() => {});
console.log(JSON.stringify([large, await code(small.writeFile("/one-more", "")), small.fs.statfsSync("/").ffree]));

const kernel = createBashFs({ size: 8 * 2 ** 20 }).fs;
kernel.mkdirSync("/agents/7", { recursive: true });
kernel.chownSync("/agents/7", 7, 7);
kernel.writeFileSync("/secret", "", { mode: 0o600 });
const agent = kernel.kernel.task({ root: "/agents/7", uid: 7, gid: 7 });
const rooted = createBashFs({ fs: agent });
await new Bash({ fs: rooted, cwd: "/" }).exec("echo mine > /note; ln -s /secret /s; cat ../../secret");
console.log(
  JSON.stringify([
    kernel.readFileSync("/agents/7/note", "utf8"),
    await rooted.exists("/s"),
    await rooted.exists("/../../secret"),
  ]),
);
const snapshot = rooted.fs === agent && bashFs.fs.kernel.snapshot().length > 0;
const mounted = new MountableFs({ base: new InMemoryFs() });
mounted.mount("/folio", createBashFs());
await mounted.writeFile("/folio/x", "mounted");
console.log(JSON.stringify([snapshot, await mounted.readFile("/folio/x"), (await rooted.stat("/note")).ino > 0]));
