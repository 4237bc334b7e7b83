/** Opening what others have put into a directory that all may write. */
import { constants } from "node:fs";
import type { NodeFs } from "../../helpers/subject.ts";
import { CALLERS, makeDirectory, makeFile, O_PATH, OWNER, openAndClose, type PermissionCase } from "./case.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;
const STRANGER = 1009;

const FLAGS: Record<string, number> = {
  O_CREAT: O_CREAT | O_WRONLY,
  "O_CREAT|O_NOFOLLOW": O_CREAT | O_NOFOLLOW | O_WRONLY,
  "O_CREAT|O_NOFOLLOW, to read": O_CREAT | O_NOFOLLOW | O_RDONLY,
  "O_CREAT|O_NOFOLLOW|O_TRUNC": O_CREAT | O_NOFOLLOW | O_TRUNC | O_RDWR,
  "O_CREAT|O_EXCL": O_CREAT | O_EXCL | O_WRONLY,
  "O_CREAT|O_NOFOLLOW|O_PATH": O_CREAT | O_NOFOLLOW | O_PATH,
  O_NOFOLLOW: O_NOFOLLOW | O_WRONLY,
};

const NAMES = ["f", "l", "l-dangling", "l-s", "s", "new", "../open/to-l"];

/** Names in a sticky directory `d`: a file, links to it, to nothing and to a directory, and a link to one of these elsewhere. */
function setUp(mode: number, directoryOwner: number, owner: number): PermissionCase["setUp"] {
  return (fs: NodeFs, root: string) => {
    makeDirectory(fs, `${root}/open`, { mode: 0o777 });
    fs.symlinkSync("../d/l", `${root}/open/to-l`);
    makeDirectory(fs, `${root}/d`, { uid: directoryOwner, mode });
    makeFile(fs, `${root}/d/f`, { uid: owner, mode: 0o666 });
    makeDirectory(fs, `${root}/d/s`, { uid: owner, mode: 0o777 });
    for (const [name, target] of Object.entries({ l: "f", "l-dangling": "made", "l-s": "s" })) {
      fs.symlinkSync(target, `${root}/d/${name}`);
      fs.lchownSync(`${root}/d/${name}`, owner, owner);
    }
  };
}

export const STICKY_OPEN_CASES: readonly PermissionCase[] = Object.entries(CALLERS).flatMap(([name, caller]) =>
  [OWNER, STRANGER, 0].flatMap((directoryOwner) =>
    [OWNER, STRANGER, 0].flatMap((owner) =>
      [0o1777, 0o1775, 0o777].flatMap((mode) =>
        NAMES.flatMap((path) =>
          Object.entries(FLAGS).map(([what, flags]) => ({
            id: `${name}, sticky ${mode.toString(8)} of ${directoryOwner}, ${path} of ${owner}: open ${what}`,
            caller,
            setUp: setUp(mode, directoryOwner, owner),
            call: (fs: NodeFs, root: string) => openAndClose(fs, `${root}/d/${path}`, flags, 0o644),
          })),
        ),
      ),
    ),
  ),
);
