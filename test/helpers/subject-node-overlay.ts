/** The oracle of overlays: node:fs on an overlay of the host, over layers on its tmpfs. */
import { spawnSync } from "node:child_process";
import nodeFs from "node:fs";
import { LayerStack, type OverlayHost } from "./layer-stack.ts";
import type { Subject } from "./subject.ts";
import { createNodeFsSubject, missingForOracle, TMPFS } from "./subject-node-fs.ts";
import { type OverlaySetup, sunkOnce } from "./subject-overlay.ts";

/** How long an overlay that has been unmounted may live on, in milliseconds: whoever makes a mount namespace meanwhile has a copy of it. */
const MOST_WAITED_MS = 50_000;
const PAUSE_MS = 50;

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")}: ${stderr}`);
}

/** As run(), again while a layer is still in use. */
function runWhenFree(command: string, ...args: string[]): void {
  for (const end = Date.now() + MOST_WAITED_MS; ; ) {
    const { status, stderr } = spawnSync(command, args, { encoding: "utf8" });
    if (status === 0) return;
    if (Date.now() > end || !/busy|already mounted/.test(stderr)) throw new Error(`${args.join(" ")}: ${stderr}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

const HOST: OverlayHost = {
  fs: nodeFs,
  mount: (data, target) => runWhenFree("mount", "-t", "overlay", "-o", data, "overlay", target),
  umount: (target) => run("umount", target),
  detach: (target) => run("umount", "--lazy", target),
};

/** What the oracle needs of the host; a sentence when it is missing, else undefined. */
export function missingForOverlays(): string | undefined {
  const isThere = (): boolean => /\boverlay$/m.test(nodeFs.readFileSync("/proc/filesystems", "utf8"));
  return missingForOracle() ?? (isThere() ? undefined : "this kernel has no overlayfs");
}

/** As createOverlaySubject(), but that the root lies below the mount always. */
export function createNodeOverlaySubject(setup: OverlaySetup): Subject {
  const home = process.cwd();
  const base = nodeFs.mkdtempSync(`${TMPFS}/foliofs-overlay-`);
  nodeFs.chmodSync(base, 0o755);
  const [target, layersBase, root] = [`${base}/top`, `${base}/layers`, `${base}/top/root`];
  for (const path of [target, layersBase]) nodeFs.mkdirSync(path);
  const { isRootBelow, lowers, options } = setup;
  const stack = new LayerStack(HOST, { base: layersBase, target, lowers, inside: isRootBelow ? "root" : "", options });

  function whileOutside<T>(call: () => T): T {
    process.chdir(home);
    const result = call();
    if (nodeFs.existsSync(root)) process.chdir(root);
    return result;
  }

  stack.renew();
  const layers = {
    renew: () =>
      whileOutside(() => {
        stack.renew();
        nodeFs.mkdirSync(root, { recursive: true });
      }),
    sink: () => whileOutside(() => stack.sink()),
  };
  const subject = createNodeFsSubject(root);
  return {
    ...subject,
    name: "overlay of the host",
    fs: sunkOnce(subject.fs, layers, setup),
    layers,
    dispose: () => {
      process.chdir(home);
      stack.unmount();
      nodeFs.rmSync(base, { recursive: true });
    },
  };
}
