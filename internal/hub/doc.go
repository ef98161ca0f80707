// Package hub fetches model folders from a hub with the layout of Hugging Face's: OWNER/NAME/resolve/REVISION/FILE. Nothing but
// `moderator model pull` uses it.
//
// A revision such as a branch is resolved to a commit first, and all files are of that commit. A file is written to a folder
// beside the wanted one, and its size and hash are checked: the SHA-256 of large files, git's hash of small ones. An interrupted file is
// resumed at its last byte. The folder takes its place when it is complete and can be loaded.
package hub
