// What an export gives: files by their names, and in words what they cannot say.
export interface ExportedFiles {
  /** Text by file name, relative to the folder that the tool reads. */
  readonly files: ReadonlyMap<string, string>;
  /** One sentence for each thing that had to be left out. */
  readonly left: readonly string[];
}
