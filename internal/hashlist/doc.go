// Package hashlist reads and writes lists of flags: moderator's own NDJSON, which holds everything, and the formats in which
// hashes of pictures are exchanged. docs/lists.md describes the formats.
//
// A list is read flag by flag, in memory that does not depend on its length:
//
//	Open ──► the format ──► Next: a flag, or the error of one line ──► … ──► io.EOF
//
// A bad line does not end the list: Next returns a *LineError for it, and the next call reads the next line.
package hashlist
