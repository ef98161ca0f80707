// Package doccheck holds the pages of docs/ against the code, in tests alone: the glossary's words, and links between pages.
package doccheck
