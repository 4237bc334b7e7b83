/**
 * A POSIX file system as Linux has it on a tmpfs, in plain objects: what outcomes are held against where there is no kernel to ask.
 *
 * It is written to be read, knows nothing of foliofs, and is itself held against the kernel: `foliofs fuzz --subject model`. What it
 * has is what node:fs can make on an empty tmpfs; time is the clock's, since outcomes tell "now" alone.
 */
import { O_CREAT, O_WRONLY } from "../../base/stat-flags.ts";
import { KEPT_MODE, KEPT_NAME, ROOT_TASK, rootsOf } from "../call.ts";
import type { MakeMachine } from "../subject.ts";
import type { Directory } from "./inode.ts";
import { mkdirs } from "./node-calls.ts";
import { faceOf } from "./node-face.ts";
import { ModelFileSystem, ModelTask } from "./task.ts";

export const MODEL = "model";
const FOLDER_MODE = 0o755;

/** The folder that an oracle without a root of its own has: the first task's. */
function makeFolder(fileSystem: ModelFileSystem, path: string, uid: number, gid: number): Directory {
  const maker = new ModelTask(fileSystem, ROOT_TASK);
  mkdirs(maker, path, FOLDER_MODE);
  maker.chown(path, uid, gid);
  return maker.stat(path) as Directory;
}

function makeTaskRoot(fileSystem: ModelFileSystem, path: string): void {
  const maker = new ModelTask(fileSystem, ROOT_TASK);
  maker.mkdir(path, FOLDER_MODE);
  maker.close(maker.open(`${path}/${KEPT_NAME}`, O_WRONLY | O_CREAT, KEPT_MODE));
}

/** A machine of the model: a runner as any file system is one, on either side. */
export const makeModel: MakeMachine = ({ tasks, root, protectsHardlinks = false }) => {
  const fileSystem = new ModelFileSystem(protectsHardlinks);
  const [{ uid, gid }] = tasks;
  const start = root === "" ? fileSystem.root : makeFolder(fileSystem, root, uid, gid);
  for (const name of rootsOf(tasks)) makeTaskRoot(fileSystem, `/${name}`);
  const faces = tasks.map((who) => {
    const task = new ModelTask(fileSystem, who);
    if (who.root === undefined) task.goTo(start);
    else task.chroot(who.root);
    return faceOf(task);
  });
  return { faces, end: () => {} };
};
