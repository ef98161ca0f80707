// Package migrations holds the library's schema as numbered SQL files. matchdb.Migrate applies them in their order and
// keeps the version in the table schema_version. A file that was released is never changed; a new one follows it.
package migrations

import "embed"

// FS holds the files.
//
//go:embed *.sql
var FS embed.FS

// First is the version of the first file. Databases of lower versions were made during development, by files that are not here.
const First = 201
