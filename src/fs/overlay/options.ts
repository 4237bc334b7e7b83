/**
 * Mount options of overlay: "lowerdir=/a:/b,upperdir=/u,workdir=/w,redirect_dir=on".
 *
 * A backslash takes a comma, a colon or a backslash literally.
 *
 * Does not own: what the directories are (ovl-super.ts), options of the VFS (vfs/mount.ts).
 *
 * @see Linux fs/overlayfs/params.c ovl_parse_param(), ovl_fs_params_verify(); Documentation/filesystems/overlayfs.rst
 */

/** Most lower layers. @see Linux OVL_MAX_STACK */
const MAX_LOWER = 500;

/** Options as they are in force. */
export interface OverlayOptions {
  /** From the uppermost down, at least one; escapes are undone. */
  readonly lowerdirs: readonly string[];
  /** So many of them, the last ones, are for data alone: no name of theirs shows. */
  readonly nrData: number;
  readonly upperdir: string | undefined;
  readonly workdir: string | undefined;
  /** Renames of directories that have a lower part leave a redirect. */
  readonly redirectDir: boolean;
  /** Redirects that are there are followed. */
  readonly redirectFollow: boolean;
  /** Hard links of lower files stay linked when they are copied up. */
  readonly index: boolean;
  /** Numbers of inodes of several file systems are told apart by their high bits. */
  readonly xino: boolean;
  /** Changes of attributes copy no data. */
  readonly metacopy: boolean;
  /** Nothing is synced. */
  readonly volatile: boolean;
}

const REDIRECTS: Readonly<Record<string, { create: boolean; follow: boolean }>> = {
  on: { create: true, follow: true },
  follow: { create: false, follow: true },
  nofollow: { create: false, follow: false },
  off: { create: false, follow: true }, // redirect_always_follow
};
const SWITCHES = ["on", "off"];
const XINO = ["on", "off", "auto"];

/** Splits at each `separator` that no backslash stands before; escapes stay. */
function split(text: string, separator: string): string[] {
  const parts = [""];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === separator) parts.push("");
    else if (text[i] === "\\" && i + 1 < text.length) parts[parts.length - 1] += text[i] + text[++i];
    else parts[parts.length - 1] += text[i];
  }
  return parts;
}

function unescaped(text: string): string {
  return text.replace(/\\(.)/g, "$1");
}

/** What options say, by name; undefined for one that is not known, or of no value where it wants one. */
function valuesOf(data: string): Map<string, string> | undefined {
  const values = new Map<string, string>();
  for (const option of split(data, ",").filter(Boolean)) {
    const at = option.indexOf("=");
    const name = at < 0 ? option : option.slice(0, at);
    const value = option.slice(at + 1);
    const allowed = ALLOWED[name];
    if (allowed === undefined || at < 0 !== (allowed === NO_VALUE)) return undefined;
    if (Array.isArray(allowed) ? !allowed.includes(value) : value === "") return undefined;
    values.set(name, value);
  }
  return values;
}

const NO_VALUE = "none";
const A_PATH = "path";
const ALLOWED: Readonly<Record<string, readonly string[] | string | undefined>> = Object.assign(Object.create(null), {
  lowerdir: A_PATH,
  upperdir: A_PATH,
  workdir: A_PATH,
  redirect_dir: Object.keys(REDIRECTS),
  index: SWITCHES,
  xino: XINO,
  metacopy: SWITCHES,
  volatile: NO_VALUE,
});

const DEFAULTS: Readonly<Record<string, string | undefined>> = {
  redirect_dir: "off",
  index: "off",
  xino: "off",
  metacopy: "off",
};

/** "/a:/b::/c::/d": a and b, and c and d for data alone. @see Linux ovl_parse_param_lowerdir() */
function lowerdirsOf(text: string): Pick<OverlayOptions, "lowerdirs" | "nrData"> | undefined {
  const [first, ...rest] = split(text, ":").map(unescaped);
  const lowerdirs = [first];
  let nrData = 0;
  for (let i = 0; i < rest.length; i++) {
    const isData = rest[i] === "";
    if (isData) nrData++;
    else if (nrData > 0) return undefined;
    lowerdirs.push(isData ? rest[++i] : rest[i]);
  }
  return lowerdirs.length > MAX_LOWER || lowerdirs.some((dir) => !dir) ? undefined : { lowerdirs, nrData };
}

/** What `redirect_dir` comes to. metacopy=on wants it on, without an upper layer followed. @returns undefined where these do not go together */
function redirectsOf(
  given: string | undefined,
  metacopy: boolean,
  hasUpper: boolean,
): (typeof REDIRECTS)[string] | undefined {
  if (!metacopy) return REDIRECTS[given ?? "off"];
  const redirects = REDIRECTS[given ?? "on"];
  return redirects.create || (!hasUpper && redirects.follow) ? redirects : undefined;
}

/**
 * Reads the options.
 *
 * @returns undefined, which is EINVAL: an option that is not known or has a wrong value; no `lowerdir`, or an empty one of several, or one
 *   behind those for data alone that is not; one `lowerdir` without `upperdir`; `upperdir` without `workdir`; more than 500 layers;
 *   metacopy=on where redirect_dir is given and not on, or without `upperdir` nofollow
 * @see Linux fs/overlayfs/params.c ovl_fs_params_verify()
 */
export function parseOptions(data: string): OverlayOptions | undefined {
  const values = valuesOf(data);
  const lowers = lowerdirsOf(values?.get("lowerdir") ?? "");
  if (values === undefined || lowers === undefined) return undefined;
  const upper = values.get("upperdir");
  const work = values.get("workdir");
  if (upper === undefined ? lowers.lowerdirs.length < 2 : work === undefined) return undefined;
  const metacopy = values.get("metacopy") === "on";
  const redirect = redirectsOf(values.get("redirect_dir"), metacopy, upper !== undefined);
  if (redirect === undefined) return undefined;
  return {
    ...lowers,
    upperdir: upper && unescaped(upper),
    workdir: upper && work && unescaped(work), // without an upper directory it has no meaning
    redirectDir: redirect.create,
    redirectFollow: redirect.follow,
    index: values.get("index") === "on" && upper !== undefined,
    xino: ["on", "auto"].includes(values.get("xino") ?? "off"),
    metacopy,
    volatile: values.has("volatile") && upper !== undefined,
  };
}

/**
 * Options as a remount leaves them: `lowerdir` may be another, all others are as they were.
 *
 * @returns undefined for what cannot be changed, is not known, or has a wrong value
 */
export function changedOptions(before: string, data: string): string | undefined {
  const [old, wanted] = [valuesOf(before), valuesOf(data)];
  if (old === undefined || wanted === undefined) return undefined;
  for (const [name, value] of wanted) {
    if (name !== "lowerdir" && value !== (old.get(name) ?? DEFAULTS[name])) return undefined;
    old.set(name, value);
  }
  const text = [...old].map(([name, value]) => (ALLOWED[name] === NO_VALUE ? name : `${name}=${value}`)).join();
  return parseOptions(text) && text;
}

/** Options for mount tables, in Linux's order: paths as they were written, and what others bring with them. */
export function shownOptions(data: string): string {
  const values = valuesOf(data) ?? new Map<string, string>();
  if (values.get("metacopy") === "on") values.set("redirect_dir", "on");
  return Object.keys(ALLOWED)
    .filter((name) => values.has(name) && values.get(name) !== DEFAULTS[name])
    .map((name) => (ALLOWED[name] === NO_VALUE ? name : `${name}=${values.get(name)}`))
    .join();
}
