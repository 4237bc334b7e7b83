/** Path to contents; null is an empty directory. */
export type DirectoryJson<Contents = string | Uint8Array | null> = Record<string, Contents>;

/** What fromJSON takes: contents as text or bytes, null for an empty directory, an object for one with names in it. */
export interface NestedDirectoryJson {
  [path: string]: string | ArrayBufferView | ArrayBufferLike | null | NestedDirectoryJson;
}
